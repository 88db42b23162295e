#include "zeropoint/core/minimum_cut.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace zeropoint {
namespace {

struct Edge {
  MinimumCut::Vertex from;
  MinimumCut::Vertex to;
  std::int64_t capacity;
};

std::int64_t CapacityOf(const std::vector<Edge>& edges,
                        const std::vector<bool>& source_side) {
  std::int64_t sum = 0;
  for (const Edge& edge : edges) {
    if (source_side[edge.from] && !source_side[edge.to]) sum += edge.capacity;
  }
  return sum;
}

std::vector<bool> Solve(std::size_t vertices, const std::vector<Edge>& edges) {
  MinimumCut cut;
  for (std::size_t i = 2; i < vertices; ++i) cut.AddVertex();
  for (const Edge& edge : edges) {
    cut.AddEdge(edge.from, edge.to, edge.capacity);
  }
  return cut.SourceSide();
}

/// Tries all ways to divide the vertices.
std::int64_t LeastCapacity(std::size_t vertices,
                           const std::vector<Edge>& edges) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t bits = 0; bits < (std::size_t{1} << (vertices - 2));
       ++bits) {
    std::vector<bool> side = {true, false};
    for (std::size_t i = 2; i < vertices; ++i) {
      side.push_back(((bits >> (i - 2)) & 1) != 0);
    }
    least = std::min(least, CapacityOf(edges, side));
  }
  return least;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(minimum_cut)

BOOST_AUTO_TEST_CASE(EqualsTheBestOfAllCuts) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const std::size_t vertices = 3 + random() % 8;
    std::vector<Edge> edges;
    for (std::size_t i = 0; i < 3 * vertices; ++i) {
      const Edge edge{random() % vertices, random() % vertices,
                      static_cast<std::int64_t>(random() % 20)};
      if (edge.from != edge.to) edges.push_back(edge);
    }
    const std::vector<bool> side = Solve(vertices, edges);
    BOOST_TEST(side[MinimumCut::kSource]);
    BOOST_TEST(!side[MinimumCut::kSink]);
    BOOST_TEST(CapacityOf(edges, side) == LeastCapacity(vertices, edges));
  }
}

BOOST_AUTO_TEST_CASE(WhereBothSidesCostTheSameAVertexIsOnTheSinks) {
  const std::vector<bool> side =
      Solve(3, {{MinimumCut::kSource, 2, 5}, {2, MinimumCut::kSink, 5}});
  BOOST_TEST(!side[2]);
}

BOOST_AUTO_TEST_CASE(AnUncuttableEdgeTakesBothAlong) {
  const std::vector<bool> side = Solve(4, {{MinimumCut::kSource, 2, 100},
                                           {2, MinimumCut::kSink, 1},
                                           {2, 3, MinimumCut::kUncuttable},
                                           {3, MinimumCut::kSink, 60}});
  BOOST_TEST(side[2]);
  BOOST_TEST(side[3]);
}

BOOST_AUTO_TEST_CASE(ALongChainTakesLittleTime) {
  constexpr std::size_t kVertices = 40'002;
  std::vector<Edge> edges;
  for (std::size_t i = 2; i < kVertices; ++i) {
    edges.push_back({MinimumCut::kSource, i, i % 2 == 0 ? 30 : 10});
    edges.push_back({i, MinimumCut::kSink, i % 2 == 0 ? 10 : 25});
    if (i + 1 < kVertices) {
      edges.push_back({i, i + 1, 8});
      edges.push_back({i + 1, i, 8});
    }
  }
  const std::vector<bool> side = Solve(kVertices, edges);
  // Between int8 neighbours int8 is cheaper by 1.
  BOOST_TEST(side[2000]);
  BOOST_TEST(side[2001]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint
