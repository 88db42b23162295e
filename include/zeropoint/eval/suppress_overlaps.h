// SuppressOverlaps: of detections of the same object, the best one
// (non-maximum suppression).
#ifndef ZEROPOINT_EVAL_SUPPRESS_OVERLAPS_H_
#define ZEROPOINT_EVAL_SUPPRESS_OVERLAPS_H_

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include "zeropoint/data/image_box.h"
#include "zeropoint/eval/detection_decoder.h"

namespace zeropoint {

/// At most so many objects of an image are looked at, the best: a threshold
/// that keeps everything shall not take quadratic time.
inline constexpr std::size_t kMostCandidates = 30000;

/// Those objects that overlap none of a higher score, of their image and class,
/// by more than `overlap`; of equal scores the first one counts as higher. They
/// come by image, class and score.
///
/// Cost: O(n log n), and for each class the product of what comes in and what
/// is kept.
inline std::vector<DecodedObject> SuppressOverlaps(
    std::vector<DecodedObject> objects, double overlap) {
  std::ranges::stable_sort(objects, {}, [](const DecodedObject& object) {
    return std::pair(object.image, -object.score);
  });
  std::vector<DecodedObject> candidates;
  std::size_t of_image = 0;
  for (const DecodedObject& object : objects) {
    if (!candidates.empty() && candidates.back().image != object.image) {
      of_image = 0;
    }
    if (of_image++ < kMostCandidates) candidates.push_back(object);
  }
  std::ranges::stable_sort(candidates, {}, [](const DecodedObject& object) {
    return std::tuple(object.image, object.class_index);
  });
  std::vector<DecodedObject> kept;
  std::size_t first = 0;  // kept of this image and class
  for (const DecodedObject& object : candidates) {
    if (!kept.empty() && (kept.back().image != object.image ||
                          kept.back().class_index != object.class_index)) {
      first = kept.size();
    }
    const bool free =
        std::none_of(kept.begin() + static_cast<std::ptrdiff_t>(first),
                     kept.end(), [&](const DecodedObject& better) {
                       return BoxOverlap(object.box, better.box) > overlap;
                     });
    if (free) kept.push_back(object);
  }
  return kept;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_SUPPRESS_OVERLAPS_H_
