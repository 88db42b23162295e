// DetectionMatcher: which detection found which object, in one image and of one
// category.
//
// The detection with the highest score chooses first. For each overlap that is
// asked for, it takes the free object that it overlaps most, of equal ones the
// last. Objects that do not count (a crowd, or of another size than is looked
// at) are left for last; a detection that can take only such a one does not
// count either.
#ifndef ZEROPOINT_EVAL_MATCH_DETECTIONS_H_
#define ZEROPOINT_EVAL_MATCH_DETECTIONS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/data/coco.h"
#include "zeropoint/data/image_box.h"

namespace zeropoint {

/// The least overlaps at which an object counts as found: 0.5, 0.55, ... 0.95,
/// to the bit those of pycocotools (numpy's linspace).
inline constexpr std::size_t kOverlapThresholds = 10;
inline constexpr std::array<double, kOverlapThresholds> kOverlapThreshold = [] {
  std::array<double, kOverlapThresholds> thresholds{};
  constexpr double kStep = (0.95 - 0.5) / (kOverlapThresholds - 1);
  for (std::size_t i = 0; i < kOverlapThresholds; ++i) {
    thresholds[i] = 0.5 + static_cast<double>(i) * kStep;
  }
  thresholds.back() = 0.95;
  return thresholds;
}();

/// Areas of objects in square pixels, both ends included.
struct AreaRange {
  double lo = 0.0;
  double hi = 0.0;

  bool Contains(double area) const { return area >= lo && area <= hi; }
};

/// All objects, the small, the medium and the large ones.
inline constexpr std::size_t kAreaRanges = 4;
inline constexpr std::array<AreaRange, kAreaRanges> kAreaRange = {
    {{0.0, 1e10}, {0.0, 1024.0}, {1024.0, 9216.0}, {9216.0, 1e10}}};

/// How many detections of one category in one image count: the best.
inline constexpr std::size_t kMaxDetections = 100;

/// What became of a detection in one area range, bit t for
/// kOverlapThreshold[t].
struct DetectionOutcome {
  std::uint16_t matched = 0;
  std::uint16_t ignored = 0;
};
inline constexpr std::uint16_t kEveryThreshold = (1 << kOverlapThresholds) - 1;

/// By area range.
using DetectionOutcomes = std::array<DetectionOutcome, kAreaRanges>;

class DetectionMatcher {
 public:
  /// The outcome of each of `detections`, which are of one image and category,
  /// as `truths` are, and in the order of their scores, highest first. Valid
  /// until the next call.
  ///
  /// Source: COCOeval.evaluateImg of pycocotools, with its oddity that to find
  /// the object with the id 0 is no success.
  std::span<const DetectionOutcomes> Match(
      std::span<const CocoDetection* const> detections,
      std::span<const CocoAnnotation* const> truths) {
    outcomes_.assign(detections.size(), {});
    MeasureOverlaps(detections, truths);
    for (std::size_t range = 0; range < kAreaRanges; ++range) {
      MatchIn(range, detections, truths);
    }
    return outcomes_;
  }

  /// Whether `truth` is to be found among the objects of `range`.
  static bool Counts(const CocoAnnotation& truth, const AreaRange& range) {
    return !truth.crowd && range.Contains(truth.area);
  }

 private:
  void MeasureOverlaps(std::span<const CocoDetection* const> detections,
                       std::span<const CocoAnnotation* const> truths) {
    overlaps_.resize(detections.size() * truths.size());
    greatest_.assign(detections.size(), 0.0);
    for (std::size_t d = 0; d < detections.size(); ++d) {
      for (std::size_t t = 0; t < truths.size(); ++t) {
        const double overlap =
            BoxOverlap(detections[d]->box, truths[t]->box, truths[t]->crowd);
        overlaps_[d * truths.size() + t] = overlap;
        greatest_[d] = std::max(greatest_[d], overlap);
      }
    }
  }

  void MatchIn(std::size_t range,
               std::span<const CocoDetection* const> detections,
               std::span<const CocoAnnotation* const> truths) {
    order_.clear();
    for (const bool counting : {true, false}) {
      for (std::size_t t = 0; t < truths.size(); ++t) {
        if (Counts(*truths[t], kAreaRange[range]) == counting) {
          order_.push_back(t);
        }
      }
      if (counting) counting_ = order_.size();
    }
    taken_.assign(truths.size(), 0);
    for (std::size_t d = 0; d < detections.size(); ++d) {
      DetectionOutcome& outcome = outcomes_[d][range];
      for (std::size_t t = 0; t < kOverlapThresholds; ++t) {
        if (greatest_[d] < Least(t)) break;
        Choose(d, t, truths, outcome);
      }
      if (!kAreaRange[range].Contains(detections[d]->box.area())) {
        outcome.ignored |=
            static_cast<std::uint16_t>(~outcome.matched & kEveryThreshold);
      }
    }
  }

  // Even at a threshold of 1, rounding would be forgiven.
  static double Least(std::size_t threshold) {
    return std::min(kOverlapThreshold[threshold], 1.0 - 1e-10);
  }

  // What detection `d` takes at `threshold`.
  void Choose(std::size_t d, std::size_t threshold,
              std::span<const CocoAnnotation* const> truths,
              DetectionOutcome& outcome) {
    const auto bit = static_cast<std::uint16_t>(1u << threshold);
    double best = Least(threshold);
    std::size_t place = order_.size();
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (i == counting_ && place < counting_) break;
      const std::size_t t = order_[i];
      if ((taken_[t] & bit) != 0 && !truths[t]->crowd) continue;
      const double overlap = overlaps_[d * truths.size() + t];
      if (overlap < best) continue;
      best = overlap;
      place = i;
    }
    if (place == order_.size()) return;
    const std::size_t found = order_[place];
    taken_[found] |= bit;
    if (truths[found]->id != 0) outcome.matched |= bit;
    if (place >= counting_) outcome.ignored |= bit;
  }

  std::vector<DetectionOutcomes> outcomes_;
  std::vector<double> overlaps_;      // [detections, truths]
  std::vector<double> greatest_;      // [detections]
  std::vector<std::size_t> order_;    // of the truths: those that count first
  std::size_t counting_ = 0;          // how many those are
  std::vector<std::uint16_t> taken_;  // by truth, bits as in DetectionOutcome
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_MATCH_DETECTIONS_H_
