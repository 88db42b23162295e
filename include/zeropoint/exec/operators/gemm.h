// Gemm: a matrix product, scaled, with an addend.
#ifndef ZEROPOINT_EXEC_OPERATORS_GEMM_H_
#define ZEROPOINT_EXEC_OPERATORS_GEMM_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "zeropoint/exec/elementwise_loops.h"
#include "zeropoint/exec/operators/matmul.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace matmul {

/// y = alpha * a' * b' + beta * c, a' and b' transposed on request.
///
/// Shapes: a' [M, K], b' [K, N], c broadcasts to y [M, N].
class Gemm final : public Operator {
 public:
  explicit Gemm(const OperatorInit& init)
      : alpha_(GetFloat(init.node, "alpha", 1.0f)),
        beta_(GetFloat(init.node, "beta", 1.0f)),
        transposes_a_(GetInt(init.node, "transA", 0) != 0),
        transposes_b_(GetInt(init.node, "transB", 0) != 0) {}

  bool AcceptsClamp() const override { return true; }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto a, context.Input<float>(0));
    ZEROPOINT_RETURN_IF_ERROR(context.Input<float>(1).status());
    const auto a_dims = context.input(0).dims();
    const auto b_dims = context.input(1).dims();
    if (a_dims.size() != 2 || b_dims.size() != 2 ||
        a_dims[transposes_a_ ? 0 : 1] != b_dims[transposes_b_ ? 1 : 0]) {
      return InvalidData("shapes " + FormatDims(a_dims) + " and " +
                         FormatDims(b_dims) + " do not multiply");
    }
    const Dims dims{a_dims[transposes_a_ ? 1 : 0],
                    b_dims[transposes_b_ ? 0 : 1]};
    const GemmShape shape{
        .m = static_cast<std::size_t>(dims[0]),
        .n = static_cast<std::size_t>(dims[1]),
        .k = CountOf(a_dims.subspan(transposes_a_ ? 0 : 1, 1))};
    const float* rows = a.data();
    if (transposes_a_) {
      ZEROPOINT_ASSIGN_OR_RETURN(float* copy, context.Scratch<float>(a.size()));
      for (std::size_t k = 0; k < shape.k; ++k) {
        for (std::size_t m = 0; m < shape.m; ++m) {
          copy[m * shape.k + k] = a[k * shape.m + m];
        }
      }
      rows = copy;
    }
    ZEROPOINT_ASSIGN_OR_RETURN(float* y, context.Output<float>(0, dims));
    if (CountOf(dims) == 0) return Status();
    ZEROPOINT_ASSIGN_OR_RETURN(
        const float* packed,
        packed_.Get(context, 1, shape, 1, transposes_b_ ? 1 : shape.n,
                    transposes_b_ ? shape.k : 1));
    if (!context.has_input(2) && alpha_ == 1.0f) {
      RunGemm(context, shape, rows, packed, nullptr, context.clamp(), y);
      return Status();
    }
    const float* row_bias = nullptr;
    if (context.has_input(2)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto c, context.Input<float>(2));
      ZEROPOINT_ASSIGN_OR_RETURN(const Dims both,
                                 BroadcastDims(context.input(2).dims(), dims));
      if (both != dims) {
        return InvalidData("input 2 of shape " +
                           FormatDims(context.input(2).dims()) +
                           " does not broadcast to " + FormatDims(dims));
      }
      if (c.size() == shape.n && context.input(2).rank() > 0 &&
          context.input(2).dims().back() == dims[1] && alpha_ == 1.0f &&
          beta_ == 1.0f) {
        row_bias = c.data();
      }
    }
    if (row_bias != nullptr) {
      RunGemm(context, shape, rows, packed, row_bias, context.clamp(), y);
      return Status();
    }
    RunGemm(context, shape, rows, packed, nullptr, Clamp(), y);
    return ScaleAndAdd(context, dims, y);
  }

 private:
  // y = clamp(alpha * y + beta * c)
  Status ScaleAndAdd(const OpContext& context, const Dims& dims,
                     float* y) const {
    const std::size_t count = CountOf(dims);
    const float zero = 0.0f;
    const float* c = &zero;
    std::span<const std::int64_t> c_dims;
    if (context.has_input(2)) {
      c = context.input(2).As<float>().data();
      c_dims = context.input(2).dims();
    }
    const ElementwiseLoops<1> loops(dims, {c_dims});
    const std::ptrdiff_t step = loops.steps()[0];
    loops.Run(context.pool(),
              [&](std::size_t at, const auto& offsets, std::size_t row) {
                for (std::size_t i = 0; i < row; ++i) {
                  const float addend =
                      c[offsets[0] + static_cast<std::ptrdiff_t>(i) * step];
                  y[at + i] = alpha_ * y[at + i] + beta_ * addend;
                }
              });
    context.kernels().clamp_f32(y, count, context.clamp(), y);
    return Status();
  }

  float alpha_;
  float beta_;
  bool transposes_a_;
  bool transposes_b_;
  PackedMatrices packed_;
};

}  // namespace matmul

inline void AddGemmOperators(OperatorRegistry& registry) {
  registry.Add("", "Gemm", {}, Construct<matmul::Gemm>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_GEMM_H_
