// What patterns ask of quantized values: which codes stand behind this real
// value, with which numbers.
//
// An answer is given only where the model proves it: scales and zero points are
// constants, of the right type and count, and the scales are positive.
#ifndef ZEROPOINT_PASSES_QUANTIZED_VALUES_H_
#define ZEROPOINT_PASSES_QUANTIZED_VALUES_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "zeropoint/core/qparams.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/qdq_nodes.h"
#include "zeropoint/passes/quantize_tensor.h"

namespace zeropoint::internal {

/// Codes with the parameters that turn them into reals.
struct QuantizedValue {
  ValueId codes = kNoValue;
  DataType storage = DataType::kUndefined;
  /// The values in the graph; zero_point may be kNoValue, which means 0.
  QdqParams ids;
  /// The same as numbers; one entry when the axis is kPerTensor.
  TensorQParams params;
  /// Of the scales in the graph, and of the reals next to a QuantizeLinear or
  /// DequantizeLinear.
  DataType scale_type = DataType::kFloat;

  bool per_tensor() const { return params.axis == TensorQParams::kPerTensor; }
  /// Requires per_tensor().
  const QParams& tensor_params() const { return params.channels.front(); }
  bool eight_bits() const {
    return storage == DataType::kUint8 || storage == DataType::kInt8;
  }
};

/// Whether codes of one are codes of the other: one scale and zero point, the
/// same numbers and type.
inline bool HaveEqualParams(const QuantizedValue& a, const QuantizedValue& b) {
  return a.per_tensor() && b.per_tensor() && a.storage == b.storage &&
         a.tensor_params() == b.tensor_params();
}

/// The elements of a constant integer tensor of up to 32 bits.
inline std::optional<std::vector<std::int32_t>> IntegerElements(
    const GraphView& graph, ValueId value) {
  if (!graph.IsConstant(value)) return std::nullopt;
  const Result<Tensor> tensor = graph.Constant(value);
  if (!tensor.ok()) return std::nullopt;
  std::vector<std::int32_t> elements;
  const Status read = VisitDataType(tensor->type(), [&]<class T>() -> Status {
    if constexpr (std::is_integral_v<T> && !std::same_as<T, bool> &&
                  (sizeof(T) <= 2 || std::same_as<T, std::int32_t>)) {
      const auto values = tensor->template As<T>();
      elements.assign(values.begin(), values.end());
      return Status();
    } else {
      return Unsupported("not an integer of up to 32 bits");
    }
  });
  if (!read.ok()) return std::nullopt;
  return elements;
}

/// The elements of a constant vector or scalar of reals.
inline std::optional<std::vector<float>> RealElements(const GraphView& graph,
                                                      ValueId value) {
  if (!IsRealConstant(graph, value)) return std::nullopt;
  const Result<Tensor> tensor = RealConstant(graph, value);
  if (!tensor.ok()) return std::nullopt;
  const auto values = tensor->As<float>();
  return std::vector<float>(values.begin(), values.end());
}

/// `codes` with the parameters in `scale` and `zero_point` (kNoValue: 0 of
/// `storage`); `axis` counts channels where there is more than one scale.
/// Nothing unless all is constant and fits.
inline std::optional<QuantizedValue> ReadParams(const GraphView& graph,
                                                ValueId codes, ValueId scale,
                                                ValueId zero_point,
                                                std::int64_t axis,
                                                DataType storage) {
  const auto scales = RealElements(graph, scale);
  const auto scale_shape = graph.shape(scale);
  if (!scales || scales->empty() || !scale_shape || scale_shape->size() > 1) {
    return std::nullopt;
  }
  QuantizedValue value;
  value.codes = codes;
  value.storage = storage;
  value.ids = {scale, zero_point, TensorQParams::kPerTensor};
  value.scale_type = graph.element_type(scale);
  std::vector<std::int32_t> zero_points(scales->size(), 0);
  if (zero_point != kNoValue) {
    const auto read = IntegerElements(graph, zero_point);
    if (!read || read->size() != scales->size()) return std::nullopt;
    zero_points = *read;
    value.storage = graph.element_type(zero_point);
  }
  const DataType stated = graph.element_type(codes);
  if (stated != DataType::kUndefined && stated != value.storage) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < scales->size(); ++i) {
    const float each = (*scales)[i];
    if (!(each >= std::numeric_limits<float>::min() &&
          each <= std::numeric_limits<float>::max())) {
      return std::nullopt;
    }
    value.params.channels.push_back({each, zero_points[i]});
  }
  if (scales->size() > 1) {
    const auto dims = graph.shape(codes);
    if (!dims) return std::nullopt;
    const auto rank = static_cast<std::int64_t>(dims->size());
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank ||
        (*dims)[static_cast<std::size_t>(axis)] !=
            static_cast<std::int64_t>(scales->size())) {
      return std::nullopt;
    }
    value.params.axis = value.ids.axis = static_cast<int>(axis);
  }
  return value;
}

/// What a QuantizeLinear or DequantizeLinear node says of its codes.
inline std::optional<QuantizedValue> ReadQdqNode(const GraphView& graph,
                                                 NodeId node) {
  const bool quantizes = IsOp(graph, node, "QuantizeLinear");
  if (!quantizes && !IsOp(graph, node, "DequantizeLinear")) return std::nullopt;
  const onnx::NodeProto& proto = graph.node(node);
  const ValueId codes =
      quantizes ? graph.output(node, 0) : graph.input(node, 0);
  if (codes == kNoValue || GetInt(proto, "block_size", 0) != 0) {
    return std::nullopt;
  }
  DataType storage = graph.element_type(codes);
  if (quantizes && storage == DataType::kUndefined) {
    storage = static_cast<DataType>(GetInt(
        proto, "output_dtype", static_cast<std::int64_t>(DataType::kUint8)));
  }
  return ReadParams(graph, codes, graph.input(node, 1), graph.input(node, 2),
                    GetInt(proto, "axis", 1), storage);
}

/// The codes that `real` was dequantized from.
inline std::optional<QuantizedValue> DequantizedFrom(const GraphView& graph,
                                                     ValueId real) {
  if (real == kNoValue) return std::nullopt;
  const NodeId node = ProducerIfOp(graph, real, "DequantizeLinear");
  return node == kNoNode ? std::nullopt : ReadQdqNode(graph, node);
}

/// The codes that `real` becomes, when a QuantizeLinear is all that reads it.
inline std::optional<QuantizedValue> QuantizedTo(const GraphView& graph,
                                                 ValueId real) {
  const NodeId reader = SoleReader(graph, real);
  if (!IsOp(graph, reader, "QuantizeLinear") ||
      graph.input(reader, 0) != real) {
    return std::nullopt;
  }
  return ReadQdqNode(graph, reader);
}

/// The zero points in the graph; added where the node relied on the default.
inline ValueId ZeroPointOf(Rewriter& rewriter, const QuantizedValue& value) {
  if (value.ids.zero_point != kNoValue) return value.ids.zero_point;
  const std::string name(rewriter.view().name(value.ids.scale));
  const Tensor zeros(value.storage,
                     rewriter.view().shape(value.ids.scale).value_or(Dims{}));
  return rewriter.AddInitializer(
      EncodeTensor(name + "_zero_point", zeros.view()));
}

/// The scales in the graph as float, which is what operators on codes take;
/// added where the model has them in half precision: the same numbers.
inline ValueId FloatScaleOf(Rewriter& rewriter, const QuantizedValue& value) {
  if (!IsHalf(value.scale_type)) return value.ids.scale;
  const GraphView& graph = rewriter.view();
  const Result<Tensor> scale = RealConstant(graph, value.ids.scale);
  ZEROPOINT_ASSERT(scale.ok(), "ReadParams has read it");
  return rewriter.AddInitializer(EncodeTensor(
      std::string(graph.name(value.ids.scale)) + "_float", scale->view()));
}

/// A scalar of an 8-bit storage type.
inline onnx::TensorProto EncodeCode(std::string_view name, std::int32_t code,
                                    DataType storage) {
  return storage == DataType::kInt8
             ? EncodeScalar(name, static_cast<std::int8_t>(code))
             : EncodeScalar(name, static_cast<std::uint8_t>(code));
}

/// `name` without the ending that AddQuantize gives to codes.
inline std::string RealName(std::string_view name) {
  constexpr std::string_view kEnding = "_quantized";
  if (name.size() > kEnding.size() && name.ends_with(kEnding)) {
    name.remove_suffix(kEnding.size());
  }
  return std::string(name);
}

/// Operators that move elements of input 0, or of all inputs (Concat), and
/// compute nothing: on codes they do the same.
inline constexpr std::string_view kMovesElements[] = {
    "Concat",  "Flatten",   "Gather",   "Identity", "MaxPool",
    "Pad",     "Reshape",   "Resize",   "Slice",    "Split",
    "Squeeze", "Transpose", "Unsqueeze"};

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_QUANTIZED_VALUES_H_
