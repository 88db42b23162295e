// Elementwise functions of one and two arguments.
#ifndef ZEROPOINT_KERNELS_ELEMENTWISE_INL_H_
#define ZEROPOINT_KERNELS_ELEMENTWISE_INL_H_

#include <cstddef>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_ELEMENTWISE_INL_H_

#if defined(ZEROPOINT_KERNELS_ELEMENTWISE_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_ELEMENTWISE_TOGGLE
#undef ZEROPOINT_KERNELS_ELEMENTWISE_TOGGLE
#else
#define ZEROPOINT_KERNELS_ELEMENTWISE_TOGGLE
#endif

#include "hwy/highway.h"
#include "zeropoint/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// min(max(v, lo), hi) where NaN stays NaN.
template <class D, class V>
HWY_INLINE V ClampVector(D d, V v, const Clamp& clamp) {
  const V limited =
      hn::Min(hn::Max(v, hn::Set(d, clamp.lo)), hn::Set(d, clamp.hi));
  return hn::IfThenElse(hn::Eq(v, v), limited, v);
}

/// y[i] = f(x[i])
template <class F>
HWY_INLINE void Map(const float* x, std::size_t count, float* y, F f) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(f(d, hn::LoadU(d, x + i)), d, y + i);
  }
  if (i < count) {
    hn::StoreN(f(d, hn::LoadN(d, x + i, count - i)), d, y + i, count - i);
  }
}

inline void ClampAll(const float* x, std::size_t count, Clamp clamp, float* y) {
  Map(x, count, y,
      [&](auto d, auto v) HWY_ATTR { return ClampVector(d, v, clamp); });
}

inline void Unary(UnaryOp op, const float* x, std::size_t count, float a,
                  float b, float* y) {
  switch (op) {
    case UnaryOp::kAbs:
      return Map(x, count, y, [](auto, auto v) HWY_ATTR { return hn::Abs(v); });
    case UnaryOp::kErf:
      return Map(x, count, y,
                 [](auto d, auto v) HWY_ATTR { return Erf(d, v); });
    case UnaryOp::kExp:
      return Map(x, count, y,
                 [](auto d, auto v) HWY_ATTR { return Exp(d, v); });
    case UnaryOp::kGelu:
      return Map(x, count, y,
                 [](auto d, auto v) HWY_ATTR { return Gelu(d, v); });
    case UnaryOp::kHardSigmoid:
      return Map(x, count, y, [&](auto d, auto v) HWY_ATTR {
        return ClampVector(d, hn::MulAdd(hn::Set(d, a), v, hn::Set(d, b)),
                           Clamp{0.0f, 1.0f});
      });
    case UnaryOp::kHardSwish:
      return Map(x, count, y, [](auto d, auto v) HWY_ATTR {
        const auto gate =
            hn::MulAdd(v, hn::Set(d, 1.0f / 6.0f), hn::Set(d, 0.5f));
        return hn::Mul(v, ClampVector(d, gate, Clamp{0.0f, 1.0f}));
      });
    case UnaryOp::kNeg:
      return Map(x, count, y, [](auto, auto v) HWY_ATTR { return hn::Neg(v); });
    case UnaryOp::kReciprocal:
      return Map(x, count, y, [](auto d, auto v) HWY_ATTR {
        return hn::Div(hn::Set(d, 1.0f), v);
      });
    case UnaryOp::kRelu:
      return ClampAll(x, count, Clamp{.lo = 0.0f}, y);
    case UnaryOp::kSigmoid:
      return Map(x, count, y,
                 [](auto d, auto v) HWY_ATTR { return Sigmoid(d, v); });
    case UnaryOp::kSqrt:
      return Map(x, count, y,
                 [](auto, auto v) HWY_ATTR { return hn::Sqrt(v); });
    case UnaryOp::kTanh:
      return Map(x, count, y,
                 [](auto d, auto v) HWY_ATTR { return Tanh(d, v); });
  }
}

/// y[i] = f(a[i * a_step], b[i * b_step])
template <class F>
HWY_INLINE void Zip(const float* a, std::size_t a_step, const float* b,
                    std::size_t b_step, std::size_t count, float* y, F f) {
  if (count == 0) return;
  if (a_step == 0) {
    const float left = *a;
    if (b_step == 0) {
      const float right = *b;
      return Map(y, count, y, [&](auto d, auto) HWY_ATTR {
        return f(hn::Set(d, left), hn::Set(d, right));
      });
    }
    return Map(b, count, y,
               [&](auto d, auto v) HWY_ATTR { return f(hn::Set(d, left), v); });
  }
  if (b_step == 0) {
    const float right = *b;
    return Map(a, count, y, [&](auto d, auto v) HWY_ATTR {
      return f(v, hn::Set(d, right));
    });
  }
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(f(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  }
  if (i < count) {
    const std::size_t left = count - i;
    hn::StoreN(f(hn::LoadN(d, a + i, left), hn::LoadN(d, b + i, left)), d,
               y + i, left);
  }
}

inline void Binary(BinaryOp op, const float* a, std::size_t a_step,
                   const float* b, std::size_t b_step, std::size_t count,
                   float* y) {
  // A NaN on either side is the result; which one is not specified.
  const auto keep_nan = [](auto l, auto r, auto result) HWY_ATTR {
    const auto sum = hn::Add(l, r);
    return hn::IfThenElse(hn::Or(hn::Ne(l, l), hn::Ne(r, r)), sum, result);
  };
  switch (op) {
    case BinaryOp::kAdd:
      return Zip(a, a_step, b, b_step, count, y,
                 [](auto l, auto r) HWY_ATTR { return hn::Add(l, r); });
    case BinaryOp::kSub:
      return Zip(a, a_step, b, b_step, count, y,
                 [](auto l, auto r) HWY_ATTR { return hn::Sub(l, r); });
    case BinaryOp::kMul:
      return Zip(a, a_step, b, b_step, count, y,
                 [](auto l, auto r) HWY_ATTR { return hn::Mul(l, r); });
    case BinaryOp::kDiv:
      return Zip(a, a_step, b, b_step, count, y,
                 [](auto l, auto r) HWY_ATTR { return hn::Div(l, r); });
    case BinaryOp::kMin:
      return Zip(a, a_step, b, b_step, count, y, [&](auto l, auto r) HWY_ATTR {
        return keep_nan(l, r, hn::Min(l, r));
      });
    case BinaryOp::kMax:
      return Zip(a, a_step, b, b_step, count, y, [&](auto l, auto r) HWY_ATTR {
        return keep_nan(l, r, hn::Max(l, r));
      });
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_ELEMENTWISE_TOGGLE
