// Pad: a frame around a tensor, constant or made from its own elements.
#ifndef ZEROPOINT_EXEC_OPERATORS_PAD_H_
#define ZEROPOINT_EXEC_OPERATORS_PAD_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace pad {

enum class Mode { kConstant, kReflect, kEdge, kWrap };

/// The element of an axis of `size` (> 0) that position `at` shows, `at`
/// counted from the axis's first element and possibly outside of it.
inline std::int64_t SourceIndex(Mode mode, std::int64_t at, std::int64_t size) {
  if (mode == Mode::kEdge) return std::clamp<std::int64_t>(at, 0, size - 1);
  if (mode == Mode::kWrap) return (at % size + size) % size;
  // kReflect: a mirror at each end, the end itself not repeated.
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1);
  const std::int64_t phase = (at % period + period) % period;
  return std::min(phase, period - phase);
}

/// y has pads[i] elements before and pads[rank + i] after axis i; negative pads
/// cut. Pads and value are attributes before opset 11, inputs from then on.
class Pad final : public Operator {
 public:
  Pad(const OperatorInit& init, Mode mode)
      : mode_(mode), by_input_(init.opset >= 11) {
    if (!by_input_) {
      pads_ = GetInts(init.node, "pads");
      value_ = GetFloat(init.node, "value", 0.0f);
    }
  }

  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    const std::string_view text = GetString(init.node, "mode", "constant");
    Mode mode = Mode::kConstant;
    if (text == "reflect") {
      mode = Mode::kReflect;
    } else if (text == "edge") {
      mode = Mode::kEdge;
    } else if (text == "wrap") {
      mode = Mode::kWrap;
    } else if (text != "constant") {
      return Unsupported("pad mode '" + std::string(text) +
                         "'; known: constant, reflect, edge, wrap");
    }
    return std::unique_ptr<Operator>(std::make_unique<Pad>(init, mode));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(by_input_ ? 2 : 1));
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const Frame frame, FrameOf(context));
    Dims dims = ToDims(x.dims());
    for (std::size_t i = 0; i < dims.size(); ++i) {
      dims[i] += frame.before[i] + frame.after[i];
      if (dims[i] > 0 && x.dims()[i] == 0 && mode_ != Mode::kConstant) {
        return InvalidData("an empty axis has no elements to pad with");
      }
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width,
                               data_movement::ElementWidth(x));
    ZEROPOINT_ASSIGN_OR_RETURN(void* out, context.Output(0, x.type(), dims));
    auto* y = static_cast<std::byte*>(out);
    if (CountOf(dims) == 0) return Status();
    if (mode_ == Mode::kConstant) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto value, ValueOf(context, width));
      CopyFramed(context, frame, dims, value, y);
    } else {
      CopyIndexed(x, frame, dims, width, y);
    }
    return Status();
  }

 private:
  struct Frame {
    Dims before;
    Dims after;
  };

  // Every entry small enough that sums with axes cannot overflow.
  Result<Frame> FrameOf(const OpContext& context) const {
    const std::size_t rank = context.input(0).rank();
    std::vector<std::int64_t> pads = pads_;
    if (by_input_) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto given,
                                 context.Input<std::int64_t>(1));
      pads.assign(given.begin(), given.end());
    }
    std::vector<std::int64_t> axes(rank);
    std::iota(axes.begin(), axes.end(), 0);
    if (by_input_ && context.has_input(3)) {
      if (context.input(3).type() == DataType::kInt32) {
        const auto narrow = context.input(3).As<std::int32_t>();
        axes.assign(narrow.begin(), narrow.end());
      } else {
        ZEROPOINT_ASSIGN_OR_RETURN(const auto wide,
                                   context.Input<std::int64_t>(3));
        axes.assign(wide.begin(), wide.end());
      }
    }
    ZEROPOINT_RETURN_IF_ERROR(MarkAxes(axes, rank).status());
    if (pads.size() != 2 * axes.size()) {
      return InvalidModel("pads " + FormatDims(pads) +
                          " needs two entries for each padded axis");
    }
    Frame frame{Dims(rank, 0), Dims(rank, 0)};
    for (std::size_t i = 0; i < axes.size(); ++i) {
      ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                                 NormalizeAxis(axes[i], rank));
      for (const std::int64_t pad : {pads[i], pads[i + axes.size()]}) {
        constexpr std::int64_t kMost = std::int64_t{1} << 40;
        if (pad < -kMost || pad > kMost) {
          return InvalidData("pads " + FormatDims(pads) + " are too large");
        }
      }
      frame.before[axis] = pads[i];
      frame.after[axis] = pads[i + axes.size()];
    }
    return frame;
  }

  // The bytes of the padding element.
  Result<std::vector<std::byte>> ValueOf(const OpContext& context,
                                         std::size_t width) const {
    const DataType type = context.input(0).type();
    std::vector<std::byte> value(width, std::byte{0});
    if (by_input_ && context.has_input(2)) {
      const TensorView& given = context.input(2);
      if (given.type() != type || given.size() != 1) {
        return InvalidModel("the padding value must be one " +
                            std::string(DataTypeName(type)));
      }
      std::memcpy(value.data(), given.data(), width);
    } else if (type == DataType::kFloat) {
      std::memcpy(value.data(), &value_, width);
    }
    return value;
  }

  static void Fill(const std::vector<std::byte>& value, std::size_t count,
                   std::byte* y) {
    const std::byte zero{0};
    if (std::ranges::count(value, zero) == std::ssize(value)) {
      std::memset(y, 0, count * value.size());
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(y + i * value.size(), value.data(), value.size());
    }
  }

  // Row by row of the last axis: the value, what negative pads leave of x's
  // row, the value.
  static void CopyFramed(const OpContext& context, const Frame& frame,
                         std::span<const std::int64_t> dims,
                         const std::vector<std::byte>& value, std::byte* y) {
    const TensorView& x = context.input(0);
    const std::size_t rank = dims.size();
    const std::size_t width = value.size();
    if (rank == 0) {
      std::memcpy(y, x.data(), width);
      return;
    }
    const auto strides = RowMajorStrides(x.dims());
    const std::int64_t row = dims[rank - 1];
    const std::int64_t before =
        std::clamp<std::int64_t>(frame.before[rank - 1], 0, row);
    const std::int64_t cut = std::max<std::int64_t>(0, -frame.before[rank - 1]);
    const std::int64_t inside =
        std::clamp<std::int64_t>(x.dims()[rank - 1] - cut, 0, row - before);
    const auto bytes = [width](std::int64_t elements) {
      return static_cast<std::size_t>(elements) * width;
    };
    context.pool().ParallelRanges(
        CountOf(dims.first(rank - 1)), 65536 / bytes(row) + 1,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            std::byte* to = y + i * bytes(row);
            std::ptrdiff_t from = cut;
            bool framed = false;  // the row lies before or after x
            std::size_t rest = i;
            for (std::size_t axis = rank - 1; axis-- > 0;) {
              const auto size = static_cast<std::size_t>(dims[axis]);
              const std::int64_t at =
                  static_cast<std::int64_t>(rest % size) - frame.before[axis];
              rest /= size;
              framed = framed || at < 0 || at >= x.dims()[axis];
              from += at * strides[axis];
            }
            if (framed || inside == 0) {
              Fill(value, static_cast<std::size_t>(row), to);
              continue;
            }
            Fill(value, static_cast<std::size_t>(before), to);
            std::memcpy(to + bytes(before),
                        data_movement::Bytes(x) +
                            from * static_cast<std::ptrdiff_t>(width),
                        bytes(inside));
            Fill(value, static_cast<std::size_t>(row - before - inside),
                 to + bytes(before + inside));
          }
        });
  }

  // Every element of y from the element of x that the mode names.
  void CopyIndexed(const TensorView& x, const Frame& frame,
                   std::span<const std::int64_t> dims, std::size_t width,
                   std::byte* y) const {
    const auto strides = RowMajorStrides(x.dims());
    // offsets[axis][i]: what index i of that axis adds to the source's offset
    std::vector<std::vector<std::ptrdiff_t>> offsets(dims.size());
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      for (std::int64_t i = 0; i < dims[axis]; ++i) {
        offsets[axis].push_back(
            SourceIndex(mode_, i - frame.before[axis], x.dims()[axis]) *
            strides[axis]);
      }
    }
    std::vector<std::size_t> index(dims.size());
    const std::size_t count = CountOf(dims);
    for (std::size_t i = 0; i < count; ++i) {
      std::ptrdiff_t from = 0;
      for (std::size_t axis = 0; axis < dims.size(); ++axis) {
        from += offsets[axis][index[axis]];
      }
      std::memcpy(
          y + i * width,
          data_movement::Bytes(x) + from * static_cast<std::ptrdiff_t>(width),
          width);
      for (std::size_t axis = dims.size(); axis-- > 0;) {
        if (++index[axis] < offsets[axis].size()) break;
        index[axis] = 0;
      }
    }
  }

  Mode mode_;
  bool by_input_;
  std::vector<std::int64_t> pads_;
  float value_ = 0.0f;
};

}  // namespace pad

inline void AddPadOperators(OperatorRegistry& registry) {
  registry.Add("", "Pad", {.first = 2}, pad::Pad::Make);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_PAD_H_
