// ImagePlacement: where the pixels of an image lie in the input that was made
// of it, and so where a box that a model found lies in the image.
#ifndef ZEROPOINT_DATA_IMAGE_PLACEMENT_H_
#define ZEROPOINT_DATA_IMAGE_PLACEMENT_H_

#include <algorithm>
#include <cstddef>

#include "zeropoint/data/image_box.h"
#include "zeropoint/data/image_steps.h"

namespace zeropoint {

/// Column x and row y of the image lie at
///
///   x * scale_x + left,   y * scale_y + top
///
/// of the input.
struct ImagePlacement {
  double scale_x = 1.0;
  double scale_y = 1.0;
  double left = 0.0;
  double top = 0.0;
};

/// An image resized to `to`, whatever its shape.
inline ImagePlacement PlaceStretched(ImageSize image, ImageSize to) {
  return {.scale_x =
              static_cast<double>(to.width) / static_cast<double>(image.width),
          .scale_y = static_cast<double>(to.height) /
                     static_cast<double>(image.height)};
}

namespace internal {
/// What stands before the shorter of two lengths in the middle of the longer
/// one, in whole pixels.
inline double Margin(std::size_t length, std::size_t within) {
  const std::size_t pixels = within > length ? (within - length) / 2 : 0;
  return static_cast<double>(pixels);
}
}  // namespace internal

/// An image on the middle of a canvas, as ImageLetterbox has it.
inline ImagePlacement PlaceLetterboxed(ImageSize image, ImageSize to) {
  const ImageSize inner = internal::LetterboxInner(image, to);
  ImagePlacement placement = PlaceStretched(image, inner);
  placement.left = internal::Margin(inner.width, to.width);
  placement.top = internal::Margin(inner.height, to.height);
  return placement;
}

/// An image after ApplyImageSteps.
inline ImagePlacement PlaceBySteps(ImageSize image, const ImageSteps& steps) {
  ImagePlacement placement;
  ImageSize size = image;
  if (steps.resize) {
    size = steps.resize->short_side > 0
               ? internal::ShortSideTo(image, steps.resize->short_side)
               : steps.resize->to;
    placement = PlaceStretched(image, size);
  } else if (steps.letterbox) {
    size = steps.letterbox->to;
    placement = PlaceLetterboxed(image, size);
  }
  if (steps.crop) {
    placement.left -= internal::Margin(steps.crop->width, size.width);
    placement.top -= internal::Margin(steps.crop->height, size.height);
  }
  return placement;
}

/// How images were made to fit a model's input.
enum class ImageFit {
  kAsTheyAre,    // at the upper left corner, in their own size
  kStretched,    // to the size of the input
  kLetterboxed,  // on the middle of the input, the proportion kept
};

/// The placement of an image that `fit` put into an input of size `input`.
inline ImagePlacement PlaceByFit(ImageSize image, ImageFit fit,
                                 ImageSize input) {
  switch (fit) {
    case ImageFit::kStretched:
      return PlaceStretched(image, input);
    case ImageFit::kLetterboxed:
      return PlaceLetterboxed(image, input);
    case ImageFit::kAsTheyAre:
      break;
  }
  return {};
}

/// The box of the image that `box` of the input is, as far as it lies inside.
inline ImageBox BoxInImage(const ImageBox& box, const ImagePlacement& placement,
                           ImageSize image) {
  const auto back = [](double at, double offset, double scale,
                       std::size_t length) {
    return std::clamp((at - offset) / scale, 0.0, static_cast<double>(length));
  };
  const double x0 = back(box.x, placement.left, placement.scale_x, image.width);
  const double x1 =
      back(box.x + box.width, placement.left, placement.scale_x, image.width);
  const double y0 = back(box.y, placement.top, placement.scale_y, image.height);
  const double y1 =
      back(box.y + box.height, placement.top, placement.scale_y, image.height);
  return {x0, y0, x1 - x0, y1 - y0};
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_IMAGE_PLACEMENT_H_
