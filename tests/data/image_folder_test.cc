#include "zeropoint/data/image_folder.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tests/data/images.h"
#include "tests/testing.h"
#include "zeropoint/data/feed_source.h"

namespace zeropoint {
namespace {

using testing::EncodeJpeg;
using testing::EncodePng;
using testing::Gradient;

// A gray PNG of 2 x 1 pixels of one value.
std::string Flat(std::uint8_t value) {
  return EncodePng(Image(2, 1, 1, value));
}

FeedSourceOptions Bytes(std::int64_t channels = 3) {
  return {.inputs = {{.name = "x",
                      .type = DataType::kUint8,
                      .dims = Dims{-1, channels, -1, -1}}}};
}

// The first value of each sample.
std::vector<int> FirstValues(FeedSource& source) {
  std::vector<int> values;
  for (;;) {
    const auto feeds = source.Next();
    REQUIRE_OK(feeds);
    if (!feeds->has_value()) return values;
    values.push_back((**feeds)[0].tensor.As<std::uint8_t>()[0]);
  }
}

void CheckValues(const std::vector<int>& got, const std::vector<int>& wanted) {
  BOOST_TEST(got == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE(image_folder)

BOOST_AUTO_TEST_CASE(FeedsImagesByName) {
  const TempFolder folder;
  folder.Write("b.png", Flat(2));
  folder.Write("a10.PNG", Flat(1));
  folder.Write("a2.jpeg", EncodeJpeg(Image(2, 1, 3, 77)));
  folder.Write("notes.txt", "about the images");
  folder.Write(".hidden.png", "");
  auto source = OpenFeedSource(folder.path(), Bytes());
  REQUIRE_OK(source);
  BOOST_TEST((*source)->size().value() == 3u);
  BOOST_TEST((*source)->label_names() == std::vector<std::string>{"__file__"},
             boost::test_tools::per_element());
  const auto names = (*source)->TextLabels(kFileNames);
  REQUIRE_OK(names);
  BOOST_TEST(
      *names == (std::vector<std::string>{"a10.PNG", "a2.jpeg", "b.png"}),
      boost::test_tools::per_element());
  CheckValues(FirstValues(**source), {1, 77, 2});
  REQUIRE_OK((*source)->Rewind());
  REQUIRE_OK((*source)->Skip(2));
  CheckValues(FirstValues(**source), {2});

  FeedSourceOptions options = Bytes();
  options.skip = 1;
  options.limit = 1;
  source = OpenFeedSource(folder.path(), options);
  REQUIRE_OK(source);
  CheckValues(FirstValues(**source), {77});
}

BOOST_AUTO_TEST_CASE(FoldersAreClasses) {
  const TempFolder folder;
  folder.Write("dog/1.png", Flat(3));
  folder.Write("cat/2.png", Flat(2));
  folder.Write("cat/1.png", Flat(1));
  FeedSourceOptions options = Bytes();
  auto source = OpenFeedSource(folder.path() + "/", options);
  REQUIRE_OK(source);
  CheckValues(FirstValues(**source), {1, 2, 3});
  const auto labels = (*source)->ClassLabels(kLabels);
  REQUIRE_OK(labels);
  BOOST_TEST(*labels == (std::vector<std::int64_t>{0, 0, 1}),
             boost::test_tools::per_element());
  options.skip = 1;
  source = OpenFeedSource(folder.path(), options);
  REQUIRE_OK(source);
  const auto names = (*source)->TextLabels(kClassNames);
  REQUIRE_OK(names);
  BOOST_TEST(*names == (std::vector<std::string>{"cat", "dog"}),
             boost::test_tools::per_element());
  CheckError((*source)->ClassLabels(kClassNames).status(),
             StatusCode::kNotFound, {"__class__"});
}

BOOST_AUTO_TEST_CASE(NumberedFoldersAreTheirOwnLabels) {
  const TempFolder folder;
  for (const std::string_view name : {"10/a.png", "9/a.png", "007/a.png"}) {
    folder.Write(name, Flat(1));
  }
  auto source = OpenFeedSource(folder.path(), Bytes());
  REQUIRE_OK(source);
  const auto labels = (*source)->ClassLabels(kLabels);
  REQUIRE_OK(labels);
  BOOST_TEST(*labels == (std::vector<std::int64_t>{7, 10, 9}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(AppliesTheStatedSteps) {
  const TempFolder folder;
  folder.Write("data/a.png", EncodePng(Image(8, 6, 3, 100)));
  FeedSourceOptions options = {
      .inputs = {
          {.name = "x", .type = DataType::kFloat, .dims = Dims{1, 2, 2, 3}},
          {.name = "size", .type = DataType::kFloat, .dims = Dims{1, 2}},
          {.name = "w", .type = DataType::kFloat, .optional = true}}};
  const std::string data = folder.File("data");
  CheckError(OpenFeedSource(data, options).status(), StatusCode::kInvalidData,
             {data, "2 would", "image_size"});
  options.preprocess_file = folder.Write("p.json", R"({"inputs": {
      "x": {"resize": {"width": 4, "height": 4, "filter": "bicubic"},
            "crop": {"width": 2, "height": 2}, "layout": "nhwc",
            "scale": 0.01, "mean": [0.5, 0.25, 0], "std": [0.5, 0.25, 2]},
      "size": {"feed": "image_size"}}})");
  auto source = OpenFeedSource(data, options);
  REQUIRE_OK(source);
  const auto feeds = (*source)->Next();
  REQUIRE_OK(feeds);
  BOOST_REQUIRE((**feeds).size() == 2u);
  const Tensor& x = *FindFeed(**feeds, "x");
  BOOST_TEST((x.dims() == Dims{1, 2, 2, 3}));
  for (std::size_t i = 0; i < x.size(); i += 3) {
    BOOST_TEST(x.As<float>()[i] == (100.0f * 0.01f - 0.5f) / 0.5f);
    BOOST_TEST(x.As<float>()[i + 1] == (100.0f * 0.01f - 0.25f) / 0.25f);
    BOOST_TEST(x.As<float>()[i + 2] == 100.0f * 0.01f / 2.0f);
  }
  BOOST_TEST(FindFeed(**feeds, "size")->As<float>() ==
                 (std::vector<float>{6.0f, 8.0f}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(RefusesFoldersOfOtherForms) {
  const auto check = [](std::initializer_list<std::string_view> files,
                        StatusCode code,
                        std::initializer_list<std::string_view> words) {
    const TempFolder folder;
    for (const std::string_view file : files) folder.Write(file, Flat(1));
    CheckError(OpenFeedSource(folder.path(), Bytes()).status(), code, words);
  };
  check({}, StatusCode::kInvalidData, {"no .jpg or .png", "test_data_set_0"});
  check({"a.txt"}, StatusCode::kInvalidData, {"no .jpg or .png"});
  check({"a.png", "cat/a.png"}, StatusCode::kInvalidData, {"beside", "'cat'"});
  check({"cat/a.png", "dog/a.txt"}, StatusCode::kInvalidData,
        {"dog'", "no images"});
  check({"a.png", "b.webp"}, StatusCode::kUnsupported, {"b.webp", "convert"});
  check({"cat/b.TIFF"}, StatusCode::kUnsupported, {"b.TIFF", "convert"});
}

BOOST_AUTO_TEST_CASE(NamesTheImageThatDoesNotFit) {
  const TempFolder folder;
  const std::string whole = EncodeJpeg(Gradient(16, 16, 3));
  const std::string image = folder.Write("a.jpg", whole);
  FeedSourceOptions options = Bytes();
  const auto next = [&] {
    auto source = OpenFeedSource(folder.path(), options);
    REQUIRE_OK(source);
    return (*source)->Next().status();
  };
  REQUIRE_OK(next());
  options.inputs[0].dims = Dims{1, 1, 16, 16};
  CheckError(next(), StatusCode::kInvalidData,
             {"a.jpg", "[1, 3, 16, 16]", "[1, 1, 16, 16]"});
  options.inputs[0].dims = Dims{1, 3, 8, 8};
  CheckError(next(), StatusCode::kInvalidData, {"a.jpg", "[1, 3, 16, 16]"});
  options.inputs[0].dims.reset();
  options.inputs[0].type = DataType::kFloat;
  CheckError(next(), StatusCode::kInvalidData, {"a.jpg", "--preprocess"});
  options = Bytes();
  folder.Write("a.jpg", whole.substr(0, whole.size() / 2));
  CheckError(next(), StatusCode::kInvalidData, {image, "damaged JPEG"});
  folder.Write("a.jpg", "");
  CheckError(next(), StatusCode::kUnsupported, {image, "empty"});
}

BOOST_AUTO_TEST_CASE(StepsForImagesNeedImages) {
  const TempFolder folder;
  FeedSourceOptions options = Bytes();
  options.preprocess_file = folder.Write(
      "p.json", R"({"inputs": {"x": {"color": "bgr", "cast": "uint8"}}})");
  folder.Write("data/test_data_set_0/input_0.pb", "");
  CheckError(OpenFeedSource(folder.File("data"), options).status(),
             StatusCode::kInvalidArgument, {"'x'", "folder of images"});
  folder.Write("images/a.png", EncodePng(Gradient(2, 2, 3)));
  auto source = OpenFeedSource(folder.File("images"), options);
  REQUIRE_OK(source);
  CheckValues(FirstValues(**source), {40});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
