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
    ZEROPOINT_ASSIGN_OR_RETURN(const auto b, integer::CodesOf(context, kB));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto a, Rows(context, shape));
    CodeProduct product{.shape = shape.gemm(),
                        .a_signed = a.is_signed,
                        .b_signed = b.is_signed,
                        .a_zero_points = integer::ListOf(a_zero_point),
                        .b_zero_points = integer::ListOf(b_zero_point)};
    Addend addend;
    if (context.has_input(kC)) {
      ZEROPOINT_ASSIGN_OR_RETURN(addend, AddendOf(context, shape));
      if (addend.row_stride == 0 && addend.column_stride == 1) {
        product.bias = addend.values;
        addend.values = nullptr;
      }
    }
    std::vector<float> steps;  // of the sums: one, or one for each column
    for (const float scale : b_scale.values) {
      steps.push_back(alpha_ * a_scale[0] * scale);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        const std::int32_t* packed,
        packed_.Get(context, kB, product.shape, 1, b_transposed_ ? 1 : shape.n,
                    b_transposed_ ? shape.k : 1));
    if (!context.has_input(kY)) {
      ZEROPOINT_ASSIGN_OR_RETURN(float* y, context.Output<float>(0, shape.out));
      return Multiply(
          context, product, a.data, packed, addend,
          [&](const std::int32_t* sums, std::size_t at, IndexRange columns) {
            for (std::size_t j = columns.begin; j < columns.end; ++j) {
              y[at++] = static_cast<float>(*sums++) *
                        steps[steps.size() == 1 ? 0 : j];
            }
          });
    }
    if (!context.has_input(kY + 1)) {
      return InvalidModel("an output scale without a zero point");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto y_scale,
                               integer::ScalesOf(context, kY, 1));
    for (float& step : steps) step /= y_scale[0];
    ZEROPOINT_ASSIGN_OR_RETURN(const auto y, integer::RequantizedOutput::Make(
                                                 context, shape.out, kY + 1));
    return Multiply(
        context, product, a.data, packed, addend,
        [&](const std::int32_t* sums, std::size_t at, IndexRange columns) {
          const std::size_t count = columns.end - columns.begin;
          if (steps.size() == 1) {
            y.Write(sums, count, steps[0], at);
          } else {
            y.Write(sums, count, steps.data() + columns.begin, at);
          }
        });
  }

 private:
  static constexpr std::size_t kA = 0;
  static constexpr std::size_t kB = 3;
  static constexpr std::size_t kC = 6;
  static constexpr std::size_t kY = 7;

  static Dims Turned(std::span<const std::int64_t> dims, bool transposed) {
    return transposed ? Dims{dims[1], dims[0]} : Dims{dims[0], dims[1]};
  }

  /// a as rows of k codes.
  Result<integer::Codes> Rows(OpContext& context,
                              const matmul::ProductShape& shape) const {
    ZEROPOINT_ASSIGN_OR_RETURN(auto a, integer::CodesOf(context, kA));
    if (!a_transposed_) return a;
    ZEROPOINT_ASSIGN_OR_RETURN(
        std::uint8_t * turned,
        context.Scratch<std::uint8_t>(shape.m * shape.k));
    for (std::size_t row = 0; row < shape.m; ++row) {
      for (std::size_t k = 0; k < shape.k; ++k) {
        turned[row * shape.k + k] = a.data[k * shape.m + row];
      }
    }
    a.data = turned;
    return a;
  }

  /// C, broadcast to the sums.
  struct Addend {
    const std::int32_t* values = nullptr;  // null: nothing is added
    std::size_t row_stride = 0;
    std::size_t column_stride = 0;
  };
  static Result<Addend> AddendOf(const OpContext& context,
                                 const matmul::ProductShape& shape) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto bias,
                               context.Input<std::int32_t>(kC));
    const auto dims = context.input(kC).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const Dims both, BroadcastDims(shape.out, dims));
    if (both != shape.out) {
      return InvalidData("a bias of shape " + FormatDims(dims) +
                         " does not broadcast to " + FormatDims(shape.out));
    }
    const auto strides = BroadcastStrides(dims, shape.out);
    return Addend{bias.data(), static_cast<std::size_t>(strides[0]),
                  static_cast<std::size_t>(strides[1])};
  }

  /// Calls write(sums, at, columns) for the sums of each part of a row, whose
  /// first is element `at`.
  template <class Write>
  static Status Multiply(OpContext& context, const CodeProduct& product,
                         const std::uint8_t* a, const std::int32_t* packed,
                         const Addend& addend, Write write) {
    const std::size_t n = product.shape.n;
    const std::size_t count = product.shape.m * n;
    if (count == 0) return Status();
    ZEROPOINT_ASSIGN_OR_RETURN(std::int32_t * sums,
                               context.Scratch<std::int32_t>(count));
    integer::Multiply(
        context, product, a, packed, sums,
        [&](IndexRange rows, IndexRange columns) {
          for (std::size_t row = rows.begin; row < rows.end; ++row) {
            const std::size_t at = row * n + columns.begin;
            for (std::size_t j = columns.begin;
                 addend.values != nullptr && j < columns.end; ++j) {
              sums[row * n + j] = binary::Add::Apply(
                  sums[row * n + j], addend.values[row * addend.row_stride +
                                                   j * addend.column_stride]);
            }
            write(sums + at, at, columns);
          }
        });
    return Status();
  }

  float alpha_;
  bool a_transposed_;
  bool b_transposed_;
  integer::PackedCodes packed_;
};

}  // namespace qlinear

inline void AddQLinearGemm(OperatorRegistry& registry) {
  registry.Add("com.microsoft", "QGemm", {}, Construct<qlinear::QGemm>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_QLINEAR_GEMM_H_
