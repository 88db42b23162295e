// CodeMover: an operator that moves elements, or limits them, and does the same
// to codes as to reals.
#ifndef ZEROPOINT_PASSES_CODE_MOVERS_H_
#define ZEROPOINT_PASSES_CODE_MOVERS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/passes/live_interval.h"
#include "zeropoint/passes/quantized_values.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint::internal {

/// A node unit whose operator can work on the codes.
struct CodeMover {
  NodeId node = kNoNode;
  /// Of input 0; of every input of a Concat.
  std::vector<QuantizedValue> inputs = {};
  /// The codes that each output becomes.
  std::vector<ValueId> outputs = {};
  /// Inputs 1 and 2 of a Clip, input 2 of a Pad, as codes.
  std::optional<std::int32_t> lo = {};
  std::optional<std::int32_t> hi = {};
  std::optional<std::int32_t> fill = {};
};

/// Why output 0 of a node unit is not codes: for Decline.
inline std::string WhyNotQuantized(const GraphView& graph, NodeId node) {
  const ValueId output = graph.output(node, 0);
  const NodeId reader = SoleReader(graph, output);
  if (reader != kNoNode &&
      (IsOp(graph, reader, "Relu") || IsOp(graph, reader, "Clip"))) {
    return "the " + graph.node(reader).op_type() +
           " behind it is not what its codes saturate to";
  }
  return "its output is not quantized, or not read by one QuantizeLinear "
         "alone";
}

/// The first opset in which the operator takes 8-bit integers.
inline std::int64_t FirstOpsetOnCodes(std::string_view op_type) {
  if (op_type == "MaxPool" || op_type == "Relu" || op_type == "Clip") return 12;
  return op_type == "Pad" || op_type == "Resize" ? 11 : 1;
}

/// Fills in the limits of a Relu or Clip, or the fill of a Pad; says why not.
inline std::string ReadLimits(const GraphView& graph, CodeMover& mover) {
  const onnx::NodeProto& proto = graph.node(mover.node);
  const std::string& op_type = proto.op_type();
  const QParams& params = mover.inputs.front().tensor_params();
  const auto codes = FullCodeRange(mover.inputs.front().storage);
  if (!codes) return "its codes are not 8 bits wide";
  if (op_type == "Relu") {
    mover.lo = params.zero_point;
  } else if (op_type == "Clip") {
    const auto bounds = ClipBounds(graph, mover.node);
    if (!bounds) return "its bounds are not constant";
    mover.lo = reference::Quantize(bounds->lo, params, *codes);
    mover.hi = reference::Quantize(bounds->hi, params, *codes);
  } else if (op_type == "Pad" &&
             GetString(proto, "mode", "constant") == "constant") {
    mover.fill = params.zero_point;
    if (const ValueId fill = graph.input(mover.node, 2); fill != kNoValue) {
      const auto real = ScalarOf(graph, fill);
      if (!real) return "its padding value is not a constant";
      mover.fill =
          reference::Quantize(static_cast<float>(*real), params, *codes);
    }
  } else if (op_type == "Resize") {
    if (GetString(proto, "mode", "nearest") != "nearest" ||
        GetString(proto, "coordinate_transformation_mode", "half_pixel") ==
            "tf_crop_and_resize") {
      return "it interpolates, which needs more than codes";
    }
  }
  return "";
}

/// Input 0, or all of a Concat, and every read output have one scale and zero
/// point, and the opset lets the operator take their type. Requires: a node of
/// kMovesElements, a Relu or a Clip.
inline MatchResult<CodeMover> MatchCodeMover(const GraphView& graph,
                                             NodeId node) {
  const onnx::NodeProto& proto = graph.node(node);
  const std::string& op_type = proto.op_type();
  CodeMover mover{.node = node};
  const std::size_t data = op_type == "Concat" ? graph.inputs(node).size() : 1;
  for (std::size_t i = 0; i < data; ++i) {
    auto input = DequantizedFrom(graph, graph.input(node, i));
    if (!input || !input->eight_bits() || !input->per_tensor()) {
      return Decline{"its input does not come from 8-bit codes with one scale"};
    }
    mover.inputs.push_back(std::move(*input));
    if (!HaveEqualParams(mover.inputs.front(), mover.inputs.back())) {
      return Decline{"its inputs have different scales or zero points"};
    }
  }
  if (mover.inputs.empty()) return Decline{"it has no input"};
  if (op_type == "MaxPool" && !HasNoOutputFrom(graph, node, 1)) {
    return Decline{"its Indices output is used"};
  }
  for (const ValueId output : graph.outputs(node)) {
    if (output == kNoValue ||
        (graph.uses(output).empty() && !graph.is_graph_output(output))) {
      if (op_type == "Split") return Decline{"one of its outputs is not read"};
      continue;  // MaxPool's Indices, which stand last
    }
    const auto codes = QuantizedTo(graph, output);
    if (!codes) return Decline{WhyNotQuantized(graph, node)};
    if (!HaveEqualParams(mover.inputs.front(), *codes)) {
      return Decline{
          "its output has another scale or zero point than its "
          "input"};
    }
    mover.outputs.push_back(codes->codes);
  }
  if (mover.outputs.empty()) return Decline{"nothing reads its output"};
  if (graph.model().opset() < FirstOpsetOnCodes(op_type)) {
    return Decline{
        NeedsOpset(graph, op_type + " on codes", FirstOpsetOnCodes(op_type))};
  }
  if (std::string against = ReadLimits(graph, mover); !against.empty()) {
    return Decline{std::move(against)};
  }
  return mover;
}

/// Lets the operator read and write the codes, without the pairs around it.
inline void MoveCodes(const GraphView& graph, Rewriter& rewriter,
                      const CodeMover& mover) {
  const ScopeId scope = graph.scope(mover.node);
  onnx::NodeProto after = graph.node(mover.node);
  const DataType storage = mover.inputs.front().storage;
  const std::string hint = RealName(graph.name(mover.inputs.front().codes));
  for (std::size_t i = 0; i < mover.inputs.size(); ++i) {
    after.set_input(static_cast<int>(i),
                    std::string(graph.name(mover.inputs[i].codes)));
  }
  const auto set_code = [&](int input, const char* name, std::int32_t code) {
    while (after.input_size() <= input) after.add_input("");
    const ValueId value =
        rewriter.AddInitializer(EncodeCode(hint + name, code, storage));
    after.set_input(input, std::string(graph.name(value)));
  };
  if (mover.lo || mover.hi) {
    after.set_op_type("Clip");
    after.mutable_input()->DeleteSubrange(1, after.input_size() - 1);
    RemoveAttribute(after, "min");
    RemoveAttribute(after, "max");
    if (mover.lo) set_code(1, "_lo", *mover.lo);
    if (mover.hi) set_code(2, "_hi", *mover.hi);
  }
  if (mover.fill) set_code(2, "_fill", *mover.fill);
  const std::vector<ValueId> read(graph.inputs(mover.node).begin(),
                                  graph.inputs(mover.node).end());
  after.clear_output();
  for (const ValueId output : mover.outputs) {
    after.add_output(std::string(graph.name(output)));
    rewriter.Erase(graph.producer(output));
  }
  rewriter.Erase(mover.node);
  rewriter.Add(std::move(after), scope);
  for (const ValueId value : read) EraseIfUnused(graph, rewriter, value);
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_CODE_MOVERS_H_
