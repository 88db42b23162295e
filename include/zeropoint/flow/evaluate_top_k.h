// EvaluateTopK: how often a classifier is right on labelled samples.
#ifndef ZEROPOINT_FLOW_EVALUATE_TOP_K_H_
#define ZEROPOINT_FLOW_EVALUATE_TOP_K_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/eval/top_k_accuracy.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/keeping_sink.h"
#include "zeropoint/flow/progress.h"

namespace zeropoint {

struct OutputAccuracy {
  std::string name;
  TopKAccuracy accuracy;
};

struct TopKReport {
  std::size_t samples = 0;
  std::vector<OutputAccuracy> outputs;
};

namespace internal {

/// Counts each of `labels`, one for each sample of a run, by its part of
/// `output`. A run of one sample may lack the batch axis.
inline Status AddRows(const TensorView& output,
                      std::span<const std::int64_t> labels,
                      TopKAccuracy& accuracy) {
  const bool batched = labels.size() > 1;
  std::span<const std::int64_t> dims = output.dims();
  if (batched && (dims.empty() || !std::cmp_equal(dims[0], labels.size()))) {
    return InvalidData("has shape " + FormatDims(dims) + " for a batch of " +
                       std::to_string(labels.size()));
  }
  if (batched) dims = dims.subspan(1);
  const auto axes =
      std::ranges::count_if(dims, [](std::int64_t dim) { return dim != 1; });
  const std::size_t classes = output.size() / labels.size();
  if (axes > 1 || classes == 0) {
    return InvalidData("has shape " + FormatDims(output.dims()) +
                       ", but class scores are one row a sample");
  }
  const std::size_t row_bytes = output.bytes() / labels.size();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || std::cmp_greater_equal(labels[i], classes)) {
      return InvalidData("scores " + std::to_string(classes) +
                         " classes, of which the label " +
                         std::to_string(labels[i]) + " is none");
    }
    const auto* row =
        static_cast<const std::byte*>(output.data()) + i * row_bytes;
    ZEROPOINT_RETURN_IF_ERROR(
        accuracy.Add(TensorView(output.type(), dims, row), labels[i]));
  }
  return Status();
}

}  // namespace internal

/// Runs the model on all samples of `source` and counts how often the labelled
/// class is among the first k, for each of `ks` and `outputs`. `labels` are one
/// for each sample, of which every run has `batch_size`, the last one what is
/// left.
///
/// Errors: kInvalidData when an output is not one row of scores a sample, a
/// label is no class, or labels and samples are not as many; kUnsupported for
/// scores that are no numbers; those of the executor.
template <Executor E>
Result<TopKReport> EvaluateTopK(E& executor, FeedSource& source,
                                std::span<const std::int64_t> labels,
                                std::size_t batch_size,
                                std::span<const std::string> outputs,
                                const std::vector<std::size_t>& ks,
                                const ProgressHook& progress = {}) {
  TopKReport report;
  for (const std::string& output : outputs) {
    report.outputs.push_back({output, TopKAccuracy(ks)});
  }
  KeepingSink sink(outputs.size());
  for (;;) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<Feeds> feeds, source.Next());
    if (!feeds) break;
    if (report.samples == labels.size()) {
      return InvalidData("there are more samples than the " +
                         std::to_string(labels.size()) + " labels");
    }
    const auto of_run = labels.subspan(
        report.samples, std::min(batch_size, labels.size() - report.samples));
    const std::string sample = "sample " + std::to_string(report.samples);
    ZEROPOINT_RETURN_IF_ERROR(
        executor.Run(*feeds, outputs, sink).WithContext(sample));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      OutputAccuracy& output = report.outputs[i];
      ZEROPOINT_RETURN_IF_ERROR(
          internal::AddRows(sink.tensors()[i].view(), of_run, output.accuracy)
              .WithContext(sample + ": output '" + output.name + "'"));
    }
    report.samples += of_run.size();
    if (progress) progress("evaluating", report.samples, labels.size());
  }
  if (report.samples == labels.size() && report.samples > 0) return report;
  return InvalidData("there are " + std::to_string(report.samples) +
                     " samples and " + std::to_string(labels.size()) +
                     " labels");
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_EVALUATE_TOP_K_H_
