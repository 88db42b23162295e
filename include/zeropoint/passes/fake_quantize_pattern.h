// FakeQuantize: quantization as training frameworks spell it in float.
//
//   y = (clip(round(x / s) + z, lo, hi) - z) * s
//
// with Div by s or Mul by 1 / s, rounding and clipping in either order, the
// zero point added before or after rounding, or not at all.
#ifndef ZEROPOINT_PASSES_FAKE_QUANTIZE_PATTERN_H_
#define ZEROPOINT_PASSES_FAKE_QUANTIZE_PATTERN_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/passes/live_interval.h"

namespace zeropoint::internal {

struct FakeQuantize {
  ValueId x = kNoValue;
  std::vector<NodeId> nodes;  // the root, a Mul, first; x's reader last
  std::vector<float> scales;  // one, or one a channel
  /// Of x, counted from the end: -1 is the last axis. 0 for one scale.
  int axis = 0;
  /// Of x and the scales: float, float16 or bfloat16.
  DataType type = DataType::kFloat;
  std::int32_t zero_point = 0;
  CodeRange codes{0, 0};  // after the zero point was added
};

/// A constant of reals that broadcasts along one axis at most.
struct ScaleConstant {
  std::vector<float> values;
  int axis = 0;  // as in FakeQuantize
  DataType type = DataType::kFloat;
};

inline std::optional<ScaleConstant> ScaleConstantOf(const GraphView& graph,
                                                    ValueId value) {
  const auto dims = ConstantShape(graph, value);
  if (!dims || !IsReal(graph.element_type(value))) return std::nullopt;
  ScaleConstant scale;
  scale.type = graph.element_type(value);
  for (std::size_t i = 0; i < dims->size(); ++i) {
    if ((*dims)[i] == 1) continue;
    if (scale.axis != 0) return std::nullopt;
    scale.axis = static_cast<int>(i) - static_cast<int>(dims->size());
  }
  const Result<Tensor> tensor = RealConstant(graph, value);
  if (!tensor.ok() || tensor->size() == 0) return std::nullopt;
  const auto values = tensor->As<float>();
  for (const float each : values) {
    if (!(each > 0.0f) || !std::isfinite(each)) return std::nullopt;
  }
  scale.values.assign(values.begin(), values.end());
  return scale;
}

/// Follows the pattern from its last node towards x.
class FakeQuantizeMatcher {
 public:
  explicit FakeQuantizeMatcher(const GraphView& graph) : graph_(graph) {}

  std::optional<FakeQuantize> Match(NodeId root) {
    for (const std::size_t data : {0u, 1u}) {
      found_ = {};
      rounds_ = clips_ = false;
      const auto scale = ScaleConstantOf(graph_, graph_.input(root, 1 - data));
      if (!scale) continue;
      found_.nodes = {root};
      found_.scales = scale->values;
      found_.axis = scale->axis;
      found_.type = scale->type;
      if (Inside(graph_.input(root, data))) return std::move(found_);
    }
    return std::nullopt;
  }

 private:
  /// The node that makes `value` for the last node alone.
  NodeId Inner(ValueId value) const {
    if (value == kNoValue || graph_.producer(value) == kNoNode ||
        SoleReader(graph_, value) != found_.nodes.back()) {
      return kNoNode;
    }
    return graph_.producer(value);
  }

  /// A whole number that `node` adds to (or, negated, takes from) its operand.
  std::optional<std::int32_t> Shift(NodeId node, ValueId& operand) const {
    const bool adds = IsOp(graph_, node, "Add");
    if (!adds && !IsOp(graph_, node, "Sub")) return std::nullopt;
    for (const std::size_t data : {0u, 1u}) {
      if (!adds && data == 1) continue;
      operand = graph_.input(node, data);
      const auto shift =
          ScalarBeside(graph_, graph_.input(node, 1 - data), operand);
      constexpr double kMost = 1 << 16;
      if (!shift || *shift != std::floor(*shift) || std::abs(*shift) > kMost) {
        continue;
      }
      return static_cast<std::int32_t>(adds ? *shift : -*shift);
    }
    return std::nullopt;
  }

  bool Inside(ValueId value) {
    std::int32_t taken = 0;  // after the codes are made
    std::int32_t added = 0;  // while they are
    Interval bounds;
    for (NodeId node = Inner(value); node != kNoNode; node = Inner(value)) {
      ValueId operand = graph_.input(node, 0);
      const auto shift = Shift(node, operand);
      if (shift && !rounds_ && !clips_) {
        taken += *shift;
      } else if (shift) {
        // The clip limits codes, zero point and all: it stands behind.
        if (!clips_) return false;
        added += *shift;
      } else if (IsOp(graph_, node, "Round") && !rounds_) {
        rounds_ = true;
      } else if (IsOp(graph_, node, "Clip") && !clips_) {
        const auto clip = ClipBounds(graph_, node);
        if (!clip) return false;
        bounds = *clip;
        clips_ = true;
      } else {
        found_.nodes.push_back(node);
        return rounds_ && clips_ && Scales(node) &&
               Finish(taken, added, bounds);
      }
      found_.nodes.push_back(node);
      value = operand;
    }
    return false;
  }

  /// The first node of the pattern: x / s or x * (1 / s).
  bool Scales(NodeId node) {
    const bool divides = IsOp(graph_, node, "Div");
    if (!divides && !IsOp(graph_, node, "Mul")) return false;
    for (const std::size_t data : {0u, 1u}) {
      if (divides && data == 1) continue;
      const auto scale = ScaleConstantOf(graph_, graph_.input(node, 1 - data));
      if (!scale || scale->values.size() != found_.scales.size() ||
          scale->axis != found_.axis) {
        continue;
      }
      bool same = true;
      for (std::size_t i = 0; i < scale->values.size(); ++i) {
        const auto s = static_cast<double>(found_.scales[i]);
        const auto other = static_cast<double>(scale->values[i]);
        same = same &&
               (divides ? s == other : IsAbout(s * other, 1.0, scale->type));
      }
      if (!same) continue;
      found_.x = graph_.input(node, data);
      return found_.x != kNoValue;
    }
    return false;
  }

  bool Finish(std::int32_t taken, std::int32_t added, const Interval& bounds) {
    if (added != -taken) return false;
    const auto is_code = [](float bound) {
      return std::abs(bound) <= 65536.0f && bound == std::floor(bound);
    };
    if (!is_code(bounds.lo) || !is_code(bounds.hi)) return false;
    found_.zero_point = added;
    found_.codes = {static_cast<std::int32_t>(bounds.lo),
                    static_cast<std::int32_t>(bounds.hi)};
    return found_.codes.qmin < found_.codes.qmax;
  }

  const GraphView& graph_;
  FakeQuantize found_;
  bool rounds_ = false;
  bool clips_ = false;
};

/// The storage type whose codes, all or all but the lowest of a signed one, are
/// those of `found`. Where the zero point shows in the bounds alone (-z to 255
/// - z), both are shifted until they are.
inline std::optional<DataType> SettleStorage(FakeQuantize& found) {
  const std::int64_t span = std::int64_t{found.codes.qmax} - found.codes.qmin;
  const auto shifted_to = [&found](std::int32_t qmin) {
    const std::int32_t shift = qmin - found.codes.qmin;
    found.zero_point += shift;
    found.codes = {qmin, found.codes.qmax + shift};
  };
  for (const DataType type : {DataType::kInt8, DataType::kUint8,
                              DataType::kInt16, DataType::kUint16}) {
    const CodeRange full = *FullCodeRange(type);
    const bool lowest_unused =
        full.qmin < 0 && found.codes.qmin == full.qmin + 1;
    if (found.codes.qmax == full.qmax &&
        (found.codes.qmin == full.qmin || lowest_unused)) {
      return type;
    }
  }
  if (found.zero_point != 0 || found.codes.qmin > 0) return std::nullopt;
  for (const DataType type : {DataType::kUint8, DataType::kUint16}) {
    if (span != FullCodeRange(type)->qmax) continue;
    if (found.codes.qmax < 0) return std::nullopt;
    shifted_to(0);
    return type;
  }
  return std::nullopt;
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_FAKE_QUANTIZE_PATTERN_H_
