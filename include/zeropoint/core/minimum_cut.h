// MinimumCut: the cheapest way to divide things between two sides.
//
// Each thing costs something on either side, and pairs of things cost something
// when they are apart. The least sum is a cut of least capacity between a
// source and a sink, and that equals the greatest flow from one to the other
// (Ford and Fulkerson 1956).
#ifndef ZEROPOINT_CORE_MINIMUM_CUT_H_
#define ZEROPOINT_CORE_MINIMUM_CUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace zeropoint {

/// Dinic's algorithm (Dinic 1970): flow along shortest paths only, which get
/// longer with every phase.
class MinimumCut {
 public:
  using Vertex = std::size_t;
  static constexpr Vertex kSource = 0;
  static constexpr Vertex kSink = 1;
  /// Of an edge that no cut may cross.
  static constexpr std::int64_t kUncuttable =
      std::numeric_limits<std::int64_t>::max() / 4;

  Vertex AddVertex() {
    edges_.emplace_back();
    return edges_.size() - 1;
  }

  /// `capacity` is paid when `from` is on the source's side and `to` on the
  /// sink's. Requires: capacity >= 0.
  void AddEdge(Vertex from, Vertex to, std::int64_t capacity) {
    edges_[from].push_back({to, edges_[to].size(), capacity});
    edges_[to].push_back({from, edges_[from].size() - 1, 0});
  }

  /// By vertex: whether it is on the source's side of the cheapest cut; of
  /// several, of the one with the fewest vertices there. Call it once.
  std::vector<bool> SourceSide() {
    while (FindDistances()) {
      next_.assign(edges_.size(), 0);
      while (PushAlongPath()) {
      }
    }
    std::vector<bool> side(edges_.size());
    for (Vertex v = 0; v < side.size(); ++v) side[v] = distance_[v] >= 0;
    return side;
  }

 private:
  struct Edge {
    Vertex to;
    std::size_t reverse;  // its index in the edges of `to`
    std::int64_t rest;    // of the capacity
  };

  /// From the source along edges with something left; false when the sink
  /// cannot be reached any more.
  bool FindDistances() {
    distance_.assign(edges_.size(), -1);
    distance_[kSource] = 0;
    std::vector<Vertex> reached = {kSource};
    for (std::size_t i = 0; i < reached.size(); ++i) {
      const Vertex from = reached[i];
      for (const Edge& edge : edges_[from]) {
        if (edge.rest == 0 || distance_[edge.to] >= 0) continue;
        distance_[edge.to] = distance_[from] + 1;
        reached.push_back(edge.to);
      }
    }
    return distance_[kSink] >= 0;
  }

  /// Fills one shortest path; false when there is none left.
  bool PushAlongPath() {
    std::vector<Edge*> path;
    Vertex at = kSource;
    while (at != kSink) {
      Edge* const onward = NextEdge(at);
      if (onward != nullptr) {
        path.push_back(onward);
        at = onward->to;
      } else if (path.empty()) {
        return false;
      } else {
        // A dead end: the edge that led here is done with.
        const Edge& back = *path.back();
        at = edges_[back.to][back.reverse].to;
        ++next_[at];
        path.pop_back();
      }
    }
    std::int64_t most = kUncuttable;
    for (const Edge* edge : path) most = std::min(most, edge->rest);
    for (Edge* edge : path) {
      edge->rest -= most;
      edges_[edge->to][edge->reverse].rest += most;
    }
    return true;
  }

  Edge* NextEdge(Vertex from) {
    for (std::size_t& i = next_[from]; i < edges_[from].size(); ++i) {
      Edge& edge = edges_[from][i];
      if (edge.rest > 0 && distance_[edge.to] == distance_[from] + 1) {
        return &edge;
      }
    }
    return nullptr;
  }

  std::vector<std::vector<Edge>> edges_ =
      std::vector<std::vector<Edge>>(2);  // the source's and the sink's
  std::vector<std::int64_t> distance_;
  std::vector<std::size_t> next_;  // by vertex: the first edge not done with
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_MINIMUM_CUT_H_
