#include "zeropoint/report/pass_catalogue.h"

#include <string>

#include "zeropoint/flow/run_pipeline.h"

namespace zeropoint {

std::string PassCatalogue(const PassRegistry& registry) {
  std::string text =
      "# Passes\n\n"
      "Every pass can be run by name, alone or in a pipeline; passes with "
      "options take them in braces:\n\n"
      "    zeropoint passes MODEL --pipeline 'fold-constant,fold-batch-norm' "
      "-o OUT\n\n"
      "This page is what `zeropoint passes --list` prints. Lines in a sketch "
      "are the graph before and after.\n";
  for (const PassEntry& entry : registry.entries()) {
    text += "\n## " + entry.name + "\n\n" + entry.help + ".\n";
    for (const PassOption& option : entry.options) {
      text += "\n- `" + std::string(option.name) +
              "`: " + std::string(option.help) + " (default `" +
              std::string(option.default_value) + "`)";
    }
    if (!entry.options.empty()) text += "\n";
    if (entry.sketch.empty()) continue;
    text += "\n";
    std::string line;
    for (const char c : entry.sketch + "\n") {
      if (c != '\n') {
        line += c;
        continue;
      }
      text += "    " + line + "\n";
      line.clear();
    }
  }
  return text;
}

}  // namespace zeropoint
