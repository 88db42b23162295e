// CalibrationSpec: a calibration method as plain data, and its text
// ("percentile:99.99").
#ifndef ZEROPOINT_CALIBRATION_CALIBRATION_SPEC_H_
#define ZEROPOINT_CALIBRATION_CALIBRATION_SPEC_H_

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "zeropoint/core/status.h"

namespace zeropoint {

/// The range rules by name, and what their parameter is.
enum class CalibrationMethod : std::uint8_t {
  kMinMax,         // AbsoluteRange
  kMovingAverage,  // MovingAverageObserver; the parameter is the weight
  kPercentile,     // PercentileRange; the parameter is the percentile
  kEntropy,        // EntropyRange
  kMse,            // MseRange
  kMoments,        // MomentsRange; the parameter is k
};

struct CalibrationSpec {
  CalibrationMethod method = CalibrationMethod::kMinMax;
  double parameter = 0.0;

  friend constexpr bool operator==(const CalibrationSpec&,
                                   const CalibrationSpec&) = default;
};

namespace internal {

struct CalibrationMethodFacts {
  CalibrationMethod method;
  std::string_view name;
  bool has_parameter;
  double usual;     // the parameter that holds when none is given
  double greatest;  // that it may be; it is always > 0
};

inline constexpr CalibrationMethodFacts kCalibrationMethods[] = {
    {CalibrationMethod::kMinMax, "minmax", false, 0.0, 0.0},
    {CalibrationMethod::kMovingAverage, "moving-average", true, 0.01, 1.0},
    {CalibrationMethod::kPercentile, "percentile", true, 99.999, 100.0},
    {CalibrationMethod::kEntropy, "entropy", false, 0.0, 0.0},
    {CalibrationMethod::kMse, "mse", false, 0.0, 0.0},
    {CalibrationMethod::kMoments, "moments", true, 4.0, 1e6},
};

}  // namespace internal

/// "minmax", "percentile:99.99"; without a parameter where the method has none.
inline std::string FormatCalibration(const CalibrationSpec& spec) {
  for (const auto& facts : internal::kCalibrationMethods) {
    if (facts.method != spec.method) continue;
    std::string text(facts.name);
    if (facts.has_parameter) {
      char number[32];
      std::snprintf(number, sizeof(number), ":%.10g", spec.parameter);
      text += number;
    }
    return text;
  }
  return "unknown";
}

/// Reads minmax, moving-average[:weight], percentile[:percent], entropy, mse,
/// moments[:k]. Errors: kInvalidArgument, naming what is known.
inline Result<CalibrationSpec> ParseCalibration(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto fail = [&](const std::string& why) {
    return InvalidArgument("calibration '" + std::string(text) + "': " + why);
  };
  for (const auto& facts : internal::kCalibrationMethods) {
    if (facts.name != name) continue;
    CalibrationSpec spec{facts.method, facts.usual};
    if (colon == std::string_view::npos) return spec;
    if (!facts.has_parameter) {
      return fail(std::string(name) + " takes no parameter");
    }
    const std::string_view digits = text.substr(colon + 1);
    const char* end = digits.data() + digits.size();
    const auto [stop, error] =
        std::from_chars(digits.data(), end, spec.parameter);
    if (error != std::errc() || stop != end ||
        !(spec.parameter > 0.0 && spec.parameter <= facts.greatest)) {
      char most[32];
      std::snprintf(most, sizeof(most), "%g", facts.greatest);
      return fail("'" + std::string(digits) +
                  "' is not a number above 0 and at most " + most);
    }
    return spec;
  }
  return fail(
      "unknown; known: minmax, moving-average[:WEIGHT], percentile[:PERCENT], "
      "entropy, mse, moments[:K]");
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_CALIBRATION_SPEC_H_
