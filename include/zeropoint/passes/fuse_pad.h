// FusePad: a convolution pads with zeros by itself.
#ifndef ZEROPOINT_PASSES_FUSE_PAD_H_
#define ZEROPOINT_PASSES_FUSE_PAD_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Adds the zeros of a Pad before a Conv to the Conv's own `pads`. The Pad goes
/// when nothing else reads it.
///
/// Where it stays: pads that are not constant, negative, or on the batch or
/// channel axis; another mode than constant; another value than 0; a Conv that
/// computes its padding (auto_pad SAME_*). Opset 11 and later. Enters bodies.
/// Exact. Source: ONNX Pad-13, Conv-11.
class FusePad {
 public:
  static constexpr std::string_view kName = "fuse-pad";
  static constexpr std::string_view kHelp =
      "Moves the zeros of a Pad into the padding of the Conv behind it";
  static constexpr std::string_view kSketch =
      "x -> Pad(0, spatial axes) -> Conv(pads = p) -> y\n"
      "x -> Conv(pads = p + Pad's) -> y";
  static constexpr std::array<std::string_view, 1> kRoots = {"Conv"};

  struct Found {
    NodeId conv;
    ValueId x;
    ValueId padded;
    std::vector<std::int64_t> pads;  // of the Conv, after
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    const ValueId padded = graph.input(root, 0);
    const NodeId pad = ProducerIfOp(graph, padded, "Pad");
    if (pad == kNoNode) return std::nullopt;
    const std::string_view auto_pad =
        GetString(graph.node(root), "auto_pad", "NOTSET");
    if (auto_pad != "NOTSET" && auto_pad != "VALID") {
      return Decline{"it computes its own padding (auto_pad)"};
    }
    const auto rank = RankOf(graph, graph.input(root, 1));
    if (!rank || *rank < 3) {
      return Decline{"the rank of its weights is unknown"};
    }
    const auto added = PadsOf(graph, pad, *rank);
    if (!added) {
      return Decline{NodeLabel(graph.node(pad)) +
                     " is not a constant number of zeros on spatial axes"};
    }
    const std::size_t spatial = *rank - 2;
    std::vector<std::int64_t> pads(2 * spatial, 0);
    if (auto_pad == "NOTSET") {
      pads = GetInts(graph.node(root), "pads", std::move(pads));
    }
    if (pads.size() != 2 * spatial ||
        !std::all_of(pads.begin(), pads.end(), IsPadding)) {
      return Decline{"its own pads are malformed"};
    }
    for (std::size_t i = 0; i < pads.size(); ++i) pads[i] += (*added)[i];
    return Found{root, graph.input(pad, 0), padded, std::move(pads)};
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    rewriter.SetInput(found.conv, 0, found.x);
    onnx::NodeProto& conv = rewriter.MutableNode(found.conv);
    RemoveAttribute(conv, "auto_pad");
    SetAttribute(conv, "pads", std::span<const std::int64_t>(found.pads));
    EraseIfUnused(graph, rewriter, found.padded);
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }

 private:
  // [begin of each spatial axis, end of each]; nothing when it pads anything
  // else, or with anything but zero.
  static std::optional<std::vector<std::int64_t>> PadsOf(const GraphView& graph,
                                                         NodeId pad,
                                                         std::size_t rank) {
    const auto amounts = IntegersOf(graph, graph.input(pad, 1));
    const ValueId value = graph.input(pad, 2);
    if (!amounts ||
        GetString(graph.node(pad), "mode", "constant") != "constant" ||
        (value != kNoValue && ScalarOf(graph, value) != 0.0)) {
      return std::nullopt;
    }
    std::vector<std::int64_t> axes;
    if (const ValueId listed = graph.input(pad, 3); listed != kNoValue) {
      auto given = IntegersOf(graph, listed);
      if (!given) return std::nullopt;
      axes = std::move(*given);
    } else {
      for (std::size_t i = 0; i < rank; ++i) {
        axes.push_back(static_cast<std::int64_t>(i));
      }
    }
    if (amounts->size() != 2 * axes.size()) return std::nullopt;
    std::vector<std::int64_t> pads(2 * (rank - 2), 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::int64_t begin = (*amounts)[i];
      const std::int64_t end = (*amounts)[axes.size() + i];
      if (begin == 0 && end == 0) continue;
      const std::int64_t axis =
          axes[i] < 0 ? axes[i] + static_cast<std::int64_t>(rank) : axes[i];
      if (!IsPadding(begin) || !IsPadding(end) || axis < 2 ||
          axis >= static_cast<std::int64_t>(rank)) {
        return std::nullopt;
      }
      const auto spatial_axis = static_cast<std::size_t>(axis) - 2;
      pads[spatial_axis] += begin;
      pads[rank - 2 + spatial_axis] += end;
    }
    return pads;
  }

  // Within what no real model nears, so that sums cannot overflow.
  static bool IsPadding(std::int64_t amount) {
    return amount >= 0 && amount <= (std::int64_t{1} << 31);
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FUSE_PAD_H_
