#include "zeropoint/flow/describe_weights.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/packed_codes.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/passes/qlinear_signature.h"
#include "zeropoint/passes/quantized_values.h"

namespace zeropoint {

namespace {

template <class Code>
std::vector<std::uint64_t> CountCodes(std::span<const Code> codes, int least,
                                      std::size_t kinds) {
  std::vector<std::uint64_t> counts(kinds, 0);
  for (const Code code : codes) {
    ++counts[static_cast<std::size_t>(int{code} - least)];
  }
  return counts;
}

template <class Code>
std::vector<std::uint64_t> CountNibbles(const TensorView& packed, int least) {
  std::vector<Code> codes(packed.size());
  UnpackNibbles<Code>(std::span(static_cast<const std::uint8_t*>(packed.data()),
                                packed.bytes()),
                      codes);
  return CountCodes<Code>(codes, least, 16);
}

/// Empty for a type that is none of weights.
std::vector<std::uint64_t> CodeCounts(const TensorView& codes) {
  switch (codes.type()) {
    case DataType::kUint8:
      return CountCodes(codes.As<std::uint8_t>(), 0, 256);
    case DataType::kInt8:
      return CountCodes(codes.As<std::int8_t>(),
                        std::numeric_limits<std::int8_t>::min(), 256);
    case DataType::kUint4:
      return CountNibbles<std::uint8_t>(codes, 0);
    case DataType::kInt4:
      return CountNibbles<std::int8_t>(codes, -8);
    default:
      return {};
  }
}

class WeightDescriber {
 public:
  explicit WeightDescriber(const GraphView& graph) : graph_(graph) {}

  Status Visit(NodeId node) {
    if (IsOp(graph_, node, "DequantizeLinear")) {
      NodeId reader = node;
      const auto uses = graph_.uses(graph_.output(node, 0));
      if (!uses.empty()) reader = uses[0].node;
      return Add(graph_.input(node, 0), graph_.input(node, 1), reader);
    }
    if (IsOp(graph_, node, "ConvInteger") ||
        IsOp(graph_, node, "MatMulInteger")) {
      return Add(graph_.input(node, 1), kNoValue, node);
    }
    const internal::QLinearSignature* signature =
        internal::SignatureOf(graph_.node(node));
    if (signature == nullptr) return Status();
    for (std::size_t at = signature->first;
         at + 2 < graph_.inputs(node).size() &&
         (signature->operands == internal::QLinearSignature::kAll ||
          at < signature->first + 3 * signature->operands);
         at += 3) {
      ZEROPOINT_RETURN_IF_ERROR(
          Add(graph_.input(node, at), graph_.input(node, at + 1), node));
    }
    return Status();
  }

  std::vector<WeightDescription> Take() { return std::move(weights_); }

 private:
  Status Add(ValueId codes, ValueId scale, NodeId reader) {
    if (!graph_.IsConstant(codes) || !seen_.insert(codes).second) {
      return Status();
    }
    Tensor scratch;
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView view,
                               graph_.ConstantView(codes, scratch));
    WeightDescription weights;
    weights.code_counts = CodeCounts(view);
    if (view.rank() == 0 || weights.code_counts.empty()) return Status();
    weights.name = graph_.name(codes);
    weights.node = graph_.node(reader).name();
    weights.type = view.type();
    weights.dims.assign(view.dims().begin(), view.dims().end());
    if (scale != kNoValue) {
      weights.scales =
          internal::RealElements(graph_, scale).value_or(std::vector<float>());
    }
    graph_.ForgetConstant(codes);
    weights_.push_back(std::move(weights));
    return Status();
  }

  const GraphView& graph_;
  std::set<ValueId> seen_;
  std::vector<WeightDescription> weights_;
};

}  // namespace

Result<std::vector<WeightDescription>> DescribeWeights(const GraphView& graph) {
  WeightDescriber describer(graph);
  for (const NodeId node : graph.nodes()) {
    ZEROPOINT_RETURN_IF_ERROR(describer.Visit(node));
  }
  return describer.Take();
}

}  // namespace zeropoint
