// Compare: a quantized model beside the float model that it came from.
#ifndef ZEROPOINT_FLOW_COMPARE_H_
#define ZEROPOINT_FLOW_COMPARE_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/eval/output_measures.h"
#include "zeropoint/eval/top_k_accuracy.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/keeping_sink.h"
#include "zeropoint/flow/layers_alone.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/graph/graph_view.h"

namespace zeropoint {

struct TensorComparison {
  std::string name;
  OutputMeasures measures;
};

struct ComparisonReport {
  std::size_t samples = 0;
  std::vector<TensorComparison> outputs;
  /// All noise before a layer included.
  std::vector<TensorComparison> layers;
  /// The same layers, each computed from the float model's tensors; empty where
  /// the model cannot be cut.
  std::vector<TensorComparison> layers_alone;
  /// By sample: the least SQNR of its outputs, in dB.
  std::vector<double> samples_db;
  /// Mean over the samples that were timed, of the fastest of some runs with
  /// nothing tapped but the outputs.
  double float_milliseconds = 0.0;
  double quantized_milliseconds = 0.0;
  /// Of the first output, against the labels; nothing when there are none.
  std::optional<TopKAccuracy> float_accuracy;
  std::optional<TopKAccuracy> quantized_accuracy;
};

/// Activations that the quantized model carries through a Q/DQ pair, matched by
/// name with the float model's: a pair reads the real tensor under its name,
/// or, in front of a graph output, writes it.
inline std::vector<TensorPair> MatchLayers(const GraphView& float_graph,
                                           const GraphView& quantized_graph) {
  std::set<std::string> outputs;
  for (const ValueId output : float_graph.graph_outputs()) {
    outputs.emplace(float_graph.name(output));
  }
  std::vector<TensorPair> layers;
  for (const NodeId quantize :
       quantized_graph.nodes_of_type("QuantizeLinear")) {
    if (quantized_graph.scope(quantize) != kMainScope) continue;
    const std::string real(
        quantized_graph.name(quantized_graph.input(quantize, 0)));
    for (const Use& use :
         quantized_graph.uses(quantized_graph.output(quantize, 0))) {
      if (quantized_graph.node(use.node).op_type() != "DequantizeLinear") {
        continue;
      }
      const std::string dequantized(
          quantized_graph.name(quantized_graph.output(use.node, 0)));
      const ValueId match = float_graph.Find(real);
      if (match != kNoValue && !float_graph.IsConstant(match) &&
          !outputs.contains(dequantized)) {
        layers.push_back({real, dequantized});
        break;
      }
    }
  }
  return layers;
}

namespace internal {

/// The labels of all samples; empty when the data have no whole-number ones.
inline std::vector<std::int64_t> LabelsOf(FeedSource& source) {
  for (const std::string& name : source.label_names()) {
    if (name != kLabels) continue;
    Result<std::vector<std::int64_t>> labels = source.ClassLabels(name);
    if (labels.ok()) return std::move(labels).value();
  }
  return {};
}

/// The least SQNR of the outputs of one sample.
inline Result<double> SampleDecibel(std::span<const Tensor> reference,
                                    std::span<const Tensor> other) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < reference.size(); ++i) {
    OutputMeasures measures;
    ZEROPOINT_RETURN_IF_ERROR(
        measures.Add(reference[i].view(), other[i].view()));
    least = std::min(least, measures.sqnr_db());
  }
  return least;
}

/// The fastest of some runs, in milliseconds.
template <Executor E>
Result<double> TimeRuns(E& executor, const Feeds& feeds,
                        std::span<const std::string> outputs) {
  using Clock = std::chrono::steady_clock;
  constexpr int kRuns = 3;
  double least = std::numeric_limits<double>::infinity();
  KeepingSink sink(outputs.size());
  for (int i = 0; i < kRuns; ++i) {
    const Clock::time_point begin = Clock::now();
    ZEROPOINT_RETURN_IF_ERROR(executor.Run(feeds, outputs, sink));
    const std::chrono::duration<double, std::milli> taken =
        Clock::now() - begin;
    least = std::min(least, taken.count());
  }
  return least;
}

inline Status AddAll(std::span<TensorComparison> comparisons,
                     std::span<const Tensor> reference,
                     std::span<const Tensor> other) {
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    ZEROPOINT_RETURN_IF_ERROR(
        comparisons[i]
            .measures.Add(reference[i].view(), other[i].view())
            .WithContext("tensor '" + comparisons[i].name + "'"));
  }
  return Status();
}

}  // namespace internal

/// Computes layers from the float model's tensors; see LayersAlone.
using AloneFunction = std::function<Status(const Feeds& feeds,
                                           std::span<const Tensor> real_layers,
                                           std::span<TensorComparison> alone)>;

/// Runs both models on every sample and measures their outputs, which must have
/// the same names, and `layers` (from MatchLayers; may be empty), with `alone`
/// also each by itself. One sample of each is held at a time.
///
/// Errors: kInvalidData when an output differs in shape or is not float, or
/// there is no sample; those of the executors.
template <Executor F, Executor Q>
Result<ComparisonReport> Compare(F& float_executor, Q& quantized_executor,
                                 FeedSource& source,
                                 std::span<const std::string> outputs,
                                 std::span<const TensorPair> layers,
                                 const ProgressHook& progress = {},
                                 const AloneFunction& alone = {}) {
  constexpr std::size_t kTimedSamples = 4;
  ComparisonReport report;
  std::vector<std::string> float_taps(outputs.begin(), outputs.end());
  std::vector<std::string> quantized_taps = float_taps;
  for (const std::string& output : outputs) {
    report.outputs.push_back({output, {}});
  }
  for (const TensorPair& layer : layers) {
    float_taps.push_back(layer.float_name);
    quantized_taps.push_back(layer.quantized_name);
    report.layers.push_back({layer.float_name, {}});
    if (alone) report.layers_alone.push_back({layer.float_name, {}});
  }
  const std::vector<std::int64_t> labels = internal::LabelsOf(source);
  if (!labels.empty() && !outputs.empty()) {
    report.float_accuracy.emplace();
    report.quantized_accuracy.emplace();
  }
  KeepingSink float_tensors(float_taps.size());
  KeepingSink quantized_tensors(quantized_taps.size());
  for (;;) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<Feeds> feeds, source.Next());
    if (!feeds) break;
    const std::string sample = "sample " + std::to_string(report.samples);
    ZEROPOINT_RETURN_IF_ERROR(
        float_executor.Run(*feeds, float_taps, float_tensors)
            .WithContext("float model, " + sample));
    ZEROPOINT_RETURN_IF_ERROR(
        quantized_executor.Run(*feeds, quantized_taps, quantized_tensors)
            .WithContext("quantized model, " + sample));
    const auto real = float_tensors.tensors();
    const auto other = quantized_tensors.tensors();
    ZEROPOINT_RETURN_IF_ERROR(internal::AddAll(report.outputs, real, other));
    ZEROPOINT_RETURN_IF_ERROR(internal::AddAll(report.layers,
                                               real.subspan(outputs.size()),
                                               other.subspan(outputs.size())));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const double decibel,
        internal::SampleDecibel(real.first(outputs.size()),
                                other.first(outputs.size())));
    report.samples_db.push_back(decibel);
    if (alone) {
      ZEROPOINT_RETURN_IF_ERROR(
          alone(*feeds, real.subspan(outputs.size()), report.layers_alone)
              .WithContext("layers alone, " + sample));
    }
    if (report.samples < kTimedSamples) {
      ZEROPOINT_ASSIGN_OR_RETURN(
          const double real_time,
          internal::TimeRuns(float_executor, *feeds, outputs));
      ZEROPOINT_ASSIGN_OR_RETURN(
          const double quantized_time,
          internal::TimeRuns(quantized_executor, *feeds, outputs));
      report.float_milliseconds += real_time;
      report.quantized_milliseconds += quantized_time;
    }
    if (report.samples < labels.size() && report.float_accuracy) {
      const std::int64_t label = labels[report.samples];
      ZEROPOINT_RETURN_IF_ERROR(
          report.float_accuracy->Add(real[0].view(), label));
      ZEROPOINT_RETURN_IF_ERROR(
          report.quantized_accuracy->Add(other[0].view(), label));
    }
    ++report.samples;
    if (progress) progress("comparing", report.samples, source.size());
  }
  if (report.samples == 0) return InvalidData("there is no sample");
  const auto timed =
      static_cast<double>(std::min(report.samples, kTimedSamples));
  report.float_milliseconds /= timed;
  report.quantized_milliseconds /= timed;
  return report;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_COMPARE_H_
