#include "zeropoint/data/image.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/data/images.h"
#include "tests/testing.h"
#include "zeropoint/data/decode_image.h"
#include "zeropoint/data/image_steps.h"
#include "zeropoint/data/resize_image.h"

namespace zeropoint {
namespace {

using testing::EncodeJpeg;
using testing::EncodePng;
using testing::Gradient;

void CheckPixels(const Result<Image>& image,
                 const std::vector<std::uint8_t>& pixels) {
  REQUIRE_OK(image);
  BOOST_TEST(image->pixels == pixels, boost::test_tools::per_element());
}

// Writes a big-endian number of 4 bytes over `bytes` at `place`.
void Put32(std::string& bytes, std::size_t place, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[place + i] = static_cast<char>(value >> (24 - 8 * i));
  }
}

BOOST_AUTO_TEST_SUITE(decode_image)

BOOST_AUTO_TEST_CASE(DecodesPngExactly) {
  for (const std::size_t channels : {1u, 3u}) {
    const Image image = Gradient(13, 7, channels);
    const auto decoded = DecodeImage(EncodePng(image));
    CheckPixels(decoded, image.pixels);
    BOOST_TEST(decoded->width == 13u);
    BOOST_TEST(decoded->height == 7u);
    BOOST_TEST(decoded->channels == channels);
  }
}

BOOST_AUTO_TEST_CASE(DropsTheAlphaOfAPng) {
  const std::vector<std::uint8_t> rgba = {10, 20, 30, 0, 40, 50, 60, 128};
  CheckPixels(DecodePng(EncodePng(rgba, 2, 1, PNG_FORMAT_RGBA)),
              {10, 20, 30, 40, 50, 60});
  const std::vector<std::uint8_t> gray = {7, 0, 9, 255};
  CheckPixels(DecodePng(EncodePng(gray, 2, 1, PNG_FORMAT_GA)), {7, 9});
}

BOOST_AUTO_TEST_CASE(DecodesJpegNearly) {
  for (const bool progressive : {false, true}) {
    for (const std::size_t channels : {1u, 3u}) {
      const Image image = Gradient(40, 24, channels);
      const auto decoded = DecodeImage(EncodeJpeg(image, progressive));
      REQUIRE_OK(decoded);
      BOOST_REQUIRE(decoded->pixels.size() == image.pixels.size());
      int worst = 0;
      for (std::size_t i = 0; i < image.pixels.size(); ++i) {
        worst = std::max(
            worst, std::abs(int{decoded->pixels[i]} - int{image.pixels[i]}));
      }
      BOOST_TEST(worst <= 6);
    }
  }
}

// Every length is tried: none may crash, none may be taken for whole.
BOOST_AUTO_TEST_CASE(RefusesImagesCutShort) {
  const std::string png = EncodePng(Gradient(9, 5, 3));
  const std::string jpeg = EncodeJpeg(Gradient(24, 16, 3));
  const std::string progressive = EncodeJpeg(Gradient(24, 16, 3), true);
  for (const std::string& whole : {png, jpeg, progressive}) {
    REQUIRE_OK(DecodeImage(whole));
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto image = DecodeImage(std::string_view(whole).substr(0, length));
      BOOST_TEST_CONTEXT(length << " of " << whole.size()) {
        BOOST_TEST(!image.ok());
        if (length > 16) {
          CheckError(image.status(), StatusCode::kInvalidData,
                     {"damaged", "again"});
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(SurvivesEveryFlippedByte) {
  const std::vector<std::string> files = {
      EncodePng(Gradient(9, 5, 3)), EncodeJpeg(Gradient(24, 16, 3)),
      EncodeJpeg(Gradient(24, 16, 1), true)};
  for (const std::string& whole : files) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(~bytes[i]);
      const auto image = DecodeImage(bytes);
      if (!image.ok()) {
        BOOST_TEST(!image.status().message().empty());
      } else {
        BOOST_TEST(image->pixels.size() ==
                   image->width * image->height * image->channels);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(RefusesHugeSizesBeforeTheyTakeMemory) {
  // Width and height stand behind the signature and the start of IHDR; libpng
  // looks at its checksum first, so that is made right too.
  std::string png = EncodePng(Gradient(9, 5, 3));
  const auto claim = [&png](std::uint32_t width, std::uint32_t height) {
    Put32(png, 16, width);
    Put32(png, 20, height);
    std::uint32_t crc = 0xffffffffu;
    for (std::size_t i = 12; i < 29; ++i) {
      crc ^= static_cast<unsigned char>(png[i]);
      for (int bit = 0; bit < 8; ++bit) {
        crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1u)));
      }
    }
    Put32(png, 29, ~crc);
    return DecodeImage(png).status();
  };
  CheckError(claim(100000, 100000), StatusCode::kUnsupported,
             {"100000 x 100000", "67108864"});
  CheckError(claim(0x7fffffff, 1), StatusCode::kUnsupported, {"2147483647"});
  CheckError(claim(8000, 8000), StatusCode::kInvalidData,
             {"8000 x 8000", "more than"});
  CheckError(claim(0, 5), StatusCode::kInvalidData, {"damaged"});
  // SOF0: marker, length (2), precision, height (2), width (2)
  std::string jpeg = EncodeJpeg(Gradient(24, 16, 1));
  const std::size_t frame = jpeg.find("\xff\xc0");
  BOOST_REQUIRE(frame != std::string::npos);
  Put32(jpeg, frame + 5, 0xff00ff00u);
  CheckError(DecodeImage(jpeg).status(), StatusCode::kUnsupported,
             {"65280 x 65280"});
}

BOOST_AUTO_TEST_CASE(RefusesOtherKinds) {
  CheckError(DecodeImage("").status(), StatusCode::kUnsupported, {"empty"});
  CheckError(DecodeImage("GIF89a").status(), StatusCode::kUnsupported,
             {"neither JPEG nor PNG"});
  CheckError(DecodeImage(EncodeJpeg(Gradient(16, 16, 4))).status(),
             StatusCode::kUnsupported, {"4", "CMYK"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(image_steps)

Image Row(const std::vector<std::uint8_t>& pixels) {
  Image image(pixels.size(), 1, 1);
  image.pixels = pixels;
  return image;
}

// What Pillow gives for the same row.
BOOST_AUTO_TEST_CASE(ResizesAsPillowDoes) {
  const Image row = Row({0, 50, 200, 255, 10, 90, 30, 220});
  const auto resized = [&](std::size_t width, ResizeFilter filter) {
    return ResizeImage(row, width, 1, filter).pixels;
  };
  BOOST_TEST(resized(8, ResizeFilter::kBicubic) == row.pixels,
             boost::test_tools::per_element());
  BOOST_TEST(resized(3, ResizeFilter::kBilinear) ==
                 (std::vector<std::uint8_t>{87, 132, 98}),
             boost::test_tools::per_element());
  BOOST_TEST(resized(5, ResizeFilter::kBilinear) ==
                 (std::vector<std::uint8_t>{20, 171, 134, 60, 142}),
             boost::test_tools::per_element());
  BOOST_TEST(resized(11, ResizeFilter::kBilinear) ==
                 (std::vector<std::uint8_t>{0, 30, 98, 202, 242, 133, 28, 86,
                                            49, 108, 220}),
             boost::test_tools::per_element());
  BOOST_TEST(resized(3, ResizeFilter::kBicubic) ==
                 (std::vector<std::uint8_t>{86, 135, 97}),
             boost::test_tools::per_element());
  BOOST_TEST(resized(5, ResizeFilter::kBicubic) ==
                 (std::vector<std::uint8_t>{12, 183, 139, 45, 146}),
             boost::test_tools::per_element());
  BOOST_TEST(resized(11, ResizeFilter::kBicubic) ==
                 (std::vector<std::uint8_t>{0, 19, 94, 205, 255, 131, 9, 89, 35,
                                            105, 231}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(AFlatImageStaysFlatAtEverySize) {
  const Image flat(31, 17, 3, 201);
  for (const auto filter : {ResizeFilter::kBilinear, ResizeFilter::kBicubic}) {
    for (const std::size_t size : {1u, 2u, 7u, 31u, 100u}) {
      const Image image = ResizeImage(flat, size, size + 1, filter);
      BOOST_REQUIRE(image.pixels.size() == size * (size + 1) * 3);
      for (const std::uint8_t pixel : image.pixels) BOOST_TEST(pixel == 201);
    }
  }
}

BOOST_AUTO_TEST_CASE(LetterboxesOntoGray) {
  const ImageSteps steps = {.color = ImageColor::kGray,
                            .letterbox = ImageLetterbox{.to = {4, 4}}};
  const auto tensor =
      ApplyImageSteps(steps, ImageLayout::kNchw, Image(8, 4, 1, 9));
  REQUIRE_OK(tensor);
  BOOST_TEST((tensor->dims() == Dims{1, 1, 4, 4}));
  const std::vector<std::uint8_t> wanted = {
      128, 128, 128, 128, 9, 9, 9, 9, 9, 9, 9, 9, 128, 128, 128, 128};
  BOOST_TEST(tensor->As<std::uint8_t>() == wanted,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(AStripKeepsAPixelInTheLetterbox) {
  const ImageSteps steps = {
      .color = ImageColor::kGray,
      .letterbox = ImageLetterbox{.to = {4, 3}, .fill = 0}};
  const auto tensor =
      ApplyImageSteps(steps, ImageLayout::kNchw, Image(1000, 1, 1, 50));
  REQUIRE_OK(tensor);
  BOOST_TEST(int{tensor->As<std::uint8_t>()[4]} == 50);
  BOOST_TEST(int{tensor->As<std::uint8_t>()[0]} == 0);
}

BOOST_AUTO_TEST_CASE(ResizesByTheShortSideAndCropsTheMiddle) {
  ImageSteps steps = {.resize = ImageResize{.short_side = 4}};
  const auto shape = [&](std::size_t width, std::size_t height) {
    const auto tensor =
        ApplyImageSteps(steps, ImageLayout::kNhwc, Image(width, height, 3));
    REQUIRE_OK(tensor);
    return tensor->dims();
  };
  BOOST_TEST((shape(9, 6) == Dims{1, 4, 6, 3}));
  BOOST_TEST((shape(5, 7) == Dims{1, 5, 4, 3}));
  steps.crop = ImageSize{4, 4};
  BOOST_TEST((shape(9, 6) == Dims{1, 4, 4, 3}));

  const ImageSteps crop = {.color = ImageColor::kGray, .crop = ImageSize{2, 1}};
  const auto middle =
      ApplyImageSteps(crop, ImageLayout::kNchw, Row({1, 2, 3, 4, 5}));
  REQUIRE_OK(middle);
  BOOST_TEST(middle->As<std::uint8_t>() == (std::vector<std::uint8_t>{2, 3}),
             boost::test_tools::per_element());
  CheckError(ApplyImageSteps(crop, ImageLayout::kNchw, Row({1})).status(),
             StatusCode::kInvalidData, {"1 x 1", "'crop'", "2 x 1"});
}

BOOST_AUTO_TEST_CASE(OrdersColoursAndAxes) {
  Image image(2, 1, 3);
  image.pixels = {1, 2, 3, 4, 5, 6};
  const auto bytes = [&](ImageColor color, ImageLayout layout) {
    const auto tensor = ApplyImageSteps({.color = color}, layout, image);
    REQUIRE_OK(tensor);
    const auto values = tensor->As<std::uint8_t>();
    return std::vector<int>(values.begin(), values.end());
  };
  const auto check = [](const std::vector<int>& got,
                        const std::vector<int>& wanted) {
    BOOST_TEST(got == wanted, boost::test_tools::per_element());
  };
  check(bytes(ImageColor::kRgb, ImageLayout::kNchw), {1, 4, 2, 5, 3, 6});
  check(bytes(ImageColor::kBgr, ImageLayout::kNchw), {3, 6, 2, 5, 1, 4});
  check(bytes(ImageColor::kRgb, ImageLayout::kNhwc), {1, 2, 3, 4, 5, 6});
  check(bytes(ImageColor::kBgr, ImageLayout::kNhwc), {3, 2, 1, 6, 5, 4});
  // 0.299 + 2 * 0.587 + 3 * 0.114 and the same for 4, 5, 6
  check(bytes(ImageColor::kGray, ImageLayout::kNchw), {2, 5});
  image = Row({8});
  check(bytes(ImageColor::kRgb, ImageLayout::kNchw), {8, 8, 8});
}

BOOST_AUTO_TEST_CASE(RefusesShapesThatWouldFillTheMemory) {
  ImageSteps steps = {.resize = ImageResize{.to = {8192, 4}}};
  CheckError(
      ApplyImageSteps(steps, ImageLayout::kNchw, Image(1, 60000, 1)).status(),
      StatusCode::kUnsupported, {"1 x 60000", "memory"});
  steps.resize = ImageResize{.short_side = 8192};
  CheckError(
      ApplyImageSteps(steps, ImageLayout::kNchw, Image(60000, 1, 1)).status(),
      StatusCode::kUnsupported, {"60000 x 1", "memory"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
