#include "zeropoint/core/regular_expression.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/testing.h"

namespace zeropoint {
namespace {

bool Finds(const std::string& pattern, const std::string& text) {
  const auto compiled = RegularExpression::Compile(pattern);
  REQUIRE_OK(compiled);
  return compiled->FindIn(text);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(regular_expression)

BOOST_AUTO_TEST_CASE(FindsAnywhereUnlessTiedToTheEnds) {
  BOOST_TEST(Finds("conv", "/block3/conv1"));
  BOOST_TEST(!Finds("^conv", "/block3/conv1"));
  BOOST_TEST(Finds("^/block3/.*", "/block3/conv1"));
  BOOST_TEST(!Finds("^/block3/.*", "/block31"));
  BOOST_TEST(Finds("conv1$", "/block3/conv1"));
  BOOST_TEST(!Finds("conv$", "/block3/conv1"));
  BOOST_TEST(Finds("", "anything"));
  BOOST_TEST(Finds("^$", ""));
}

BOOST_AUTO_TEST_CASE(RepeatsAndChooses) {
  BOOST_TEST(Finds("^ab*c$", "ac"));
  BOOST_TEST(Finds("^ab*c$", "abbbc"));
  BOOST_TEST(!Finds("^ab+c$", "ac"));
  BOOST_TEST(Finds("^ab?c$", "abc"));
  BOOST_TEST(!Finds("^ab?c$", "abbc"));
  BOOST_TEST(Finds("^(a|bc|)d$", "d"));
  BOOST_TEST(Finds("^(?:a|bc)+d$", "abcad"));
  BOOST_TEST(!Finds("^(?:a|bc)+d$", "abd"));
  BOOST_TEST(Finds("^x{2,3}$", "xxx"));
  BOOST_TEST(!Finds("^x{2,3}$", "xxxx"));
  BOOST_TEST(Finds("^x{2,}$", "xxxx"));
  BOOST_TEST(!Finds("^x{2}$", "x"));
  BOOST_TEST(Finds("^(a*)*$", "aaa"));
}

BOOST_AUTO_TEST_CASE(ClassesAndEscapes) {
  BOOST_TEST(Finds("^layer\\.\\d+$", "layer.12"));
  BOOST_TEST(!Finds("^layer\\.\\d+$", "layer_12"));
  BOOST_TEST(Finds("^[^/]+$", "conv"));
  BOOST_TEST(!Finds("^[^/]+$", "a/conv"));
  BOOST_TEST(Finds("^[a-c-]+$", "a-c"));
  BOOST_TEST(Finds("^[]x]$", "]"));
  BOOST_TEST(Finds("^[\\d_]+$", "1_2"));
  BOOST_TEST(Finds("^[\\]]$", "]"));
  BOOST_TEST(Finds("\\$", "a$b"));
  BOOST_TEST(Finds("^\\w\\s\\W$", "a !"));
}

BOOST_AUTO_TEST_CASE(TimeIsLinearInHostileNames) {
  // Backtracking takes 2^n steps for the first, and a frame a byte for both.
  const std::string name(2'000'000, 'a');
  BOOST_TEST(!Finds("^(a|a)*b$", name));
  BOOST_TEST(Finds(".*", name));
}

BOOST_AUTO_TEST_CASE(MistakesSayWhere) {
  for (const char* wrong :
       {"(", ")", "a)", "[a", "*a", "a{", "a{2", "a{3,2}", "a\\", "\\q",
        "[b-a]", "{2}", "((((a{1000}){1000}){1000}){1000})"}) {
    BOOST_TEST_CONTEXT(wrong) {
      CheckError(RegularExpression::Compile(wrong).status(),
                 StatusCode::kInvalidArgument, {wrong, "position"});
    }
  }
  CheckError(RegularExpression::Compile(std::string(5000, '(')).status(),
             StatusCode::kInvalidArgument, {"nested too deep"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint
