// MatMulNBits and GatherBlockQuantized: weights of a few bits in blocks.
#ifndef ZEROPOINT_EXEC_OPERATORS_BLOCK_WEIGHTS_H_
#define ZEROPOINT_EXEC_OPERATORS_BLOCK_WEIGHTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/exec/small_formats.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace block_weights {

/// y[..., n] = bias[n] + sum over k of a[..., k] w[n, k], where
/// w[n, k] = scale[n, k / block] (code[n, k] - zero_point[n, k / block]).
///
/// Inputs: a [..., K]; codes of `bits` bits, packed low bits first, [N, blocks,
/// block * bits / 8]; scales [N, blocks]; zero points, packed likewise in rows
/// of whole bytes or of a's type, without them 2^(bits - 1); the block that
/// each k belongs to (g_idx); bias [N].
class MatMulNBits final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    auto op = std::make_unique<MatMulNBits>();
    op->k_ = GetInt(init.node, "K", 0);
    op->n_ = GetInt(init.node, "N", 0);
    op->bits_ = static_cast<int>(GetInt(init.node, "bits", 4));
    op->block_ = GetInt(init.node, "block_size", 0);
    constexpr std::int64_t kMost = 1 << 28;
    const bool bits = op->bits_ == 2 || op->bits_ == 4 || op->bits_ == 8;
    if (!bits || op->k_ < 1 || op->n_ < 1 || op->k_ > kMost || op->n_ > kMost ||
        op->block_ < 8 || op->block_ > kMost) {
      return InvalidModel(
          "MatMulNBits needs K, N, a block_size of 8 or more "
          "and 2, 4 or 8 bits");
    }
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto a, ReadReals(context, 0));
    const auto a_dims = context.input(0).dims();
    if (a_dims.empty() || a_dims.back() != k_) {
      return InvalidData("an input of shape " + FormatDims(a_dims) +
                         " does not have K = " + std::to_string(k_));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto w, Weights(context));
    std::vector<double> bias(static_cast<std::size_t>(n_));
    if (context.has_input(5)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto given, ReadReals(context, 5));
      if (given.size() != bias.size()) return InvalidData("a wrong bias");
      bias = given;
    }
    Dims dims = ToDims(a_dims);
    dims.back() = n_;
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
    const auto k = static_cast<std::size_t>(k_);
    const auto n = static_cast<std::size_t>(n_);
    context.pool().ParallelRanges(
        y.size(), 16384 / k + 1, [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            const double* row = a.data() + i / n * k;
            const float* column = w.data() + i % n * k;
            double sum = bias[i % n];
            for (std::size_t j = 0; j < k; ++j) {
              sum += row[j] * static_cast<double>(column[j]);
            }
            y[i] = sum;
          }
        });
    return WriteReals(context, 0, context.input(0).type(), dims, y);
  }

 private:
  // [N, K] as reals.
  Result<std::vector<float>> Weights(const OpContext& context) const {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(3));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto scales, ReadReals(context, 2));
    const TensorView& codes = context.input(1);
    const std::int64_t blocks = (k_ + block_ - 1) / block_;
    const std::int64_t row_bytes = blocks * ((block_ * bits_ + 7) / 8);
    if (codes.type() != DataType::kUint8 ||
        static_cast<std::int64_t>(codes.size()) != n_ * row_bytes ||
        std::ssize(scales) != n_ * blocks) {
      return InvalidModel("codes of shape " + FormatDims(codes.dims()) +
                          " and scales of shape " +
                          FormatDims(context.input(2).dims()) +
                          " do not fit N, K, bits and block_size");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto zeros, ZeroPoints(context, blocks));
    std::vector<std::int64_t> block_of(static_cast<std::size_t>(k_));
    for (std::int64_t k = 0; k < k_; ++k) {
      block_of[static_cast<std::size_t>(k)] = k / block_;
    }
    if (context.has_input(4)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto given, ReadIntegers(context, 4));
      for (std::size_t k = 0; k < block_of.size() && k < given.size(); ++k) {
        if (given[k] < 0 || given[k] >= blocks) {
          return InvalidData("g_idx names block " + std::to_string(given[k]));
        }
        block_of[k] = given[k];
      }
    }
    std::vector<float> w(static_cast<std::size_t>(n_ * k_));
    for (std::int64_t n = 0; n < n_; ++n) {
      const auto* row =
          static_cast<const std::uint8_t*>(codes.data()) + n * row_bytes;
      for (std::int64_t k = 0; k < k_; ++k) {
        const auto place = static_cast<std::size_t>(
            n * blocks + block_of[static_cast<std::size_t>(k)]);
        const double code = GetPacked(row, bits_, static_cast<std::size_t>(k));
        w[static_cast<std::size_t>(n * k_ + k)] =
            static_cast<float>(scales[place] * (code - zeros[place]));
      }
    }
    return w;
  }

  Result<std::vector<double>> ZeroPoints(const OpContext& context,
                                         std::int64_t blocks) const {
    std::vector<double> zeros(static_cast<std::size_t>(n_ * blocks),
                              static_cast<double>(1 << (bits_ - 1)));
    if (!context.has_input(3)) return zeros;
    const TensorView& given = context.input(3);
    if (given.type() != DataType::kUint8) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto reals, ReadReals(context, 3));
      if (reals.size() != zeros.size()) {
        return InvalidModel(
            "a wrong number "
            "of zero points");
      }
      return reals;
    }
    const std::int64_t row_bytes = (blocks * bits_ + 7) / 8;
    if (static_cast<std::int64_t>(given.size()) != n_ * row_bytes) {
      return InvalidModel("a wrong number of zero points");
    }
    for (std::size_t i = 0; i < zeros.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i) / blocks;
      const auto block = static_cast<std::int64_t>(i) % blocks;
      zeros[i] = GetPacked(
          static_cast<const std::uint8_t*>(given.data()) + row * row_bytes,
          bits_, static_cast<std::size_t>(block));
    }
    return zeros;
  }

  std::int64_t k_ = 0;
  std::int64_t n_ = 0;
  int bits_ = 4;
  std::int64_t block_ = 32;
};

/// Gather of rows that are stored in blocks of codes: the gathered elements of
/// scale (code - zero_point), of the scales' type. uint8 data holds 8 / bits
/// codes a byte along its last axis, low bits first, and has then the zero
/// point 2^(bits - 1) where none is given.
class GatherBlockQuantized final : public Operator {
 public:
  explicit GatherBlockQuantized(const OperatorInit& init)
      : gather_axis_(GetInt(init.node, "gather_axis", 0)),
        quantize_axis_(GetInt(init.node, "quantize_axis", 1)),
        block_(GetInt(init.node, "block_size", 128)),
        bits_(static_cast<int>(GetInt(init.node, "bits", 4))) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(3));
    const TensorView& data = context.input(0);
    const bool packed = data.type() == DataType::kUint8;
    const int bits = packed ? bits_ : BitsOf(data.type());
    if ((bits != 2 && bits != 4 && bits != 8) || block_ < 1 ||
        data.rank() < 1) {
      return InvalidModel("codes of " + std::to_string(bits) + " bits");
    }
    Dims dims = ToDims(data.dims());
    if (packed) dims.back() *= 8 / bits;
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(quantize_axis_, dims.size()));
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t gather,
                               NormalizeAxis(gather_axis_, dims.size()));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto indices, ReadIntegers(context, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto scales, ReadReals(context, 2));
    Dims expected = dims;
    expected[axis] = (dims[axis] + block_ - 1) / block_;
    if (!std::ranges::equal(expected, context.input(2).dims())) {
      return InvalidModel("scales of shape " +
                          FormatDims(context.input(2).dims()) + "; expected " +
                          FormatDims(expected));
    }
    const bool centred = packed;
    std::vector<double> zeros(
        scales.size(), centred ? static_cast<double>(1 << (bits - 1)) : 0.0);
    if (context.has_input(3)) {
      const TensorView& given = context.input(3);
      const bool fits =
          packed ? given.size() * 8 / static_cast<std::size_t>(bits) >=
                       zeros.size()
                 : given.size() == zeros.size();
      if (!fits || given.type() != data.type()) {
        return InvalidModel("the zero points do not fit the scales");
      }
      // Packed rows end at whole bytes.
      const auto row = static_cast<std::size_t>(expected.back());
      const std::size_t row_codes =
          packed ? (row * static_cast<std::size_t>(bits) + 7) / 8 * 8 /
                       static_cast<std::size_t>(bits)
                 : row;
      for (std::size_t i = 0; i < zeros.size(); ++i) {
        const std::size_t at = i / row * row_codes + i % row;
        const unsigned code = GetPacked(given.data(), bits, at);
        zeros[i] = packed ? code : DecodeSmall(data.type(), code);
      }
    }
    Dims out(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(gather));
    const auto index_dims = context.input(1).dims();
    out.insert(out.end(), index_dims.begin(), index_dims.end());
    out.insert(out.end(),
               dims.begin() + static_cast<std::ptrdiff_t>(gather) + 1,
               dims.end());
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(out));
    const AroundAxis around(dims, gather);
    const auto strides = RowMajorStrides(expected);
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t inner = i % around.inner;
      std::int64_t index = indices[i / around.inner % indices.size()];
      const std::size_t outer = i / around.inner / indices.size();
      if (index < 0) index += dims[gather];
      if (index < 0 || index >= dims[gather]) {
        return InvalidData("index " + std::to_string(index) +
                           " is outside an axis of size " +
                           std::to_string(dims[gather]));
      }
      const std::size_t from =
          (outer * around.size + static_cast<std::size_t>(index)) *
              around.inner +
          inner;
      auto rest = static_cast<std::int64_t>(from);
      std::ptrdiff_t place = 0;
      for (std::size_t k = dims.size(); k-- > 0;) {
        const std::int64_t at = rest % dims[k];
        rest /= dims[k];
        place += (k == axis ? at / block_ : at) * strides[k];
      }
      const unsigned code = GetPacked(data.data(), bits, from);
      const double value = packed ? code : DecodeSmall(data.type(), code);
      const auto p = static_cast<std::size_t>(place);
      y[i] = scales[p] * (value - zeros[p]);
    }
    return WriteReals(context, 0, context.input(2).type(), out, y);
  }

 private:
  std::int64_t gather_axis_;
  std::int64_t quantize_axis_;
  std::int64_t block_;
  int bits_;
};

}  // namespace block_weights

inline void AddBlockWeightsOperators(OperatorRegistry& registry) {
  using namespace block_weights;  // NOLINT(google-build-using-namespace)
  registry.Add("com.microsoft", "GatherBlockQuantized", {},
               Construct<GatherBlockQuantized>);
  registry.Add("com.microsoft", "MatMulNBits", {}, MatMulNBits::Make);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_BLOCK_WEIGHTS_H_
