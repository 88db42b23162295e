// EliminateDuplicateInitializer: equal constants are stored once.
#ifndef ZEROPOINT_PASSES_ELIMINATE_DUPLICATE_INITIALIZER_H_
#define ZEROPOINT_PASSES_ELIMINATE_DUPLICATE_INITIALIZER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Lets readers of byte-equal initializers (same type, shape and bytes) of one
/// scope read the first of them, and removes the others. Those that are graph
/// inputs or outputs are left alone; so are strings, which have no fixed size.
/// Enters bodies. Exact.
class EliminateDuplicateInitializer {
 public:
  static constexpr std::string_view kName = "eliminate-duplicate-initializer";
  static constexpr std::string_view kHelp =
      "Stores byte-equal initializers once";
  static constexpr std::string_view kSketch =
      "a -> Mul(c1 = 2), b -> Mul(c2 = 2)\n"
      "a -> Mul(c1 = 2), b -> Mul(c1)";

  Result<PassReport> Run(GraphView& graph, PassContext&) {
    PassReport report;
    Rewriter rewriter(graph);
    for (std::uint32_t s = 0; s < graph.scope_count(); ++s) {
      const auto scope = static_cast<ScopeId>(s);
      if (graph.owner(scope) != kNoNode && !graph.alive(graph.owner(scope))) {
        continue;
      }
      ZEROPOINT_RETURN_IF_ERROR(RunOnScope(graph, scope, rewriter, report));
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter.Finish());
    return report;
  }

 private:
  // Ordered by the hash first, so that bytes are compared only where it is
  // equal; ordered at all, so that no choice of weights makes lookups linear.
  struct Key {
    std::size_t hash;
    TensorView view;

    bool operator<(const Key& other) const {
      if (hash != other.hash) return hash < other.hash;
      if (view.type() != other.view.type()) {
        return view.type() < other.view.type();
      }
      if (!std::ranges::equal(view.dims(), other.view.dims())) {
        return std::ranges::lexicographical_compare(view.dims(),
                                                    other.view.dims());
      }
      return view.bytes() > 0 &&
             std::memcmp(view.data(), other.view.data(), view.bytes()) < 0;
    }
  };

  static Status RunOnScope(GraphView& graph, ScopeId scope, Rewriter& rewriter,
                           PassReport& report) {
    std::map<Key, ValueId> first;
    std::vector<Tensor> decoded;  // what keys view that no proto holds as bytes
    for (const ValueId value : graph.initializers(scope)) {
      if (!graph.IsConstant(value) || graph.is_graph_input(value) ||
          graph.is_graph_output(value) ||
          BitsOf(graph.element_type(value)) == 0) {
        continue;
      }
      Tensor scratch;
      ZEROPOINT_ASSIGN_OR_RETURN(const TensorView view,
                                 graph.ConstantView(value, scratch));
      const std::string_view bytes(static_cast<const char*>(view.data()),
                                   view.bytes());
      const Key key{std::hash<std::string_view>()(bytes), view};
      const auto [place, is_new] = first.emplace(key, value);
      graph.ForgetConstant(value);
      graph.ForgetConstant(place->second);
      if (is_new) {
        if (scratch.data() != nullptr) decoded.push_back(std::move(scratch));
        continue;
      }
      rewriter.ReplaceUses(value, place->second);
      rewriter.EraseInitializer(value);
      ++report.rewrites;
    }
    return Status();
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_ELIMINATE_DUPLICATE_INITIALIZER_H_
