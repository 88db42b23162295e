// PlanScope: where in a model a plan is made.
//
// A model has many graphs: the main one, the bodies of If, Loop and Scan, and
// the functions that nodes call. Each gets a plan of its own; what they share,
// and how deep they stand in each other, is here.
#ifndef ZEROPOINT_EXEC_PLAN_SCOPE_H_
#define ZEROPOINT_EXEC_PLAN_SCOPE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

class Plan;

/// The version of each operator set that a model or function imports.
class OpsetImports {
 public:
  OpsetImports() = default;
  template <class Imports>
  explicit OpsetImports(const Imports& imports) {
    for (const onnx::OperatorSetIdProto& import : imports) {
      versions_.emplace_back(Domain(import.domain()), import.version());
    }
  }

  /// 0 for a domain that is not imported.
  std::int64_t Version(const std::string& domain) const {
    for (const auto& [name, version] : versions_) {
      if (name == Domain(domain)) return version;
    }
    return 0;
  }

 private:
  static std::string Domain(const std::string& domain) {
    return domain == "ai.onnx" ? "" : domain;
  }
  std::vector<std::pair<std::string, std::int64_t>> versions_;
};

/// What all plans of one executor share.
struct PlanEnvironment {
  const Model* model;  // null: only tensors inside the nodes, no functions
  OperatorRegistry registry;
  const KernelTable& kernels;
  ThreadPool& pool;
  /// Functions that call others twice, many deep, would make more nodes than
  /// any machine can hold.
  std::int64_t nodes_left = std::int64_t{1} << 22;
};

/// Where a plan is made.
struct PlanScope {
  /// Deeper than any exporter nests, shallow enough for every thread's stack.
  static constexpr int kMostDepth = 64;

  std::shared_ptr<PlanEnvironment> environment;
  OpsetImports opsets;
  /// The plan whose values a graph may use besides its own; null for the main
  /// graph and for functions.
  Plan* parent = nullptr;
  /// Graphs and functions around this one.
  int depth = 0;

  /// The scope of a graph in an attribute of a node of `plan`, which is made in
  /// this scope. Errors: too deep.
  Result<PlanScope> Nested(Plan& plan) const {
    ZEROPOINT_ASSIGN_OR_RETURN(PlanScope nested, Called(opsets));
    nested.parent = &plan;
    return nested;
  }
  /// The scope of a function that a node calls. Errors: too deep.
  Result<PlanScope> Called(OpsetImports imports) const {
    if (depth >= kMostDepth) {
      return Unsupported("graphs and functions are nested more than " +
                         std::to_string(kMostDepth) +
                         " deep; does a function call itself?");
    }
    return PlanScope{environment, std::move(imports), nullptr, depth + 1};
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_PLAN_SCOPE_H_
