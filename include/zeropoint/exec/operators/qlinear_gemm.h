// QGemm of com.microsoft:
//
//   y = alpha * a_scale * b_scale * ((A - za)(B - zb) + C)
//
// summed exactly in int32, then requantized, or float where no output scale is
// given. There is no beta: it went into C.
#ifndef ZEROPOINT_EXEC_OPERATORS_QLINEAR_GEMM_H_
#define ZEROPOINT_EXEC_OPERATORS_QLINEAR_GEMM_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operators/integer_matmul.h"

namespace zeropoint {
namespace qlinear {

class QGemm final : public Operator {
 public:
  explicit QGemm(const OperatorInit& init)
      : alpha_(GetFloat(init.node, "alpha", 1.0f)),
        a_transposed_(GetInt(init.node, "transA", 0) != 0),
        b_transposed_(GetInt(init.node, "transB", 0) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(6));
    if (context.input(kA).rank() != 2 || context.input(kB).rank() != 2) {
      return InvalidData("QGemm multiplies matrices, not tensors of shape " +
                         FormatDims(context.input(kA).dims()) + " and " +
                         FormatDims(context.input(kB).dims()));
    }
    if (!(alpha_ > 0.0f) || !std::isfinite(alpha_)) {
      return Unsupported("alpha " + std::to_string(alpha_) +
                         " is not a finite number above 0");
    }
    const Dims a_dims = Turned(context.input(kA).dims(), a_transposed_);
    const Dims b_dims = Turned(context.input(kB).dims(), b_transposed_);
    ZEROPOINT_ASSIGN_OR_RETURN(const auto shape,
                               matmul::ProductShape::Of(a_dims, b_dims));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto a_scale,
                               integer::ScalesOf(context, kA + 1, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto b_scale,
                               integer::ScalesOf(context, kB + 1, shape.n));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto a_zero_point,
                               integer::ZeroPointsOf(context, kA + 2, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto b_zero_point,
                               integer::ZeroPointsOf(context, kB + 2, shape.n));
    ZEROPOINT_ASSIGN_OR_RETURN(auto a,
                               Matrix(context, kA, a_dims, a_transposed_));
    ZEROPOINT_ASSIGN_OR_RETURN(auto b,
                               Matrix(context, kB, b_dims, b_transposed_));
    for (std::int32_t& code : a) code -= a_zero_point[0];
    for (std::size_t i = 0; i < b.size(); ++i) {
      b[i] -= b_zero_point[i % shape.n];
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto sums,
                               integer::Zeros(context, shape.out));
    matmul::MultiplyAll(shape, a.data(), b.data(), sums.data());
    if (context.has_input(kC)) {
      ZEROPOINT_RETURN_IF_ERROR(AddBias(context, shape, sums));
    }
    const auto product = [&](std::size_t i) {
      return alpha_ * a_scale[0] * b_scale[i % shape.n];
    };
    if (!context.has_input(kY)) {
      ZEROPOINT_ASSIGN_OR_RETURN(float* y, context.Output<float>(0, shape.out));
      for (std::size_t i = 0; i < sums.size(); ++i) {
        y[i] = static_cast<float>(sums[i]) * product(i);
      }
      return Status();
    }
    if (!context.has_input(kY + 1)) {
      return InvalidModel("an output scale without a zero point");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto y_scale,
                               integer::ScalesOf(context, kY, 1));
    return integer::Requantize(
        context, sums, shape.out, kY + 1,
        [&](std::size_t i) { return product(i) / y_scale[0]; });
  }

 private:
  static constexpr std::size_t kA = 0;
  static constexpr std::size_t kB = 3;
  static constexpr std::size_t kC = 6;
  static constexpr std::size_t kY = 7;

  static Dims Turned(std::span<const std::int64_t> dims, bool transposed) {
    return transposed ? Dims{dims[1], dims[0]} : Dims{dims[0], dims[1]};
  }

  /// The codes of input `i` in the order of `dims`.
  static Result<std::vector<std::int32_t>> Matrix(const OpContext& context,
                                                  std::size_t i,
                                                  const Dims& dims,
                                                  bool transposed) {
    ZEROPOINT_ASSIGN_OR_RETURN(auto codes, integer::Codes(context, i));
    if (!transposed) return codes;
    std::vector<std::int32_t> turned(codes.size());
    const auto rows = static_cast<std::size_t>(dims[0]);
    const auto columns = static_cast<std::size_t>(dims[1]);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        turned[r * columns + c] = codes[c * rows + r];
      }
    }
    return turned;
  }

  static Status AddBias(const OpContext& context,
                        const matmul::ProductShape& shape,
                        std::span<std::int32_t> sums) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto bias,
                               context.Input<std::int32_t>(kC));
    const auto dims = context.input(kC).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const Dims both, BroadcastDims(shape.out, dims));
    if (both != shape.out) {
      return InvalidData("a bias of shape " + FormatDims(dims) +
                         " does not broadcast to " + FormatDims(shape.out));
    }
    const auto strides = BroadcastStrides(dims, shape.out);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const auto row = static_cast<std::ptrdiff_t>(i / shape.n);
      const auto column = static_cast<std::ptrdiff_t>(i % shape.n);
      const std::ptrdiff_t at = row * strides[0] + column * strides[1];
      sums[i] = binary::Add::Apply(sums[i], bias[static_cast<std::size_t>(at)]);
    }
    return Status();
  }

  float alpha_;
  bool a_transposed_;
  bool b_transposed_;
};

}  // namespace qlinear

inline void AddQLinearGemm(OperatorRegistry& registry) {
  registry.Add("com.microsoft", "QGemm", {}, Construct<qlinear::QGemm>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_QLINEAR_GEMM_H_
