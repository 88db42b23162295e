// Image: decoded pixels, one byte a channel.
#ifndef ZEROPOINT_DATA_IMAGE_H_
#define ZEROPOINT_DATA_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "zeropoint/core/status.h"

namespace zeropoint {

/// Rows from top to bottom, pixels from left to right, the channels of a pixel
/// side by side: pixels[(y * width + x) * channels + c].
struct Image {
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t channels = 0;  // 1: gray; 3: red, green, blue
  std::vector<std::uint8_t> pixels;

  Image() = default;
  /// All bytes are `fill`.
  Image(std::size_t width_in, std::size_t height_in, std::size_t channels_in,
        std::uint8_t fill = 0)
      : width(width_in),
        height(height_in),
        channels(channels_in),
        pixels(width_in * height_in * channels_in, fill) {}

  std::size_t row_bytes() const { return width * channels; }
  std::uint8_t* row(std::size_t y) { return pixels.data() + y * row_bytes(); }
  const std::uint8_t* row(std::size_t y) const {
    return pixels.data() + y * row_bytes();
  }
};

/// The largest image that is decoded: 8192 x 8192, 200 MB in colour. A file of
/// a few bytes may claim far more.
inline constexpr std::size_t kMaxImagePixels = std::size_t{1} << 26;

/// Errors: kUnsupported when an image of this size is not decoded. The message
/// completes "'a.png' ...".
inline Status CheckImageSize(std::size_t width, std::size_t height) {
  if (width == 0 || height == 0 || width > kMaxImagePixels / height) {
    return Unsupported("is " + std::to_string(width) + " x " +
                       std::to_string(height) + " pixels, at most " +
                       std::to_string(kMaxImagePixels) +
                       " are read; make it smaller");
  }
  return Status();
}

/// As many channels as asked for, 1 or 3. Gray has
///
///   L = (19595 R + 38470 G + 7471 B + 32768) >> 16
///
/// and becomes a colour of three equal channels. Source: ITU-R BT.601 luma, in
/// the integers that Pillow uses.
inline Image ConvertChannels(Image image, std::size_t channels) {
  if (image.channels == channels) return image;
  Image result(image.width, image.height, channels);
  const std::size_t count = image.width * image.height;
  for (std::size_t i = 0; i < count; ++i) {
    if (channels == 1) {
      const std::uint8_t* rgb = image.pixels.data() + 3 * i;
      const std::uint32_t luma =
          19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u;
      result.pixels[i] = static_cast<std::uint8_t>(luma >> 16);
    } else {
      for (std::size_t c = 0; c < 3; ++c) {
        result.pixels[3 * i + c] = image.pixels[i];
      }
    }
  }
  return result;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_IMAGE_H_
