// ImageBox: a rectangle in an image, and how much of it another one covers.
#ifndef ZEROPOINT_DATA_IMAGE_BOX_H_
#define ZEROPOINT_DATA_IMAGE_BOX_H_

#include <algorithm>

namespace zeropoint {

/// The upper left corner and the lengths of the sides, in pixels; pixel 0 ends
/// at 1. Lengths are not negative.
struct ImageBox {
  double x = 0.0;
  double y = 0.0;
  double width = 0.0;
  double height = 0.0;

  double area() const { return width * height; }
};

/// Intersection over union; boxes that only touch, and empty ones, have none.
/// Of a crowd, which no single object can fill, the share of `box` that lies
/// in it:
///
///   |box & other| / |box or other|,   crowd: |box & other| / |box|
///
/// in double, in the order of operations that pycocotools has.
inline double BoxOverlap(const ImageBox& box, const ImageBox& other,
                         bool crowd = false) {
  const double width = std::min(box.x + box.width, other.x + other.width) -
                       std::max(box.x, other.x);
  if (width <= 0.0) return 0.0;
  const double height = std::min(box.y + box.height, other.y + other.height) -
                        std::max(box.y, other.y);
  if (height <= 0.0) return 0.0;
  const double shared = width * height;
  return shared / (crowd ? box.area() : box.area() + other.area() - shared);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_IMAGE_BOX_H_
