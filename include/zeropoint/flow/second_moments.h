// CollectSecondMoments: runs a float model on a few samples and keeps the
// second moments of what its weights multiply.
#ifndef ZEROPOINT_FLOW_SECOND_MOMENTS_H_
#define ZEROPOINT_FLOW_SECOND_MOMENTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/patches.h"
#include "zeropoint/calibration/second_moment_observer.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/operators/window.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/flow/second_moment_options.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/quantization_plan.h"
#include "zeropoint/passes/round_weights.h"
#include "zeropoint/passes/weight_matrix.h"

namespace zeropoint {

namespace internal {

/// The patches that one or more nodes read.
struct PatchReader {
  std::string input;
  WeightMatrix matrix;
  bool rows = false;  // Gemm, MatMul: the last axis holds the channels
  bool transposed = false;
  Dims kernel;
  WindowAttributes window;
  SecondMomentObserver observer;

  /// Nothing when the tensor does not fit the node.
  std::optional<PatchShape> ShapeOf(const TensorView& x) const {
    PatchShape shape;
    shape.channels = matrix.groups * matrix.inputs;
    shape.transposed = transposed;
    if (x.rank() == 0 || x.size() == 0) return std::nullopt;
    if (rows) {
      shape.batch = x.size() / shape.channels;
      if (x.dims().back() != static_cast<std::int64_t>(shape.channels)) {
        return std::nullopt;
      }
      return shape;
    }
    if (x.rank() != kernel.size() + 2 ||
        x.dims()[1] != static_cast<std::int64_t>(shape.channels)) {
      return std::nullopt;
    }
    shape.batch = static_cast<std::size_t>(x.dims()[0]);
    const auto spatial = x.dims().subspan(2);
    const auto axes = transposed ? window.Axes(spatial, kernel)
                                 : window.Over(spatial, kernel);
    if (!axes.ok()) return std::nullopt;
    for (const WindowAxis& axis : *axes) {
      PatchAxis& patch = shape.axes.emplace_back();
      patch.in = axis.in;
      patch.kernel = axis.kernel;
      patch.stride = axis.stride;
      patch.dilation = axis.dilation;
      // Of a transposed convolution padding only cuts outputs off.
      patch.pad_begin = transposed ? 0 : axis.pad_begin;
      patch.out =
          transposed ? (axis.in - 1) * axis.stride + axis.extent() : axis.out;
    }
    return shape;
  }
};

/// Feeds tensors to the readers of each tap.
class PatchSink final : public TensorSink {
 public:
  PatchSink(std::span<const std::vector<PatchReader*>> readers,
            const KernelTable& kernels, const ParallelFor& parallel)
      : readers_(readers), kernels_(kernels), parallel_(parallel) {}

  void set_sample(std::uint64_t sample) { sample_ = sample; }

  Status Consume(std::size_t tap, const TensorView& tensor) override {
    Tensor wide;
    const Result<TensorView> real = AsFloat(tensor, wide);
    if (!real.ok()) return Status();
    for (PatchReader* reader : readers_[tap]) {
      if (const auto shape = reader->ShapeOf(tensor)) {
        reader->observer.Observe(real->As<float>(), *shape, sample_, kernels_,
                                 parallel_);
      }
    }
    return Status();
  }

 private:
  std::span<const std::vector<PatchReader*>> readers_;
  const KernelTable& kernels_;
  const ParallelFor& parallel_;
  std::uint64_t sample_ = 0;
};

/// Equal for nodes that read the same patches.
inline std::string PatchKey(const onnx::NodeProto& node,
                            const PatchReader& reader) {
  std::string key = reader.input;
  key += '\n' + std::to_string(reader.matrix.groups) + ' ' +
         std::to_string(reader.matrix.inputs);
  if (reader.rows) return key;
  key += reader.transposed ? " T" : " C";
  for (const char* name : {"strides", "dilations", "pads"}) {
    key += FormatDims(GetInts(node, name));
  }
  key += FormatDims(reader.kernel);
  return key.append(GetString(node, "auto_pad", ""));
}

}  // namespace internal

/// The second moments of the inputs of every node of `plan` that has weights,
/// from the first `options.samples` samples of `source`.
///
/// Errors: those of the source and the executor.
template <Executor E>
Result<SecondMomentTable> CollectSecondMoments(
    E& executor, FeedSource& source, const GraphView& graph,
    const QuantizationPlan& plan, const KernelTable& kernels,
    const ParallelFor& parallel = SerialFor,
    const SecondMomentOptions& options = {},
    const ProgressHook& progress = {}) {
  std::map<std::string, std::unique_ptr<internal::PatchReader>> readers;
  std::map<std::pair<std::string, std::string>, std::string> key_of;
  double bytes = 0.0;
  for (const PlannedNode& planned : plan.nodes) {
    if (planned.operands.weight == Operands::kNone) continue;
    const onnx::NodeProto& node = graph.node(planned.node);
    const auto dims = graph.shape(graph.input(planned.node, 1));
    const auto matrix =
        dims ? WeightMatrix::Of(planned.operands, *dims) : std::nullopt;
    if (!matrix) continue;
    auto reader = std::make_unique<internal::PatchReader>();
    reader->input = graph.name(graph.input(planned.node, 0));
    reader->matrix = *matrix;
    reader->rows = node.op_type() == "Gemm" || node.op_type() == "MatMul";
    reader->transposed = node.op_type() == "ConvTranspose";
    reader->observer = SecondMomentObserver(matrix->groups, options.patches);
    if (!reader->rows) {
      reader->kernel.assign(dims->begin() + 2, dims->end());
      ZEROPOINT_ASSIGN_OR_RETURN(reader->window, WindowAttributes::Read(node));
    }
    std::string key = internal::PatchKey(node, *reader);
    if (!readers.contains(key)) {
      const double more =
          SecondMomentObserver::StateBytes(matrix->groups, matrix->columns());
      if (bytes + more > options.most_bytes) continue;
      bytes += more;
      readers.emplace(key, std::move(reader));
    }
    key_of[{std::string(graph.name(graph.input(planned.node, 0))),
            std::string(graph.name(graph.input(planned.node, 1)))}] = key;
  }
  std::map<std::string, std::vector<internal::PatchReader*>> by_input;
  for (const auto& [key, reader] : readers) {
    by_input[reader->input].push_back(reader.get());
  }
  std::vector<std::string> taps;
  std::vector<std::vector<internal::PatchReader*>> readers_of_tap;
  for (auto& [input, list] : by_input) {
    taps.push_back(input);
    readers_of_tap.push_back(std::move(list));
  }
  internal::PatchSink sink(readers_of_tap, kernels, parallel);
  for (std::size_t sample = 0; sample < options.samples && !taps.empty();
       ++sample) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<Feeds> feeds, source.Next());
    if (!feeds) break;
    sink.set_sample(sample);
    ZEROPOINT_RETURN_IF_ERROR(
        executor.Run(*feeds, taps, sink)
            .WithContext("calibration sample " + std::to_string(sample)));
    if (progress) progress("second moments", sample + 1, options.samples);
  }
  std::map<std::string, std::shared_ptr<const SecondMoments>> moments;
  for (const auto& [key, reader] : readers) {
    moments[key] =
        std::make_shared<const SecondMoments>(reader->observer.TakeMoments());
  }
  SecondMomentTable table;
  for (const auto& [names, key] : key_of) table[names] = moments.at(key);
  return table;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_SECOND_MOMENTS_H_
