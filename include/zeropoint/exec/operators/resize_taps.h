// ResizeTaps: which elements of an axis, with which weights, make each element
// of the resized axis.
//
// Nearest, linear and cubic interpolation, with and without antialiasing, are
// all the same thing along one axis: a few neighbours and weights that sum to
// 1. Several axes are resized one after another.
#ifndef ZEROPOINT_EXEC_OPERATORS_RESIZE_TAPS_H_
#define ZEROPOINT_EXEC_OPERATORS_RESIZE_TAPS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace zeropoint {

/// How Resize picks and weighs; the texts are ONNX's.
struct ResizeRule {
  std::string coordinates = "half_pixel";
  std::string mode = "nearest";  // nearest, linear, cubic
  std::string nearest = "round_prefer_floor";
  double cubic_a = -0.75;
  bool exclude_outside = false;
  bool antialias = false;
};

/// One axis to resize. `scale` is out / in, which `out` may be rounded from;
/// roi counts only for tf_crop_and_resize.
struct ResizeAxis {
  std::int64_t in = 1;
  std::int64_t out = 1;
  double scale = 1.0;
  double roi_begin = 0.0;
  double roi_end = 1.0;
};

/// The position in the input that element `x` of the output stands at.
/// Source: ONNX Resize, coordinate_transformation_mode. The length that the
/// formulas call resized is scale * in, before rounding.
inline double SourcePosition(const ResizeRule& rule, const ResizeAxis& axis,
                             std::int64_t x) {
  const std::string& mode = rule.coordinates;
  const auto at = static_cast<double>(x);
  const auto in = static_cast<double>(axis.in);
  const double resized = axis.scale * in;
  if (mode == "asymmetric") return at / axis.scale;
  if (mode == "align_corners") {
    return resized == 1.0 ? 0.0 : at * (in - 1) / (resized - 1);
  }
  if (mode == "tf_half_pixel_for_nn") return (at + 0.5) / axis.scale;
  if (mode == "tf_crop_and_resize") {
    const double begin = axis.roi_begin * (in - 1);
    const double length = (axis.roi_end - axis.roi_begin) * (in - 1);
    return begin + (resized == 1.0 ? length / 2 : at * length / (resized - 1));
  }
  const double half_pixel = (at + 0.5) / axis.scale - 0.5;
  if (mode == "pytorch_half_pixel" && resized == 1.0) return -0.5;
  if (mode == "half_pixel_symmetric") {
    const double adjustment = static_cast<double>(axis.out) / resized;
    return in / 2 * (1 - adjustment) + half_pixel;
  }
  return half_pixel;
}

/// Output j is the sum over t < taps of weight[j * taps + t] *
/// x[index[j * taps + t]], or the extrapolation value where outside[j].
struct ResizeTaps {
  std::size_t taps = 1;
  std::vector<std::size_t> index;
  std::vector<float> weight;
  std::vector<bool> outside;

  static ResizeTaps Of(const ResizeRule& rule, const ResizeAxis& axis) {
    ResizeTaps taps;
    const double squeeze = rule.antialias ? std::min(axis.scale, 1.0) : 1.0;
    const double support = rule.mode == "cubic" ? 2.0 : 1.0;
    const bool nearest = rule.mode == "nearest";
    // Neighbours `first` .. 1 - first, counted from the element left of the
    // position.
    const auto first =
        nearest ? 0
                : static_cast<std::int64_t>(std::floor(-support / squeeze)) + 1;
    taps.taps = nearest ? 1 : static_cast<std::size_t>(2 - 2 * first);
    std::vector<double> weights(taps.taps);
    for (std::int64_t j = 0; j < axis.out; ++j) {
      double position = SourcePosition(rule, axis, j);
      const auto last = static_cast<double>(axis.in - 1);
      taps.outside.push_back(rule.coordinates == "tf_crop_and_resize" &&
                             !(position >= 0.0 && position <= last));
      if (!std::isfinite(position)) position = 0.0;
      // Far outside everything is the edge; this keeps the integer in range.
      const double left =
          std::clamp(std::ceil(position) - 1, -last - 2, 2 * last + 2);
      const double ratio = position - left;  // (0, 1]
      const auto base = static_cast<std::int64_t>(left);
      if (nearest) {
        taps.index.push_back(
            Limit(base + (TakesRight(rule.nearest, ratio) ? 1 : 0), axis.in));
        taps.weight.push_back(1.0f);
        continue;
      }
      double sum = 0.0;
      for (std::size_t t = 0; t < weights.size(); ++t) {
        const std::int64_t neighbour = first + static_cast<std::int64_t>(t);
        const std::int64_t at = base + neighbour;
        const double distance =
            (static_cast<double>(neighbour) - ratio) * squeeze;
        const bool excluded = rule.exclude_outside && (at < 0 || at >= axis.in);
        weights[t] = excluded ? 0.0 : Weight(rule, std::abs(distance));
        sum += weights[t];
        taps.index.push_back(Limit(at, axis.in));
      }
      for (const double weight : weights) {
        taps.weight.push_back(static_cast<float>(weight / sum));
      }
    }
    return taps;
  }

 private:
  static std::size_t Limit(std::int64_t index, std::int64_t size) {
    return static_cast<std::size_t>(
        std::clamp<std::int64_t>(index, 0, size - 1));
  }

  static bool TakesRight(const std::string& nearest, double ratio) {
    if (ratio == 1.0) return true;  // the position is an element
    if (nearest == "floor") return false;
    if (nearest == "ceil") return true;
    return nearest == "round_prefer_ceil" ? ratio >= 0.5 : ratio > 0.5;
  }

  // The interpolation kernel at `distance` >= 0: a triangle, or Keys's cubic.
  static double Weight(const ResizeRule& rule, double distance) {
    if (rule.mode == "linear") return std::max(0.0, 1.0 - distance);
    const double a = rule.cubic_a;
    const double d = distance;
    if (d <= 1.0) return ((a + 2) * d - (a + 3)) * d * d + 1;
    if (d < 2.0) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    return 0.0;
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_RESIZE_TAPS_H_
