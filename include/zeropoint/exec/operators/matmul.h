// MatMul on the float matrix kernel.
#ifndef ZEROPOINT_EXEC_OPERATORS_MATMUL_H_
#define ZEROPOINT_EXEC_OPERATORS_MATMUL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/tensor.h"
#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/binary_formulas.h"

namespace zeropoint {
namespace matmul {

/// The shapes of a product of stacks of matrices: a [batch, m, k] times
/// b [batch, k, n], where the batches of a and b broadcast.
struct ProductShape {
  std::size_t m = 1;
  std::size_t n = 1;
  std::size_t k = 1;
  Dims batch;    // of the result
  Dims a_batch;  // of a
  Dims b_batch;  // of b
  Dims out;      // the result's dims

  /// MatMul's rule: a vector counts as one row (a) or one column (b), and that
  /// axis is left out of the result.
  static Result<ProductShape> Of(std::span<const std::int64_t> a,
                                 std::span<const std::int64_t> b) {
    if (a.empty() || b.empty()) {
      return InvalidData("a matrix product needs operands of rank 1 or more");
    }
    ProductShape shape;
    const std::int64_t inner = b.size() == 1 ? b[0] : b[b.size() - 2];
    if (a.back() != inner) {
      return InvalidData("shapes " + FormatDims(a) + " and " + FormatDims(b) +
                         " do not multiply");
    }
    if (a.size() > 1) shape.a_batch = ToDims(a.first(a.size() - 2));
    if (b.size() > 1) shape.b_batch = ToDims(b.first(b.size() - 2));
    ZEROPOINT_ASSIGN_OR_RETURN(shape.batch,
                               BroadcastDims(shape.a_batch, shape.b_batch));
    shape.out = shape.batch;
    shape.k = static_cast<std::size_t>(inner);
    if (a.size() > 1) {
      shape.out.push_back(a[a.size() - 2]);
      shape.m = static_cast<std::size_t>(a[a.size() - 2]);
    }
    if (b.size() > 1) {
      shape.out.push_back(b.back());
      shape.n = static_cast<std::size_t>(b.back());
    }
    return shape;
  }

  GemmShape gemm() const { return {.m = m, .n = n, .k = k}; }

  /// For each matrix of the result, which matrix of an operand with batch
  /// `operand_batch` goes into it.
  std::vector<std::size_t> Matrices(const Dims& operand_batch) const {
    std::vector<std::size_t> matrices;
    const auto strides = BroadcastStrides(operand_batch, batch);
    const std::size_t count = CountOf(batch);
    for (std::size_t i = 0; i < count; ++i) {
      std::ptrdiff_t matrix = 0;
      std::size_t rest = i;
      for (std::size_t axis = batch.size(); axis-- > 0;) {
        const auto size = static_cast<std::size_t>(batch[axis]);
        matrix += static_cast<std::ptrdiff_t>(rest % size) * strides[axis];
        rest /= size;
      }
      matrices.push_back(static_cast<std::size_t>(matrix));
    }
    return matrices;
  }
};

/// Rows of a product that are worth a task of their own.
inline std::size_t RowGrain(const GemmShape& shape) {
  constexpr std::size_t kOperations = std::size_t{1} << 17;
  constexpr std::size_t kLeastRows = 16;
  return std::max(kLeastRows, kOperations / (shape.n * shape.k + 1));
}

/// gemm_f32 over all rows on the pool.
inline void RunGemm(const OpContext& context, const GemmShape& shape,
                    const float* a, const float* packed_b, const float* bias,
                    Clamp clamp, float* c) {
  context.pool().ParallelRanges(
      shape.m, RowGrain(shape), [&](std::size_t begin, std::size_t end) {
        context.kernels().gemm_f32(shape, a, shape.k, packed_b, bias, clamp, c,
                                   shape.n, begin, end);
      });
}

/// The matrices of b, one after another, as the kernel reads them; made once
/// when b is constant.
class PackedMatrices {
 public:
  Result<const float*> Get(OpContext& context, std::size_t input,
                           const GemmShape& shape, std::size_t count,
                           std::size_t row_stride, std::size_t column_stride) {
    const KernelTable& kernels = context.kernels();
    if (packed_) return packed_->As<float>().data();
    const std::size_t size = kernels.packed_b_count_f32(shape);
    float* packed = nullptr;
    if (context.is_constant(input)) {
      packed_.emplace(DataType::kFloat,
                      Dims{static_cast<std::int64_t>(size * count)});
      packed = packed_->MutableAs<float>().data();
    } else {
      ZEROPOINT_ASSIGN_OR_RETURN(packed, context.Scratch<float>(size * count));
    }
    const float* b = context.input(input).As<float>().data();
    context.pool().ParallelFor(count, [&](std::size_t i) {
      kernels.pack_b_f32(shape, b + i * shape.k * shape.n, row_stride,
                         column_stride, packed + i * size);
    });
    return static_cast<const float*>(packed);
  }

 private:
  std::optional<Tensor> packed_;
};

/// The product for any numeric type, one element at a time.
template <class T>
void MultiplyAll(const ProductShape& shape, const T* a, const T* b, T* c) {
  const auto a_matrices = shape.Matrices(shape.a_batch);
  const auto b_matrices = shape.Matrices(shape.b_batch);
  for (std::size_t i = 0; i < a_matrices.size(); ++i) {
    const T* left = a + a_matrices[i] * shape.m * shape.k;
    const T* right = b + b_matrices[i] * shape.k * shape.n;
    for (std::size_t row = 0; row < shape.m; ++row) {
      for (std::size_t column = 0; column < shape.n; ++column) {
        T sum{0};
        for (std::size_t k = 0; k < shape.k; ++k) {
          sum = binary::Add::Apply(
              sum, binary::Mul::Apply(left[row * shape.k + k],
                                      right[k * shape.n + column]));
        }
        *c++ = sum;
      }
    }
  }
}

/// y = a * b, as numpy.matmul.
class MatMul final : public Operator {
 public:
  explicit MatMul(const OperatorInit& /*init*/) {}

  bool AcceptsClamp() const override { return true; }

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    const TensorView& a = context.input(0);
    const TensorView& b = context.input(1);
    ZEROPOINT_ASSIGN_OR_RETURN(const ProductShape shape,
                               ProductShape::Of(a.dims(), b.dims()));
    if (a.type() != b.type()) {
      return InvalidModel("the operands have different types");
    }
    if (a.type() == DataType::kFloat) return RunFloat(context, shape);
    return VisitDataType(a.type(), [&]<class T>() -> Status {
      if constexpr (sizeof(T) < 4) {
        return Unsupported("a matrix product of elements of type " +
                           std::string(DataTypeName(a.type())));
      } else {
        ZEROPOINT_ASSIGN_OR_RETURN(T * y, context.Output<T>(0, shape.out));
        MultiplyAll(shape, a.As<T>().data(), b.As<T>().data(), y);
        return Status();
      }
    });
  }

 private:
  Status RunFloat(OpContext& context, const ProductShape& product) {
    ZEROPOINT_ASSIGN_OR_RETURN(float* y, context.Output<float>(0, product.out));
    if (CountOf(product.out) == 0) return Status();
    const float* a = context.input(0).As<float>().data();
    GemmShape shape = product.gemm();
    const std::size_t b_count = CountOf(product.b_batch);
    if (b_count == 1) {
      // All matrices of a stand below one another: one tall product.
      shape.m *= CountOf(product.batch);
      ZEROPOINT_ASSIGN_OR_RETURN(const float* packed,
                                 packed_.Get(context, 1, shape, 1, shape.n, 1));
      RunGemm(context, shape, a, packed, nullptr, context.clamp(), y);
      return Status();
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        const float* packed,
        packed_.Get(context, 1, shape, b_count, shape.n, 1));
    const std::size_t size = context.kernels().packed_b_count_f32(shape);
    const auto a_matrices = product.Matrices(product.a_batch);
    const auto b_matrices = product.Matrices(product.b_batch);
    context.pool().ParallelRanges(
        a_matrices.size(), RowGrain(shape) / (shape.m + 1) + 1,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            context.kernels().gemm_f32(
                shape, a + a_matrices[i] * shape.m * shape.k, shape.k,
                packed + b_matrices[i] * size, nullptr, context.clamp(),
                y + i * shape.m * shape.n, shape.n, 0, shape.m);
          }
        });
    return Status();
  }

  PackedMatrices packed_;
};

}  // namespace matmul

inline void AddMatMulOperators(OperatorRegistry& registry) {
  registry.Add("", "MatMul", {}, Construct<matmul::MatMul>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_MATMUL_H_
