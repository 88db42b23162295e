// The catalogue of passes, made from the registry: docs/passes.md is this text.
#ifndef ZEROPOINT_REPORT_PASS_CATALOGUE_H_
#define ZEROPOINT_REPORT_PASS_CATALOGUE_H_

#include <string>

#include "zeropoint/flow/run_pipeline.h"

namespace zeropoint {

/// Markdown: for each pass its name, what it does, its options, and the graph
/// before and after.
std::string PassCatalogue(const PassRegistry& registry);

}  // namespace zeropoint

#endif  // ZEROPOINT_REPORT_PASS_CATALOGUE_H_
