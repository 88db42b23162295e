#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/testing.h"
#include "zeropoint/eval/boxes_decoder.h"
#include "zeropoint/eval/class_map.h"
#include "zeropoint/eval/suppress_overlaps.h"
#include "zeropoint/eval/yolov3_decoder.h"
#include "zeropoint/eval/yolov8_decoder.h"

namespace zeropoint {
namespace {

Tensor Reals(Dims dims, const std::vector<float>& values) {
  return Tensor::Of<float>(std::move(dims), values);
}
Tensor Whole(Dims dims, const std::vector<std::int64_t>& values) {
  return Tensor::Of<std::int64_t>(std::move(dims), values);
}
template <class... T>
std::vector<Tensor> Outputs(T... tensors) {
  std::vector<Tensor> outputs;
  (outputs.push_back(std::move(tensors)), ...);
  return outputs;
}

template <class D>
std::vector<DecodedObject> Decode(const D& decoder,
                                  const std::vector<Tensor>& outputs,
                                  std::size_t images = 1) {
  const auto objects = decoder.Decode(outputs, images);
  REQUIRE_OK(objects);
  return *objects;
}
template <class D>
void Refuse(const D& decoder, const std::vector<Tensor>& outputs,
            std::initializer_list<std::string_view> words,
            std::size_t images = 1) {
  CheckError(decoder.Decode(outputs, images).status(), StatusCode::kInvalidData,
             words);
}
void CheckBox(const ImageBox& box, double x, double y, double width,
              double height) {
  BOOST_TEST(box.x == x);
  BOOST_TEST(box.y == y);
  BOOST_TEST(box.width == width);
  BOOST_TEST(box.height == height);
}

BOOST_AUTO_TEST_SUITE(decoders)

BOOST_AUTO_TEST_CASE(FormsOfABox) {
  const std::vector<float> numbers = {10, 20, 30, 50};
  CheckBox(MakeBox(BoxForm::kXyxy, numbers), 10, 20, 20, 30);
  CheckBox(MakeBox(BoxForm::kYxyx, numbers), 20, 10, 30, 20);
  CheckBox(MakeBox(BoxForm::kXywh, numbers), 10, 20, 30, 50);
  CheckBox(MakeBox(BoxForm::kCxcywh, numbers), -5, -5, 30, 50);
  CheckBox(MakeBox(BoxForm::kXyxy, std::vector<float>{9, 9, 3, 4}), 9, 9, 0, 0);
}

BOOST_AUTO_TEST_CASE(SuppressionKeepsTheBestOfEachClassAndImage) {
  const std::vector<DecodedObject> objects = {
      {.image = 1, .class_index = 0, .score = 0.5, .box = {0, 0, 10, 10}},
      {.image = 0, .class_index = 0, .score = 0.5, .box = {0, 0, 10, 10}},
      {.image = 0, .class_index = 0, .score = 0.9, .box = {0, 0, 10, 9}},
      {.image = 0, .class_index = 1, .score = 0.3, .box = {0, 0, 10, 10}},
      {.image = 0, .class_index = 0, .score = 0.4, .box = {0, 0, 10, 4}},
      {.image = 0, .class_index = 0, .score = 0.4, .box = {0, 0, 10, 4.4}},
  };
  const auto kept = SuppressOverlaps(objects, 0.5);
  BOOST_REQUIRE(kept.size() == 4u);
  BOOST_TEST(kept[0].score == 0.9);
  BOOST_TEST(kept[1].box.height == 4.0);  // the first of two alike
  BOOST_TEST(kept[2].class_index == 1);
  BOOST_TEST(kept[3].image == 1u);
  // An overlap of just the threshold stays.
  BOOST_TEST(SuppressOverlaps({{.score = 2, .box = {0, 0, 10, 10}},
                               {.score = 1, .box = {0, 0, 10, 5}}},
                              0.5)
                 .size() == 2u);
}

BOOST_AUTO_TEST_CASE(SuppressionLooksAtABoundedNumber) {
  std::vector<DecodedObject> objects(kMostCandidates + 10);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    objects[i].class_index = static_cast<std::int64_t>(i);
    objects[i].box = {0, 0, 1, 1};
  }
  BOOST_TEST(SuppressOverlaps(objects, 0.5).size() == kMostCandidates);
}

BOOST_AUTO_TEST_CASE(YoloV3PicksWhatIsSelected) {
  // Two images, two boxes, three classes.
  const auto outputs = [](Tensor indices) {
    return Outputs(
        Reals({2, 2, 4}, {1, 2, 3, 5, 0, 0, 4, 4, 10, 20, 30, 50, 7, 7, 8, 9}),
        Reals({2, 3, 2},
              {.1f, .2f, .3f, .4f, .5f, .6f, .7f, .8f, .9f, .11f, .12f, .13f}),
        std::move(indices));
  };
  const auto objects =
      Decode(YoloV3Decoder(),
             outputs(Whole({3, 3}, {0, 2, 0, 1, 1, 1, -1, -1, -1})), 2);
  BOOST_REQUIRE(objects.size() == 2u);
  BOOST_TEST(objects[0].image == 0u);
  BOOST_TEST(objects[0].class_index == 2);
  BOOST_TEST(objects[0].score == 0.5f);
  CheckBox(objects[0].box, 2, 1, 3, 2);
  BOOST_TEST(objects[1].image == 1u);
  BOOST_TEST(objects[1].score == .11f);
  CheckBox(objects[1].box, 7, 7, 2, 1);
  BOOST_TEST(
      Decode(YoloV3Decoder(), outputs(Whole({1, 1, 3}, {1, 0, 0})), 2).size() ==
      1u);
  BOOST_TEST(Decode(YoloV3Decoder(), outputs(Whole({0, 3}, {})), 2).empty());
  Refuse(YoloV3Decoder(), outputs(Whole({1, 3}, {2, 0, 0})),
         {"output 2", "outside"}, 2);
  Refuse(YoloV3Decoder(), outputs(Whole({1, 3}, {0, 3, 0})), {"outside"}, 2);
  Refuse(YoloV3Decoder(), outputs(Whole({1, 3}, {0, 0, 2})), {"outside"}, 2);
  Refuse(YoloV3Decoder(), outputs(Whole({2, 2}, {0, 0, 0, 0})),
         {"output 2", "[2, 2]", "indices [M, 3]"}, 2);
  Refuse(YoloV3Decoder(), outputs(Whole({1, 3}, {0, 0, 0})),
         {"output 0", "[2, 2, 4]"}, 1);
  Refuse(YoloV3Decoder(),
         Outputs(Reals({1, 4}, {1, 2, 3, 4}), Reals({1, 1, 1}, {1}),
                 Whole({0, 3}, {})),
         {"output 0", "boxes [B, N, 4]"});
  Refuse(YoloV3Decoder(),
         Outputs(Reals({1, 1, 4}, {1, 2, 3, 4}), Reals({1, 1, 2}, {1, 2}),
                 Whole({0, 3}, {})),
         {"output 1", "scores [B, C, N]"});
  Refuse(YoloV3Decoder(),
         Outputs(Whole({1, 1, 4}, {1, 2, 3, 4}), Reals({1, 1, 1}, {1}),
                 Whole({0, 3}, {})),
         {"output 0", "int64"});
}

BOOST_AUTO_TEST_CASE(YoloV3VisionReadsRows) {
  const auto outputs = [](float row) {
    return Outputs(Reals({2, 2}, {0, 9, row, 9}),
                   Reals({2, 4}, {.5f, .5f, .5f, .25f, .25f, .5f, .5f, 1}),
                   Reals({2, 1}, {.9f, .8f}));
  };
  const auto objects = Decode(YoloV3VisionDecoder(), outputs(1), 2);
  BOOST_REQUIRE(objects.size() == 2u);
  CheckBox(objects[0].box, 0.25, 0.375, 0.5, 0.25);
  BOOST_TEST(objects[1].image == 1u);
  BOOST_TEST(objects[1].score == .8f);
  Refuse(YoloV3VisionDecoder(), outputs(2), {"output 0", "outside"}, 2);
  Refuse(YoloV3VisionDecoder(),
         outputs(std::numeric_limits<float>::quiet_NaN()), {"whole numbers"},
         2);
}

BOOST_AUTO_TEST_CASE(YoloV8TakesEachClassAboveTheThreshold) {
  // One image, three places, two classes.
  const std::vector<float> head = {50,  52,  200,   // centre x
                                   50,  50,  200,   // centre y
                                   20,  20,  10,    // width
                                   20,  20,  10,    // height
                                   .9f, .8f, .1f,   // class 0
                                   .0f, .3f, .7f};  // class 1
  const auto objects = Decode(YoloV8Decoder{.score_threshold = 0.25},
                              Outputs(Reals({1, 6, 3}, head)));
  BOOST_REQUIRE(objects.size() == 3u);
  BOOST_TEST(objects[0].class_index == 0);
  CheckBox(objects[0].box, 40, 40, 20, 20);
  BOOST_TEST(objects[1].class_index == 1);
  BOOST_TEST(objects[1].score == .7f);
  BOOST_TEST(objects[2].score == .3f);

  std::vector<float> exchanged(head.size());
  for (std::size_t i = 0; i < head.size(); ++i) {
    exchanged[i % 3 * 6 + i / 3] = head[i];
  }
  const auto same = Decode(YoloV8Decoder{.score_threshold = 0.25, .classes = 2},
                           Outputs(Reals({1, 3, 6}, exchanged)));
  BOOST_REQUIRE(same.size() == 3u);
  CheckBox(same[0].box, 40, 40, 20, 20);
  BOOST_TEST(same[1].score == .7f);

  Refuse(YoloV8Decoder{.classes = 80}, Outputs(Reals({1, 6, 3}, head)),
         {"[1, 6, 3]", "4 + 80"});
  Refuse(YoloV8Decoder(), Outputs(Reals({1, 6, 3}, head)), {"[1, 6, 3]"}, 2);
  Refuse(YoloV8Decoder(), Outputs(Reals({6, 3}, head)), {"[6, 3]"});
}

BOOST_AUTO_TEST_CASE(WhatIsNotFiniteIsNoObject) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  BOOST_TEST(Decode(YoloV8Decoder(),
                    Outputs(Reals({1, 5, 3}, {nan, 1, 1, 1, 1, 1, 2, infinity,
                                              2, 2, 2, 2, 1, 1, infinity})))
                 .empty());
}

BOOST_AUTO_TEST_CASE(BoxesWithScoresOfEachClass) {
  const BoxesDecoder decoder{.box_unit = BoxUnit::kInputShare,
                             .score_threshold = 0.15};
  const std::vector<float> boxes = {0, 0, .5f, .5f, .25f, .25f, 1, 1};
  const std::vector<float> scores = {.1f, .9f, .2f, .3f, .0f, .8f};
  for (const bool batched : {false, true}) {
    const auto objects = Decode(
        decoder,
        batched ? Outputs(Reals({1, 2, 4}, boxes), Reals({1, 2, 3}, scores))
                : Outputs(Reals({2, 4}, boxes), Reals({2, 3}, scores)));
    BOOST_REQUIRE(objects.size() == 4u);
    BOOST_TEST(objects[0].class_index == 1);
    BOOST_TEST(objects[3].score == .8f);
    CheckBox(objects[3].box, .25, .25, .75, .75);
  }
  Refuse(decoder, Outputs(Reals({2, 4}, boxes), Reals({3, 2}, scores)),
         {"output 1", "[3, 2]"});
  Refuse(decoder, Outputs(Reals({2, 4}, boxes), Reals({2, 3}, scores)),
         {"output 0", "batch of 2"}, 2);
}

BOOST_AUTO_TEST_CASE(BoxesWithLabels) {
  const BoxesDecoder decoder{.form = BoxForm::kYxyx, .labels = true};
  const std::vector<float> boxes = {0, 0, 5, 10, 2, 2, 9, 9};
  const auto objects =
      Decode(decoder, Outputs(Reals({2, 4}, boxes), Reals({2}, {.9f, .8f}),
                              Whole({2}, {7, -1})));
  BOOST_REQUIRE(objects.size() == 1u);
  BOOST_TEST(objects[0].class_index == 7);
  CheckBox(objects[0].box, 0, 0, 10, 5);
  // Labels as floats, two images.
  const auto two =
      Decode(decoder,
             Outputs(Reals({2, 1, 4}, boxes), Reals({2, 1}, {.9f, .8f}),
                     Reals({2, 1}, {3, 4})),
             2);
  BOOST_REQUIRE(two.size() == 2u);
  BOOST_TEST(two[1].image == 1u);
  BOOST_TEST(two[1].class_index == 4);
  Refuse(decoder,
         Outputs(Reals({2, 4}, boxes), Reals({2}, {.9f, .8f}), Whole({1}, {7})),
         {"output 2", "labels [B, N]"});
}

BOOST_AUTO_TEST_CASE(BoxesMayNeedSuppression) {
  BoxesDecoder decoder;
  const auto outputs = Outputs(Reals({2, 4}, {0, 0, 9, 9, 0, 0, 9, 8}),
                               Reals({2, 1}, {.5f, .6f}));
  BOOST_TEST(Decode(decoder, outputs).size() == 2u);
  decoder.overlap_threshold = 0.5;
  BOOST_TEST(Decode(decoder, outputs).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(class_map)

const std::vector<CocoCategory> kCategories = {
    {90, "toothbrush"}, {1, "person"}, {4, "motorcycle"}, {72, "tv"}};

std::int64_t CategoryOf(const ClassMap& map, std::int64_t class_index) {
  const auto category = map.CategoryOf(class_index);
  REQUIRE_OK(category);
  return category->value_or(-1);
}

BOOST_AUTO_TEST_CASE(InOrderOfTheIds) {
  const ClassMap map = ClassMap::InOrder(kCategories);
  BOOST_TEST(map.size().value() == 4u);
  BOOST_TEST(CategoryOf(map, 0) == 1);
  BOOST_TEST(CategoryOf(map, 3) == 90);
  CheckError(map.CategoryOf(4).status(), StatusCode::kInvalidData,
             {"class 4", "4 classes"});
  CheckError(map.CategoryOf(-1).status(), StatusCode::kInvalidData, {"-1"});
}

BOOST_AUTO_TEST_CASE(ByNameAndAlias) {
  const std::vector<std::string> names = {"background", "person", "motorbike",
                                          "tvmonitor", "toothbrush"};
  const auto map = ClassMap::ByName(names, kCategories);
  REQUIRE_OK(map);
  BOOST_TEST(CategoryOf(*map, 0) == -1);
  BOOST_TEST(CategoryOf(*map, 1) == 1);
  BOOST_TEST(CategoryOf(*map, 2) == 4);
  BOOST_TEST(CategoryOf(*map, 3) == 72);
  BOOST_TEST(CategoryOf(*map, 4) == 90);
  BOOST_TEST(map->unmatched() == std::vector<std::string>{"background"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(AliasesHoldBothWays) {
  const std::vector<CocoCategory> old = {{5, "aeroplane"}, {6, "sofa"}};
  const auto map =
      ClassMap::ByName(std::vector<std::string>{"couch", "airplane"}, old);
  REQUIRE_OK(map);
  BOOST_TEST(CategoryOf(*map, 0) == 6);
  BOOST_TEST(CategoryOf(*map, 1) == 5);
}

BOOST_AUTO_TEST_CASE(NoNameAtAllIsAMistake) {
  CheckError(ClassMap::ByName(std::vector<std::string>{"persons"}, kCategories)
                 .status(),
             StatusCode::kInvalidArgument, {"persons", "nearest: 'person'"});
  CheckError(ClassMap::ByName(std::vector<std::string>{}, kCategories).status(),
             StatusCode::kInvalidArgument, {"none of the 0"});
}

BOOST_AUTO_TEST_CASE(ClassesMayBeCategories) {
  BOOST_TEST(CategoryOf(ClassMap::Same(), 72) == 72);
  BOOST_TEST(!ClassMap::Same().size().has_value());
}

BOOST_AUTO_TEST_CASE(NamesAreLines) {
  const TempFolder folder;
  const auto names = LoadClassNames(
      folder.Write("names.txt", "person\r\n\r\npotted plant\r\n\r\n"));
  REQUIRE_OK(names);
  BOOST_TEST(*names == (std::vector<std::string>{"person", "", "potted plant"}),
             boost::test_tools::per_element());
  CheckError(LoadClassNames(folder.File("none")).status(),
             StatusCode::kNotFound, {"none"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
