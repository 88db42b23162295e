// exp, erf, tanh and what is built on them, for vectors of float.
//
// Polynomials are minimax fits (Lawson's algorithm) in double, rounded to
// float. tests/kernels holds the stated errors against the C library's double
// functions, on every target.
#ifndef ZEROPOINT_KERNELS_MATH_INL_H_
#define ZEROPOINT_KERNELS_MATH_INL_H_

#include <limits>

#include "zeropoint/kernels/baseline.h"

#endif  // ZEROPOINT_KERNELS_MATH_INL_H_

#if defined(ZEROPOINT_KERNELS_MATH_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_MATH_TOGGLE
#undef ZEROPOINT_KERNELS_MATH_TOGGLE
#else
#define ZEROPOINT_KERNELS_MATH_TOGGLE
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// c0 + v * (c1 + v * (c2 + ...))
template <class D, class V>
HWY_INLINE V Polynomial(D d, V, float c0) {
  return hn::Set(d, c0);
}
template <class D, class V, class... C>
HWY_INLINE V Polynomial(D d, V v, float c0, C... more) {
  return hn::MulAdd(Polynomial(d, v, more...), v, hn::Set(d, c0));
}

/// 2^n for n in [-126, 127].
template <class D, class VI>
HWY_INLINE hn::Vec<D> PowerOfTwo(D d, VI n) {
  const hn::RebindToSigned<D> di;
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(di, 127))));
}

/// e^v, within 2 units in the last place; 0 and infinity past float's range.
///
///   v = n ln 2 + r, |r| <= ln 2 / 2;   e^v = 2^n (1 + r + r^2 P(r))
template <class D, class V>
HWY_INLINE V Exp(D d, V v) {
  const hn::RebindToSigned<D> di;
  const V limited = hn::Min(hn::Max(v, hn::Set(d, -104.0f)), hn::Set(d, 89.0f));
  const V n = hn::Round(hn::Mul(limited, hn::Set(d, 1.44269502f)));
  // ln 2 in two parts; n times the first is exact.
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693145751953125f), limited);
  r = hn::NegMulAdd(n, hn::Set(d, 1.428606765330187e-06f), r);
  const V p = Polynomial(d, r, 0.4999999403953552f, 0.1666651964187622f,
                         0.04166840761899948f, 0.008368901908397675f,
                         0.0013814225094392896f);
  const V e = hn::Add(hn::MulAdd(hn::Mul(r, r), p, r), hn::Set(d, 1.0f));
  // 2^n in two factors: n reaches -150 (denormal results) and 128.
  const auto whole = hn::ConvertTo(di, n);
  const auto half = hn::ShiftRight<1>(whole);
  const V scaled = hn::Mul(hn::Mul(e, PowerOfTwo(d, half)),
                           PowerOfTwo(d, hn::Sub(whole, half)));
  return hn::IfThenElse(hn::Eq(v, v), scaled, v);
}

/// erf(t) for |t| <= 0.93:  t + t P(t^2)
template <class D, class V>
HWY_INLINE V ErfSmall(D d, V t) {
  const V p = Polynomial(d, hn::Mul(t, t), 0.12837916612625122f,
                         -0.37612631916999817f, 0.11283687502145767f,
                         -0.026858940720558167f, 0.005199905019253492f,
                         -0.0008129992638714612f, 8.316693129017949e-05f);
  return hn::MulAdd(t, p, t);
}

/// 1 - erf(t) for 0.93 <= t <= 4, with an absolute error below 1e-8:
/// e^-(t + t Q(t))
template <class D, class V>
HWY_INLINE V ErfcLarge(D d, V t) {
  const V q = Polynomial(d, t, 0.12850743532180786f, 0.6357420682907104f,
                         0.10523013770580292f, -0.022869382053613663f,
                         0.003208463080227375f, -0.00021318919607438147f);
  return Exp(d, hn::Neg(hn::MulAdd(t, q, t)));
}

/// Where the two forms of erf meet, and where 1 - erf is 0 to float.
inline constexpr float kErfSmall = 0.93f;
inline constexpr float kErfEnd = 4.0f;

/// Within 2 units in the last place.
template <class D, class V>
HWY_INLINE V Erf(D d, V v) {
  const V one = hn::Set(d, 1.0f);
  const V t = hn::Min(hn::Abs(v), hn::Set(d, kErfEnd));
  const V large = hn::CopySign(hn::Sub(one, ErfcLarge(d, t)), v);
  const V erf =
      hn::IfThenElse(hn::Lt(t, hn::Set(d, kErfSmall)), ErfSmall(d, v), large);
  return hn::IfThenElse(hn::Eq(v, v), erf, v);
}

/// v / 2 * (1 + erf(v / sqrt 2)), within 1e-7 or 4 units in the last place. The
/// sum loses all digits for negative v, where 1 + erf(-t) = erfc(t) does not.
template <class D, class V>
HWY_INLINE V Gelu(D d, V v) {
  const V one = hn::Set(d, 1.0f);
  const V t = hn::Mul(hn::Abs(v), hn::Set(d, 0.707106769f));
  const V end = hn::Set(d, kErfEnd);
  const V erfc = hn::IfThenElse(
      hn::Lt(t, hn::Set(d, kErfSmall)), hn::Sub(one, ErfSmall(d, t)),
      hn::IfThenElseZero(hn::Lt(t, end), ErfcLarge(d, hn::Min(t, end))));
  const V lower = hn::Mul(hn::Mul(v, hn::Set(d, 0.5f)), erfc);
  const V gelu =
      hn::IfThenElse(hn::Lt(v, hn::Zero(d)), lower, hn::Sub(v, lower));
  return hn::IfThenElse(hn::Eq(v, v), gelu, v);
}

/// 1 / (1 + e^-v), within 4 units in the last place.
template <class D, class V>
HWY_INLINE V Sigmoid(D d, V v) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, Exp(d, hn::Neg(v))));
}

/// Within 4 units in the last place:  v + v^3 P(v^2) near 0, else
/// 1 - 2 / (e^2|v| + 1).
template <class D, class V>
HWY_INLINE V Tanh(D d, V v) {
  const V one = hn::Set(d, 1.0f);
  const V t = hn::Abs(v);
  const V square = hn::Mul(v, v);
  const V p = Polynomial(d, square, -0.3333333134651184f, 0.13333196938037872f,
                         -0.05394551903009415f, 0.021693671122193336f,
                         -0.008159528486430645f, 0.002126202452927828f);
  const V small = hn::MulAdd(hn::Mul(square, p), v, v);
  const V e = Exp(d, hn::Add(t, t));
  const V large =
      hn::CopySign(hn::Sub(one, hn::Div(hn::Set(d, 2.0f), hn::Add(e, one))), v);
  return hn::IfThenElse(hn::Lt(t, hn::Set(d, 0.63f)), small, large);
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_MATH_TOGGLE
