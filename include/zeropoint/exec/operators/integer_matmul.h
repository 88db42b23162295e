// MatMulInteger and QLinearMatMul on the integer matrix kernel.
//
// Products are summed in int32, exactly: a sum that leaves 32 bits wraps, as in
// every runtime. The QLinear forms requantize by core/reference.h.
#ifndef ZEROPOINT_EXEC_OPERATORS_INTEGER_MATMUL_H_
#define ZEROPOINT_EXEC_OPERATORS_INTEGER_MATMUL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "zeropoint/core/tensor.h"
#include "zeropoint/exec/operators/integer_operands.h"
#include "zeropoint/exec/operators/matmul.h"

namespace zeropoint {
namespace integer {

/// The matrices of b, one after another, as the kernel reads them; made once
/// when b is constant.
class PackedCodes {
 public:
  Result<const std::int32_t*> Get(OpContext& context, std::size_t input,
                                  const GemmShape& shape, std::size_t count,
                                  std::size_t row_stride,
                                  std::size_t column_stride) {
    const KernelTable& kernels = context.kernels();
    if (packed_) return packed_->As<std::int32_t>().data();
    ZEROPOINT_ASSIGN_OR_RETURN(const Codes b, CodesOf(context, input));
    const std::size_t size = kernels.packed_b_count_i32(shape);
    std::int32_t* packed = nullptr;
    if (context.is_constant(input)) {
      packed_.emplace(DataType::kInt32,
                      Dims{static_cast<std::int64_t>(size * count)});
      packed = packed_->MutableAs<std::int32_t>().data();
    } else {
      ZEROPOINT_ASSIGN_OR_RETURN(packed,
                                 context.Scratch<std::int32_t>(size * count));
    }
    context.pool().ParallelFor(count, [&](std::size_t i) {
      kernels.pack_b_i32(shape, b.is_signed, b.data + i * shape.k * shape.n,
                         row_stride, column_stride, packed + i * size);
    });
    return static_cast<const std::int32_t*>(packed);
  }

 private:
  std::optional<Tensor> packed_;
};

/// c = a * b on the pool, by rows or, where they are few, by columns. Calls
/// finish(rows, columns), on the thread that made them, for each part of c.
/// The leading dimensions are k and n.
template <class Finish>
void Multiply(const OpContext& context, const CodeProduct& product,
              const std::uint8_t* a, const std::int32_t* packed_b,
              std::int32_t* c, Finish finish) {
  // As many rows as a kernel call takes at once: its sums are still in a cache
  // when they are finished.
  constexpr std::size_t kRows = 48;
  const KernelTable& kernels = context.kernels();
  const auto [m, n, k] = product.shape;
  const auto run = [&](IndexRange rows, IndexRange columns) {
    for (std::size_t row = rows.begin; row < rows.end; row += kRows) {
      const IndexRange some{row, std::min(rows.end, row + kRows)};
      kernels.gemm_i32(product, a, k, packed_b, c, n, some, columns);
      finish(some, columns);
    }
  };
  const std::size_t step = kernels.column_step_i32();
  const std::size_t panels = (n + step - 1) / step;
  if (m >= kRows || m >= panels) {
    context.pool().ParallelRanges(m, matmul::RowGrain(product.shape),
                                  [&](std::size_t begin, std::size_t end) {
                                    run({begin, end}, {0, n});
                                  });
  } else {
    context.pool().ParallelRanges(
        panels, matmul::RowGrain({.m = panels, .n = step * m, .k = k}),
        [&](std::size_t begin, std::size_t end) {
          run({0, m}, {begin * step, std::min(n, end * step)});
        });
  }
}

/// Products of stacks of matrices of codes.
class CodeMatMul {
 public:
  /// Numbers of the inputs. Zero points: za for each row or one, zb for each
  /// column or one.
  struct Arguments {
    std::size_t a = 0;
    std::size_t a_zero_point = 0;
    std::size_t b = 0;
    std::size_t b_zero_point = 0;
  };

  /// sums[i, j] = sum over k of (a[i, k] - za[i]) * (b[k, j] - zb[j]) for each
  /// matrix. Calls finish as Multiply does; rows count through all matrices.
  template <class Finish>
  Status Run(OpContext& context, const Arguments& inputs,
             const matmul::ProductShape& shape, std::int32_t* sums,
             Finish finish) {
    ZEROPOINT_ASSIGN_OR_RETURN(const Codes a, CodesOf(context, inputs.a));
    ZEROPOINT_ASSIGN_OR_RETURN(const Codes b, CodesOf(context, inputs.b));
    ZEROPOINT_ASSIGN_OR_RETURN(
        auto a_zero_points,
        ZeroPointsOf(context, inputs.a_zero_point, shape.m));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto b_zero_points,
        ZeroPointsOf(context, inputs.b_zero_point, shape.n));
    if (CountOf(shape.out) == 0) return Status();
    const std::size_t count = CountOf(shape.batch);
    const std::size_t b_count = CountOf(shape.b_batch);
    ZEROPOINT_ASSIGN_OR_RETURN(
        const std::int32_t* packed,
        packed_.Get(context, inputs.b, shape.gemm(), b_count, shape.n, 1));
    CodeProduct product{.shape = shape.gemm(),
                        .a_signed = a.is_signed,
                        .b_signed = b.is_signed,
                        .b_zero_points = ListOf(b_zero_points)};
    if (b_count == 1) {
      // All matrices of a stand below one another: one tall product.
      product.shape.m *= count;
      if (!a_zero_points.is_one()) {
        std::vector<std::int32_t>& values = a_zero_points.values;
        values.resize(product.shape.m);
        for (std::size_t i = shape.m; i < values.size(); ++i) {
          values[i] = values[i - shape.m];
        }
      }
      product.a_zero_points = ListOf(a_zero_points);
      Multiply(context, product, a.data, packed, sums, finish);
      return Status();
    }
    product.a_zero_points = ListOf(a_zero_points);
    const std::size_t size = context.kernels().packed_b_count_i32(shape.gemm());
    const auto a_matrices = shape.Matrices(shape.a_batch);
    const auto b_matrices = shape.Matrices(shape.b_batch);
    context.pool().ParallelRanges(
        count, matmul::RowGrain(shape.gemm()) / (shape.m + 1) + 1,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            context.kernels().gemm_i32(
                product, a.data + a_matrices[i] * shape.m * shape.k, shape.k,
                packed + b_matrices[i] * size, sums + i * shape.m * shape.n,
                shape.n, {0, shape.m}, {0, shape.n});
            finish(IndexRange{i * shape.m, (i + 1) * shape.m},
                   IndexRange{0, shape.n});
          }
        });
    return Status();
  }

 private:
  PackedCodes packed_;
};

class MatMulInteger final : public Operator {
 public:
  explicit MatMulInteger(const OperatorInit& /*init*/) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto shape, matmul::ProductShape::Of(context.input(0).dims(),
                                                   context.input(1).dims()));
    ZEROPOINT_ASSIGN_OR_RETURN(std::int32_t * y,
                               context.Output<std::int32_t>(0, shape.out));
    return product_.Run(context,
                        {.a = 0, .a_zero_point = 2, .b = 1, .b_zero_point = 3},
                        shape, y, [](IndexRange, IndexRange) {});
  }

 private:
  CodeMatMul product_;
};

/// Inputs: a, its scale and zero point, b, its scale and zero point, the
/// output's scale and zero point.
class QLinearMatMul final : public Operator {
 public:
  explicit QLinearMatMul(const OperatorInit& /*init*/) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(8));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto shape, matmul::ProductShape::Of(context.input(0).dims(),
                                                   context.input(3).dims()));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto a_scale,
                               ScalesOf(context, 1, shape.m));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto b_scale,
                               ScalesOf(context, 4, shape.n));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto y_scale, ScalesOf(context, 6, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto y,
                               RequantizedOutput::Make(context, shape.out, 7));
    ZEROPOINT_ASSIGN_OR_RETURN(
        std::int32_t * sums, context.Scratch<std::int32_t>(CountOf(shape.out)));
    // One row of multipliers for each scale of a.
    std::vector<float> multipliers;
    for (const float scale : a_scale.values) {
      for (const float weight_scale : b_scale.values) {
        multipliers.push_back(
            reference::RequantizeMultiplier(scale, weight_scale, y_scale[0]));
      }
    }
    const std::size_t n = shape.n;
    const auto requantize = [&](IndexRange rows, IndexRange columns) {
      for (std::size_t row = rows.begin; row < rows.end; ++row) {
        const std::size_t a_row = a_scale.is_one() ? 0 : row % shape.m;
        const float* own = multipliers.data() + a_row * b_scale.values.size();
        const std::size_t at = row * n + columns.begin;
        const std::size_t count = columns.end - columns.begin;
        if (b_scale.is_one()) {
          y.Write(sums + at, count, *own, at);
        } else {
          y.Write(sums + at, count, own + columns.begin, at);
        }
      }
    };
    return product_.Run(context,
                        {.a = 0, .a_zero_point = 2, .b = 3, .b_zero_point = 5},
                        shape, sums, requantize);
  }

 private:
  CodeMatMul product_;
};

}  // namespace integer

inline void AddIntegerMatMulOperators(OperatorRegistry& registry) {
  constexpr OpsetRange kSince{.first = 10};
  registry.Add("", "MatMulInteger", kSince, Construct<integer::MatMulInteger>);
  registry.Add("", "QLinearMatMul", kSince, Construct<integer::QLinearMatMul>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_INTEGER_MATMUL_H_
