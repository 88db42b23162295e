// The range decides what a code is worth: wide ranges keep outliers and lose
// resolution. Compares some ranges and schemes on one set of values, by the
// signal-to-quantization-noise ratio. docs/guide/affine.md explains it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>
#include <vector>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"

namespace zp = zeropoint;

// A thousand values like a ReLU's output, and one outlier.
std::vector<float> MakeValues() {
  std::vector<float> values;
  values.reserve(1001);
  for (int i = 0; i < 1000; ++i) {
    values.push_back(std::max(0.0f, std::sin(0.37f * static_cast<float>(i))));
  }
  values.push_back(20.0f);
  return values;
}

// #region range
zp::RealRange RangeOf(std::span<const float> values) {
  const auto [lo, hi] = std::ranges::minmax_element(values);
  return {*lo, *hi};
}
// #endregion

// #region sqnr
// 10 log10( sum x^2 / sum (x - q(x))^2 ), in dB: 6 dB are one bit.
double Sqnr(std::span<const float> values, const zp::QParams& params,
            zp::CodeRange codes) {
  double signal = 0;
  double noise = 0;
  for (const float x : values) {
    const float back = zp::reference::Dequantize(
        zp::reference::Quantize(x, params, codes), params);
    signal += static_cast<double>(x) * x;
    noise += (static_cast<double>(x) - back) * (static_cast<double>(x) - back);
  }
  return 10 * std::log10(signal / noise);
}
// #endregion

int main() {
  const std::vector<float> values = MakeValues();
  const std::span<const float> usual = std::span(values).first(1000);
  const zp::RealRange all = RangeOf(values);
  std::printf("%-16s %13s %9s %11s %9s %9s\n", "scheme", "range", "scale",
              "zero point", "SQNR all", "usual");
  // #region compare
  for (const float hi : {all.hi, 10.0f, 1.0f}) {
    for (const std::string_view text :
         {"u8:asym", "i8:sym", "i8:sym:narrow", "u16:asym"}) {
      const zp::Result<zp::SchemeSpec> spec = zp::ParseScheme(text);
      if (!spec.ok()) {
        std::fprintf(stderr, "%s\n", spec.status().message().c_str());
        return 1;
      }
      const zp::QParams params = zp::ChooseQParams({all.lo, hi}, *spec);
      const zp::CodeRange codes{spec->qmin, spec->qmax};
      std::printf("%-16s [%4.1f, %5.1f] %9.6f %11d %9.1f %9.1f\n", text.data(),
                  all.lo, hi, params.scale, params.zero_point,
                  Sqnr(values, params, codes), Sqnr(usual, params, codes));
    }
  }
  // #endregion
  return 0;
}
