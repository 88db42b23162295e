// insert-casts: the quantized operators of a half precision model compute in
// float.
#ifndef ZEROPOINT_PASSES_INSERT_CASTS_H_
#define ZEROPOINT_PASSES_INSERT_CASTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/add_cast.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

namespace internal {

/// One run of insert-casts.
class CastInserter {
 public:
  explicit CastInserter(GraphView& graph) : graph_(graph), rewriter_(graph) {}

  Result<PassReport> Run() {
    const std::vector<NodeId> nodes = graph_.nodes();
    for (const NodeId node : nodes) TakePair(node);
    const std::set<NodeId> pairs = float_nodes_;
    for (const NodeId node : nodes) {
      if (ReadsOnlyPairs(node)) float_nodes_.insert(node);
    }
    for (const NodeId node : pairs) TakeActivationsBefore(node, pairs);
    for (const NodeId node : nodes) {
      if (float_nodes_.contains(node)) ZEROPOINT_RETURN_IF_ERROR(Widen(node));
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter_.Finish());
    PassReport report;
    report.rewrites = float_nodes_.size();
    return report;
  }

 private:
  /// kUndefined for a value that is not of half precision.
  DataType HalfTypeOf(ValueId value) const {
    const auto known = dequantized_.find(value);
    if (known != dequantized_.end()) return known->second;
    const DataType type = graph_.element_type(value);
    return IsHalf(type) && !is_float_.contains(value) ? type
                                                      : DataType::kUndefined;
  }
  bool IsHalfValue(ValueId value) const {
    return value != kNoValue && HalfTypeOf(value) != DataType::kUndefined;
  }

  void TakePair(NodeId node) {
    constexpr std::array<std::string_view, 2> kPair = {"QuantizeLinear",
                                                       "DequantizeLinear"};
    if (!IsOneOf(graph_, node, kPair)) return;
    const DataType type = graph_.element_type(graph_.input(node, 1));
    if (!IsHalf(type) || !graph_.IsConstant(graph_.input(node, 1))) return;
    float_nodes_.insert(node);
    if (IsOp(graph_, node, "DequantizeLinear")) {
      dequantized_[graph_.output(node, 0)] = type;
    }
  }

  /// Whether the node computes on dequantized values: those, and at most
  /// vectors of constants, are all its reals. Operators whose output type is
  /// not that of their inputs, and those with bodies, do not count.
  bool ReadsOnlyPairs(NodeId node) const {
    const onnx::NodeProto& proto = graph_.node(node);
    constexpr std::string_view kTypedOtherwise[] = {
        "Bernoulli",         "Cast",
        "CastLike",          "ConstantOfShape",
        "DequantizeLinear",  "EyeLike",
        "QuantizeLinear",    "RandomNormalLike",
        "RandomUniformLike", "SequenceConstruct",
        "SequenceInsert",    "SplitToSequence"};
    if (!proto.domain().empty() || !graph_.bodies(node).empty() ||
        IsOneOf(graph_, node, kTypedOtherwise)) {
      return false;
    }
    bool reads = false;
    for (const ValueId input : graph_.inputs(node)) {
      if (!IsHalfValue(input)) continue;
      if (dequantized_.contains(input)) {
        reads = true;
      } else if (!graph_.IsConstant(input) ||
                 graph_.shape(input).value_or(Dims{1, 1}).size() > 1) {
        return false;
      }
    }
    return reads;
  }

  /// Relu and Clip between such a node and the QuantizeLinear of its output.
  void TakeActivationsBefore(NodeId quantize, const std::set<NodeId>& pairs) {
    if (!IsOp(graph_, quantize, "QuantizeLinear")) return;
    std::vector<NodeId> between;
    ValueId value = graph_.input(quantize, 0);
    const auto& uses = graph_.uses(value);
    if (graph_.is_graph_output(value) ||
        !std::all_of(uses.begin(), uses.end(), [&](const Use& use) {
          return pairs.contains(use.node);
        })) {
      return;
    }
    NodeId node = graph_.producer(value);
    constexpr std::array<std::string_view, 2> kActivations = {"Relu", "Clip"};
    while (IsOneOf(graph_, node, kActivations)) {
      between.push_back(node);
      value = graph_.input(node, 0);
      if (value == kNoValue || !graph_.has_single_use(value)) return;
      node = graph_.producer(value);
    }
    if (node != kNoNode && float_nodes_.contains(node)) {
      float_nodes_.insert(between.begin(), between.end());
    }
  }

  Status Widen(NodeId node) {
    for (std::size_t i = 0; i < graph_.inputs(node).size(); ++i) {
      const ValueId input = graph_.input(node, i);
      if (!IsHalfValue(input)) continue;
      const NodeId producer = graph_.producer(input);
      if (producer != kNoNode && float_nodes_.contains(producer)) continue;
      ZEROPOINT_ASSIGN_OR_RETURN(const ValueId wide, InFloat(input));
      rewriter_.SetInput(node, static_cast<int>(i), wide);
    }
    for (std::size_t i = 0; i < graph_.outputs(node).size(); ++i) {
      const ValueId output = graph_.output(node, i);
      if (IsHalfValue(output)) WidenOutput(node, static_cast<int>(i), output);
    }
    return Status();
  }

  /// A half precision value that no float node writes, as float.
  Result<ValueId> InFloat(ValueId value) {
    const auto known = wide_.find(value);
    if (known != wide_.end()) return known->second;
    const std::string name = std::string(graph_.name(value)) + "_float";
    const ScopeId scope = graph_.scope(value);
    ValueId wide = kNoValue;
    if (graph_.IsConstant(value)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const Tensor real,
                                 RealConstant(graph_, value));
      wide = rewriter_.AddInitializer(EncodeTensor(name, real.view()), scope);
    } else {
      wide = AddCast(rewriter_, value, DataType::kFloat, name, scope);
    }
    wide_[value] = wide;
    return wide;
  }

  /// The value becomes float; where something else reads it too, that is
  /// another value, and a Cast writes the old one.
  void WidenOutput(NodeId node, int index, ValueId output) {
    const DataType half = HalfTypeOf(output);
    const std::vector<Use> uses(graph_.uses(output).begin(),
                                graph_.uses(output).end());
    const bool all_float =
        !graph_.is_graph_output(output) &&
        std::all_of(uses.begin(), uses.end(), [this](const Use& use) {
          return float_nodes_.contains(use.node);
        });
    dequantized_.erase(output);
    onnx::TypeProto type;
    if (graph_.type(output) != nullptr) type = *graph_.type(output);
    type.mutable_tensor_type()->set_elem_type(
        static_cast<std::int32_t>(DataType::kFloat));
    if (all_float) {
      is_float_.insert(output);
      rewriter_.SetType(output, std::move(type));
      return;
    }
    const ScopeId scope = graph_.scope(output);
    const ValueId wide =
        rewriter_.NewValue(std::string(graph_.name(output)) + "_float", scope);
    rewriter_.SetType(wide, std::move(type));
    rewriter_.SetOutput(node, index, wide);
    AddCastTo(rewriter_, wide, half, output, scope);
    for (const Use& use : uses) {
      if (float_nodes_.contains(use.node)) {
        rewriter_.SetInput(use.node, use.input, wide);
      }
    }
  }

  GraphView& graph_;
  Rewriter rewriter_;
  std::set<NodeId> float_nodes_;
  std::map<ValueId, DataType> dequantized_;  // as they were
  std::set<ValueId> is_float_;
  std::map<ValueId, ValueId> wide_;
};

}  // namespace internal

/// Lets every operator between pairs of float16 or bfloat16 compute in float,
/// with the pairs themselves, the activations between it and its
/// QuantizeLinear, and casts where half precision begins and ends:
///
///   x (float16) -> Q -> DQ -> Conv(DQ(Wq), b) -> Q -> DQ -> y (float16)
///     becomes
///   x -> Cast -> Q -> DQ -> Conv(DQ(Wq), b) -> Q -> DQ -> Cast -> y
///
/// Scales become float, the same numbers, so no code changes, and the numbers
/// between the codes lose less. It is for runtimes that have no kernels for
/// pairs of half precision (TargetSpec::half_pairs), and for operator set
/// versions below 19, which have no such pairs.
///
/// Operators with a constant matrix that is not quantized stay, and so do
/// bodies' owners and what is of another domain. Idempotent. Enters bodies.
struct InsertCasts {
  static constexpr std::string_view kName = "insert-casts";
  static constexpr std::string_view kHelp =
      "Lets quantized operators of half precision compute in float";
  static constexpr std::string_view kSketch =
      "float16 x -> Q -> DQ -> Conv(DQ(Wq)) -> float16 y\n"
      "float16 x -> Cast -> Q -> DQ -> Conv(DQ(Wq)) -> Cast -> float16 y";

  Result<PassReport> Run(GraphView& graph, PassContext&) {
    return internal::CastInserter(graph).Run();
  }
};

static_assert(Pass<InsertCasts>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_INSERT_CASTS_H_
