// Resize and its predecessor Upsample.
#ifndef ZEROPOINT_EXEC_OPERATORS_RESIZE_H_
#define ZEROPOINT_EXEC_OPERATORS_RESIZE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/exec/operators/resize_taps.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace resize {

/// x [outer, in, inner] to y [outer, out, inner] by the taps of the middle
/// axis; float elements.
inline void Interpolate(ThreadPool& pool, const ResizeTaps& taps,
                        std::size_t outer, std::size_t in, std::size_t inner,
                        const float* x, float* y) {
  const std::size_t out = taps.outside.size();
  const std::size_t grain = 8192 / (inner * taps.taps) + 1;
  pool.ParallelRanges(
      outer * out, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
          const std::size_t first = row % out * taps.taps;
          const float* plane = x + row / out * in * inner;
          float* target = y + row * inner;
          std::fill_n(target, inner, 0.0f);
          for (std::size_t t = first; t < first + taps.taps; ++t) {
            const float weight = taps.weight[t];
            const float* source = plane + taps.index[t] * inner;
            for (std::size_t i = 0; i < inner; ++i) {
              target[i] += weight * source[i];
            }
          }
        }
      });
}

template <std::size_t kBytes>
void CopyIndexed(const std::size_t* index, std::size_t count,
                 const std::byte* x, std::byte* y) {
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(y + i * kBytes, x + index[i] * kBytes, kBytes);
  }
}

/// The same for nearest: elements of any width are copied.
inline void Pick(ThreadPool& pool, const ResizeTaps& taps, std::size_t outer,
                 std::size_t in, std::size_t inner_bytes, const std::byte* x,
                 std::byte* y) {
  const std::size_t out = taps.outside.size();
  pool.ParallelRanges(
      outer, 16384 / (out * inner_bytes) + 1,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
          const std::byte* from = x + row * in * inner_bytes;
          std::byte* to = y + row * out * inner_bytes;
          if (inner_bytes == sizeof(float)) {
            CopyIndexed<sizeof(float)>(taps.index.data(), out, from, to);
          } else if (inner_bytes == 1) {
            CopyIndexed<1>(taps.index.data(), out, from, to);
          } else {
            for (std::size_t j = 0; j < out; ++j) {
              std::memcpy(to + j * inner_bytes,
                          from + taps.index[j] * inner_bytes, inner_bytes);
            }
          }
        }
      });
}

/// y = x with axes stretched or shrunk by `scales` or to `sizes`.
///
/// Inputs: x, roi, scales, sizes from opset 11; x, scales before (Upsample's
/// scales are an attribute before opset 9).
class Resize final : public Operator {
 public:
  explicit Resize(const OperatorInit& init) : opset_(init.opset) {
    const onnx::NodeProto& node = init.node;
    const bool first_form = opset_ < 11;
    rule_.mode = GetString(node, "mode", "nearest");
    if (rule_.mode == "bilinear" || rule_.mode == "trilinear") {
      rule_.mode = "linear";
    }
    rule_.coordinates = GetString(node, "coordinate_transformation_mode",
                                  first_form ? "asymmetric" : "half_pixel");
    rule_.nearest = GetString(node, "nearest_mode",
                              first_form ? "floor" : "round_prefer_floor");
    rule_.cubic_a = GetFloat(node, "cubic_coeff_a", -0.75f);
    rule_.exclude_outside = GetInt(node, "exclude_outside", 0) != 0;
    rule_.antialias = GetInt(node, "antialias", 0) != 0;
    extrapolation_ = GetFloat(node, "extrapolation_value", 0.0f);
    policy_ = GetString(node, "keep_aspect_ratio_policy", "stretch");
    if (HasAttribute(node, "axes")) axes_ = GetInts(node, "axes");
    scales_ = GetFloats(node, "scales");
  }

  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    auto resize = std::make_unique<Resize>(init);
    const std::string& mode = resize->rule_.mode;
    if (mode != "nearest" && mode != "linear" && mode != "cubic") {
      return InvalidModel("mode '" + mode +
                          "' is unknown; known: nearest, linear, cubic");
    }
    return std::unique_ptr<Operator>(std::move(resize));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const auto axes, Axes(context));
    Dims dims = ToDims(x.dims());
    std::vector<std::size_t> changed;
    for (std::size_t i = axes.size(); i-- > 0;) {
      dims[i] = axes[i].out;
      const bool crops = rule_.coordinates == "tf_crop_and_resize" &&
                         (axes[i].roi_begin != 0.0 || axes[i].roi_end != 1.0);
      if (crops || axes[i].out != axes[i].in || axes[i].scale != 1.0) {
        changed.push_back(i);  // innermost first
      }
    }
    if (changed.empty()) return context.Forward(0, 0, std::move(dims));
    if (ElementCount(dims) == 0) {
      return context.Output(0, x.type(), std::move(dims)).status();
    }
    if (x.size() == 0) return InvalidData("an empty input has no elements");
    const bool nearest = rule_.mode == "nearest";
    if (!nearest && x.type() != DataType::kFloat) {
      return Unsupported("interpolation between elements of type " +
                         std::string(DataTypeName(x.type())));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width,
                               data_movement::ElementWidth(x));
    return RunAxes(context, axes, changed, width);
  }

 private:
  // Resizes one axis after another; the last one writes the output.
  Status RunAxes(OpContext& context, const std::vector<ResizeAxis>& axes,
                 const std::vector<std::size_t>& changed, std::size_t width) {
    const TensorView& x = context.input(0);
    Dims dims = ToDims(x.dims());
    const std::byte* from = data_movement::Bytes(x);
    std::vector<ResizeTaps> taps;
    for (const std::size_t axis : changed) {
      taps.push_back(ResizeTaps::Of(rule_, axes[axis]));
      const std::size_t outer = CountOf(std::span(dims).first(axis));
      const std::size_t inner = CountOf(std::span(dims).subspan(axis + 1));
      const auto in = static_cast<std::size_t>(dims[axis]);
      dims[axis] = axes[axis].out;
      std::byte* to = nullptr;
      if (axis == changed.back()) {
        ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(0, x.type(), dims));
        to = static_cast<std::byte*>(y);
      } else {
        const auto count = ElementCount(dims);
        if (!count) return InvalidData("the output's size overflows");
        ZEROPOINT_ASSIGN_OR_RETURN(to, context.ScratchBytes(*count * width));
      }
      if (rule_.mode == "nearest") {
        Pick(context.pool(), taps.back(), outer, in, inner * width, from, to);
      } else {
        Interpolate(context.pool(), taps.back(), outer, in, inner,
                    reinterpret_cast<const float*>(from),
                    reinterpret_cast<float*>(to));
      }
      if (axis == changed.back() && x.type() == DataType::kFloat &&
          rule_.coordinates == "tf_crop_and_resize") {
        Extrapolate(dims, changed, taps, reinterpret_cast<float*>(to));
      }
      from = to;
    }
    return Status();
  }

  // Puts the extrapolation value where any axis left the input.
  void Extrapolate(std::span<const std::int64_t> dims,
                   const std::vector<std::size_t>& changed,
                   const std::vector<ResizeTaps>& taps, float* y) const {
    for (std::size_t k = 0; k < changed.size(); ++k) {
      const std::size_t size = taps[k].outside.size();
      const std::size_t inner = CountOf(dims.subspan(changed[k] + 1));
      const std::size_t rows = CountOf(dims.first(changed[k] + 1));
      for (std::size_t row = 0; row < rows; ++row) {
        if (!taps[k].outside[row % size]) continue;
        std::fill_n(y + row * inner, inner, extrapolation_);
      }
    }
  }

  // Every axis of x with its output size, scale and region of interest.
  Result<std::vector<ResizeAxis>> Axes(const OpContext& context) const {
    const auto dims = context.input(0).dims();
    std::vector<ResizeAxis> axes(dims.size());
    for (std::size_t i = 0; i < dims.size(); ++i) {
      axes[i].in = axes[i].out = dims[i];
    }
    std::vector<std::int64_t> named = axes_;
    if (named.empty()) {
      named.resize(dims.size());
      std::iota(named.begin(), named.end(), 0);
    }
    ZEROPOINT_RETURN_IF_ERROR(MarkAxes(named, dims.size()).status());
    std::vector<ResizeAxis*> listed;
    for (const std::int64_t axis : named) {
      ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t at,
                                 NormalizeAxis(axis, dims.size()));
      listed.push_back(&axes[at]);
    }
    ZEROPOINT_RETURN_IF_ERROR(ReadRoi(context, listed));
    const std::size_t scales_input = opset_ >= 11 ? 2 : 1;
    if (opset_ >= 11 && context.has_input(3) && context.input(3).size() > 0) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto sizes,
                                 context.Input<std::int64_t>(3));
      ZEROPOINT_RETURN_IF_ERROR(ApplySizes(sizes, listed));
    } else {
      std::span<const float> scales = scales_;
      if (scales.empty()) {
        if (!context.has_input(scales_input)) {
          return InvalidModel("neither scales nor sizes are given");
        }
        scales = context.input(scales_input).type() == DataType::kFloat
                     ? context.input(scales_input).As<float>()
                     : scales;
      }
      ZEROPOINT_RETURN_IF_ERROR(ApplyScales(scales, listed));
    }
    return axes;
  }

  Status ReadRoi(const OpContext& context,
                 std::vector<ResizeAxis*>& listed) const {
    if (opset_ < 11 || rule_.coordinates != "tf_crop_and_resize") {
      return Status();
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto roi, context.Input<float>(1));
    if (roi.size() != 2 * listed.size()) {
      return InvalidData("roi has " + std::to_string(roi.size()) +
                         " values for " + std::to_string(listed.size()) +
                         " axes");
    }
    for (std::size_t i = 0; i < listed.size(); ++i) {
      listed[i]->roi_begin = roi[i];
      listed[i]->roi_end = roi[i + listed.size()];
    }
    return Status();
  }

  static Status WrongLength(std::size_t found, std::size_t axes) {
    return InvalidData(std::to_string(found) + " scales or sizes for " +
                       std::to_string(axes) + " axes");
  }

  static constexpr double kMost = 2147483647.0;

  static Status ApplyScales(std::span<const float> scales,
                            std::vector<ResizeAxis*>& listed) {
    if (scales.size() != listed.size()) {
      return WrongLength(scales.size(), listed.size());
    }
    for (std::size_t i = 0; i < scales.size(); ++i) {
      ResizeAxis& axis = *listed[i];
      axis.scale = scales[i];
      const double out = std::floor(static_cast<double>(axis.in) * axis.scale);
      if (!(axis.scale > 0.0 && out <= kMost)) {
        return InvalidData("scale " + std::to_string(scales[i]) +
                           " of an axis of size " + std::to_string(axis.in) +
                           " is not possible");
      }
      axis.out = static_cast<std::int64_t>(out);
    }
    return Status();
  }

  Status ApplySizes(std::span<const std::int64_t> sizes,
                    std::vector<ResizeAxis*>& listed) const {
    if (sizes.size() != listed.size()) {
      return WrongLength(sizes.size(), listed.size());
    }
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      ResizeAxis& axis = *listed[i];
      if (sizes[i] < 1 || axis.in < 1 ||
          static_cast<double>(sizes[i]) > kMost) {
        return InvalidData("an axis of size " + std::to_string(axis.in) +
                           " cannot become " + std::to_string(sizes[i]));
      }
      axis.out = sizes[i];
      axis.scale = static_cast<double>(axis.out) / static_cast<double>(axis.in);
    }
    if (policy_ == "stretch" || listed.empty()) return Status();
    // One scale for all axes: none larger, or none smaller, than asked for.
    const auto less = [](const ResizeAxis* a, const ResizeAxis* b) {
      return a->scale < b->scale;
    };
    const auto [least, greatest] =
        std::minmax_element(listed.begin(), listed.end(), less);
    const double scale =
        policy_ == "not_larger" ? (*least)->scale : (*greatest)->scale;
    for (ResizeAxis* axis : listed) {
      axis->scale = scale;
      axis->out = static_cast<std::int64_t>(
          std::min(kMost, scale * static_cast<double>(axis->in) + 0.5));
    }
    return Status();
  }

  std::int64_t opset_;
  ResizeRule rule_;
  float extrapolation_ = 0.0f;
  std::string policy_;
  std::vector<std::int64_t> axes_;
  std::vector<float> scales_;
};

}  // namespace resize

inline void AddResizeOperators(OperatorRegistry& registry) {
  registry.Add("", "Resize", {.first = 10}, resize::Resize::Make);
  registry.Add("", "Upsample", {.first = 7, .last = 9}, resize::Resize::Make);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_RESIZE_H_
