// VerifyModel: the rules that this library relies on, checked on the model as
// it stands. It needs no schemas and throws nothing; CheckModel (onnx_tools.h)
// is onnx's own, wider check.
#ifndef ZEROPOINT_GRAPH_VERIFY_H_
#define ZEROPOINT_GRAPH_VERIFY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/opset_facts.h"

namespace zeropoint {

namespace internal {

// One past the pattern of the largest finite positive number, zero being 0: the
// positive finite numbers of a binary floating-point type are the patterns
// between.
inline std::optional<std::uint32_t> InfinityPattern(DataType type) {
  switch (type) {
    case DataType::kFloat:
      return 0x7f800000;
    case DataType::kFloat16:
      return 0x7c00;
    case DataType::kBfloat16:
      return 0x7f80;
    default:
      return std::nullopt;
  }
}

// The first element that is not a finite number above 0.
inline std::optional<std::size_t> FirstBadScale(const TensorView& scale) {
  const auto infinity = InfinityPattern(scale.type());
  if (!infinity) return std::nullopt;
  const std::size_t width = BytesOf(scale.type(), 1);
  const auto* bytes = static_cast<const std::byte*>(scale.data());
  for (std::size_t i = 0; i < scale.size(); ++i) {
    std::uint32_t pattern = 0;  // little-endian: see initializer.h
    std::memcpy(&pattern, bytes + i * width, width);
    if (pattern == 0 || pattern >= *infinity) return i;
  }
  return std::nullopt;
}

// Checks one model through an index that was just built.
class ModelVerifier {
 public:
  explicit ModelVerifier(const GraphView& view) : view_(view) {}

  Status Verify() const {
    ZEROPOINT_RETURN_IF_ERROR(VerifyVersions());
    for (const NodeId node : view_.nodes()) {
      ZEROPOINT_RETURN_IF_ERROR(VerifyDomain(view_.node(node)));
    }
    for (const char* domain : {"", "com.microsoft"}) {
      for (const bool quantizes : {true, false}) {
        for (const NodeId node : view_.nodes_of_type(
                 quantizes ? "QuantizeLinear" : "DequantizeLinear", domain)) {
          ZEROPOINT_RETURN_IF_ERROR(VerifyPair(node, quantizes));
        }
      }
    }
    return Status();
  }

 private:
  Status VerifyVersions() const {
    const std::int64_t opset = view_.model().opset();
    const std::int64_t ir_version = view_.model().proto().ir_version();
    if (opset == 0 || ir_version >= LowestIrVersion(opset)) return Status();
    return InvalidModel("the model states IR version " +
                        std::to_string(ir_version) + ", but its opset " +
                        std::to_string(opset) + " needs at least " +
                        std::to_string(LowestIrVersion(opset)));
  }

  Status VerifyDomain(const onnx::NodeProto& node) const {
    if (view_.model().opset(node.domain()) > 0) return Status();
    return InvalidModel(NodeLabel(node) + " is of the domain \"" +
                        (node.domain().empty() ? "ai.onnx" : node.domain()) +
                        "\", of which the model imports no operator set");
  }

  // `quantizes`: QuantizeLinear; otherwise DequantizeLinear.
  Status VerifyPair(NodeId id, bool quantizes) const {
    const onnx::NodeProto& node = view_.node(id);
    const ValueId scale = view_.input(id, 1);
    const ValueId zero_point = view_.input(id, 2);
    if (scale == kNoValue || view_.output(id, 0) == kNoValue) {
      return InvalidModel(NodeLabel(node) + " has no " +
                          (scale == kNoValue ? "scale" : "output"));
    }
    ZEROPOINT_RETURN_IF_ERROR(VerifyScale(node, scale));
    ZEROPOINT_RETURN_IF_ERROR(VerifyAxis(id, scale));
    if (zero_point != kNoValue) {
      const auto of_scale = view_.shape(scale);
      const auto of_zero_point = view_.shape(zero_point);
      if (of_scale && of_zero_point && *of_scale != *of_zero_point) {
        return InvalidModel(
            NodeLabel(node) + " has a scale of shape " + FormatDims(*of_scale) +
            " and a zero point of shape " + FormatDims(*of_zero_point));
      }
    }
    return VerifyCodes(id, quantizes, zero_point);
  }

  Status VerifyScale(const onnx::NodeProto& node, ValueId scale) const {
    if (!view_.IsConstant(scale)) return Status();
    Tensor scratch;
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView values,
                               view_.ConstantView(scale, scratch));
    const auto bad = FirstBadScale(values);
    if (!bad) return Status();
    return InvalidModel(NodeLabel(node) + ": element " + std::to_string(*bad) +
                        " of its scale \"" + std::string(view_.name(scale)) +
                        "\" is not a finite number above 0");
  }

  // One scale a channel: as many as the axis has, and an opset that knows it.
  Status VerifyAxis(NodeId id, ValueId scale) const {
    const onnx::NodeProto& node = view_.node(id);
    const auto scales = view_.shape(scale);
    if (!scales || scales->size() != 1 || scales->front() == 1 ||
        GetInt(node, "block_size", 0) != 0) {
      return Status();
    }
    if (node.domain().empty() &&
        view_.model().opset() < kFirstOpsetWithQuantizationAxis) {
      return InvalidModel(NodeLabel(node) + " has " +
                          std::to_string(scales->front()) +
                          " scales, which need opset 13; the model has " +
                          std::to_string(view_.model().opset()));
    }
    const auto dims = view_.shape(view_.input(id, 0));
    if (!dims) return Status();
    const auto rank = static_cast<std::int64_t>(dims->size());
    const std::int64_t stated = GetInt(node, "axis", 1);
    const std::int64_t axis = stated < 0 ? stated + rank : stated;
    if (axis >= 0 && axis < rank &&
        (*dims)[static_cast<std::size_t>(axis)] == scales->front()) {
      return Status();
    }
    return InvalidModel(NodeLabel(node) + " has " +
                        std::to_string(scales->front()) + " scales for axis " +
                        std::to_string(stated) + " of a tensor of shape " +
                        FormatDims(*dims));
  }

  // The zero point has the type of the codes, which the opset knows.
  Status VerifyCodes(NodeId id, bool quantizes, ValueId zero_point) const {
    const onnx::NodeProto& node = view_.node(id);
    const ValueId codes = quantizes ? view_.output(id, 0) : view_.input(id, 0);
    const DataType stated = view_.element_type(zero_point);
    const DataType found = view_.element_type(codes);
    if (stated != DataType::kUndefined && found != DataType::kUndefined &&
        stated != found) {
      return InvalidModel(NodeLabel(node) + " has a zero point of type " +
                          std::string(DataTypeName(stated)) + ", but \"" +
                          std::string(view_.name(codes)) + "\" is " +
                          std::string(DataTypeName(found)));
    }
    const DataType type = stated != DataType::kUndefined ? stated : found;
    const bool needs_opset_21 =
        type == DataType::kUint16 || type == DataType::kInt16 ||
        type == DataType::kUint4 || type == DataType::kInt4;
    if (needs_opset_21 && node.domain().empty() &&
        view_.model().opset() < kFirstOpsetWith16BitQuantization) {
      return InvalidModel(NodeLabel(node) + " has codes of type " +
                          std::string(DataTypeName(type)) +
                          ", which need opset 21; the model has " +
                          std::to_string(view_.model().opset()));
    }
    return Status();
  }

  const GraphView& view_;
};

}  // namespace internal

/// Checks, in all scopes, the model that `view` is over: every name is defined
/// once and before it is read, outputs are produced, every node's operator set
/// is imported, the IR version allows the opset; and of QuantizeLinear and
/// DequantizeLinear: constant scales are finite and above 0, there is one for
/// the tensor or one a channel, and the zero point has the type of the codes.
///
/// The protos are indexed anew, so that a fault in the view shows too; the
/// types that the view knows are not looked at, only those in the model. Linear
/// time. Requires: no rewrite under way (Rewriter::Finish was called).
/// Errors: kInvalidModel for the first fault, with the node's and value's name.
inline Status VerifyModel(const GraphView& view) {
  ZEROPOINT_ASSIGN_OR_RETURN(const ConstGraphView fresh,
                             ConstGraphView::Over(view.model()));
  return internal::ModelVerifier(*fresh).Verify();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_VERIFY_H_
