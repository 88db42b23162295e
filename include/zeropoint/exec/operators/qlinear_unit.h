// QLinearAdd, QLinearMul, QLinearConcat, QLinearAveragePool,
// QLinearGlobalAveragePool, QLinearSigmoid, QLinearLeakyRelu, QLinearSoftmax,
// QLinearWhere: operators of com.microsoft that are a unit of three.
//
// Each is defined by its unit: dequantize the operands, compute in float,
// quantize the result. The float operator is the built-in one, so the codes are
// bit for bit those that the pairs around it would give. ONNX Runtime reaches
// them by tables and fixed roundings of its own, within one step.
#ifndef ZEROPOINT_EXEC_OPERATORS_QLINEAR_UNIT_H_
#define ZEROPOINT_EXEC_OPERATORS_QLINEAR_UNIT_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/quantize_grid.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace qlinear {

/// Where the unit's parts stand among the inputs.
struct UnitLayout {
  std::string_view codes_op;
  std::string_view op_type;
  std::size_t first;       // of the triples (codes, scale, zero point)
  std::size_t operands;    // kAll: as many as there are
  std::size_t output;      // scale and zero point of the result
  bool condition = false;  // input 0 is the float operator's, as it is
};
inline constexpr std::size_t kAll = 0;
inline constexpr UnitLayout kUnits[] = {
    {"QLinearAdd", "Add", 0, 2, 6},
    {"QLinearAveragePool", "AveragePool", 0, 1, 3},
    {"QLinearConcat", "Concat", 2, kAll, 0},
    {"QLinearGlobalAveragePool", "GlobalAveragePool", 0, 1, 3},
    {"QLinearLeakyRelu", "LeakyRelu", 0, 1, 3},
    {"QLinearMul", "Mul", 0, 2, 6},
    {"QLinearSigmoid", "Sigmoid", 0, 1, 3},
    {"QLinearSoftmax", "Softmax", 0, 1, 3},
    {"QLinearWhere", "Where", 1, 2, 7, /*condition=*/true},
};

/// Scale and zero point in the inputs `scale` and `scale + 1`, one for the
/// tensor; the zero point may be missing.
inline Result<QParams> ParamsAt(const OpContext& context, std::size_t scale) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto scales, context.Input<float>(scale));
  if (scales.size() != 1 || !(scales[0] > 0.0f) || !std::isfinite(scales[0])) {
    return InvalidModel("input " + std::to_string(scale) +
                        " is no scale: expected one finite number above 0");
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const auto zero_points,
                             quantize::ZeroPoints(context, scale + 1, 1));
  return QParams{scales[0], zero_points[0]};
}

/// Runs the float operator between codes.
class Unit final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    for (const UnitLayout& layout : kUnits) {
      if (layout.codes_op == init.node.op_type()) return Make(init, layout);
    }
    return Unsupported("'" + init.node.op_type() + "' is no unit on codes");
  }

  Status Run(OpContext& context) override {
    const std::size_t inputs = context.input_count();
    const std::size_t first = layout_.first;
    const std::size_t operands =
        layout_.operands != kAll
            ? layout_.operands
            : (inputs < first + 3 ? 1 : (inputs - first) / 3);
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(layout_.output + 1));
    ZEROPOINT_ASSIGN_OR_RETURN(const QParams result,
                               ParamsAt(context, layout_.output));
    std::vector<RunValue> values(operands + (layout_.condition ? 1 : 0));
    std::size_t at = 0;
    if (layout_.condition) values[at++] = Borrowed(context.input(0));
    DataType type = DataType::kUndefined;
    for (std::size_t i = 0; i < operands; ++i) {
      const std::size_t codes = first + 3 * i;
      if (!context.has_input(codes)) {
        return InvalidModel("input " + std::to_string(codes) + " is missing");
      }
      if (i > 0 && context.input(codes).type() != type) {
        return InvalidModel("its operands have codes of different types");
      }
      type = context.input(codes).type();
      ZEROPOINT_ASSIGN_OR_RETURN(values[at++], Dequantized(context, codes));
    }
    std::vector<const RunValue*> pointers;
    for (const RunValue& value : values) pointers.push_back(&value);
    std::vector<RunValue> real(1);
    const std::vector<bool> last_use(values.size(), false);
    const std::vector<bool> wanted(1, true);
    OpContext inner(context.resources(), pointers, last_use, real, wanted,
                    Clamp());
    ZEROPOINT_RETURN_IF_ERROR(op_->Run(inner));
    return Quantized(context, real[0].view(), result, type);
  }

 private:
  Unit(const UnitLayout& layout, std::unique_ptr<onnx::NodeProto> node,
       std::unique_ptr<Operator> op)
      : layout_(layout), node_(std::move(node)), op_(std::move(op)) {}

  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init,
                                                const UnitLayout& layout) {
    if (GetInt(init.node, "channels_last", 0) != 0) {
      return Unsupported(
          "channels_last is set; the built-in executor has "
          "channels on axis 1");
    }
    auto node = std::make_unique<onnx::NodeProto>(init.node);
    node->set_op_type(std::string(layout.op_type));
    node->clear_domain();
    node->clear_input();
    for (const char* own : {"channels_last", "opset"}) {
      RemoveAttribute(*node, own);
    }
    // The domain's own version says nothing of the float operator's; only
    // Softmax changed, and states which one it means.
    constexpr std::int64_t kOpset = 13;
    OperatorRegistry registry;
    AddBuiltinOperators(registry);
    ZEROPOINT_ASSIGN_OR_RETURN(
        std::unique_ptr<Operator> op,
        registry.Make({*node, GetInt(init.node, "opset", kOpset)}));
    return std::unique_ptr<Operator>(
        new Unit(layout, std::move(node), std::move(op)));
  }

  static RunValue Borrowed(const TensorView& view) {
    RunValue value;
    value.type = view.type();
    value.dims.assign(view.dims().begin(), view.dims().end());
    value.data = view.data();
    return value;
  }

  static Result<RunValue> Dequantized(OpContext& context, std::size_t codes) {
    const TensorView& view = context.input(codes);
    ZEROPOINT_ASSIGN_OR_RETURN(const QParams params,
                               ParamsAt(context, codes + 1));
    ZEROPOINT_ASSIGN_OR_RETURN(float* reals,
                               context.Scratch<float>(view.size()));
    if (view.type() == DataType::kUint8) {
      context.kernels().dequantize_u8(view.As<std::uint8_t>().data(),
                                      view.size(), params, reals);
    } else if (view.type() == DataType::kInt8) {
      context.kernels().dequantize_i8(view.As<std::int8_t>().data(),
                                      view.size(), params, reals);
    } else {
      return Unsupported("codes of type " +
                         std::string(DataTypeName(view.type())));
    }
    return Borrowed(TensorView(DataType::kFloat, view.dims(), reals));
  }

  static Status Quantized(OpContext& context, const TensorView& real,
                          const QParams& params, DataType type) {
    const float* x = real.As<float>().data();
    const auto range = FullCodeRange(type);
    ZEROPOINT_ASSIGN_OR_RETURN(
        void* y,
        context.Output(0, type, Dims(real.dims().begin(), real.dims().end())));
    if (type == DataType::kUint8) {
      context.kernels().quantize_u8(x, real.size(), params, *range,
                                    static_cast<std::uint8_t*>(y));
    } else {
      context.kernels().quantize_i8(x, real.size(), params, *range,
                                    static_cast<std::int8_t*>(y));
    }
    return Status();
  }

  UnitLayout layout_;
  std::unique_ptr<onnx::NodeProto> node_;  // what op_ was made from
  std::unique_ptr<Operator> op_;
};

}  // namespace qlinear

inline void AddQLinearUnits(OperatorRegistry& registry) {
  for (const qlinear::UnitLayout& layout : qlinear::kUnits) {
    registry.Add("com.microsoft", layout.codes_op, {}, qlinear::Unit::Make);
  }
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_QLINEAR_UNIT_H_
