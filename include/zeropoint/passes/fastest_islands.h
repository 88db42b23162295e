// KeepFastest: which nodes stay float because int8 would be slower there.
//
// A node takes f microseconds in float and q in int8, and a tensor between the
// two kinds takes a conversion. Of all ways to divide the nodes the fastest is
// a minimum cut: the source's side is int8, the sink's float,
//
//   source --f--> node --q--> sink
//
// and the conversions are edges between the nodes. A tensor that int8 writes is
// dequantized once, however many float nodes read it; so its readers share a
// vertex: writer --conversion--> vertex --inf--> each reader. A tensor that
// float writes is quantized once: each reader --inf--> vertex --conversion-->
// writer.
#ifndef ZEROPOINT_PASSES_FASTEST_ISLANDS_H_
#define ZEROPOINT_PASSES_FASTEST_ISLANDS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/minimum_cut.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/islands.h"
#include "zeropoint/passes/time_model.h"

namespace zeropoint {

inline constexpr double kBenefitOfDoubt = 0.85;

namespace internal {

class FastestIslands {
 public:
  FastestIslands(const GraphView& graph, TimeModel& times,
                 std::vector<IslandNode>& nodes)
      : graph_(graph),
        times_(times),
        nodes_(nodes),
        vertex_(graph.node_count(), MinimumCut::kSink),
        writer_(graph.value_count(), kNone) {}

  void Run() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].kept) continue;
      vertex_[static_cast<std::size_t>(nodes_[i].node)] = cut_.AddVertex();
      for (const ValueId output : nodes_[i].quantized_outputs) {
        writer_[static_cast<std::size_t>(output)] = i;
      }
    }
    for (const IslandNode& node : nodes_) {
      if (node.kept) AddNode(node);
    }
    for (auto& [value, readers] : readers_) AddConversionTo(value, readers);
    const std::vector<bool> int8 = cut_.SourceSide();
    for (IslandNode& node : nodes_) {
      if (!node.kept || int8[VertexOf(node.node)]) continue;
      node.kept = false;
      node.slower = true;
      node.reason = "in int8 it is predicted to be slower here";
    }
  }

 private:
  using Vertex = MinimumCut::Vertex;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  Vertex VertexOf(NodeId node) const {
    return node == kNoNode ? MinimumCut::kSink
                           : vertex_[static_cast<std::size_t>(node)];
  }

  /// Integers, so that the same costs give the same cut everywhere.
  static std::int64_t Picoseconds(double microseconds) {
    return std::llround(1e6 * std::min(microseconds, 1e9));
  }

  void AddNode(const IslandNode& node) {
    const Vertex vertex = VertexOf(node.node);
    if (node.required) {
      cut_.AddEdge(MinimumCut::kSource, vertex, MinimumCut::kUncuttable);
    }
    cut_.AddEdge(MinimumCut::kSource, vertex,
                 Picoseconds(times_.RealTime(node.node)));
    cut_.AddEdge(
        vertex, MinimumCut::kSink,
        Picoseconds(kBenefitOfDoubt * times_.QuantizedTime(node.node)));
    for (const int i : node.operands.activations) {
      const ValueId value =
          graph_.input(node.node, static_cast<std::size_t>(i));
      readers_[value].push_back(vertex);
      if (node.island) Require(vertex, WriterOf(value));
    }
    for (const ValueId output : node.quantized_outputs) {
      AddConversionFrom(vertex, output);
      if (!node.island) continue;
      for (const Use& use : graph_.uses(output)) {
        Require(vertex, VertexOf(use.node));
      }
    }
  }

  /// `vertex` is int8 only if `other` is.
  void Require(Vertex vertex, Vertex other) {
    cut_.AddEdge(vertex, other, MinimumCut::kUncuttable);
  }

  Vertex WriterOf(ValueId value) const {
    const std::size_t i = writer_[static_cast<std::size_t>(value)];
    return i == kNone ? MinimumCut::kSink : VertexOf(nodes_[i].node);
  }

  void AddConversionFrom(Vertex writer, ValueId output) {
    const Vertex any_float = cut_.AddVertex();
    cut_.AddEdge(writer, any_float, Picoseconds(times_.ConversionTime(output)));
    if (graph_.is_graph_output(output)) {
      Require(any_float, MinimumCut::kSink);
    }
    for (const Use& use : graph_.uses(output)) {
      Require(any_float, VertexOf(use.node));
    }
  }

  void AddConversionTo(ValueId value, const std::vector<Vertex>& readers) {
    Vertex writer = WriterOf(value);
    if (writer == MinimumCut::kSink && times_.quantizes_float_outputs()) {
      writer = VertexOf(graph_.producer(value));
    }
    const Vertex any_int8 = cut_.AddVertex();
    for (const Vertex reader : readers) Require(reader, any_int8);
    cut_.AddEdge(any_int8, writer, Picoseconds(times_.ConversionTime(value)));
  }

  const GraphView& graph_;
  TimeModel& times_;
  std::vector<IslandNode>& nodes_;
  MinimumCut cut_;
  std::vector<Vertex> vertex_;       // by node
  std::vector<std::size_t> writer_;  // by value: which node writes its codes
  std::map<ValueId, std::vector<Vertex>> readers_;  // of codes
};

}  // namespace internal

/// Clears `kept` of the nodes without which the whole is predicted to be
/// faster. Nodes that are `required` stay. In doubt a node is quantized: int8
/// counts with kBenefitOfDoubt of its time, since it also takes a quarter of
/// the bytes, and processors differ more in it than in float.
inline void KeepFastest(const GraphView& graph, TimeModel& times,
                        std::vector<IslandNode>& nodes) {
  internal::FastestIslands(graph, times, nodes).Run();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FASTEST_ISLANDS_H_
