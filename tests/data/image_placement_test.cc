#include "zeropoint/data/image_placement.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/testing.h"
#include "zeropoint/core/tensor.h"

namespace zeropoint {
namespace {

void CheckBox(const ImageBox& got, const ImageBox& wanted) {
  const auto near = boost::test_tools::tolerance(1e-9);
  BOOST_TEST(got.x == wanted.x, near);
  BOOST_TEST(got.y == wanted.y, near);
  BOOST_TEST(got.width == wanted.width, near);
  BOOST_TEST(got.height == wanted.height, near);
}

BOOST_AUTO_TEST_SUITE(image_placement)

BOOST_AUTO_TEST_CASE(OverlapIsIntersectionOverUnion) {
  BOOST_TEST(BoxOverlap({0, 0, 2, 2}, {1, 0, 2, 2}) == 2.0 / 6.0);
  BOOST_TEST(BoxOverlap({0, 0, 2, 2}, {0, 0, 2, 2}) == 1.0);
  BOOST_TEST(BoxOverlap({0, 0, 2, 2}, {2, 0, 2, 2}) == 0.0);  // touch
  BOOST_TEST(BoxOverlap({0, 0, 2, 2}, {0, 3, 2, 2}) == 0.0);
  BOOST_TEST(BoxOverlap({1, 1, 0, 0}, {0, 0, 2, 2}) == 0.0);  // empty
}

BOOST_AUTO_TEST_CASE(OfACrowdItIsTheShareInside) {
  BOOST_TEST(BoxOverlap({0, 0, 2, 2}, {1, 0, 100, 100}, true) == 0.5);
  BOOST_TEST(BoxOverlap({3, 3, 2, 2}, {0, 0, 100, 100}, true) == 1.0);
}

BOOST_AUTO_TEST_CASE(LetterboxGoesBack) {
  const ImageSize image = {200, 100};
  const ImagePlacement placement = PlaceLetterboxed(image, {100, 100});
  BOOST_TEST(placement.scale_x == 0.5);
  BOOST_TEST(placement.top == 25.0);
  CheckBox(BoxInImage({10, 30, 20, 10}, placement, image), {20, 10, 40, 20});
  // What lies on the canvas is cut off.
  CheckBox(BoxInImage({-5, 20, 20, 10}, placement, image), {0, 0, 30, 10});
  CheckBox(BoxInImage({0, 0, 50, 10}, placement, image), {0, 0, 100, 0});
}

BOOST_AUTO_TEST_CASE(EveryStepGoesBack) {
  const ImageSize image = {80, 40};
  ImageSteps steps;
  steps.resize = ImageResize{.to = {40, 80}};
  CheckBox(BoxInImage({10, 20, 5, 6}, PlaceBySteps(image, steps), image),
           {20, 10, 10, 3});
  steps.resize = ImageResize{.short_side = 20};  // 40 x 20
  steps.crop = ImageSize{20, 20};
  CheckBox(BoxInImage({0, 0, 5, 5}, PlaceBySteps(image, steps), image),
           {20, 0, 10, 10});
  CheckBox(BoxInImage({1, 2, 3, 4}, PlaceBySteps(image, {}), image),
           {1, 2, 3, 4});
  CheckBox(BoxInImage({1, 2, 3, 4},
                      PlaceByFit(image, ImageFit::kAsTheyAre, image), image),
           {1, 2, 3, 4});
  CheckBox(BoxInImage({1, 2, 3, 4},
                      PlaceByFit(image, ImageFit::kStretched, {40, 40}), image),
           {2, 2, 6, 4});
}

// A white rectangle is found again where the placement says.
BOOST_AUTO_TEST_CASE(PlacementIsWhatTheStepsDo) {
  Image image(120, 75, 3);
  for (std::size_t y = 30; y < 60; ++y) {
    for (std::size_t x = 24 * 3; x < 96 * 3; ++x) image.row(y)[x] = 255;
  }
  std::vector<ImageSteps> all(3);
  all[0].letterbox = ImageLetterbox{.to = {64, 64}, .fill = 0};
  all[1].resize = ImageResize{.to = {60, 90}};
  all[1].crop = ImageSize{50, 70};
  all[2].resize = ImageResize{.short_side = 50};
  all[2].crop = ImageSize{64, 48};
  for (const ImageSteps& steps : all) {
    const auto made = ApplyImageSteps(steps, ImageLayout::kNchw, image);
    REQUIRE_OK(made);
    const std::int64_t height = made->dims()[2];
    const std::int64_t width = made->dims()[3];
    const auto pixels = made->As<std::uint8_t>();
    std::int64_t x0 = width, x1 = 0, y0 = height, y1 = 0;
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        if (pixels[static_cast<std::size_t>(y * width + x)] < 128) continue;
        x0 = std::min(x0, x);
        x1 = std::max(x1, x + 1);
        y0 = std::min(y0, y);
        y1 = std::max(y1, y + 1);
      }
    }
    const ImageBox found =
        BoxInImage({static_cast<double>(x0), static_cast<double>(y0),
                    static_cast<double>(x1 - x0), static_cast<double>(y1 - y0)},
                   PlaceBySteps({120, 75}, steps), {120, 75});
    BOOST_TEST(BoxOverlap(found, {24, 30, 72, 30}) > 0.9);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
