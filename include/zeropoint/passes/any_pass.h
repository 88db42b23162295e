// AnyPass: a pass whose type is forgotten, for pipelines chosen at run time.
//
// A virtual call a pass and model costs nothing; what matters is that the
// passes themselves stay plain values without a base class.
#ifndef ZEROPOINT_PASSES_ANY_PASS_H_
#define ZEROPOINT_PASSES_ANY_PASS_H_

#include <concepts>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Owns a pass of any type. Moves; does not copy, because a pass need not.
class AnyPass {
 public:
  static constexpr std::string_view kName = "any";

  // AnyPass itself is excluded before Pass<P> is asked: otherwise the question
  // "is AnyPass a Pass" would need its own answer.
  template <class P>
    requires(!std::same_as<P, AnyPass> && Pass<P>)
  explicit AnyPass(P pass)
      : pass_(std::make_unique<Holder<P>>(std::move(pass))) {}

  /// The name of the pass inside.
  std::string_view name() const { return pass_->name(); }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return pass_->Run(graph, context);
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string_view name() const = 0;
    virtual Result<PassReport> Run(GraphView& graph, PassContext& context) = 0;
  };
  template <class P>
  struct Holder final : Interface {
    explicit Holder(P held) : pass(std::move(held)) {}
    std::string_view name() const override { return P::kName; }
    Result<PassReport> Run(GraphView& graph, PassContext& context) override {
      return pass.Run(graph, context);
    }
    P pass;
  };
  std::unique_ptr<Interface> pass_;
};

/// The run-time counterpart of Pipeline: the same contract, over a list.
class AnyPipeline {
 public:
  static constexpr std::string_view kName = "pipeline";

  AnyPipeline() = default;
  explicit AnyPipeline(std::vector<AnyPass> passes)
      : passes_(std::move(passes)) {}

  void Append(AnyPass pass) { passes_.push_back(std::move(pass)); }
  const std::vector<AnyPass>& passes() const { return passes_; }

  /// See Pipeline::Run.
  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    PassReport total;
    for (AnyPass& pass : passes_) {
      auto report = pass.Run(graph, context);
      if (!report.ok()) return report.status().WithContext(pass.name());
      total.rewrites += report->rewrites;
    }
    return total;
  }

  /// See Pipeline::ForEach.
  template <class Visitor>
  Status ForEach(Visitor&& visit) {
    for (AnyPass& pass : passes_) ZEROPOINT_RETURN_IF_ERROR(visit(pass));
    return Status();
  }

 private:
  std::vector<AnyPass> passes_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_ANY_PASS_H_
