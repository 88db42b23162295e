// TensorStatistics: all that calibration keeps of one tensor.
#ifndef ZEROPOINT_CALIBRATION_TENSOR_STATISTICS_H_
#define ZEROPOINT_CALIBRATION_TENSOR_STATISTICS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/calibration/channel_mean_observer.h"
#include "zeropoint/calibration/entropy_range.h"
#include "zeropoint/calibration/histogram_observer.h"
#include "zeropoint/calibration/min_max_observer.h"
#include "zeropoint/calibration/moments_observer.h"
#include "zeropoint/calibration/moments_range.h"
#include "zeropoint/calibration/moving_average_observer.h"
#include "zeropoint/calibration/mse_range.h"
#include "zeropoint/calibration/percentile_range.h"
#include "zeropoint/calibration/range_rule.h"

namespace zeropoint {

/// Which observers look at each tensor. Min-max always does.
struct CollectedStatistics {
  bool histogram = false;
  bool moments = false;
  /// The weight of a moving average; nothing: none.
  std::optional<double> moving_average;

  /// What the rule of `spec` reads.
  static CollectedStatistics For(const CalibrationSpec& spec) {
    CollectedStatistics collected;
    switch (spec.method) {
      case CalibrationMethod::kMinMax:
        break;
      case CalibrationMethod::kMovingAverage:
        collected.moving_average = spec.parameter;
        break;
      case CalibrationMethod::kMoments:
        collected.moments = true;
        break;
      case CalibrationMethod::kPercentile:
      case CalibrationMethod::kEntropy:
      case CalibrationMethod::kMse:
        collected.histogram = true;
    }
    return collected;
  }
  /// Everything that merges, so that the rule may be chosen afterwards.
  static CollectedStatistics All() {
    return {.histogram = true, .moments = true, .moving_average = {}};
  }

  friend bool operator==(const CollectedStatistics&,
                         const CollectedStatistics&) = default;
};

/// Observers side by side. As exact and order-independent as they are, except
/// for a moving average, with which nothing merges.
class TensorStatistics {
 public:
  TensorStatistics() = default;
  explicit TensorStatistics(const CollectedStatistics& collected) {
    if (collected.histogram) histogram_.emplace();
    if (collected.moments) moments_.emplace();
    if (collected.moving_average) {
      moving_average_.emplace(*collected.moving_average);
    }
  }
  /// From a stored state.
  TensorStatistics(MinMaxObserver min_max,
                   std::optional<HistogramObserver> histogram,
                   std::optional<MomentsObserver> moments)
      : min_max_(min_max),
        histogram_(std::move(histogram)),
        moments_(moments) {}

  /// Folds one sample in and returns its range.
  MinMaxState Observe(std::span<const float> x, const KernelTable& kernels) {
    MinMaxObserver sample;
    ForEachChunk(x, kernels,
                 [&](std::span<const float> chunk, const MinMaxState& seen) {
                   sample.Merge(MinMaxObserver(seen));
                   if (histogram_) histogram_->Observe(chunk, seen, kernels);
                   if (moments_) moments_->Observe(chunk, seen, kernels);
                 });
    min_max_.Merge(sample);
    if (moving_average_) moving_average_->Observe(sample);
    return sample.state();
  }

  /// Errors: kInvalidArgument when the other collected something else, or
  /// either a moving average.
  Status Merge(const TensorStatistics& other) {
    if (moving_average_ || other.moving_average_) {
      return InvalidArgument(
          "a moving average depends on the order of the samples and cannot be "
          "merged; use another calibration");
    }
    if (histogram_.has_value() != other.histogram_.has_value() ||
        moments_.has_value() != other.moments_.has_value()) {
      return InvalidArgument("the states hold different statistics");
    }
    min_max_.Merge(other.min_max_);
    if (histogram_) histogram_->Merge(*other.histogram_);
    if (moments_) moments_->Merge(*other.moments_);
    return Status();
  }

  const MinMaxObserver& min_max() const { return min_max_; }
  const std::optional<HistogramObserver>& histogram() const {
    return histogram_;
  }
  const std::optional<MomentsObserver>& moments() const { return moments_; }

  /// The range by the rule of `spec`. Errors: kInvalidData when nothing finite
  /// was seen; kInvalidArgument when what the rule reads was not collected.
  Result<RealRange> Choose(const CalibrationSpec& spec,
                           const SchemeSpec& scheme) const {
    const auto missing = [&] {
      return InvalidArgument("the statistics for '" + FormatCalibration(spec) +
                             "' were not collected");
    };
    switch (spec.method) {
      case CalibrationMethod::kMinMax:
        return AbsoluteRange{}.Choose(min_max_, scheme);
      case CalibrationMethod::kMovingAverage:
        if (!moving_average_) return missing();
        if (moving_average_->count() == 0) {
          return InvalidData("no finite value was observed");
        }
        return WidenRange(moving_average_->range(), scheme);
      case CalibrationMethod::kMoments:
        if (!moments_) return missing();
        return MomentsRange{spec.parameter}.Choose(*moments_, scheme);
      case CalibrationMethod::kPercentile:
        if (!histogram_) return missing();
        return PercentileRange{spec.parameter}.Choose(*histogram_, scheme);
      case CalibrationMethod::kEntropy:
        if (!histogram_) return missing();
        return EntropyRange{}.Choose(*histogram_, scheme);
      case CalibrationMethod::kMse:
        if (!histogram_) return missing();
        return MseRange{}.Choose(*histogram_, scheme);
    }
    return missing();
  }

 private:
  MinMaxObserver min_max_;
  std::optional<HistogramObserver> histogram_;
  std::optional<MomentsObserver> moments_;
  std::optional<MovingAverageObserver> moving_average_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_TENSOR_STATISTICS_H_
