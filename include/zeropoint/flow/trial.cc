#include "zeropoint/flow/trial.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
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

}  // namespace

Result<SampleScores> ScoresOf(const Model& quantized,
                              const HeldOutSamples& held, ThreadPool& pool,
                              const KernelTable& kernels, std::size_t most) {
  ZEROPOINT_ASSIGN_OR_RETURN(
      BuiltinExecutor executor,
      BuiltinExecutor::Create(quantized, {.kernels = &kernels, .pool = &pool}));
  SampleScores scores;
  KeepingSink sink(held.outputs.size());
  for (std::size_t i = 0; i < std::min(most, held.feeds.size()); ++i) {
    ZEROPOINT_RETURN_IF_ERROR(
        executor.Run(held.feeds[i], held.outputs, sink)
            .WithContext("held-out sample " + std::to_string(i)));
    double noise = 0.0;
    std::size_t measured = 0;
    for (std::size_t k = 0; k < held.outputs.size(); ++k) {
      const Tensor& reference = held.references[i][k];
      if (!IsReal(reference.type())) continue;
      noise += NoiseOf(reference.view(), sink.tensors()[k].view(),
                       0.1 * held.mean_energies[k]);
      ++measured;
    }
    if (measured > 0) noise /= static_cast<double>(measured);
    scores.push_back(
        std::clamp(-10.0 * std::log10(noise), -kMostDecibel, kMostDecibel));
  }
  return scores;
}

}  // namespace zeropoint
