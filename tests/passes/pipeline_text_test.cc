#include "zeropoint/passes/pipeline_text.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/passes/pass_registry.h"

namespace zeropoint {
namespace {

struct Plain {
  static constexpr std::string_view kName = "plain";
  static constexpr std::string_view kHelp = "does nothing";
  static constexpr std::string_view kSketch = "";
  Result<PassReport> Run(GraphView&, PassContext&) { return PassReport{}; }
};

// Keeps what it was given where the test can see it.
struct Seen {
  std::uint64_t limit = 0;
  bool strict = false;
  std::string nodes;
};
struct WithOptions {
  static constexpr std::string_view kName = "with-options";
  static constexpr std::string_view kHelp = "takes options";
  static constexpr std::string_view kSketch = "";
  static constexpr PassOption kOptions[] = {
      {"limit", "7", "a number"},
      {"strict", "false", "a flag"},
      {"nodes", "", "a text"},
  };
  static inline Seen last;

  static Result<WithOptions> FromOptions(const OptionMap& options) {
    ZEROPOINT_ASSIGN_OR_RETURN(last.limit, options.Count("limit"));
    ZEROPOINT_ASSIGN_OR_RETURN(last.strict, options.Flag("strict"));
    last.nodes = options.Text("nodes");
    return WithOptions();
  }
  Result<PassReport> Run(GraphView&, PassContext&) { return PassReport{}; }
};

PassRegistry TwoPasses() {
  PassRegistry registry;
  BOOST_REQUIRE(registry.Add<WithOptions>().ok());
  BOOST_REQUIRE(registry.Add<Plain>().ok());
  return registry;
}

std::vector<std::string> NamesOf(std::string_view text) {
  const PassRegistry registry = TwoPasses();
  auto pipeline = ParsePipeline(text, registry);
  BOOST_REQUIRE_MESSAGE(pipeline.ok(), pipeline.status().message());
  std::vector<std::string> names;
  for (const AnyPass& pass : pipeline->passes()) {
    names.emplace_back(pass.name());
  }
  return names;
}

std::string ErrorOf(std::string_view text) {
  const PassRegistry registry = TwoPasses();
  const auto pipeline = ParsePipeline(text, registry);
  BOOST_REQUIRE_MESSAGE(!pipeline.ok(), text);
  BOOST_TEST((pipeline.status().code() == StatusCode::kInvalidArgument));
  return pipeline.status().message();
}

using Names = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(PipelineText)

BOOST_AUTO_TEST_CASE(ReadsPassesInOrder) {
  BOOST_TEST(NamesOf("") == Names{}, boost::test_tools::per_element());
  BOOST_TEST(NamesOf("plain") == Names{"plain"},
             boost::test_tools::per_element());
  BOOST_TEST(NamesOf(" plain ,\n with-options{ }, plain{} ") ==
                 (Names{"plain", "with-options", "plain"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(GivesDefaultsForOptionsNotWritten) {
  NamesOf("with-options");
  BOOST_TEST(WithOptions::last.limit == 7u);
  BOOST_TEST(!WithOptions::last.strict);
  BOOST_TEST(WithOptions::last.nodes == "");
}

BOOST_AUTO_TEST_CASE(ReadsValuesBareAndQuoted) {
  NamesOf("with-options{limit=12, strict = true ,nodes=i8:sym:axis=0}");
  BOOST_TEST(WithOptions::last.limit == 12u);
  BOOST_TEST(WithOptions::last.strict);
  BOOST_TEST(WithOptions::last.nodes == "i8:sym:axis=0");
  NamesOf(R"(with-options{nodes="a,b{c}= \"d\" \\"})");
  BOOST_TEST(WithOptions::last.nodes == R"(a,b{c}= "d" \)");
  NamesOf(R"(with-options{nodes=""})");
  BOOST_TEST(WithOptions::last.nodes == "");
}

BOOST_AUTO_TEST_CASE(NamesThePositionOfEachFault) {
  BOOST_TEST(ErrorOf("plain,plane") ==
             "pipeline 'plain,plane': position 7: unknown pass: 'plane'; "
             "known: plain, with-options");
  BOOST_TEST(ErrorOf("with-options{limt=1}") ==
             "pipeline 'with-options{limt=1}': position 14: unknown option of "
             "pass 'with-options': 'limt'; known: limit, strict, nodes");
  BOOST_TEST(ErrorOf("plain{x=1}") ==
             "pipeline 'plain{x=1}': position 7: unknown option of pass "
             "'plain': 'x'; there are none");
  BOOST_TEST(ErrorOf("with-options{limit=1,limit=2}") ==
             "pipeline 'with-options{limit=1,limit=2}': position 22: option "
             "'limit' of pass 'with-options' is given twice");
  BOOST_TEST(ErrorOf("with-options{limit=many}") ==
             "pipeline 'with-options{limit=many}': pass 'with-options': option "
             "'limit' at position 20 has value 'many'; expected a whole number "
             "such as 1048576");
  BOOST_TEST(ErrorOf("with-options{strict=1}") ==
             "pipeline 'with-options{strict=1}': pass 'with-options': option "
             "'strict' at position 21 has value '1'; expected true or false");
}

BOOST_AUTO_TEST_CASE(RefusesBrokenSyntax) {
  BOOST_TEST(ErrorOf("plain plain")
                 .ends_with("position 7: expected ',' or the end, found 'p'"));
  BOOST_TEST(ErrorOf("plain,").ends_with(
      "position 7: expected the name of a pass, found the end"));
  BOOST_TEST(ErrorOf(",plain").ends_with(
      "position 1: expected the name of a pass, found ','"));
  BOOST_TEST(ErrorOf("plain}").ends_with(
      "position 6: expected ',' or the end, found '}'"));
  BOOST_TEST(ErrorOf("plain{").ends_with(
      "position 7: expected the name of an option, found the end"));
  BOOST_TEST(
      ErrorOf("with-options{limit}")
          .ends_with("position 19: expected '=' and a value, found '}'"));
  BOOST_TEST(ErrorOf("with-options{limit=}")
                 .ends_with("position 20: expected a value, found '}'"));
  BOOST_TEST(ErrorOf("with-options{limit=1")
                 .ends_with("position 21: expected ',' or '}', found the end"));
  BOOST_TEST(ErrorOf("with-options{nodes=\"a")
                 .ends_with("position 20: the quote is never closed"));
  BOOST_TEST(ErrorOf("with-options{nodes=\"a\\")
                 .ends_with("position 20: the quote is never closed"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(Registry)

BOOST_AUTO_TEST_CASE(NamesAreUnique) {
  PassRegistry registry = TwoPasses();
  const Status status = registry.Add<Plain>();
  BOOST_TEST(status.message() ==
             "pass 'plain' is registered already; give yours another name");
  BOOST_TEST(registry.entries().size() == 2u);
}

BOOST_AUTO_TEST_CASE(NamesAreWellFormed) {
  PassRegistry registry;
  for (const char* name : {"", "-a", "a-", "a--b", "A", "a b", "a_b", "a{"}) {
    BOOST_TEST(!registry
                    .Add(PassEntry{.name = name,
                                   .help = "",
                                   .sketch = "",
                                   .options = {},
                                   .make = nullptr})
                    .ok());
  }
}

BOOST_AUTO_TEST_CASE(TakesAPassMadeByAClosure) {
  PassRegistry registry = TwoPasses();
  int made = 0;
  BOOST_TEST(registry
                 .Add(PassEntry{.name = "mine",
                                .help = "the user's own",
                                .sketch = "",
                                .options = {},
                                .make =
                                    [&made](const OptionMap&) {
                                      ++made;
                                      return Result<AnyPass>(AnyPass(Plain()));
                                    }})
                 .ok());
  BOOST_TEST(ParsePipeline("mine,mine", registry).ok());
  BOOST_TEST(made == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
