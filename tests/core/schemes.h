// Every scheme without an axis, and random ranges: what the property tests of
// the numbers run over.
#ifndef ZEROPOINT_TESTS_CORE_SCHEMES_H_
#define ZEROPOINT_TESTS_CORE_SCHEMES_H_

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "zeropoint/core/qparams.h"
#include "zeropoint/core/scheme_spec.h"

namespace zeropoint::testing {

template <class Storage>
void AddSchemesOf(std::vector<SchemeSpec>& specs) {
  specs.push_back(SpecOf<Affine<Storage>>());
  specs.push_back(SpecOf<Affine<Storage, Symmetric>>());
  if constexpr (std::is_signed_v<Storage>) {
    specs.push_back(
        SpecOf<Affine<Storage, Asymmetric, PerTensor, NarrowRange>>());
    specs.push_back(
        SpecOf<Affine<Storage, Symmetric, PerTensor, NarrowRange>>());
  }
}

inline std::vector<SchemeSpec> AllSchemes() {
  std::vector<SchemeSpec> specs;
  AddSchemesOf<std::uint8_t>(specs);
  AddSchemesOf<std::int8_t>(specs);
  AddSchemesOf<std::uint16_t>(specs);
  AddSchemesOf<std::int16_t>(specs);
  return specs;
}

inline CodeRange CodesOf(const SchemeSpec& spec) {
  return {spec.qmin, spec.qmax};
}

/// Ranges of every magnitude from 1e-30 to 1e30, around 0, beside it and
/// touching it.
class RandomRanges {
 public:
  explicit RandomRanges(unsigned seed) : random_(seed) {}

  RealRange Next() {
    const float a = Magnitude();
    const float b = Magnitude();
    switch (kind_(random_)) {
      case 0:
        return {-a, b};
      case 1:
        return {std::min(a, b), std::max(a, b)};
      case 2:
        return {-std::max(a, b), -std::min(a, b)};
      case 3:
        return {0.0f, a};
      default:  // both ends of one magnitude
        return {-a, a * near_(random_)};
    }
  }

  float Inside(const RealRange& range) {
    const float share = unit_(random_);
    return range.lo + share * (range.hi - range.lo);
  }

 private:
  float Magnitude() { return std::pow(10.0f, exponent_(random_)); }

  std::mt19937 random_;
  std::uniform_int_distribution<int> kind_{0, 7};
  std::uniform_real_distribution<float> exponent_{-30.0f, 30.0f};
  std::uniform_real_distribution<float> near_{0.1f, 10.0f};
  std::uniform_real_distribution<float> unit_{0.0f, 1.0f};
};

}  // namespace zeropoint::testing

#endif  // ZEROPOINT_TESTS_CORE_SCHEMES_H_
