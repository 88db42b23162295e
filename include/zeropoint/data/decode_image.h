// DecodeImage: a JPEG or PNG by what it begins with, whatever its name.
#ifndef ZEROPOINT_DATA_DECODE_IMAGE_H_
#define ZEROPOINT_DATA_DECODE_IMAGE_H_

#include <string>
#include <string_view>

#include "zeropoint/core/status.h"
#include "zeropoint/data/decode_jpeg.h"
#include "zeropoint/data/decode_png.h"
#include "zeropoint/data/image.h"
#include "zeropoint/data/read_file.h"

namespace zeropoint {

/// Errors: those of DecodeJpeg and DecodePng; kUnsupported for other bytes. The
/// messages complete "'a.jpg' ...".
inline Result<Image> DecodeImage(std::string_view bytes) {
  if (bytes.starts_with("\xff\xd8")) return DecodeJpeg(bytes);
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return DecodePng(bytes);
  return Unsupported(bytes.empty()
                         ? "is empty; write or fetch the file again"
                         : "is neither JPEG nor PNG; convert it to one");
}

/// Errors: those of ReadFile and DecodeImage, with the path.
inline Result<Image> LoadImage(const std::string& path) {
  ZEROPOINT_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  Result<Image> image = DecodeImage(bytes);
  if (!image.ok()) return image.status().WithContext("'" + path + "'");
  return image;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_DECODE_IMAGE_H_
