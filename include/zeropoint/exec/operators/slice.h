// Slice: every step-th element of a part of each axis.
#ifndef ZEROPOINT_EXEC_OPERATORS_SLICE_H_
#define ZEROPOINT_EXEC_OPERATORS_SLICE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace data_movement {

/// x[starts[i] : ends[i] : steps[i]] along axes[i]. Attributes before opset 10,
/// inputs from then on.
class Slice final : public Operator {
 public:
  explicit Slice(const OperatorInit& init) : by_input_(init.opset >= 10) {
    if (!by_input_) {
      starts_ = GetInts(init.node, "starts");
      ends_ = GetInts(init.node, "ends");
      axes_ = GetInts(init.node, "axes");
    }
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(by_input_ ? 3 : 1));
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(x));
    std::vector<std::int64_t> starts = starts_;
    std::vector<std::int64_t> ends = ends_;
    std::vector<std::int64_t> axes = axes_;
    std::vector<std::int64_t> steps;
    if (by_input_) {
      ZEROPOINT_ASSIGN_OR_RETURN(starts, Integers(context, 1));
      ZEROPOINT_ASSIGN_OR_RETURN(ends, Integers(context, 2));
      ZEROPOINT_ASSIGN_OR_RETURN(axes, Integers(context, 3));
      ZEROPOINT_ASSIGN_OR_RETURN(steps, Integers(context, 4));
    }
    if (axes.empty()) {
      axes.resize(starts.size());
      std::iota(axes.begin(), axes.end(), 0);
    }
    if (steps.empty()) steps.assign(starts.size(), 1);
    if (ends.size() != starts.size() || axes.size() != starts.size() ||
        steps.size() != starts.size()) {
      return InvalidModel("starts, ends, axes and steps differ in length");
    }
    ZEROPOINT_RETURN_IF_ERROR(MarkAxes(axes, x.rank()).status());

    Dims dims = ToDims(x.dims());
    auto from_strides = RowMajorStrides(x.dims());
    std::ptrdiff_t offset = 0;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                                 NormalizeAxis(axes[i], x.rank()));
      if (steps[i] == 0) return InvalidModel("a step is 0");
      const auto [start, count] =
          Extent(starts[i], ends[i], steps[i], dims[axis]);
      dims[axis] = count;
      offset += start * from_strides[axis];
      // A step past the axis is taken at most once.
      if (count > 1) from_strides[axis] *= steps[i];
    }
    ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(0, x.type(), dims));
    if (ElementCount(dims) == 0) return Status();
    CopyBox(dims, from_strides,
            Bytes(x) + offset * static_cast<std::ptrdiff_t>(width),
            RowMajorStrides(dims), static_cast<std::byte*>(y), width,
            context.pool());
    return Status();
  }

 private:
  struct Part {
    std::int64_t start;
    std::int64_t count;
  };

  // The elements of an axis of `size` that start:end:step names, by Python's
  // rules; no sum here can overflow, because the limits come first.
  static Part Extent(std::int64_t start, std::int64_t end, std::int64_t step,
                     std::int64_t size) {
    const std::int64_t least = step > 0 ? 0 : -1;
    const std::int64_t most = step > 0 ? size : size - 1;
    const auto limit = [&](std::int64_t index) {
      if (index < 0) index = index < -size ? least : index + size;
      return std::clamp(index, least, std::max(least, most));
    };
    start = limit(start);
    end = limit(end);
    const auto length =
        static_cast<std::uint64_t>(step > 0 ? end - start : start - end);
    if ((step > 0 ? end <= start : start <= end)) return {0, 0};
    const std::uint64_t stride =
        step > 0 ? static_cast<std::uint64_t>(step)
                 : std::uint64_t{0} - static_cast<std::uint64_t>(step);
    return {start, static_cast<std::int64_t>((length - 1) / stride + 1)};
  }

  // Starts and their like may be int32 or int64; empty when left out.
  static Result<std::vector<std::int64_t>> Integers(const OpContext& context,
                                                    std::size_t i) {
    std::vector<std::int64_t> values;
    if (!context.has_input(i)) return values;
    if (context.input(i).type() == DataType::kInt32) {
      const auto narrow = context.input(i).As<std::int32_t>();
      values.assign(narrow.begin(), narrow.end());
      return values;
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto wide, context.Input<std::int64_t>(i));
    values.assign(wide.begin(), wide.end());
    return values;
  }

  bool by_input_;
  std::vector<std::int64_t> starts_;
  std::vector<std::int64_t> ends_;
  std::vector<std::int64_t> axes_;
};

}  // namespace data_movement

inline void AddSliceOperators(OperatorRegistry& registry) {
  registry.Add("", "Slice", {}, Construct<data_movement::Slice>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_SLICE_H_
