// RoiAlign and MaxRoiPool: regions of an image brought to one size.
#ifndef ZEROPOINT_EXEC_OPERATORS_ROI_H_
#define ZEROPOINT_EXEC_OPERATORS_ROI_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace roi {

/// What RoiAlign and MaxRoiPool find in their attributes.
struct Pooled {
  std::int64_t height;
  std::int64_t width;
  double scale;

  Status Check() const {
    constexpr std::int64_t kMost = 1 << 15;
    if (height < 1 || width < 1 || height > kMost || width > kMost) {
      return InvalidModel("the pooled size is outside [1, 2^15]");
    }
    return Status();
  }
};

/// The mean (or maximum) of samples, bilinear between pixels, in each cell of a
/// grid over each region: [regions, C, output_height, output_width].
class RoiAlign final : public Operator {
 public:
  explicit RoiAlign(const OperatorInit& init)
      : pooled_{GetInt(init.node, "output_height", 1),
                GetInt(init.node, "output_width", 1),
                static_cast<double>(GetFloat(init.node, "spatial_scale", 1))},
        ratio_(GetInt(init.node, "sampling_ratio", 0)),
        takes_max_(GetString(init.node, "mode", "avg") == "max"),
        half_pixel_(GetString(init.node, "coordinate_transformation_mode",
                              init.opset < 16 ? "output_half_pixel"
                                              : "half_pixel") == "half_pixel") {
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(pooled_.Check());
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto rois, ReadReals(context, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto batch, ReadIntegers(context, 2));
    const auto dims = context.input(0).dims();
    const auto roi_dims = context.input(1).dims();
    if (dims.size() != 4 || roi_dims.size() != 2 || roi_dims[1] != 4 ||
        std::ssize(batch) != roi_dims[0] || x.empty()) {
      return InvalidData(
          "RoiAlign needs X [N, C, H, W], regions [R, 4] and a "
          "batch index for each");
    }
    const Dims out = {roi_dims[0], dims[1], pooled_.height, pooled_.width};
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(out));
    double* to = y.data();
    for (std::size_t r = 0; r < batch.size(); ++r) {
      if (batch[r] < 0 || batch[r] >= dims[0]) {
        return InvalidData("batch index " + std::to_string(batch[r]));
      }
      ZEROPOINT_ASSIGN_OR_RETURN(const Region region, RegionOf(&rois[r * 4]));
      for (std::int64_t c = 0; c < dims[1]; ++c) {
        const double* plane = &x[static_cast<std::size_t>(
            (batch[r] * dims[1] + c) * dims[2] * dims[3])];
        for (std::int64_t h = 0; h < pooled_.height; ++h) {
          for (std::int64_t w = 0; w < pooled_.width; ++w) {
            *to++ = Cell(plane, dims[2], dims[3], region, h, w);
          }
        }
      }
    }
    return WriteReals(context, 0, context.input(0).type(), out, y);
  }

 private:
  struct Region {
    double x, y, cell_w, cell_h;
    std::int64_t grid_w, grid_h;
  };

  Result<Region> RegionOf(const double* roi) const {
    const double offset = half_pixel_ ? 0.5 : 0;
    Region region{};
    region.x = roi[0] * pooled_.scale - offset;
    region.y = roi[1] * pooled_.scale - offset;
    double width = roi[2] * pooled_.scale - offset - region.x;
    double height = roi[3] * pooled_.scale - offset - region.y;
    if (!half_pixel_) {
      width = std::max(width, 1.0);
      height = std::max(height, 1.0);
    }
    region.cell_w = width / static_cast<double>(pooled_.width);
    region.cell_h = height / static_cast<double>(pooled_.height);
    constexpr double kMostSamples = 1 << 12;
    if (!(region.cell_w < kMostSamples && region.cell_h < kMostSamples) ||
        ratio_ > (1 << 12)) {
      return InvalidData("a region or its sampling is too large");
    }
    region.grid_w = ratio_ > 0
                        ? ratio_
                        : static_cast<std::int64_t>(std::ceil(region.cell_w));
    region.grid_h = ratio_ > 0
                        ? ratio_
                        : static_cast<std::int64_t>(std::ceil(region.cell_h));
    return region;
  }

  double Cell(const double* plane, std::int64_t height, std::int64_t width,
              const Region& region, std::int64_t h, std::int64_t w) const {
    double sum = 0;
    double greatest = -std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < region.grid_h; ++i) {
      const double y =
          region.y + region.cell_h * (static_cast<double>(h) +
                                      (static_cast<double>(i) + 0.5) /
                                          static_cast<double>(region.grid_h));
      for (std::int64_t j = 0; j < region.grid_w; ++j) {
        const double x =
            region.x + region.cell_w * (static_cast<double>(w) +
                                        (static_cast<double>(j) + 0.5) /
                                            static_cast<double>(region.grid_w));
        const auto parts = Parts(plane, height, width, y, x);
        sum += parts[0] + parts[1] + parts[2] + parts[3];
        greatest =
            std::max(greatest, *std::max_element(parts.begin(), parts.end()));
      }
    }
    const std::int64_t count = region.grid_h * region.grid_w;
    if (count <= 0) return 0;
    return takes_max_ ? greatest : sum / static_cast<double>(count);
  }

  // The four weighted pixels around a point; zeros outside.
  static std::array<double, 4> Parts(const double* plane, std::int64_t height,
                                     std::int64_t width, double y, double x) {
    if (!(y >= -1 && y <= static_cast<double>(height) && x >= -1 &&
          x <= static_cast<double>(width))) {
      return {};
    }
    const auto split = [](double v, std::int64_t size, std::int64_t& low,
                          std::int64_t& high) {
      v = std::max(v, 0.0);
      low = static_cast<std::int64_t>(v);
      if (low >= size - 1) {
        low = high = size - 1;
        return 0.0;
      }
      high = low + 1;
      return v - static_cast<double>(low);
    };
    std::int64_t y0;
    std::int64_t y1;
    std::int64_t x0;
    std::int64_t x1;
    const double ty = split(y, height, y0, y1);
    const double tx = split(x, width, x0, x1);
    return {(1 - ty) * (1 - tx) * plane[y0 * width + x0],
            (1 - ty) * tx * plane[y0 * width + x1],
            ty * (1 - tx) * plane[y1 * width + x0],
            ty * tx * plane[y1 * width + x1]};
  }

  Pooled pooled_;
  std::int64_t ratio_;
  bool takes_max_;
  bool half_pixel_;
};

/// The greatest pixel in each cell of a grid over each region; regions are
/// rounded to whole pixels: [regions, C, height, width].
class MaxRoiPool final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    const auto shape = GetInts(init.node, "pooled_shape");
    if (shape.size() != 2) return InvalidModel("pooled_shape needs two sizes");
    auto op = std::make_unique<MaxRoiPool>();
    op->pooled_ = {
        shape[0], shape[1],
        static_cast<double>(GetFloat(init.node, "spatial_scale", 1))};
    ZEROPOINT_RETURN_IF_ERROR(op->pooled_.Check());
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto rois, ReadReals(context, 1));
    const auto dims = context.input(0).dims();
    const auto roi_dims = context.input(1).dims();
    if (dims.size() != 4 || roi_dims.size() != 2 || roi_dims[1] != 5) {
      return InvalidData("MaxRoiPool needs X [N, C, H, W] and regions [R, 5]");
    }
    const Dims out = {roi_dims[0], dims[1], pooled_.height, pooled_.width};
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(out));
    double* to = y.data();
    for (std::int64_t r = 0; r < roi_dims[0]; ++r) {
      std::int64_t edges[5];
      for (std::size_t k = 0; k < 5; ++k) {
        const double value = rois[static_cast<std::size_t>(r) * 5 + k];
        edges[k] = ConvertElement<std::int32_t>(
            std::round(k == 0 ? value : value * pooled_.scale));
      }
      if (edges[0] < 0 || edges[0] >= dims[0]) {
        return InvalidData("batch index " + std::to_string(edges[0]));
      }
      for (std::int64_t c = 0; c < dims[1]; ++c) {
        const std::int64_t plane = (edges[0] * dims[1] + c) * dims[2] * dims[3];
        for (std::int64_t h = 0; h < pooled_.height; ++h) {
          const auto rows =
              Span(edges[2], edges[4], h, pooled_.height, dims[2]);
          for (std::int64_t w = 0; w < pooled_.width; ++w) {
            const auto columns =
                Span(edges[1], edges[3], w, pooled_.width, dims[3]);
            double greatest = -std::numeric_limits<double>::infinity();
            for (std::int64_t i = rows[0]; i < rows[1]; ++i) {
              for (std::int64_t j = columns[0]; j < columns[1]; ++j) {
                greatest = std::max(
                    greatest,
                    x[static_cast<std::size_t>(plane + i * dims[3] + j)]);
              }
            }
            *to++ = rows[0] < rows[1] && columns[0] < columns[1] ? greatest : 0;
          }
        }
      }
    }
    return WriteReals(context, 0, context.input(0).type(), out, y);
  }

 private:
  // The pixels of cell k.
  static std::array<std::int64_t, 2> Span(std::int64_t begin, std::int64_t end,
                                          std::int64_t k, std::int64_t cells,
                                          std::int64_t size) {
    const double length =
        static_cast<double>(std::max<std::int64_t>(end - begin + 1, 1)) /
        static_cast<double>(cells);
    const auto edge = [&](double at) {
      return std::clamp<std::int64_t>(static_cast<std::int64_t>(at) + begin, 0,
                                      size);
    };
    return {edge(std::floor(static_cast<double>(k) * length)),
            edge(std::ceil(static_cast<double>(k + 1) * length))};
  }

  Pooled pooled_{};
};

}  // namespace roi

inline void AddRoiOperators(OperatorRegistry& registry) {
  registry.Add("", "MaxRoiPool", {}, roi::MaxRoiPool::Make);
  registry.Add("", "RoiAlign", {}, Construct<roi::RoiAlign>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_ROI_H_
