#include "zeropoint/report/pass_catalogue.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "zeropoint/passes/builtin_passes.h"

namespace zeropoint {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  BOOST_REQUIRE_MESSAGE(stream.good(), "cannot read " + path.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

PassRegistry Builtin() {
  PassRegistry registry;
  BOOST_REQUIRE(AddBuiltinPasses(registry).ok());
  return registry;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pass_catalogue)

BOOST_AUTO_TEST_CASE(TheDocumentIsWhatTheRegistrySays) {
  BOOST_TEST((ReadFile("docs/passes.md") == PassCatalogue(Builtin())),
             "docs/passes.md is out of date: write the output of `zeropoint "
             "passes --list` to it");
}

BOOST_AUTO_TEST_CASE(EveryPassOfTheFolderIsRegisteredUnderItsFileName) {
  std::set<std::string> in_folder;
  const std::regex name(R"re(kName = "([a-z-]+)")re");
  for (const auto& file :
       std::filesystem::directory_iterator("include/zeropoint/passes")) {
    const std::string text = ReadFile(file.path());
    std::smatch match;
    if (!std::regex_search(text, match, name)) continue;
    std::string stem = file.path().stem().string();
    std::replace(stem.begin(), stem.end(), '_', '-');
    if (stem == "any-pass" || stem == "pipeline") continue;  // pass holders
    BOOST_TEST(match[1].str() == stem);
    in_folder.insert(match[1].str());
  }
  std::set<std::string> registered;
  const PassRegistry registry = Builtin();
  for (const PassEntry& entry : registry.entries()) {
    registered.insert(entry.name);
  }
  BOOST_TEST(in_folder == registered, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint
