// DecodeJpeg: a JPEG's pixels, over libjpeg(-turbo).
//
// libjpeg's own error handler ends the program. Ours leaves by longjmp, which
// must not leave a C++ object's scope without its destructor: as in
// decode_png.h, the functions that call libjpeg own nothing.
#ifndef ZEROPOINT_DATA_DECODE_JPEG_H_
#define ZEROPOINT_DATA_DECODE_JPEG_H_

// jpeglib.h needs size_t and FILE, and does not bring them.
#include <jerror.h>
#include <jpeglib.h>  // NOLINT(llvm-include-order)

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "zeropoint/core/status.h"
#include "zeropoint/data/image.h"

namespace zeropoint {

namespace internal {

// What libjpeg works on. Trivial on purpose.
struct JpegState {
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf leave;
  bool created;
  std::array<char, JMSG_LENGTH_MAX> message;

  static JpegState& Of(j_common_ptr jpeg) {
    return *static_cast<JpegState*>(jpeg->client_data);
  }
  static void OnError(j_common_ptr jpeg) {
    JpegState& state = Of(jpeg);
    jpeg->err->format_message(jpeg, state.message.data());
    std::longjmp(state.leave, 1);
  }
  // libjpeg warns of missing and wrong data and then invents pixels.
  static void OnMessage(j_common_ptr jpeg, int level) {
    if (level >= 0) return;
    switch (jpeg->err->msg_code) {
      case JWRN_HIT_MARKER:
      case JWRN_HUFF_BAD_CODE:
      case JWRN_JPEG_EOF:
        OnError(jpeg);
        break;
      default:
        break;
    }
  }
  // A few bytes can be a scan over the whole image; real files have about 10.
  static void OnProgress(j_common_ptr jpeg) {
    constexpr int kMaxScans = 500;
    if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number >
        kMaxScans) {
      ERREXIT(jpeg, JERR_BAD_PROGRESSION);
    }
  }
};

// Each returns whether it came to its end; otherwise the message says why not.
inline bool ReadJpegHeader(JpegState& state, const unsigned char* bytes,
                           std::size_t count) {
  if (setjmp(state.leave) != 0) return false;
  state.jpeg.err = jpeg_std_error(&state.errors);
  state.errors.error_exit = JpegState::OnError;
  state.errors.emit_message = JpegState::OnMessage;
  state.jpeg.client_data = &state;  // kept by jpeg_create_decompress
  jpeg_create_decompress(&state.jpeg);
  state.created = true;
  state.progress.progress_monitor = JpegState::OnProgress;
  state.jpeg.progress = &state.progress;
  // NOLINTNEXTLINE(google-runtime-int): libjpeg's type
  jpeg_mem_src(&state.jpeg, bytes, static_cast<unsigned long>(count));
  jpeg_read_header(&state.jpeg, TRUE);
  return true;
}

inline bool ReadJpegRows(JpegState& state, unsigned char* pixels,
                         std::size_t row_bytes) {
  if (setjmp(state.leave) != 0) return false;
  jpeg_start_decompress(&state.jpeg);
  while (state.jpeg.output_scanline < state.jpeg.output_height) {
    JSAMPROW row = pixels + state.jpeg.output_scanline * row_bytes;
    jpeg_read_scanlines(&state.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&state.jpeg);
  return true;
}

inline Result<Image> DecodeJpeg(JpegState& state, std::string_view bytes) {
  const auto damaged = [&state] {
    return InvalidData("is a damaged JPEG (" +
                       std::string(state.message.data()) +
                       "); write or fetch the file again");
  };
  if (!ReadJpegHeader(state,
                      reinterpret_cast<const unsigned char*>(bytes.data()),
                      bytes.size())) {
    return damaged();
  }
  jpeg_decompress_struct& jpeg = state.jpeg;
  ZEROPOINT_RETURN_IF_ERROR(
      CheckImageSize(jpeg.image_width, jpeg.image_height));
  const bool gray = jpeg.jpeg_color_space == JCS_GRAYSCALE;
  if (!gray && jpeg.jpeg_color_space != JCS_YCbCr &&
      jpeg.jpeg_color_space != JCS_RGB) {
    return Unsupported("is a JPEG of " + std::to_string(jpeg.num_components) +
                       " channels, neither gray nor colour of three (CMYK?); "
                       "convert it to RGB");
  }
  jpeg.out_color_space = gray ? JCS_GRAYSCALE : JCS_RGB;
  Image image(jpeg.image_width, jpeg.image_height, gray ? 1 : 3);
  if (!ReadJpegRows(state, image.pixels.data(), image.row_bytes())) {
    return damaged();
  }
  return image;
}

}  // namespace internal

/// The pixels of the JPEG `bytes`, gray (1 channel) or RGB (3), by the exact
/// integer transform and smooth chroma upsampling, libjpeg's defaults. The
/// orientation that a camera notes is not applied.
///
/// Errors: kInvalidData for a damaged file, cut short included; kUnsupported
/// for a too large one and for CMYK. The messages complete "'a.jpg' ...".
/// Source: ITU-T T.81, libjpeg-turbo.
inline Result<Image> DecodeJpeg(std::string_view bytes) {
  internal::JpegState state{};
  Result<Image> image = internal::DecodeJpeg(state, bytes);
  if (state.created) jpeg_destroy_decompress(&state.jpeg);
  return image;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_DECODE_JPEG_H_
