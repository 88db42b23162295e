// PrecisionRecall: average precision and recall of one category.
#ifndef ZEROPOINT_EVAL_PRECISION_RECALL_H_
#define ZEROPOINT_EVAL_PRECISION_RECALL_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "zeropoint/eval/match_detections.h"

namespace zeropoint {

/// A detection of a category, in whatever image.
struct ScoredOutcome {
  double score = 0.0;
  /// Among those of its image, from 0 for the best.
  std::size_t rank = 0;
  DetectionOutcomes outcomes = {};
};

class PrecisionRecall {
 public:
  /// By kOverlapThreshold.
  using PerThreshold = std::array<double, kOverlapThresholds>;

  /// Of `detections`, the highest score first, in an area range with `objects`
  /// of them to find, 1 or more:
  ///
  ///   after n detections that count, k of them right: precision k / n,
  ///   recall k / objects
  ///   precision at recall r: the greatest at any recall from r on, 0 if none
  ///   average precision: the mean of that over r = 0, 0.01, ... 1
  ///
  /// Cost: O(detections).  Source: COCOeval.accumulate of pycocotools.
  void Measure(std::span<const ScoredOutcome> detections, std::size_t range,
               std::size_t objects) {
    Walk(detections, range);
    for (std::size_t t = 0; t < kOverlapThresholds; ++t) {
      precision_[t] = MeanPrecision(right_[t], objects);
      recall_[t] =
          static_cast<double>(right_[t].size()) / static_cast<double>(objects);
    }
  }
  const PerThreshold& average_precision() const { return precision_; }
  const PerThreshold& recall() const { return recall_; }

  /// The recall when only the best `most` detections of each image count.
  static PerThreshold RecallOfBest(std::span<const ScoredOutcome> detections,
                                   std::size_t most, std::size_t range,
                                   std::size_t objects) {
    std::array<std::size_t, kOverlapThresholds> right{};
    for (const ScoredOutcome& detection : detections) {
      if (detection.rank >= most) continue;
      const DetectionOutcome& outcome = detection.outcomes[range];
      for (std::size_t t = 0; t < kOverlapThresholds; ++t) {
        right[t] += ((outcome.matched & ~outcome.ignored) >> t) & 1;
      }
    }
    PerThreshold recall{};
    for (std::size_t t = 0; t < kOverlapThresholds; ++t) {
      recall[t] = static_cast<double>(right[t]) / static_cast<double>(objects);
    }
    return recall;
  }

 private:
  // Recalls at which precision is looked up.
  static constexpr std::size_t kRecalls = 101;

  // Fills right_ with the precision at each detection that is right. Between
  // those it only falls.
  void Walk(std::span<const ScoredOutcome> detections, std::size_t range) {
    // Keeps 0 / 0 from being NaN in pycocotools, and so the first precision
    // from being 1.
    constexpr double kTiny = std::numeric_limits<double>::epsilon();
    std::array<std::size_t, kOverlapThresholds> wrong{};
    for (std::vector<double>& right : right_) right.clear();
    for (const ScoredOutcome& detection : detections) {
      const DetectionOutcome& outcome = detection.outcomes[range];
      const unsigned counting = kEveryThreshold & ~unsigned{outcome.ignored};
      for (unsigned bits = counting; bits != 0; bits &= bits - 1) {
        const auto t = static_cast<std::size_t>(std::countr_zero(bits));
        if (((outcome.matched >> t) & 1) == 0) {
          ++wrong[t];
          continue;
        }
        const auto right = static_cast<double>(right_[t].size() + 1);
        right_[t].push_back(right /
                            (static_cast<double>(wrong[t]) + right + kTiny));
      }
    }
  }

  static double MeanPrecision(std::span<double> right, std::size_t objects) {
    for (std::size_t i = right.size(); i-- > 1;) {
      right[i - 1] = std::max(right[i - 1], right[i]);
    }
    double sum = 0.0;
    std::size_t first = 0;  // to reach the recall
    for (std::size_t i = 0; i < kRecalls; ++i) {
      const double wanted = static_cast<double>(i) * 0.01;
      while (first < right.size() &&
             static_cast<double>(first + 1) / static_cast<double>(objects) <
                 wanted) {
        ++first;
      }
      if (first == right.size()) break;
      sum += right[first];
    }
    return sum / kRecalls;
  }

  std::array<std::vector<double>, kOverlapThresholds> right_;
  PerThreshold precision_{};
  PerThreshold recall_{};
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_PRECISION_RECALL_H_
