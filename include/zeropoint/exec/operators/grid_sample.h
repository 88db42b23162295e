// GridSample: an image read between its pixels.
#ifndef ZEROPOINT_EXEC_OPERATORS_GRID_SAMPLE_H_
#define ZEROPOINT_EXEC_OPERATORS_GRID_SAMPLE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace sampling {

/// y[n, c, out...] = x[n, c, ...] at grid[n, out...], whose last axis holds
/// coordinates in [-1, 1], the last spatial axis first. Between pixels: the
/// nearest one, or linear or cubic (a = -0.75) interpolation. Outside: zeros,
/// the border's pixel, or the image mirrored.
class GridSample final : public Operator {
 public:
  explicit GridSample(const OperatorInit& init)
      : mode_(GetString(init.node, "mode", "linear")),
        padding_(GetString(init.node, "padding_mode", "zeros")),
        aligned_(GetInt(init.node, "align_corners", 0) != 0) {
    if (mode_ == "bilinear") mode_ = "linear";
    if (mode_ == "bicubic") mode_ = "cubic";
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto grid, ReadReals(context, 1));
    const auto x_dims = context.input(0).dims();
    const auto grid_dims = context.input(1).dims();
    const std::size_t rank = x_dims.size() < 2 ? 0 : x_dims.size() - 2;
    constexpr std::size_t kMostRank = 4;
    if (rank < 1 || rank > kMostRank || grid_dims.size() != rank + 2 ||
        grid_dims[0] != x_dims[0] ||
        grid_dims.back() != static_cast<std::int64_t>(rank) || x.empty()) {
      return InvalidData("a grid of shape " + FormatDims(grid_dims) +
                         " does not fit an image of shape " +
                         FormatDims(x_dims));
    }
    if (mode_ != "nearest" && mode_ != "linear" && mode_ != "cubic") {
      return InvalidModel("mode '" + mode_ + "' is unknown");
    }
    Dims dims = {x_dims[0], x_dims[1]};
    dims.insert(dims.end(), grid_dims.begin() + 1, grid_dims.end() - 1);
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
    const auto image_dims = x_dims.subspan(2);
    const std::size_t image = CountOf(image_dims);
    const std::size_t points = CountOf(std::span(dims).subspan(2));
    const auto channels = static_cast<std::size_t>(x_dims[1]);
    const auto batches = static_cast<std::size_t>(x_dims[0]);
    context.pool().ParallelRanges(
        batches * points, 64, [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            const auto taps = TapsAt(&grid[i * rank], image_dims);
            const std::size_t plane = i / points * channels;
            for (std::size_t c = 0; c < channels; ++c) {
              const double* from = &x[(plane + c) * image];
              double sum = 0;
              for (const auto& [at, weight] : taps) sum += weight * from[at];
              y[(plane + c) * points + i % points] = sum;
            }
          }
        });
    return WriteReals(context, 0, context.input(0).type(), dims, y);
  }

 private:
  struct Tap {
    std::size_t at;
    double weight;
  };

  static double Reflect(double x, double low, double high) {
    const double range = high - low;
    if (range <= 0) return low;
    const bool below = x < low;
    const double beyond = below ? low - x : x - high;
    if (beyond <= 0) return x;
    const double turns = std::floor(beyond / range);
    const double rest = beyond - turns * range;
    const bool even = std::fmod(turns, 2) == 0;
    return below == even ? low + rest : high - rest;
  }

  // The pixels that make up a point, with their weights.
  std::vector<Tap> TapsAt(const double* point,
                          std::span<const std::int64_t> dims) const {
    std::vector<Tap> taps = {{0, 1}};
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      const std::vector<Tap> line =
          TapsAlong(point[dims.size() - 1 - axis], dims[axis]);
      std::vector<Tap> product;
      for (const Tap& outer : taps) {
        for (const Tap& inner : line) {
          product.push_back(
              {outer.at * static_cast<std::size_t>(dims[axis]) + inner.at,
               outer.weight * inner.weight});
        }
      }
      taps = std::move(product);
    }
    return taps;
  }

  std::vector<Tap> TapsAlong(double coordinate, std::int64_t size) const {
    const auto length = static_cast<double>(size);
    const double low = aligned_ ? 0 : -0.5;
    const double high = aligned_ ? length - 1 : length - 0.5;
    double x = aligned_ ? (coordinate + 1) / 2 * (length - 1)
                        : ((coordinate + 1) * length - 1) / 2;
    // Far away is as good as outside, and fits an integer.
    constexpr double kFar = 1e12;
    x = std::isfinite(x) ? std::clamp(x, -kFar, kFar) : -kFar;
    if (mode_ == "nearest") x = std::nearbyint(x);
    if (x < low || x > high) {
      if (padding_ == "border") x = std::clamp(x, 0.0, length - 1);
      if (padding_ == "reflection") x = Reflect(x, low, high);
    }
    std::vector<Tap> taps;
    const auto add = [&](double index, double weight) {
      if (padding_ == "border") index = std::clamp(index, 0.0, length - 1);
      if (padding_ == "reflection") {
        index =
            std::clamp(std::trunc(Reflect(index, low, high)), 0.0, length - 1);
      }
      if (index < 0 || index > length - 1) return;
      taps.push_back({static_cast<std::size_t>(index), weight});
    };
    const double floor = std::floor(x);
    const double t = x - floor;
    if (mode_ == "nearest") {
      add(std::nearbyint(x), 1);
    } else if (mode_ == "linear") {
      add(floor, 1 - t);
      add(floor + 1, t);
    } else {
      constexpr double kA = -0.75;
      const auto near = [](double s) {
        return ((kA + 2) * s - (kA + 3)) * s * s + 1;
      };
      const auto far = [](double s) {
        return ((kA * s - 5 * kA) * s + 8 * kA) * s - 4 * kA;
      };
      add(floor - 1, far(t + 1));
      add(floor, near(t));
      add(floor + 1, near(1 - t));
      add(floor + 2, far(2 - t));
    }
    return taps;
  }

  std::string mode_;
  std::string padding_;
  bool aligned_;
};

}  // namespace sampling

inline void AddGridSampleOperators(OperatorRegistry& registry) {
  using namespace sampling;  // NOLINT(google-build-using-namespace)
  registry.Add("", "GridSample", {}, Construct<GridSample>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_GRID_SAMPLE_H_
