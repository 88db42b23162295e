// Small images, encoded by the libraries.
#ifndef ZEROPOINT_TESTS_DATA_IMAGES_H_
#define ZEROPOINT_TESTS_DATA_IMAGES_H_

// jpeglib.h needs size_t and FILE, and does not bring them.
#include <jpeglib.h>  // NOLINT(llvm-include-order)
#include <png.h>

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "zeropoint/data/image.h"

namespace zeropoint::testing {

/// Colours that run evenly, so that a JPEG keeps them nearly.
inline Image Gradient(std::size_t width, std::size_t height,
                      std::size_t channels) {
  Image image(width, height, channels);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < channels; ++c) {
        image.row(y)[x * channels + c] =
            static_cast<std::uint8_t>(20 * c + 3 * x + 2 * y);
      }
    }
  }
  return image;
}

/// `format` is one of libpng's PNG_FORMAT_*; `bytes` are its pixels.
inline std::string EncodePng(const std::vector<std::uint8_t>& bytes,
                             std::size_t width, std::size_t height,
                             std::uint32_t format) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<std::uint32_t>(width);
  png.height = static_cast<std::uint32_t>(height);
  png.format = format;
  std::string file(bytes.size() * 2 + 4096, '\0');
  std::size_t count = file.size();
  BOOST_REQUIRE(png_image_write_to_memory(&png, file.data(), &count, 0,
                                          bytes.data(), 0, nullptr) != 0);
  file.resize(count);
  return file;
}

inline std::string EncodePng(const Image& image) {
  return EncodePng(image.pixels, image.width, image.height,
                   image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB);
}

/// Channels: 1, 3 (RGB) or 4 (CMYK).
inline std::string EncodeJpeg(const Image& image, bool progressive = false) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long count = 0;
  jpeg_mem_dest(&jpeg, &bytes, &count);
  jpeg.image_width = static_cast<JDIMENSION>(image.width);
  jpeg.image_height = static_cast<JDIMENSION>(image.height);
  jpeg.input_components = static_cast<int>(image.channels);
  jpeg.in_color_space = image.channels == 1   ? JCS_GRAYSCALE
                        : image.channels == 3 ? JCS_RGB
                                              : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 98, TRUE);
  if (progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<std::uint8_t> row(image.row_bytes());
  for (std::size_t y = 0; y < image.height; ++y) {
    row.assign(image.row(y), image.row(y) + image.row_bytes());
    JSAMPROW rows[] = {row.data()};
    jpeg_write_scanlines(&jpeg, rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string file(reinterpret_cast<const char*>(bytes), count);
  jpeg_destroy_compress(&jpeg);
  std::free(bytes);
  return file;
}

}  // namespace zeropoint::testing

#endif  // ZEROPOINT_TESTS_DATA_IMAGES_H_
