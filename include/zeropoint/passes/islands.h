// Islands: which operators stay integer because their neighbours are.
#ifndef ZEROPOINT_PASSES_ISLANDS_H_
#define ZEROPOINT_PASSES_ISLANDS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/operands.h"

namespace zeropoint {

/// A node that could be quantized.
struct IslandNode {
  NodeId node = kNoNode;
  Operands operands;
  std::vector<ValueId> quantized_outputs;
  /// Kept only if all its activations arrive quantized and all uses of its
  /// outputs are quantized.
  bool island = false;
  /// Quantized although that may be slower: it was asked for.
  bool required = false;
  bool kept = true;
  /// Not kept only because int8 is slower.
  bool slower = false;
  /// Why it is float, if it is not kept.
  std::string reason;
};

namespace internal {

/// The largest set in which every island node has quantized neighbours: starts
/// with all of them and drops those that stand next to a float value, until
/// nothing changes. Each drop re-examines only the neighbours, so the work is
/// linear in the edges.
class IslandFinder {
 public:
  IslandFinder(const GraphView& graph, std::vector<IslandNode>& nodes)
      : graph_(graph),
        nodes_(nodes),
        index_(graph.node_count(), kNone),
        carrier_of_(graph.value_count(), kNone) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      index_[static_cast<std::size_t>(nodes[i].node)] = i;
      for (const ValueId output : nodes[i].quantized_outputs) {
        carrier_of_[static_cast<std::size_t>(output)] = i;
      }
    }
  }

  void Run() {
    std::vector<std::size_t> work;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].island) work.push_back(i);
    }
    while (!work.empty()) {
      const std::size_t i = work.back();
      work.pop_back();
      if (!nodes_[i].kept || Holds(nodes_[i])) continue;
      nodes_[i].kept = false;
      for (const std::size_t neighbour : Neighbours(nodes_[i])) {
        if (nodes_[neighbour].island && nodes_[neighbour].kept) {
          work.push_back(neighbour);
        }
      }
    }
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  bool Holds(const IslandNode& node) const {
    for (const int i : node.operands.activations) {
      const std::size_t source = carrier_of_[static_cast<std::size_t>(
          graph_.input(node.node, static_cast<std::size_t>(i)))];
      if (source == kNone || !nodes_[source].kept) return false;
    }
    for (const ValueId output : node.quantized_outputs) {
      if (graph_.is_graph_output(output)) return false;
      for (const Use& use : graph_.uses(output)) {
        if (!ReadsQuantized(use)) return false;
      }
    }
    return true;
  }

  bool ReadsQuantized(const Use& use) const {
    const std::size_t i = index_[static_cast<std::size_t>(use.node)];
    if (i == kNone || !nodes_[i].kept) return false;
    for (const int activation : nodes_[i].operands.activations) {
      if (activation == use.input) return true;
    }
    return false;
  }

  std::vector<std::size_t> Neighbours(const IslandNode& node) const {
    std::vector<std::size_t> neighbours;
    for (const int i : node.operands.activations) {
      const std::size_t source = carrier_of_[static_cast<std::size_t>(
          graph_.input(node.node, static_cast<std::size_t>(i)))];
      if (source != kNone) neighbours.push_back(source);
    }
    for (const ValueId output : node.quantized_outputs) {
      for (const Use& use : graph_.uses(output)) {
        const std::size_t i = index_[static_cast<std::size_t>(use.node)];
        if (i != kNone) neighbours.push_back(i);
      }
    }
    return neighbours;
  }

  const GraphView& graph_;
  std::vector<IslandNode>& nodes_;
  std::vector<std::size_t> index_;       // by node
  std::vector<std::size_t> carrier_of_;  // by value: who writes it quantized
};

}  // namespace internal

/// Clears `kept` of every island node that has a float neighbour.
inline void KeepIslands(const GraphView& graph,
                        std::vector<IslandNode>& nodes) {
  internal::IslandFinder(graph, nodes).Run();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_ISLANDS_H_
