// QParams: the numbers of a quantized tensor.
#ifndef ZEROPOINT_CORE_QPARAMS_H_
#define ZEROPOINT_CORE_QPARAMS_H_

#include <cstdint>
#include <limits>
#include <vector>

namespace zeropoint {

/// An interval of real values. Requires, wherever it is used: both finite, lo
/// <= hi.
struct RealRange {
  float lo = 0.0f;
  float hi = 0.0f;

  friend constexpr bool operator==(const RealRange&,
                                   const RealRange&) = default;
};

/// Whether both ends are finite and in order. NaN fails.
constexpr bool IsValidRange(const RealRange& range) {
  constexpr float kMax = std::numeric_limits<float>::max();
  return range.lo <= range.hi && range.lo >= -kMax && range.hi <= kMax;
}

/// real = scale * (code - zero_point).
struct QParams {
  float scale = 1.0f;           // real units a step, > 0
  std::int32_t zero_point = 0;  // the code of real 0

  friend constexpr bool operator==(const QParams&, const QParams&) = default;
};

/// The QParams of a whole tensor: one entry (per tensor), one for each index
/// along `axis` (per channel), or one for each run of `block` elements along
/// `axis` (blocked): then they lie row-major in `block_dims`, the tensor's
/// shape with ceil(n / block) in place of that axis' n.
struct TensorQParams {
  static constexpr int kPerTensor = -1;
  std::vector<QParams> channels;
  int axis = kPerTensor;   // >= 0 when per channel or blocked
  std::int64_t block = 0;  // > 0 when blocked
  std::vector<std::int64_t> block_dims = {};
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_QPARAMS_H_
