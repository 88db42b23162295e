// Matchers of values: is it this constant, does it have this rank.
//
// An answer is given only where the model proves it; whatever is unknown (a
// missing type, a symbolic axis) is "nothing", and the pattern does not match.
#ifndef ZEROPOINT_GRAPH_MATCH_VALUE_H_
#define ZEROPOINT_GRAPH_MATCH_VALUE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/real_constants.h"

namespace zeropoint {

/// Number of axes.
inline std::optional<std::size_t> RankOf(const GraphView& graph,
                                         ValueId value) {
  if (const auto dims = graph.shape(value)) return dims->size();
  if (value == kNoValue) return std::nullopt;
  const onnx::TypeProto* type = graph.type(value);
  if (type == nullptr || !type->tensor_type().has_shape()) return std::nullopt;
  return static_cast<std::size_t>(type->tensor_type().shape().dim_size());
}

/// Length of one axis; a negative `axis` counts from the end.
inline std::optional<std::int64_t> DimOf(const GraphView& graph, ValueId value,
                                         std::int64_t axis) {
  const auto rank = RankOf(graph, value);
  if (!rank) return std::nullopt;
  if (axis < 0) axis += static_cast<std::int64_t>(*rank);
  if (axis < 0 || axis >= static_cast<std::int64_t>(*rank)) return std::nullopt;
  if (const auto dims = graph.shape(value)) {
    return (*dims)[static_cast<std::size_t>(axis)];
  }
  const auto& dim =
      graph.type(value)->tensor_type().shape().dim(static_cast<int>(axis));
  if (!dim.has_dim_value()) return std::nullopt;
  return dim.dim_value();
}

/// True when both shapes are known in full and equal.
inline bool HaveEqualShapes(const GraphView& graph, ValueId a, ValueId b) {
  const auto dims = graph.shape(a);
  return dims.has_value() && dims == graph.shape(b);
}

/// The shape of a constant; nothing for any other value.
inline std::optional<Dims> ConstantShape(const GraphView& graph,
                                         ValueId value) {
  if (!graph.IsConstant(value)) return std::nullopt;
  return graph.shape(value);
}

/// The value of a constant that is exactly one real number.
inline std::optional<double> ScalarOf(const GraphView& graph, ValueId value) {
  const auto dims = ConstantShape(graph, value);
  if (!dims || ElementCount(*dims) != 1u ||
      !IsReal(graph.element_type(value))) {
    return std::nullopt;
  }
  const auto tensor = RealConstant(graph, value);
  if (!tensor.ok()) return std::nullopt;
  return static_cast<double>(tensor->As<float>()[0]);
}

/// ScalarOf a constant that broadcasts into `other` without adding axes to it:
/// "x + [3.0]" has the shape of x only when x has an axis.
inline std::optional<double> ScalarBeside(const GraphView& graph,
                                          ValueId constant, ValueId other) {
  const auto scalar = ScalarOf(graph, constant);
  if (!scalar) return std::nullopt;
  const std::size_t rank = graph.shape(constant)->size();
  if (rank > 0 && RankOf(graph, other).value_or(0) < rank) return std::nullopt;
  return scalar;
}

/// The elements of a small integer constant (a list of axes, pads, a shape).
inline std::optional<std::vector<std::int64_t>> IntegersOf(
    const GraphView& graph, ValueId value) {
  constexpr std::size_t kLongestList = 1024;
  const auto dims = ConstantShape(graph, value);
  if (!dims || ElementCount(*dims).value_or(kLongestList + 1) > kLongestList) {
    return std::nullopt;
  }
  const auto tensor = graph.Constant(value);
  if (!tensor.ok()) return std::nullopt;
  if (tensor->type() == DataType::kInt64) {
    const auto elements = tensor->As<std::int64_t>();
    return std::vector<std::int64_t>(elements.begin(), elements.end());
  }
  if (tensor->type() == DataType::kInt32) {
    const auto elements = tensor->As<std::int32_t>();
    return std::vector<std::int64_t>(elements.begin(), elements.end());
  }
  return std::nullopt;
}

/// Equal up to the digits that exporters write for 1/6 or the root of 2, or
/// that two constants of `type` lose when they are rounded to it.
inline bool IsAbout(double value, double wanted,
                    DataType type = DataType::kFloat) {
  const double tolerance = type == DataType::kFloat16    ? 0x1p-10
                           : type == DataType::kBfloat16 ? 0x1p-7
                                                         : 1e-5;
  return std::abs(value - wanted) <= tolerance * std::abs(wanted);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_MATCH_VALUE_H_
