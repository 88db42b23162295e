#include "zeropoint/data/preprocess.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tests/testing.h"
#include "zeropoint/data/parse_preprocess.h"

namespace zeropoint {
namespace {

const std::vector<InputDescription> kInputs = {
    {.name = "x", .type = DataType::kFloat, .dims = Dims{-1, 2, -1}},
    {.name = "ids", .type = DataType::kInt32, .dims = Dims{1, -1}},
};

template <class T>
Tensor Make(Dims dims, const std::vector<T>& values) {
  return Tensor::Of<T>(std::move(dims), values);
}

BOOST_AUTO_TEST_SUITE(preprocess)

BOOST_AUTO_TEST_CASE(ReadsTheForm) {
  const auto steps = ParsePreprocess(
      R"({"inputs": {"x": {"scale": 0.5, "offset": [1, -2]},
                     "ids": {"cast": "int32"}}})");
  REQUIRE_OK(steps);
  BOOST_REQUIRE(steps->size() == 2u);
  const InputPreprocess& x = steps->find("x")->second;
  BOOST_TEST(x.scale == std::vector<float>{0.5f},
             boost::test_tools::per_element());
  BOOST_TEST(x.offset == (std::vector<float>{1.0f, -2.0f}),
             boost::test_tools::per_element());
  BOOST_TEST((x.result_type() == DataType::kFloat));
  BOOST_TEST((steps->find("ids")->second.result_type() == DataType::kInt32));
}

BOOST_AUTO_TEST_CASE(RefusesOtherForms) {
  const auto check = [](std::string_view text,
                        std::initializer_list<std::string_view> words) {
    BOOST_TEST_CONTEXT(text) {
      CheckError(ParsePreprocess(text).status(), StatusCode::kInvalidArgument,
                 words);
    }
  };
  check("", {"JSON"});
  check("{\"inputs\": ", {"JSON"});
  check("[]", {"inputs"});
  check("{}", {"inputs"});
  check(R"({"inputs": []})", {"inputs"});
  check(R"({"inputs": {}, "mean": 1})", {"inputs"});
  check(R"({"inputs": {"x": 1}})", {"'x'", "scale"});
  check(R"({"inputs": {"x": {}}})", {"'x'", "scale"});
  check(R"({"inputs": {"x": {"means": 1}}})", {"'x'", "'means'", "mean, std"});
  check(R"({"inputs": {"x": {"mean": [1, "2"]}}})", {"'mean'", "number"});
  check(R"({"inputs": {"x": {"std": [1, 0]}}})", {"'std'", "above 0"});
  check(R"({"inputs": {"x": {"mean": 1, "offset": 1}}})",
        {"'offset'", "'mean'"});
  check(R"({"inputs": {"x": {"cast": "int32", "std": 1}}})", {"alone"});
  check(R"({"inputs": {"x": {"scale": "1"}}})", {"'x'", "'scale'", "number"});
  check(R"({"inputs": {"x": {"scale": []}}})", {"'x'", "'scale'", "number"});
  check(R"({"inputs": {"x": {"offset": [1, null]}}})", {"'x'", "'offset'"});
  check(R"({"inputs": {"x": {"cast": "int8"}}})", {"'x'", "'cast'", "int8"});
  check(R"({"inputs": {"x": {"cast": "int32", "scale": 1}}})", {"alone"});
}

BOOST_AUTO_TEST_CASE(ReadsStepsForImages) {
  const auto steps = ParsePreprocess(R"({"inputs": {
      "a": {"color": "bgr", "resize": {"short_side": 256}, "layout": "nhwc",
            "crop": {"width": 224, "height": 200}, "scale": 1},
      "b": {"letterbox": {"width": 640, "height": 480, "fill": 114,
                          "filter": "bilinear"}, "cast": "uint8"},
      "c": {"resize": {"width": 3, "height": 4, "filter": "bicubic"},
            "mean": [1, 2, 3], "std": 2},
      "d": {"feed": "image_size"}}})");
  REQUIRE_OK(steps);
  const InputPreprocess& a = steps->at("a");
  BOOST_TEST((a.layout == ImageLayout::kNhwc));
  BOOST_TEST((a.image->color == ImageColor::kBgr));
  BOOST_TEST(a.image->resize->short_side == 256u);
  BOOST_TEST((a.image->resize->filter == ResizeFilter::kBilinear));
  BOOST_TEST(a.image->crop->width == 224u);
  BOOST_TEST(a.image->crop->height == 200u);
  const InputPreprocess& b = steps->at("b");
  BOOST_TEST((b.result_type() == DataType::kUint8));
  BOOST_TEST(b.image->letterbox->to.width == 640u);
  BOOST_TEST(b.image->letterbox->to.height == 480u);
  BOOST_TEST(int{b.image->letterbox->fill} == 114);
  BOOST_TEST((b.image->letterbox->filter == ResizeFilter::kBilinear));
  const InputPreprocess& c = steps->at("c");
  BOOST_TEST(c.image->resize->to.width == 3u);
  BOOST_TEST((c.image->resize->filter == ResizeFilter::kBicubic));
  BOOST_TEST(c.mean.size() == 3u);
  BOOST_TEST(c.std.size() == 1u);
  BOOST_TEST(steps->at("d").image_size);
}

BOOST_AUTO_TEST_CASE(RefusesWrongStepsForImages) {
  const auto check = [](const std::string& entry,
                        std::initializer_list<std::string_view> words) {
    BOOST_TEST_CONTEXT(entry) {
      CheckError(
          ParsePreprocess(R"({"inputs": {"x": {"scale": 1, )" + entry + "}}}")
              .status(),
          StatusCode::kInvalidArgument, words);
    }
  };
  check(R"("resize": 224)", {"'x'", "'resize'", "width, height, short_side"});
  check(R"("resize": {"width": 224})", {"'resize'", "'height'"});
  check(R"("resize": {"width": 0, "height": 2})", {"'width'", "1"});
  check(R"("resize": {"width": 2.5, "height": 2})", {"'width'", "whole"});
  check(R"("resize": {"width": 18446744073709551615, "height": 2})",
        {"'width'"});
  check(R"("resize": {"width": 16384, "height": 16384})", {"pixels"});
  check(R"("resize": {"width": 2, "short_side": 2})", {"'short_side'"});
  check(R"("resize": {"short_side": 2, "filter": "nearest"})",
        {"'resize'", "'filter'", "bicubic", "nearest"});
  check(R"("letterbox": {"width": 2, "height": 2, "border": 1})",
        {"'border'", "fill"});
  check(R"("letterbox": {"width": 2, "height": 2, "fill": 256})", {"'fill'"});
  check(R"("crop": {"width": 2, "height": 2, "left": 1})", {"'left'"});
  check(R"("color": "yuv")", {"'color'", "rgb", "gray"});
  check(R"("layout": "chwn")", {"'layout'", "nhwc"});
  check(R"("feed": "image_size")", {"'feed'", "alone"});
  check(
      R"("letterbox": {"width": 2, "height": 2}, "resize": {"short_side": 2})",
      {"'resize'", "'letterbox'"});
  CheckError(ParsePreprocess(R"({"inputs": {"x": {"color": "rgb"}}})").status(),
             StatusCode::kInvalidArgument, {"'x'", "'scale'", "'cast'"});
}

BOOST_AUTO_TEST_CASE(TakesTheMeanAndDividesByTheDeviation) {
  const InputPreprocess step{
      .scale = {0.5f}, .mean = {1.0f, 2.0f}, .std = {2.0f, 3.0f}};
  const auto nchw = ApplyPreprocess(
      step, Make<std::uint8_t>({1, 2, 2}, {0, 10, 20, 255}).view());
  REQUIRE_OK(nchw);
  const std::vector<float> wanted = {-0.5f, 2.0f, (10.0f - 2.0f) / 3.0f,
                                     (127.5f - 2.0f) / 3.0f};
  BOOST_TEST(nchw->As<float>() == wanted, boost::test_tools::per_element());
  InputPreprocess last = step;
  last.layout = ImageLayout::kNhwc;
  const auto nhwc = ApplyPreprocess(
      last, Make<std::uint8_t>({1, 2, 2}, {0, 20, 10, 255}).view());
  REQUIRE_OK(nhwc);
  const std::vector<float> turned = {-0.5f, wanted[2], 2.0f, wanted[3]};
  BOOST_TEST(nhwc->As<float>() == turned, boost::test_tools::per_element());
  const InputDescription input = {.name = "x", .type = DataType::kFloat};
  REQUIRE_OK(
      CheckSample(input, {{"x", last}}, DataType::kUint8, Dims{1, 3, 2}));
  CheckError(CheckSample(input, {{"x", step}}, DataType::kUint8, Dims{1, 3, 2}),
             StatusCode::kInvalidData, {"[1, 3, 2]", "2 values for axis 1"});
  CheckError(CheckSample(input, {{"x", last}}, DataType::kUint8, Dims{1, 2, 3}),
             StatusCode::kInvalidData, {"[1, 2, 3]", "2 values for axis 2"});
}

BOOST_AUTO_TEST_CASE(NamesMustBeInputs) {
  const TempFolder folder;
  const std::string path =
      folder.Write("p.json", R"({"inputs": {"image": {"scale": 1}}})");
  CheckError(LoadPreprocess(path, kInputs).status(),
             StatusCode::kInvalidArgument, {"p.json", "'image'", "'x', 'ids'"});
  CheckError(LoadPreprocess(folder.File("no.json"), kInputs).status(),
             StatusCode::kNotFound, {"no.json"});
  CheckError(LoadPreprocess(folder.Write("q.json", "{"), kInputs).status(),
             StatusCode::kInvalidArgument, {"q.json", "JSON"});
}

BOOST_AUTO_TEST_CASE(ScalesAndShifts) {
  const InputPreprocess step{.scale = {0.5f}, .offset = {-1.0f}};
  const auto result =
      ApplyPreprocess(step, Make<std::uint8_t>({1, 3}, {0, 2, 255}).view());
  REQUIRE_OK(result);
  BOOST_TEST((result->dims() == Dims{1, 3}));
  BOOST_TEST(result->As<float>()[0] == -1.0f);
  BOOST_TEST(result->As<float>()[1] == 0.0f);
  BOOST_TEST(result->As<float>()[2] == 126.5f);
}

BOOST_AUTO_TEST_CASE(ListsRunOverAxisOneOfEachBatchElement) {
  const InputPreprocess step{.scale = {1.0f, 10.0f}, .offset = {0.5f}};
  const auto result = ApplyPreprocess(
      step, Make<std::int64_t>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}).view());
  REQUIRE_OK(result);
  const std::vector<float> wanted = {1.5f, 2.5f, 30.5f, 40.5f,
                                     5.5f, 6.5f, 70.5f, 80.5f};
  BOOST_TEST(result->As<float>() == wanted, boost::test_tools::per_element());

  const auto vector =
      ApplyPreprocess(step, Make<std::uint8_t>({2, 2}, {1, 2, 3, 4}).view());
  REQUIRE_OK(vector);
  BOOST_TEST(vector->As<float>()[3] == 40.5f);
  REQUIRE_OK(ApplyPreprocess(step, Tensor(DataType::kUint8, {1, 2, 0}).view()));
}

BOOST_AUTO_TEST_CASE(CastsWhatFits) {
  const InputPreprocess step{.cast = DataType::kInt32};
  const auto result =
      ApplyPreprocess(step, Make<std::int64_t>({2}, {-5, 1 << 30}).view());
  REQUIRE_OK(result);
  BOOST_TEST(result->As<std::int32_t>()[0] == -5);
  BOOST_TEST(result->As<std::int32_t>()[1] == 1 << 30);
  CheckError(ApplyPreprocess(step, Make<std::int64_t>({1}, {5000000000}).view())
                 .status(),
             StatusCode::kInvalidData, {"5000000000"});
  const InputPreprocess wide{.cast = DataType::kInt64};
  CheckError(ApplyPreprocess(
                 wide, Make<std::uint64_t>(
                           {1}, {std::numeric_limits<std::uint64_t>::max()})
                           .view())
                 .status(),
             StatusCode::kInvalidData, {"18446744073709551615"});
  CheckError(ApplyPreprocess(step, Make<float>({1}, {1.5f}).view()).status(),
             StatusCode::kInvalidData, {"real"});
  Tensor flags(DataType::kBool, {1});
  flags.MutableAs<bool>()[0] = true;
  BOOST_TEST(ApplyPreprocess(step, flags.view())->As<std::int32_t>()[0] == 1);
}

BOOST_AUTO_TEST_CASE(ChecksBeforeAnythingIsRead) {
  const InputDescription& x = kInputs[0];
  const InputDescription& ids = kInputs[1];
  const Dims dims = {4, 2, 7};
  REQUIRE_OK(CheckSample(x, {}, DataType::kFloat, dims));
  CheckError(CheckSample(x, {}, DataType::kUint8, dims),
             StatusCode::kInvalidData,
             {"uint8", "'x' takes float", "--preprocess", "scale"});
  CheckError(CheckSample(x, {}, DataType::kDouble, dims),
             StatusCode::kInvalidData, {"double", "float", "save it"});
  CheckError(CheckSample(x, {}, DataType::kFloat16, dims),
             StatusCode::kInvalidData, {"float16", "float", "save it"});
  CheckError(CheckSample(ids, {}, DataType::kInt64, Dims{1, 3}),
             StatusCode::kInvalidData, {"int64", "'ids' takes int32"});
  CheckError(CheckSample(x, {}, DataType::kFloat, Dims{4, 3, 7}),
             StatusCode::kInvalidData, {"[4, 3, 7]", "[any, 2, any]"});
  CheckError(CheckSample(x, {}, DataType::kFloat, Dims{4, 2}),
             StatusCode::kInvalidData, {"[4, 2]", "[any, 2, any]"});

  const Preprocess three = {{"x", {.scale = {1, 2, 3}}}};
  CheckError(CheckSample(x, three, DataType::kUint8, dims),
             StatusCode::kInvalidData, {"3 values", "axis 1", "'x'"});
  const Preprocess two = {{"x", {.offset = {1, 2}}}};
  REQUIRE_OK(CheckSample(x, two, DataType::kUint8, dims));
  CheckError(CheckSample(x, two, DataType::kUint8, Dims{2}),
             StatusCode::kInvalidData, {"axis 1"});
  const Preprocess wrong = {{"ids", {.scale = {1}}}};
  CheckError(CheckSample(ids, wrong, DataType::kUint8, Dims{1, 3}),
             StatusCode::kInvalidData, {"float", "--preprocess", "int32"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
