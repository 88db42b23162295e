// LoadCocoGroundTruth, LoadCocoDetections: COCO's JSON files.
//
//   {"images": [{"id": 42, "file_name": "42.jpg", "width": 640, "height":
//   480}],
//    "categories": [{"id": 18, "name": "dog"}],
//    "annotations": [{"id": 1, "image_id": 42, "category_id": 18, "area":
//    702.1,
//                     "bbox": [x, y, width, height], "iscrowd": 0}]}
//
//   [{"image_id": 42, "category_id": 18, "bbox": [x, y, width, height],
//     "score": 0.236}]
#ifndef ZEROPOINT_DATA_READ_COCO_H_
#define ZEROPOINT_DATA_READ_COCO_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/coco.h"
#include "zeropoint/data/json_records.h"
#include "zeropoint/data/read_file.h"

namespace zeropoint {

namespace internal {

/// The values of a record by key. The first error is kept, so that a record is
/// read in one go and asked once.
class CocoFields {
 public:
  CocoFields(std::span<const std::string_view> keys,
             std::span<const JsonValue> values)
      : keys_(keys), values_(values) {}

  const Status& status() const { return status_; }

  std::int64_t Id(std::string_view key) {
    const JsonValue& value = At(key);
    if (value.kind == JsonValue::Kind::kNumber && value.whole) {
      return value.whole_number;
    }
    Refuse(key, "a whole number");
    return 0;
  }
  double Real(std::string_view key) {
    const JsonValue& value = At(key);
    if (value.kind == JsonValue::Kind::kNumber) return value.number;
    Refuse(key, "a number");
    return 0.0;
  }
  double NotNegative(std::string_view key) {
    const double number = Real(key);
    if (number < 0.0) Fail(key, "is negative");
    return number;
  }
  ImageBox Box(std::string_view key) {
    const JsonValue& value = At(key);
    const std::vector<double>& numbers = value.numbers;
    if (value.kind != JsonValue::Kind::kNumbers || numbers.size() != 4) {
      Refuse(key, "a list of four numbers: x, y, width, height");
      return {};
    }
    const ImageBox box = {numbers[0], numbers[1], numbers[2], numbers[3]};
    if (box.width < 0.0 || box.height < 0.0) {
      Fail(key, "has a negative size; it holds x, y, width, height");
    }
    return box;
  }
  // 0 and 1 as well as false and true; without it, false.
  bool Flag(std::string_view key) {
    const JsonValue& value = At(key);
    if (value.kind == JsonValue::Kind::kMissing) return false;
    if ((value.kind != JsonValue::Kind::kNumber &&
         value.kind != JsonValue::Kind::kBoolean) ||
        (value.number != 0.0 && value.number != 1.0)) {
      Refuse(key, "0 or 1");
    }
    return value.number == 1.0;
  }
  // Fields that COCO has and that few uses need.
  std::int64_t Length(std::string_view key) {
    if (At(key).kind == JsonValue::Kind::kMissing) return 0;
    const std::int64_t length = Id(key);
    if (length < 1) Fail(key, "is below 1");
    return length;
  }
  std::string Text(std::string_view key) {
    const JsonValue& value = At(key);
    if (value.kind != JsonValue::Kind::kText &&
        value.kind != JsonValue::Kind::kMissing) {
      Refuse(key, "a text");
    }
    return value.text;
  }

 private:
  const JsonValue& At(std::string_view key) const {
    std::size_t i = 0;
    while (keys_[i] != key) ++i;
    return values_[i];
  }
  void Refuse(std::string_view key, const std::string& wanted) {
    if (At(key).kind == JsonValue::Kind::kMissing) {
      Fail(key, "is missing; it takes " + wanted);
    } else {
      Fail(key, "is not " + wanted);
    }
  }
  void Fail(std::string_view key, const std::string& what) {
    if (!status_.ok()) return;
    status_ = InvalidData("'" + std::string(key) + "' " + what);
  }

  std::span<const std::string_view> keys_;
  std::span<const JsonValue> values_;
  Status status_;
};

/// A list whose records become `T`s by `read(fields)`, appended to `records`.
template <class T, class Read>
JsonRecordList CocoList(std::string_view name,
                        std::vector<std::string_view> keys,
                        std::vector<T>& records, Read read) {
  JsonRecordList list{.name = name, .keys = keys};
  list.take = [keys = std::move(keys), &records, read](
                  std::size_t, std::span<const JsonValue> values) -> Status {
    CocoFields fields(keys, values);
    T record = read(fields);
    ZEROPOINT_RETURN_IF_ERROR(fields.status());
    records.push_back(std::move(record));
    return Status();
  };
  return list;
}

template <class T>
Status CheckUniqueIds(std::string_view name, const std::vector<T>& records) {
  std::unordered_set<std::int64_t> seen;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (seen.insert(records[i].id).second) continue;
    return InvalidData(std::string(name) + "[" + std::to_string(i) +
                       "] has the id " + std::to_string(records[i].id) +
                       " of another one; ids are unique");
  }
  return Status();
}

}  // namespace internal

/// Annotations without "iscrowd" are single objects. "ignore" counts for
/// nothing, as in pycocotools; outlines, licences and the like are passed over.
///
/// Errors: kInvalidData, with the record and the field, for a text of another
/// form, boxes and areas that are negative, and ids that stand twice.
inline Result<CocoGroundTruth> ParseCocoGroundTruth(std::string_view text) {
  CocoGroundTruth truth;
  const std::array<JsonRecordList, 3> lists = {
      internal::CocoList(
          "images", {"id", "file_name", "width", "height"}, truth.images,
          [](internal::CocoFields& fields) {
            return CocoImage{fields.Id("id"), fields.Text("file_name"),
                             fields.Length("width"), fields.Length("height")};
          }),
      internal::CocoList(
          "categories", {"id", "name"}, truth.categories,
          [](internal::CocoFields& fields) {
            return CocoCategory{fields.Id("id"), fields.Text("name")};
          }),
      internal::CocoList(
          "annotations",
          {"id", "image_id", "category_id", "bbox", "area", "iscrowd"},
          truth.annotations, [](internal::CocoFields& fields) {
            return CocoAnnotation{fields.Id("id"),
                                  fields.Id("image_id"),
                                  fields.Id("category_id"),
                                  fields.Box("bbox"),
                                  fields.NotNegative("area"),
                                  fields.Flag("iscrowd")};
          })};
  ZEROPOINT_RETURN_IF_ERROR(ReadJsonRecords(text, lists));
  ZEROPOINT_RETURN_IF_ERROR(internal::CheckUniqueIds("images", truth.images));
  ZEROPOINT_RETURN_IF_ERROR(
      internal::CheckUniqueIds("categories", truth.categories));
  ZEROPOINT_RETURN_IF_ERROR(
      internal::CheckUniqueIds("annotations", truth.annotations));
  return truth;
}

/// Errors: as ParseCocoGroundTruth. JSON has no NaN, so scores are finite.
inline Result<std::vector<CocoDetection>> ParseCocoDetections(
    std::string_view text) {
  std::vector<CocoDetection> detections;
  const JsonRecordList list = internal::CocoList(
      "", {"image_id", "category_id", "bbox", "score"}, detections,
      [](internal::CocoFields& fields) {
        return CocoDetection{fields.Id("image_id"), fields.Id("category_id"),
                             fields.Box("bbox"), fields.Real("score")};
      });
  ZEROPOINT_RETURN_IF_ERROR(ReadJsonRecords(text, {&list, 1}));
  return detections;
}

namespace internal {

template <class T>
Result<T> LoadCoco(const std::string& path,
                   Result<T> (*parse)(std::string_view)) {
  ZEROPOINT_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  Result<T> parsed = parse(text);
  if (!parsed.ok()) return parsed.status().WithContext("'" + path + "'");
  return parsed;
}

}  // namespace internal

/// Errors: ReadFile's, ParseCocoGroundTruth's with the path.
inline Result<CocoGroundTruth> LoadCocoGroundTruth(const std::string& path) {
  return internal::LoadCoco(path, &ParseCocoGroundTruth);
}

/// Errors: ReadFile's, ParseCocoDetections's with the path.
inline Result<std::vector<CocoDetection>> LoadCocoDetections(
    const std::string& path) {
  return internal::LoadCoco(path, &ParseCocoDetections);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_READ_COCO_H_
