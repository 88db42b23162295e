// ChooseRanges: from a calibration state to a range for each tensor.
#ifndef ZEROPOINT_CALIBRATION_CHOOSE_RANGES_H_
#define ZEROPOINT_CALIBRATION_CHOOSE_RANGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"

namespace zeropoint {

/// What was seen beside finite values; a range never holds them.
struct NonFiniteTensor {
  std::string name;
  std::uint64_t nan = 0;
  std::uint64_t infinite = 0;
};

/// What a reader of the ranges should know about the data.
struct CalibrationFindings {
  std::vector<NonFiniteTensor> non_finite;
  /// No sample produced them.
  std::vector<std::string> never_produced;
  /// Produced, but without a single element.
  std::vector<std::string> always_empty;
  /// The range still grew in the last tenth of the samples.
  std::vector<std::string> unsettled;
  /// unsettled, as a share of the tensors that have a range.
  double unsettled_share = 0.0;

  /// With samples in random order about a fifth of the tensors have an end of
  /// their range in the last tenth by chance.
  static constexpr double kUsualShare = 0.3;
  bool settled() const { return unsettled_share <= kUsualShare; }
};

/// The ranges of a model's tensors, and what is worth knowing about them.
struct CalibrationResult {
  CalibrationTable table;
  std::size_t samples = 0;
  CalibrationFindings findings;
};

namespace internal {

inline bool GrewLate(const TensorState& tensor, const SampleSet& samples) {
  const std::uint64_t count = samples.count();
  const std::uint64_t settled = count - count / 10;
  return samples.CountBelow(tensor.lo_sample) >= settled ||
         samples.CountBelow(tensor.hi_sample) >= settled;
}

}  // namespace internal

/// A range for every tensor of `state` in which a finite value was seen; the
/// others are left out. Pure. Errors: kInvalidData when there is no sample;
/// those of the rule, with the name of the tensor.
inline Result<CalibrationResult> ChooseRanges(const CalibrationState& state,
                                              const CalibrationSpec& spec,
                                              const SchemeSpec& scheme) {
  CalibrationResult result;
  result.samples = state.samples.count();
  if (result.samples == 0) return InvalidData("there is no calibration sample");
  const std::string method = spec.method == CalibrationMethod::kMinMax
                                 ? std::string("min-max")
                                 : FormatCalibration(spec);
  const std::string why =
      method + " of " + std::to_string(result.samples) + " samples";
  CalibrationFindings& findings = result.findings;
  for (const auto& [name, tensor] : state.tensors) {
    if (tensor.samples == 0) findings.never_produced.push_back(name);
    if (tensor.samples == tensor.other_type) continue;
    if (tensor.empty == tensor.samples) findings.always_empty.push_back(name);
    const MinMaxObserver& seen = tensor.statistics.min_max();
    if (seen.nan_count() + seen.infinite_count() > 0) {
      findings.non_finite.push_back(
          {name, seen.nan_count(), seen.infinite_count()});
    }
    if (seen.count() == 0) continue;
    const auto range = tensor.statistics.Choose(spec, scheme);
    if (!range.ok()) {
      return range.status().WithContext("tensor '" + name + "'");
    }
    if (internal::GrewLate(tensor, state.samples)) {
      findings.unsettled.push_back(name);
    }
    result.table.emplace(
        name, CalibratedTensor{.range = *range,
                               .why = why,
                               .dims = tensor.dims,
                               .channel_means = tensor.means.means()});
  }
  if (!result.table.empty()) {
    findings.unsettled_share = static_cast<double>(findings.unsettled.size()) /
                               static_cast<double>(result.table.size());
  }
  return result;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_CHOOSE_RANGES_H_
