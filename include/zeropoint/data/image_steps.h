// ImageSteps: how a decoded image becomes the bytes of a model's input.
//
// In this order, each only if asked for: color, resize or letterbox, crop; then
// the layout. What follows is arithmetic (preprocess.h).
#ifndef ZEROPOINT_DATA_IMAGE_STEPS_H_
#define ZEROPOINT_DATA_IMAGE_STEPS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/data/image.h"
#include "zeropoint/data/resize_image.h"

namespace zeropoint {

/// Where the channels stand in a batch of images.
enum class ImageLayout { kNchw, kNhwc };

/// Which channels an image has, in their order.
enum class ImageColor { kRgb, kBgr, kGray };

/// In pixels.
struct ImageSize {
  std::size_t width = 0;
  std::size_t height = 0;
};

/// To `width` x `height`, whatever becomes of the shape of things; or, with
/// `short_side`, so that the shorter side has this length and the longer one
/// floor(short_side * longer / shorter), as torchvision's Resize has it.
struct ImageResize {
  ImageSize to = {};
  std::size_t short_side = 0;
  ResizeFilter filter = ResizeFilter::kBilinear;
};

/// Scaled by min(width / image's width, height / image's height) and laid on
/// the middle of a canvas of this size that is `fill` all over.
struct ImageLetterbox {
  ImageSize to = {};
  ResizeFilter filter = ResizeFilter::kBicubic;
  std::uint8_t fill = 128;
};

struct ImageSteps {
  ImageColor color = ImageColor::kRgb;
  std::optional<ImageResize> resize = {};
  std::optional<ImageLetterbox> letterbox = {};
  /// From the middle: floor((width - crop's) / 2) columns fall away on the
  /// left.
  std::optional<ImageSize> crop = {};
};

namespace internal {

// ResizeImage with bounds on the memory: a strip of 1 x 60000 pixels made 600
// wide would not fit.
inline Result<Image> ResizeWithin(const Image& image, ImageSize to,
                                  ResizeFilter filter) {
  for (const std::size_t height : {image.height, to.height}) {
    if (!CheckImageSize(to.width, height).ok()) {
      return Unsupported(
          "is " + std::to_string(image.width) + " x " +
          std::to_string(image.height) + " pixels, which resized to " +
          std::to_string(to.width) + " x " + std::to_string(to.height) +
          " takes too much memory; give it a usual shape");
    }
  }
  return ResizeImage(image, to.width, to.height, filter);
}

// The size that brings the shorter side of `image` to `length`.
inline ImageSize ShortSideTo(ImageSize image, std::size_t length) {
  const std::size_t shorter = std::min(image.width, image.height);
  const std::size_t longer = std::max(image.width, image.height);
  const std::size_t other = length * longer / shorter;
  return image.width <= image.height ? ImageSize{length, other}
                                     : ImageSize{other, length};
}

// Copies what of `image` lands on `canvas` when its corner is at (left, top).
inline void Paste(const Image& image, std::size_t left, std::size_t top,
                  Image& canvas) {
  for (std::size_t y = 0; y < image.height; ++y) {
    std::memcpy(canvas.row(top + y) + left * canvas.channels, image.row(y),
                image.row_bytes());
  }
}

// The size to which an image is scaled so that it just fits into `to`.
inline ImageSize LetterboxInner(ImageSize image, ImageSize to) {
  const double scale = std::min(
      static_cast<double>(to.width) / static_cast<double>(image.width),
      static_cast<double>(to.height) / static_cast<double>(image.height));
  const auto scaled = [scale](std::size_t length, std::size_t most) {
    const auto result =
        static_cast<std::size_t>(static_cast<double>(length) * scale);
    return std::clamp<std::size_t>(result, 1, most);
  };
  return {scaled(image.width, to.width), scaled(image.height, to.height)};
}

inline Result<Image> Letterbox(const Image& image, const ImageLetterbox& box) {
  const ImageSize inner = LetterboxInner({image.width, image.height}, box.to);
  ZEROPOINT_ASSIGN_OR_RETURN(const Image small,
                             ResizeWithin(image, inner, box.filter));
  Image canvas(box.to.width, box.to.height, image.channels, box.fill);
  Paste(small, (box.to.width - inner.width) / 2,
        (box.to.height - inner.height) / 2, canvas);
  return canvas;
}

inline Result<Image> CropMiddle(const Image& image, ImageSize to) {
  if (image.width < to.width || image.height < to.height) {
    return InvalidData("is " + std::to_string(image.width) + " x " +
                       std::to_string(image.height) +
                       " pixels where 'crop' takes " +
                       std::to_string(to.width) + " x " +
                       std::to_string(to.height) + "; resize it first");
  }
  const std::size_t left = (image.width - to.width) / 2;
  const std::size_t top = (image.height - to.height) / 2;
  Image result(to.width, to.height, image.channels);
  for (std::size_t y = 0; y < to.height; ++y) {
    std::memcpy(result.row(y), image.row(top + y) + left * image.channels,
                result.row_bytes());
  }
  return result;
}

}  // namespace internal

/// The bytes of `image` after `steps`: [1, C, H, W] or [1, H, W, C], uint8.
///
/// Errors: kInvalidData for an image smaller than the crop; kUnsupported for
/// one that takes too much memory. The messages complete "'a.png' ...".
inline Result<Tensor> ApplyImageSteps(const ImageSteps& steps,
                                      ImageLayout layout, Image image) {
  image = ConvertChannels(std::move(image),
                          steps.color == ImageColor::kGray ? 1 : 3);
  if (steps.resize) {
    const ImageSize to =
        steps.resize->short_side > 0
            ? internal::ShortSideTo({image.width, image.height},
                                    steps.resize->short_side)
            : steps.resize->to;
    ZEROPOINT_ASSIGN_OR_RETURN(
        image, internal::ResizeWithin(image, to, steps.resize->filter));
  }
  if (steps.letterbox) {
    ZEROPOINT_ASSIGN_OR_RETURN(image,
                               internal::Letterbox(image, *steps.letterbox));
  }
  if (steps.crop) {
    ZEROPOINT_ASSIGN_OR_RETURN(image, internal::CropMiddle(image, *steps.crop));
  }
  const bool nchw = layout == ImageLayout::kNchw;
  const std::size_t area = image.width * image.height;
  const auto channels = static_cast<std::int64_t>(image.channels);
  const auto width = static_cast<std::int64_t>(image.width);
  const auto height = static_cast<std::int64_t>(image.height);
  Tensor tensor(DataType::kUint8, nchw ? Dims{1, channels, height, width}
                                       : Dims{1, height, width, channels});
  const auto to = tensor.MutableAs<std::uint8_t>();
  for (std::size_t c = 0; c < image.channels; ++c) {
    const std::size_t from =
        steps.color == ImageColor::kBgr ? image.channels - 1 - c : c;
    for (std::size_t i = 0; i < area; ++i) {
      to[nchw ? c * area + i : i * image.channels + c] =
          image.pixels[i * image.channels + from];
    }
  }
  return tensor;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_IMAGE_STEPS_H_
