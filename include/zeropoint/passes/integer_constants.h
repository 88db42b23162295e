// IntegerConstants: weights as codes, for operators that compute on integers.
//
// Unlike weights behind a DequantizeLinear, their scales are numbers of the
// arithmetic that follows, so they are handed out and not stored.
#ifndef ZEROPOINT_PASSES_INTEGER_CONSTANTS_H_
#define ZEROPOINT_PASSES_INTEGER_CONSTANTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/operands.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/quantize_tensor.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

/// Codes in the graph and the parameters that belong to them.
struct IntegerConstant {
  ValueId codes = kNoValue;
  std::vector<QParams> channels;  // one, or one a channel

  bool HasZeroPoints() const {
    return std::any_of(channels.begin(), channels.end(),
                       [](const QParams& c) { return c.zero_point != 0; });
  }
};

/// How a constant is seen when it is quantized.
struct ConstantLayout {
  Dims dims;                             // its own, or others of the same size
  int axis = TensorQParams::kPerTensor;  // of `dims`
  /// Store the codes with the last two axes of the constant exchanged.
  bool exchanged = false;
  /// Of a factor of integer sums: the axis of `dims` that counts the outputs, 0
  /// or 1. kNone for a table, whose codes are only looked up.
  int output_axis = Operands::kNone;
  std::int64_t group = 1;
};

namespace internal {

/// 8-bit elements [..., a, b] as [..., b, a].
inline Tensor ExchangeLastAxes(const Tensor& codes) {
  Dims dims = codes.dims();
  const std::size_t rank = dims.size();
  const auto rows = static_cast<std::size_t>(dims[rank - 2]);
  const auto columns = static_cast<std::size_t>(dims[rank - 1]);
  std::swap(dims[rank - 2], dims[rank - 1]);
  Tensor exchanged(codes.type(), std::move(dims));
  const auto* from = static_cast<const std::byte*>(codes.data());
  auto* to = static_cast<std::byte*>(exchanged.mutable_data());
  const std::size_t matrix = rows * columns;
  for (std::size_t at = 0; at < codes.size(); at += matrix) {
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < columns; ++j) {
        to[at + j * rows + i] = from[at + i * columns + j];
      }
    }
  }
  return exchanged;
}

}  // namespace internal

/// Quantizes each constant once for each way in which it is seen. Codes become
/// initializers of the scope that the constant belongs to.
class IntegerConstants {
 public:
  /// Factors of sums are rounded by `rounder`, if any, else to the nearest
  /// code, as tables are.
  IntegerConstants(const GraphView& graph, Rewriter& rewriter,
                   const WeightRounder* rounder = nullptr)
      : graph_(graph), rewriter_(rewriter), rounder_(rounder) {}

  /// The constant as float, in place or in `scratch`.
  /// Errors: kUnsupported for one that holds no reals.
  Result<TensorView> Real(ValueId value, Tensor& scratch) const {
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView view,
                               graph_.ConstantView(value, scratch));
    if (view.type() == DataType::kFloat) return view;
    Tensor wide;
    const Status widened = AsFloat(view, wide).status();
    ZEROPOINT_RETURN_IF_ERROR(widened.WithContext(
        "constant '" + std::string(graph_.name(value)) + "'"));
    scratch = std::move(wide);
    return scratch.view();
  }

  /// Errors: Real's; kInvalidModel for NaN or infinite weights.
  Result<IntegerConstant> Quantize(ValueId value, const SchemeSpec& scheme,
                                   const ConstantLayout& layout) {
    const Key key{value, layout.axis, layout.exchanged, layout.output_axis,
                  layout.dims};
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    const std::string name(graph_.name(value));
    Tensor scratch;
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView real, Real(value, scratch));
    Result<QuantizedTensor> quantized =
        Codes(name, TensorView(DataType::kFloat, layout.dims, real.data()),
              scheme, layout);
    graph_.ForgetConstant(value);
    if (!quantized.ok()) {
      return quantized.status().WithContext("constant '" + name + "'");
    }
    IntegerConstant constant;
    constant.channels = std::move(quantized->params.channels);
    const TensorView codes(scheme.storage, real.dims(),
                           quantized->codes.data());
    if (layout.exchanged) {
      quantized->codes = internal::ExchangeLastAxes(Tensor::CopyOf(codes));
    }
    constant.codes = rewriter_.AddInitializer(
        EncodeTensor(name + "_quantized",
                     layout.exchanged ? quantized->codes.view() : codes),
        graph_.scope(value));
    known_.emplace(key, constant);
    return constant;
  }

  /// A float initializer named NAME_scale with a scale a channel, each times
  /// `factor`. The product is rounded once.
  ValueId AddScales(ValueId value, const IntegerConstant& constant,
                    const Dims& dims, double factor = 1.0) {
    std::vector<float> scales;
    for (const QParams& channel : constant.channels) {
      scales.push_back(
          static_cast<float>(static_cast<double>(channel.scale) * factor));
    }
    return rewriter_.AddInitializer(
        EncodeValues<float>(std::string(graph_.name(value)) + "_scale", dims,
                            scales),
        graph_.scope(value));
  }

  /// NAME_zero_point in the type of the codes.
  /// Requires: as many channels as `dims` has elements, or equal zero points
  /// and no dims.
  ValueId AddZeroPoints(ValueId value, const IntegerConstant& constant,
                        DataType storage, const Dims& dims) {
    Tensor zero_points(storage, dims);
    auto* bytes = static_cast<std::uint8_t*>(zero_points.mutable_data());
    for (std::size_t i = 0; i < zero_points.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(constant.channels[i].zero_point);
    }
    return rewriter_.AddInitializer(
        EncodeTensor(std::string(graph_.name(value)) + "_zero_point",
                     zero_points.view()),
        graph_.scope(value));
  }

 private:
  using Key = std::tuple<ValueId, int, bool, int, Dims>;

  Result<QuantizedTensor> Codes(const std::string& name, const TensorView& real,
                                const SchemeSpec& scheme,
                                const ConstantLayout& layout) const {
    if (rounder_ == nullptr || layout.output_axis == Operands::kNone) {
      return QuantizeConstant(real, scheme, layout.axis);
    }
    Operands operands;
    operands.weight = 1;
    operands.weight_axis = layout.output_axis;
    operands.group = layout.group;
    return rounder_->Round(
        {.input = "", .weights = name, .operands = operands, .real = real},
        scheme, layout.axis);
  }

  const GraphView& graph_;
  Rewriter& rewriter_;
  const WeightRounder* rounder_;
  std::map<Key, IntegerConstant> known_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_INTEGER_CONSTANTS_H_
