#include "tools/zeropoint/progress_bar.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <string>

namespace zeropoint::cli {
namespace {

/// What a bar writes over five of ten samples.
std::string Written(bool shown) {
  std::FILE* stream = std::tmpfile();
  BOOST_REQUIRE(stream != nullptr);
  {
    ProgressBar bar(stream, shown);
    for (std::size_t done = 1; done <= 5; ++done) bar.Update("work", done, 10);
  }
  std::string text(static_cast<std::size_t>(std::ftell(stream)), '\0');
  std::rewind(stream);
  BOOST_REQUIRE(std::fread(text.data(), 1, text.size(), stream) == text.size());
  std::fclose(stream);
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(progress_bar)

BOOST_AUTO_TEST_CASE(ALineSaysWhatHowFarHowFastAndHowLong) {
  BOOST_TEST(ProgressBar::Line("work", 5, 10, 2.5) ==
             "work [###############               ] 5/10  2/s  2 s left");
  BOOST_TEST(ProgressBar::Line("work", 5, std::nullopt, 2.5) == "work 5  2/s");
}

BOOST_AUTO_TEST_CASE(NothingIsWrittenUnlessShown) {
  BOOST_TEST(Written(false).empty());
}

BOOST_AUTO_TEST_CASE(TheLineIsWipedAway) {
  const std::string text = Written(true);
  BOOST_TEST(text.starts_with("\rwork ["));
  BOOST_TEST(text.ends_with(" \r"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint::cli
