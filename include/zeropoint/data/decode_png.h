// DecodePng: a PNG's pixels, over libpng.
//
// libpng reports an error by longjmp, which must not leave a C++ object's
// scope without its destructor. So everything between setjmp and longjmp lives
// in plain structs: the functions that call libpng own nothing, the image's
// memory is made between them.
#ifndef ZEROPOINT_DATA_DECODE_PNG_H_
#define ZEROPOINT_DATA_DECODE_PNG_H_

#include <png.h>

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/image.h"

namespace zeropoint {

namespace internal {

// What libpng works on. Trivial on purpose.
struct PngState {
  png_structp png = nullptr;
  png_infop info = nullptr;
  const unsigned char* next = nullptr;
  std::size_t left = 0;
  std::array<char, 200> message{};

  static void OnError(png_structp png, png_const_charp text) {
    auto* state = static_cast<PngState*>(png_get_error_ptr(png));
    std::snprintf(state->message.data(), state->message.size(), "%s", text);
    png_longjmp(png, 1);
  }
  static void OnWarning(png_structp, png_const_charp) {}
  static void OnRead(png_structp png, png_bytep into, std::size_t bytes) {
    auto* state = static_cast<PngState*>(png_get_io_ptr(png));
    if (bytes > state->left) png_error(png, "it ends too early");
    std::memcpy(into, state->next, bytes);
    state->next += bytes;
    state->left -= bytes;
  }
};

// Each returns whether it came to its end; otherwise the message says why not.
inline bool ReadPngHeader(PngState& state) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  png_set_read_fn(state.png, &state, PngState::OnRead);
  // CheckImageSize has the say on sizes.
  png_set_user_limits(state.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  // Of the chunks beside the pixels, none takes more memory.
  png_set_chunk_malloc_max(state.png, 1u << 20);
  png_read_info(state.png, state.info);
  return true;
}

// Whatever is stored becomes 8-bit gray or RGB.
inline bool SetPngTransforms(PngState& state) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  const png_byte color = png_get_color_type(state.png, state.info);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(state.png);
  if (color == PNG_COLOR_TYPE_GRAY) {
    png_set_expand_gray_1_2_4_to_8(state.png);
  }
  png_set_strip_16(state.png);
  png_set_strip_alpha(state.png);
  png_set_interlace_handling(state.png);
  png_read_update_info(state.png, state.info);
  return true;
}

inline bool ReadPngRows(PngState& state, png_bytepp rows) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  png_read_image(state.png, rows);
  png_read_end(state.png, nullptr);
  return true;
}

inline Result<Image> DecodePng(PngState& state, std::size_t file_bytes) {
  const auto damaged = [&state] {
    return InvalidData("is a damaged PNG (" +
                       std::string(state.message.data()) +
                       "); write or fetch the file again");
  };
  if (!ReadPngHeader(state)) return damaged();
  const std::size_t width = png_get_image_width(state.png, state.info);
  const std::size_t height = png_get_image_height(state.png, state.info);
  ZEROPOINT_RETURN_IF_ERROR(CheckImageSize(width, height));
  // Deflate writes at best two bits for 258 bytes.
  constexpr std::size_t kMaxRatio = 1032;
  if (png_get_rowbytes(state.png, state.info) * height / kMaxRatio >
      file_bytes) {
    return InvalidData("is a damaged PNG (it claims " + std::to_string(width) +
                       " x " + std::to_string(height) +
                       " pixels, more than its " + std::to_string(file_bytes) +
                       " bytes can hold); write or fetch the file again");
  }
  if (!SetPngTransforms(state)) return damaged();
  Image image(width, height, png_get_channels(state.png, state.info));
  if ((image.channels != 1 && image.channels != 3) ||
      png_get_rowbytes(state.png, state.info) != image.row_bytes()) {
    return Unsupported("has " + std::to_string(image.channels) +
                       " channels; save it as 8-bit gray or RGB");
  }
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y) rows[y] = image.row(y);
  if (!ReadPngRows(state, rows.data())) return damaged();
  return image;
}

}  // namespace internal

/// The pixels of the PNG `bytes`, gray (1 channel) or RGB (3). Palettes are
/// looked up, an alpha channel is dropped, of 16 bits the upper 8 are taken;
/// gamma and colour profiles are not applied.
///
/// Errors: kInvalidData for a damaged file, kUnsupported for a too large one.
/// The messages complete "'a.png' ...".  Source: PNG specification, libpng.
inline Result<Image> DecodePng(std::string_view bytes) {
  internal::PngState state;
  state.next = reinterpret_cast<const unsigned char*>(bytes.data());
  state.left = bytes.size();
  state.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state,
                                     internal::PngState::OnError,
                                     internal::PngState::OnWarning);
  if (state.png != nullptr) state.info = png_create_info_struct(state.png);
  Result<Image> image =
      state.info != nullptr
          ? internal::DecodePng(state, bytes.size())
          : Result<Image>(Unsupported("needs another version of libpng"));
  png_destroy_read_struct(&state.png, &state.info, nullptr);
  return image;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_DECODE_PNG_H_
