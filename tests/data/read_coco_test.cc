#include "zeropoint/data/read_coco.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/testing.h"
#include "zeropoint/data/write_coco.h"

namespace zeropoint {
namespace {

constexpr std::string_view kTruth = R"({
  "info": {"year": 2017, "more": [[1], {"a": []}]},
  "licenses": [{"id": 1}],
  "images": [
    {"id": 42, "file_name": "42.jpg", "width": 640, "height": 480,
     "license": 3},
    {"id": 7}],
  "annotations": [
    {"segmentation": [[1.5, 2, 3, 4], [5, 6]], "area": 12.5, "iscrowd": 0,
     "image_id": 42, "bbox": [1, 2.5, 3, 4], "category_id": 18, "id": 1768},
    {"segmentation": {"counts": [1, 2], "size": [4, 5]}, "area": 7,
     "iscrowd": 1, "image_id": 7.0, "bbox": [0, 0, 0, 9], "category_id": 90,
     "id": 0, "ignore": 1}],
  "categories": [{"supercategory": "animal", "id": 18, "name": "dog"},
                 {"id": 90, "name": "toothbrush"}]
})";

// kTruth with `from` replaced.
std::string Changed(std::string_view from, std::string_view to) {
  std::string text(kTruth);
  const std::size_t at = text.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void RefuseTruth(std::string_view from, std::string_view to,
                 std::initializer_list<std::string_view> words) {
  CheckError(ParseCocoGroundTruth(Changed(from, to)).status(),
             StatusCode::kInvalidData, words);
}

void RefuseDetections(std::string_view text,
                      std::initializer_list<std::string_view> words) {
  CheckError(ParseCocoDetections(text).status(), StatusCode::kInvalidData,
             words);
}

BOOST_AUTO_TEST_SUITE(read_coco)

BOOST_AUTO_TEST_CASE(ReadsGroundTruth) {
  const auto truth = ParseCocoGroundTruth(kTruth);
  REQUIRE_OK(truth);
  BOOST_REQUIRE(truth->images.size() == 2u);
  BOOST_TEST(truth->images[0].id == 42);
  BOOST_TEST(truth->images[0].file_name == "42.jpg");
  BOOST_TEST(truth->images[0].width == 640);
  BOOST_TEST(truth->images[0].height == 480);
  BOOST_TEST(truth->images[1].width == 0);
  BOOST_REQUIRE(truth->categories.size() == 2u);
  BOOST_TEST(truth->categories[0].name == "dog");
  BOOST_REQUIRE(truth->annotations.size() == 2u);
  const CocoAnnotation& dog = truth->annotations[0];
  BOOST_TEST(dog.id == 1768);
  BOOST_TEST(dog.category_id == 18);
  BOOST_TEST(dog.box.y == 2.5);
  BOOST_TEST(dog.area == 12.5);
  BOOST_TEST(!dog.crowd);
  BOOST_TEST(truth->annotations[1].image_id == 7);
  BOOST_TEST(truth->annotations[1].crowd);
}

BOOST_AUTO_TEST_CASE(NamesTheRecordAndTheField) {
  RefuseTruth("\"id\": 42, ", "", {"images[0]", "'id' is missing"});
  RefuseTruth("\"id\": 7}", "\"id\": 7.5}",
              {"images[1]", "'id' is not a whole"});
  RefuseTruth("\"width\": 640", "\"width\": 0", {"images[0]", "'width'"});
  RefuseTruth("\"42.jpg\"", "42", {"images[0]", "'file_name' is not a text"});
  RefuseTruth("\"area\": 12.5, ", "", {"annotations[0]", "'area' is missing"});
  RefuseTruth("\"area\": 7", "\"area\": -7",
              {"annotations[1]", "'area' is negative"});
  RefuseTruth("\"area\": 7", "\"area\": \"7\"",
              {"annotations[1]", "'area' is not a number"});
  RefuseTruth("[1, 2.5, 3, 4]", "[1, 2.5, 3]",
              {"annotations[0]", "'bbox'", "four numbers"});
  RefuseTruth("[1, 2.5, 3, 4]", "[1, 2.5, [3], 4]",
              {"annotations[0]", "'bbox'", "four numbers"});
  RefuseTruth("[1, 2.5, 3, 4]", "[1, 2.5, 3, null]",
              {"annotations[0]", "'bbox'", "four numbers"});
  RefuseTruth("[1, 2.5, 3, 4]", "[1, 2.5, 3, -4]",
              {"annotations[0]", "'bbox' has a negative size"});
  RefuseTruth("[1, 2.5, 3, 4]", "null", {"annotations[0]", "'bbox' is not"});
  RefuseTruth("\"iscrowd\": 1", "\"iscrowd\": 2",
              {"annotations[1]", "'iscrowd' is not 0 or 1"});
  RefuseTruth("\"category_id\": 90", "\"category_id\": \"dog\"",
              {"annotations[1]", "'category_id' is not a whole number"});
  RefuseTruth("\"id\": 1768", "\"id\": 18446744073709551615",
              {"annotations[0]", "'id' is not a whole number"});
}

BOOST_AUTO_TEST_CASE(RefusesOtherForms) {
  RefuseTruth("\"images\"", "\"pictures\"", {"no list 'images'"});
  RefuseTruth("\"annotations\"", "\"x\"", {"no list 'annotations'"});
  RefuseTruth("\"id\": 7}", "\"id\": 42}", {"images[1]", "id 42", "unique"});
  RefuseTruth("\"id\": 90, \"name\"", "\"id\": 18, \"name\"",
              {"categories[1]", "unique"});
  RefuseTruth("\"id\": 0,", "\"id\": 1768,", {"annotations[1]", "unique"});
  RefuseTruth("{\"id\": 7}", "7", {"images[1] is a number"});
  RefuseTruth("{\"id\": 7}", "[7]", {"images[1] is a list"});
  RefuseTruth("\"area\": 7", "\"area\": NaN",
              {"not JSON", "annotations[1]", "no NaN"});
  RefuseTruth("\"area\": 7", "\"area\": 1e999", {"not JSON"});
  for (const std::string_view text : {"[]", "3", "\"a\"", "null", "true"}) {
    CheckError(ParseCocoGroundTruth(text).status(), StatusCode::kInvalidData,
               {"is "});
  }
  CheckError(ParseCocoGroundTruth("").status(), StatusCode::kInvalidData,
             {"not JSON"});
}

BOOST_AUTO_TEST_CASE(EveryPrefixIsRefusedAndNoneCrashes) {
  for (std::size_t size = 0; size < kTruth.size(); ++size) {
    BOOST_TEST(!ParseCocoGroundTruth(kTruth.substr(0, size)).ok());
  }
}

BOOST_AUTO_TEST_CASE(DepthDoesNotMatter) {
  const std::string deep(200000, '[');
  const std::string end(200000, ']');
  REQUIRE_OK(
      ParseCocoGroundTruth(Changed("[[1.5, 2, 3, 4], [5, 6]]", deep + end)));
  BOOST_TEST(!ParseCocoDetections(deep).ok());
}

BOOST_AUTO_TEST_CASE(ReadsDetections) {
  const auto detections = ParseCocoDetections(
      R"([{"image_id": 42, "category_id": 18, "bbox": [1, 2, 3, 4],
           "score": 0.25, "segmentation": [[1]]},
          {"image_id": 7, "category_id": 1, "bbox": [0.5, 0, 0, 0],
           "score": 1}])");
  REQUIRE_OK(detections);
  BOOST_REQUIRE(detections->size() == 2u);
  BOOST_TEST((*detections)[0].image_id == 42);
  BOOST_TEST((*detections)[0].box.height == 4.0);
  BOOST_TEST((*detections)[1].score == 1.0);
  const auto none = ParseCocoDetections("[]");
  REQUIRE_OK(none);
  BOOST_TEST(none->empty());
}

BOOST_AUTO_TEST_CASE(NamesTheDetection) {
  constexpr std::string_view kGood =
      R"({"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1})";
  const auto after = [&](std::string_view record) {
    return "[" + std::string(kGood) + ", " + std::string(record) + "]";
  };
  RefuseDetections(after(R"({"image_id": 1, "category_id": 1, "score": 1})"),
                   {"record 1", "'bbox' is missing"});
  RefuseDetections(
      after(R"({"image_id": 1, "category_id": 1, "bbox": [], "score": 1})"),
      {"record 1", "'bbox' is not"});
  RefuseDetections(
      after(R"({"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1],
                "score": NaN})"),
      {"record 1", "no NaN"});
  RefuseDetections(
      after(R"({"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1],
                "score": -Infinity})"),
      {"record 1", "no infinity"});
  RefuseDetections(
      after(R"({"image_id": "1", "category_id": 1, "bbox": [0, 0, 1, 1],
                "score": 1})"),
      {"record 1", "'image_id' is not a whole number"});
  RefuseDetections(after("17"), {"record 1 is a number"});
  RefuseDetections(R"({"images": []})", {"an object", "list of records"});
}

BOOST_AUTO_TEST_CASE(WhatIsWrittenReadsBackEqual) {
  const std::vector<CocoDetection> written = {
      {.image_id = 42,
       .category_id = 90,
       .box = {0.1, 1.0 / 3.0, 1e-7, 12345678.9},
       .score = 0.30000001192092896},
      {.image_id = -1, .category_id = 1, .box = {}, .score = -2.5}};
  const TempFolder folder;
  const std::string path = folder.File("dt.json");
  REQUIRE_OK(SaveCocoDetections(path, written));
  const auto read = LoadCocoDetections(path);
  REQUIRE_OK(read);
  BOOST_REQUIRE(read->size() == 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST((*read)[i].image_id == written[i].image_id);
    BOOST_TEST((*read)[i].box.x == written[i].box.x);
    BOOST_TEST((*read)[i].box.y == written[i].box.y);
    BOOST_TEST((*read)[i].box.width == written[i].box.width);
    BOOST_TEST((*read)[i].box.height == written[i].box.height);
    BOOST_TEST((*read)[i].score == written[i].score);
  }
  const auto empty = ParseCocoDetections(FormatCocoDetections({}));
  REQUIRE_OK(empty);
  BOOST_TEST(empty->empty());
}

BOOST_AUTO_TEST_CASE(NamesTheFile) {
  const TempFolder folder;
  CheckError(LoadCocoGroundTruth(folder.File("gt.json")).status(),
             StatusCode::kNotFound, {"gt.json"});
  CheckError(LoadCocoDetections(folder.Write("dt.json", "{")).status(),
             StatusCode::kInvalidData, {"dt.json"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
