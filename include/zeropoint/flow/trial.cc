#include "zeropoint/flow/trial.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/eval/output_measures.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/run_samples.h"
#include "zeropoint/graph/external_data.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/visit_tensors.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

Result<Model> CloneModel(Model& model) {
  ZEROPOINT_RETURN_IF_ERROR(
      VisitTensors(model.proto(), [](onnx::TensorProto& tensor, TensorRole) {
        return IsExternal(tensor)
                   ? Unsupported("the weights lie in a file of their own")
                   : Status();
      }));
  return Model::FromProto(model.proto());
}

std::vector<double> MeanEnergies(
    const std::vector<std::vector<Tensor>>& references) {
  std::vector<double> means;
  for (const std::vector<Tensor>& reference : references) {
    means.resize(reference.size());
    for (std::size_t k = 0; k < reference.size(); ++k) {
      const TensorView view = reference[k].view();
      OutputMeasures measures;
      if (!IsReal(view.type()) || !measures.Add(view, view).ok()) continue;
      means[k] += measures.signal() / static_cast<double>(references.size());
    }
  }
  return means;
}

namespace {

/// Noise over signal of one output on one sample.
double NoiseOf(const TensorView& reference, const TensorView& output,
               double least_signal) {
  constexpr double kMost = std::numeric_limits<double>::infinity();
  OutputMeasures measures;
  if (!measures.Add(reference, output).ok() || measures.non_finite() > 0) {
    return kMost;
  }
  if (measures.error() == 0.0) return 0.0;
  const double signal = std::max(measures.signal(), least_signal);
  return signal > 0.0 ? measures.error() / signal : kMost;
}

/// Runs the quantized model on the first `most` held-out samples and hands
/// each sample's number and outputs over.
template <class Take>
Status RunHeldOut(const Model& quantized, const HeldOutSamples& held,
                  ThreadPool& pool, const KernelTable& kernels,
                  std::size_t most, Take take) {
  ZEROPOINT_ASSIGN_OR_RETURN(
      BuiltinExecutor executor,
      BuiltinExecutor::Create(quantized, {.kernels = &kernels, .pool = &pool}));
  KeepingSink sink(held.outputs.size());
  for (std::size_t i = 0; i < std::min(most, held.feeds.size()); ++i) {
    ZEROPOINT_RETURN_IF_ERROR(
        executor.Run(held.feeds[i], held.outputs, sink)
            .WithContext("held-out sample " + std::to_string(i)));
    take(i, sink.tensors());
  }
  return Status();
}

/// Rows of the last axis, and those in which both have the same greatest
/// element.
struct AgreeingRows {
  std::size_t rows = 0;
  std::size_t agreeing = 0;

  void Add(const TensorView& reference, const TensorView& output) {
    Tensor wide_reference;
    Tensor wide_output;
    const Result<TensorView> real = AsFloat(reference, wide_reference);
    const Result<TensorView> found = AsFloat(output, wide_output);
    if (!real.ok() || !found.ok() || real->size() != found->size()) return;
    const Dims dims(reference.dims().begin(), reference.dims().end());
    const auto row = dims.empty() ? 1 : static_cast<std::size_t>(dims.back());
    const std::span<const float> r = real->As<float>();
    const std::span<const float> q = found->As<float>();
    const auto top = [row](std::span<const float> values, std::size_t at) {
      const auto part = values.subspan(at, row);
      return std::max_element(part.begin(), part.end()) - part.begin();
    };
    for (std::size_t at = 0; row > 0 && at < r.size(); at += row) {
      ++rows;
      agreeing += top(r, at) == top(q, at) ? 1 : 0;
    }
  }
};

}  // namespace

Result<SampleScores> ScoresOf(const Model& quantized,
                              const HeldOutSamples& held, ThreadPool& pool,
                              const KernelTable& kernels, std::size_t most) {
  SampleScores scores;
  const auto score = [&](std::size_t i, std::span<const Tensor> outputs) {
    double noise = 0.0;
    std::size_t measured = 0;
    for (std::size_t k = 0; k < held.outputs.size(); ++k) {
      const Tensor& reference = held.references[i][k];
      if (!IsReal(reference.type())) continue;
      noise += NoiseOf(reference.view(), outputs[k].view(),
                       0.1 * held.mean_energies[k]);
      ++measured;
    }
    if (measured > 0) noise /= static_cast<double>(measured);
    scores.push_back(
        std::clamp(-10.0 * std::log10(noise), -kMostDecibel, kMostDecibel));
  };
  ZEROPOINT_RETURN_IF_ERROR(
      RunHeldOut(quantized, held, pool, kernels, most, score));
  return scores;
}

Result<double> AgreementOf(const Model& quantized, const HeldOutSamples& held,
                           ThreadPool& pool, const KernelTable& kernels) {
  AgreeingRows counted;
  const auto count = [&](std::size_t i, std::span<const Tensor> outputs) {
    for (std::size_t k = 0; k < held.outputs.size(); ++k) {
      counted.Add(held.references[i][k].view(), outputs[k].view());
    }
  };
  ZEROPOINT_RETURN_IF_ERROR(
      RunHeldOut(quantized, held, pool, kernels, held.feeds.size(), count));
  return counted.rows == 0 ? 1.0
                           : static_cast<double>(counted.agreeing) /
                                 static_cast<double>(counted.rows);
}

}  // namespace zeropoint
