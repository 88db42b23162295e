// The records of COCO's files: what is in the images of a data set, and what a
// detector found there. read_coco.h reads them, write_coco.h writes detections.
#ifndef ZEROPOINT_DATA_COCO_H_
#define ZEROPOINT_DATA_COCO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "zeropoint/data/image_box.h"

namespace zeropoint {

/// An image that annotations are about.
struct CocoImage {
  std::int64_t id = 0;
  /// Empty, and 0 pixels, where the file does not say.
  std::string file_name = {};
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// Ids need not follow one another: COCO's 80 categories go up to 90.
struct CocoCategory {
  std::int64_t id = 0;
  std::string name = {};
};

/// An object that is in an image.
struct CocoAnnotation {
  std::int64_t id = 0;
  std::int64_t image_id = 0;
  std::int64_t category_id = 0;
  ImageBox box = {};
  /// Of the object's outline: not more than its box's.
  double area = 0.0;
  /// Not one object but many ("iscrowd").
  bool crowd = false;
};

/// The ids of images, of categories and of annotations are each unique.
struct CocoGroundTruth {
  std::vector<CocoImage> images;
  std::vector<CocoCategory> categories;
  std::vector<CocoAnnotation> annotations;
};

/// An object that a detector found. The score is finite.
struct CocoDetection {
  std::int64_t image_id = 0;
  std::int64_t category_id = 0;
  ImageBox box = {};
  double score = 0.0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_COCO_H_
