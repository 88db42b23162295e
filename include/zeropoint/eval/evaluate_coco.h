// EvaluateCoco: detections beside what is in the images, as COCO scores them.
//
// The result is that of pycocotools' COCOeval for boxes. It takes a small part
// of the time: detections are sorted once, by category, image and score;
// overlaps are measured once; and all thresholds and area ranges are counted in
// the same walk over a category.
#ifndef ZEROPOINT_EVAL_EVALUATE_COCO_H_
#define ZEROPOINT_EVAL_EVALUATE_COCO_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/coco.h"
#include "zeropoint/eval/coco_scores.h"
#include "zeropoint/eval/match_detections.h"
#include "zeropoint/eval/precision_recall.h"

namespace zeropoint {

/// What an evaluation of detections may be told.
struct CocoOptions {
  /// Only these images count; nothing: all that the ground truth lists.
  std::optional<std::vector<std::int64_t>> image_ids = {};
};

/// The scores, and of how much they are.
struct CocoEvaluation {
  CocoScores scores;
  std::size_t images = 0;
  std::size_t categories = 0;
  /// What counted, and what did not: detections of categories that the ground
  /// truth lacks, annotations of images or categories that it does not list.
  std::size_t annotations = 0;
  std::size_t detections = 0;
  std::size_t annotations_left_out = 0;
  std::size_t detections_left_out = 0;
  /// An annotation has the id 0: what finds it counts as wrong.
  bool has_id_zero = false;
};

namespace internal {

/// Ids in ascending order, each once; a place is the position of one.
class IdPlaces {
 public:
  explicit IdPlaces(std::vector<std::int64_t> ids) : ids_(std::move(ids)) {
    std::ranges::sort(ids_);
    ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  }
  template <class Record>
  static IdPlaces Of(const std::vector<Record>& records) {
    std::vector<std::int64_t> ids;
    ids.reserve(records.size());
    for (const Record& record : records) ids.push_back(record.id);
    return IdPlaces(std::move(ids));
  }

  std::size_t size() const { return ids_.size(); }
  std::optional<std::size_t> Find(std::int64_t id) const {
    const auto found = std::ranges::lower_bound(ids_, id);
    if (found == ids_.end() || *found != id) return std::nullopt;
    return static_cast<std::size_t>(found - ids_.begin());
  }

 private:
  std::vector<std::int64_t> ids_;
};

/// A record with the places of its category and image.
template <class Record>
struct PlacedRecord {
  std::size_t category = 0;
  std::size_t image = 0;
  const Record* record = nullptr;
};

/// Means over the categories that have objects, of one area range.
class CocoMeans {
 public:
  void Add(const PrecisionRecall::PerThreshold& values) {
    for (std::size_t t = 0; t < kOverlapThresholds; ++t) sums_[t] += values[t];
    ++categories_;
  }
  double At(std::size_t threshold) const {
    if (categories_ == 0) return -1.0;
    return sums_[threshold] / static_cast<double>(categories_);
  }
  double Overall() const {
    if (categories_ == 0) return -1.0;
    return std::accumulate(sums_.begin(), sums_.end(), 0.0) /
           static_cast<double>(categories_ * kOverlapThresholds);
  }

 private:
  PrecisionRecall::PerThreshold sums_{};
  std::size_t categories_ = 0;
};

/// Takes the records of one category after another.
class CocoAccumulator {
 public:
  using Truth = PlacedRecord<CocoAnnotation>;
  using Detection = PlacedRecord<CocoDetection>;

  /// Both sorted by image, detections of an image by score, the highest first.
  void AddCategory(std::span<const Truth> truths,
                   std::span<const Detection> detections) {
    CollectOutcomes(truths, detections);
    std::ranges::stable_sort(outcomes_, std::ranges::greater(),
                             &ScoredOutcome::score);
    for (std::size_t range = 0; range < kAreaRanges; ++range) {
      const auto objects = static_cast<std::size_t>(
          std::ranges::count_if(truths, [range](const Truth& truth) {
            return DetectionMatcher::Counts(*truth.record, kAreaRange[range]);
          }));
      if (objects == 0) continue;
      measures_.Measure(outcomes_, range, objects);
      precision_[range].Add(measures_.average_precision());
      recall_[range].Add(measures_.recall());
      if (range != 0) continue;
      best1_.Add(PrecisionRecall::RecallOfBest(outcomes_, 1, range, objects));
      best10_.Add(PrecisionRecall::RecallOfBest(outcomes_, 10, range, objects));
    }
  }

  CocoScores scores() const {
    return {.ap = precision_[0].Overall(),
            .ap50 = precision_[0].At(0),
            .ap75 = precision_[0].At(5),
            .ap_small = precision_[1].Overall(),
            .ap_medium = precision_[2].Overall(),
            .ap_large = precision_[3].Overall(),
            .ar1 = best1_.Overall(),
            .ar10 = best10_.Overall(),
            .ar100 = recall_[0].Overall(),
            .ar_small = recall_[1].Overall(),
            .ar_medium = recall_[2].Overall(),
            .ar_large = recall_[3].Overall()};
  }

 private:
  // Matches image by image.
  void CollectOutcomes(std::span<const Truth> truths,
                       std::span<const Detection> detections) {
    outcomes_.clear();
    std::size_t t = 0;
    for (std::size_t d = 0; d < detections.size();) {
      const std::size_t image = detections[d].image;
      image_truths_.clear();
      while (t < truths.size() && truths[t].image < image) ++t;
      for (; t < truths.size() && truths[t].image == image; ++t) {
        image_truths_.push_back(truths[t].record);
      }
      image_detections_.clear();
      for (; d < detections.size() && detections[d].image == image; ++d) {
        if (image_detections_.size() == kMaxDetections) continue;
        image_detections_.push_back(detections[d].record);
      }
      const std::span<const DetectionOutcomes> outcomes =
          matcher_.Match(image_detections_, image_truths_);
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        outcomes_.push_back({image_detections_[i]->score, i, outcomes[i]});
      }
    }
  }

  DetectionMatcher matcher_;
  PrecisionRecall measures_;
  std::vector<const CocoAnnotation*> image_truths_;
  std::vector<const CocoDetection*> image_detections_;
  std::vector<ScoredOutcome> outcomes_;  // of a category
  std::array<CocoMeans, kAreaRanges> precision_;
  std::array<CocoMeans, kAreaRanges> recall_;
  CocoMeans best1_;  // recall of the best detection of each image
  CocoMeans best10_;
};

/// The records whose category and image have a place.
template <class Record>
std::vector<PlacedRecord<Record>> PlaceRecords(std::span<const Record> records,
                                               const IdPlaces& categories,
                                               const IdPlaces& images) {
  std::vector<PlacedRecord<Record>> placed;
  placed.reserve(records.size());
  for (const Record& record : records) {
    const auto category = categories.Find(record.category_id);
    const auto image = images.Find(record.image_id);
    if (category && image) placed.push_back({*category, *image, &record});
  }
  return placed;
}

/// What of `sorted` is of `category`; `next` is where to begin, and moves on.
template <class Record>
std::span<const PlacedRecord<Record>> TakeCategory(
    std::span<const PlacedRecord<Record>> sorted, std::size_t category,
    std::size_t& next) {
  const std::size_t first = next;
  while (next < sorted.size() && sorted[next].category == category) ++next;
  return sorted.subspan(first, next - first);
}

}  // namespace internal

/// Scores `detections`. Only the best 100 of a category in an image count;
/// where scores are equal, those that stand first in the list.
///
/// Requires finite scores.   Errors: kInvalidData for a detection in an image
/// that the ground truth does not list.
/// Exact: equal to pycocotools' COCOeval but for the rounding of the final
/// sums.   Cost: O(n log n) in the detections, and for each image and category
/// the product of detections and objects.
inline Result<CocoEvaluation> EvaluateCoco(
    const CocoGroundTruth& truth, std::span<const CocoDetection> detections,
    const CocoOptions& options = {}) {
  const auto listed = internal::IdPlaces::Of(truth.images);
  for (std::size_t i = 0; i < detections.size(); ++i) {
    if (listed.Find(detections[i].image_id)) continue;
    return InvalidData("detection " + std::to_string(i) + " is in image " +
                       std::to_string(detections[i].image_id) +
                       ", which the annotations do not list; they are of "
                       "another data set");
  }
  const internal::IdPlaces images =
      options.image_ids ? internal::IdPlaces(*options.image_ids) : listed;
  const auto categories = internal::IdPlaces::Of(truth.categories);
  auto truths = internal::PlaceRecords(
      std::span<const CocoAnnotation>(truth.annotations), categories, images);
  auto found = internal::PlaceRecords(detections, categories, images);
  using Truth = internal::CocoAccumulator::Truth;
  using Detection = internal::CocoAccumulator::Detection;
  // Records lie in the order of the list, so their addresses break ties.
  std::ranges::sort(truths, {}, [](const Truth& each) {
    return std::tuple(each.category, each.image, each.record);
  });
  std::ranges::sort(found, {}, [](const Detection& each) {
    return std::tuple(each.category, each.image, -each.record->score,
                      each.record);
  });
  internal::CocoAccumulator accumulator;
  std::size_t next_truth = 0;
  std::size_t next_found = 0;
  for (std::size_t category = 0; category < categories.size(); ++category) {
    accumulator.AddCategory(
        internal::TakeCategory(std::span<const Truth>(truths), category,
                               next_truth),
        internal::TakeCategory(std::span<const Detection>(found), category,
                               next_found));
  }
  return CocoEvaluation{
      .scores = accumulator.scores(),
      .images = images.size(),
      .categories = categories.size(),
      .annotations = truths.size(),
      .detections = found.size(),
      .annotations_left_out = truth.annotations.size() - truths.size(),
      .detections_left_out = detections.size() - found.size(),
      .has_id_zero = std::ranges::any_of(
          truths, [](const Truth& each) { return each.record->id == 0; })};
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_EVALUATE_COCO_H_
