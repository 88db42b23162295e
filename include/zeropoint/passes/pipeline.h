// Pipeline: passes in an order fixed by its type. It is itself a pass.
#ifndef ZEROPOINT_PASSES_PIPELINE_H_
#define ZEROPOINT_PASSES_PIPELINE_H_

#include <string_view>
#include <tuple>
#include <utility>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Runs its passes from left to right and stops at the first error.
///
///   Pipeline pipeline{FoldConstant{}, FoldBatchNorm{}};
///
/// Order is the caller's: no pass has a priority and none is run twice unless
/// it is listed twice.
template <Pass... Ps>
class Pipeline {
 public:
  static constexpr std::string_view kName = "pipeline";

  explicit Pipeline(Ps... passes) : passes_(std::move(passes)...) {}

  /// The sum of what the passes did.
  /// Errors: the first of a pass, with the pass's name in front.
  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    PassReport total;
    ZEROPOINT_RETURN_IF_ERROR(ForEach([&](auto& pass) -> Status {
      auto report = pass.Run(graph, context);
      if (!report.ok()) return report.status().WithContext(pass.kName);
      total.rewrites += report->rewrites;
      return Status();
    }));
    return total;
  }

  /// Calls `visit(pass)`, which returns a Status, for each pass in order;
  /// stops at the first error.
  template <class Visitor>
  Status ForEach(Visitor&& visit) {
    Status status;
    std::apply(
        [&](auto&... pass) { (void)(... && (status = visit(pass)).ok()); },
        passes_);
    return status;
  }

 private:
  std::tuple<Ps...> passes_;
};

/// Pipeline{...} for arguments whose types the compiler cannot name; says what
/// is missing when one is no pass.
template <class... Ps>
auto MakePipeline(Ps... passes) {
  static_assert((Pass<Ps> && ...),
                "zeropoint: each argument of MakePipeline needs a static kName "
                "and Result<PassReport> Run(GraphView&, PassContext&)");
  return Pipeline<Ps...>(std::move(passes)...);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_PIPELINE_H_
