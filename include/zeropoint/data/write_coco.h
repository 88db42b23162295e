// SaveCocoDetections: detections in the form of COCO's results, which
// LoadCocoDetections and pycocotools read.
#ifndef ZEROPOINT_DATA_WRITE_COCO_H_
#define ZEROPOINT_DATA_WRITE_COCO_H_

#include <array>
#include <charconv>
#include <span>
#include <string>

#include "zeropoint/core/atomic_file.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/coco.h"

namespace zeropoint {

/// One record a line. Numbers are as short as they can be and read back equal.
/// Requires finite ones.
inline std::string FormatCocoDetections(
    std::span<const CocoDetection> detections) {
  const auto number = [](double value) {
    std::array<char, 32> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return std::string(text.data(), end);
  };
  std::string text = "[";
  for (const CocoDetection& detection : detections) {
    const ImageBox& box = detection.box;
    text += text.size() > 1 ? ",\n" : "\n";
    text += R"({"image_id": )" + std::to_string(detection.image_id) +
            R"(, "category_id": )" + std::to_string(detection.category_id) +
            R"(, "bbox": [)" + number(box.x) + ", " + number(box.y) + ", " +
            number(box.width) + ", " + number(box.height) + R"(], "score": )" +
            number(detection.score) + "}";
  }
  return text + "\n]\n";
}

/// The file appears whole or not at all. Errors: AtomicFile's.
inline Status SaveCocoDetections(const std::string& path,
                                 std::span<const CocoDetection> detections) {
  return WriteFileAtomically(path, FormatCocoDetections(detections));
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_WRITE_COCO_H_
