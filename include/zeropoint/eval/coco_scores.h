// CocoScores: the twelve numbers by which COCO compares detectors.
#ifndef ZEROPOINT_EVAL_COCO_SCORES_H_
#define ZEROPOINT_EVAL_COCO_SCORES_H_

#include <array>
#include <cstddef>
#include <string_view>

namespace zeropoint {

/// Average precision and average recall, means over the categories, in [0, 1];
/// -1 where no object to find is of the kind. Overlaps from .50 to .95 count
/// alike but in ap50 and ap75; small objects have an area of up to 32^2
/// pixels, large ones of 96^2 and more.
struct CocoScores {
  double ap = -1.0;
  double ap50 = -1.0;
  double ap75 = -1.0;
  double ap_small = -1.0;
  double ap_medium = -1.0;
  double ap_large = -1.0;
  /// With the best 1, 10 and 100 detections of a category in an image.
  double ar1 = -1.0;
  double ar10 = -1.0;
  double ar100 = -1.0;
  double ar_small = -1.0;
  double ar_medium = -1.0;
  double ar_large = -1.0;

  bool operator==(const CocoScores&) const = default;
};

/// One of the scores by name.
struct CocoScoreName {
  std::string_view name;
  double CocoScores::*score;
};

/// All of them, in the order of pycocotools' `stats`.
inline constexpr std::array<CocoScoreName, 12> kCocoScoreNames = {{
    {"AP", &CocoScores::ap},
    {"AP50", &CocoScores::ap50},
    {"AP75", &CocoScores::ap75},
    {"APs", &CocoScores::ap_small},
    {"APm", &CocoScores::ap_medium},
    {"APl", &CocoScores::ap_large},
    {"AR1", &CocoScores::ar1},
    {"AR10", &CocoScores::ar10},
    {"AR100", &CocoScores::ar100},
    {"ARs", &CocoScores::ar_small},
    {"ARm", &CocoScores::ar_medium},
    {"ARl", &CocoScores::ar_large},
}};

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_COCO_SCORES_H_
