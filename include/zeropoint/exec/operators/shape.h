// Operators that say something about a shape or give a tensor another one:
// Shape, Size, Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout. None of
// them touches an element.
#ifndef ZEROPOINT_EXEC_OPERATORS_SHAPE_H_
#define ZEROPOINT_EXEC_OPERATORS_SHAPE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {

/// Axes that an operator takes as an attribute in old opsets and as an optional
/// input in new ones.
class AxesArgument {
 public:
  /// The input counts from opset `input_since`, as input number `input`.
  AxesArgument(const OperatorInit& init, std::int64_t input_since,
               std::size_t input)
      : input_(init.opset >= input_since ? std::optional(input)
                                         : std::nullopt) {
    if (HasAttribute(init.node, "axes")) axes_ = GetInts(init.node, "axes");
  }

  /// Nothing when the axes are not given.
  Result<std::optional<std::vector<std::int64_t>>> Get(
      const OpContext& context) const {
    if (!input_ || !context.has_input(*input_)) return axes_;
    ZEROPOINT_ASSIGN_OR_RETURN(const auto axes,
                               context.Input<std::int64_t>(*input_));
    return std::optional(std::vector<std::int64_t>(axes.begin(), axes.end()));
  }

 private:
  std::optional<std::size_t> input_;
  std::optional<std::vector<std::int64_t>> axes_;
};

namespace shape {

/// The shape of input 0, or the part [start, end) of it.
class ShapeOperator final : public Operator {
 public:
  explicit ShapeOperator(const OperatorInit& init)
      : start_(GetInt(init.node, "start", 0)),
        end_(GetInt(init.node, "end",
                    std::numeric_limits<std::int64_t>::max())) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const auto dims = context.input(0).dims();
    const auto rank = static_cast<std::int64_t>(dims.size());
    const auto limit = [rank](std::int64_t index) {
      return std::clamp<std::int64_t>(index < 0 ? index + rank : index, 0,
                                      rank);
    };
    const std::int64_t begin = limit(start_);
    const std::int64_t count = std::max<std::int64_t>(0, limit(end_) - begin);
    ZEROPOINT_ASSIGN_OR_RETURN(std::int64_t * y,
                               context.Output<std::int64_t>(0, {count}));
    std::copy_n(dims.begin() + begin, count, y);
    return Status();
  }

 private:
  std::int64_t start_;
  std::int64_t end_;
};

inline Status RunSize(OpContext& context) {
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
  ZEROPOINT_ASSIGN_OR_RETURN(std::int64_t * y,
                             context.Output<std::int64_t>(0, {}));
  *y = static_cast<std::int64_t>(context.input(0).size());
  return Status();
}

inline Status RunIdentity(OpContext& context) {
  if (context.has_input(0) && !context.value(0)->is_tensor()) {
    context.SetOutput(0, *context.value(0));
    return Status();
  }
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
  return context.Forward(0, 0, ToDims(context.input(0).dims()));
}

/// Dropout of a trained model is the identity; its mask keeps everything.
inline Status RunDropout(OpContext& context) {
  if (context.has_input(2)) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto training, context.Input<bool>(2));
    if (!training.empty() && training[0]) {
      return Unsupported("Dropout that trains is random");
    }
  }
  ZEROPOINT_RETURN_IF_ERROR(RunIdentity(context));
  if (context.wants_output(1)) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        bool* mask, context.Output<bool>(1, ToDims(context.input(0).dims())));
    std::fill_n(mask, context.input(0).size(), true);
  }
  return Status();
}

/// Input 0 with the shape that input 1 holds: -1 is what is left, 0 copies the
/// axis (unless allowzero).
class Reshape final : public Operator {
 public:
  explicit Reshape(const OperatorInit& init)
      : allow_zero_(GetInt(init.node, "allowzero", 0) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto wanted,
                               context.Input<std::int64_t>(1));
    const TensorView& x = context.input(0);
    Dims dims(wanted.begin(), wanted.end());
    std::optional<std::size_t> open;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (dims[i] == -1) {
        if (open) {
          return InvalidData("two axes of " + FormatDims(wanted) + " are -1");
        }
        open = i;
        dims[i] = 1;
      } else if (dims[i] == 0 && !allow_zero_) {
        if (i >= x.rank()) {
          return InvalidData("axis " + std::to_string(i) + " of " +
                             FormatDims(wanted) +
                             " copies an axis that the input lacks");
        }
        dims[i] = x.dims()[i];
      }
    }
    const auto rest = ElementCount(dims);
    if (open && rest && *rest > 0 && x.size() % *rest == 0) {
      dims[*open] = static_cast<std::int64_t>(x.size() / *rest);
    }
    return context.Forward(0, 0, std::move(dims));
  }

 private:
  bool allow_zero_;
};

/// [axes before `axis` as one, axes from `axis` on as one]
class Flatten final : public Operator {
 public:
  explicit Flatten(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", 1)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const auto dims = context.input(0).dims();
    const auto rank = static_cast<std::int64_t>(dims.size());
    const std::int64_t axis = axis_ < 0 ? axis_ + rank : axis_;
    if (axis < 0 || axis > rank) {
      return InvalidModel("axis " + std::to_string(axis_) +
                          " is outside a tensor of rank " +
                          std::to_string(rank));
    }
    const auto at = static_cast<std::size_t>(axis);
    return context.Forward(
        0, 0,
        {static_cast<std::int64_t>(CountOf(dims.first(at))),
         static_cast<std::int64_t>(CountOf(dims.subspan(at)))});
  }

 private:
  std::int64_t axis_;
};

/// Drops the given axes, or all of size 1.
class Squeeze final : public Operator {
 public:
  explicit Squeeze(const OperatorInit& init) : axes_(init, 13, 1) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const auto dims = context.input(0).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const auto axes, axes_.Get(context));
    std::vector<bool> drop(dims.size());
    if (axes) {
      ZEROPOINT_ASSIGN_OR_RETURN(drop, MarkAxes(*axes, dims.size()));
    } else {
      for (std::size_t i = 0; i < dims.size(); ++i) drop[i] = dims[i] == 1;
    }
    Dims kept;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (!drop[i]) {
        kept.push_back(dims[i]);
      } else if (dims[i] != 1) {
        return InvalidData("axis " + std::to_string(i) + " of " +
                           FormatDims(dims) + " is not of size 1");
      }
    }
    return context.Forward(0, 0, std::move(kept));
  }

 private:
  AxesArgument axes_;
};

/// Inserts axes of size 1 where the result is to have them.
class Unsqueeze final : public Operator {
 public:
  explicit Unsqueeze(const OperatorInit& init) : axes_(init, 13, 1) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const auto dims = context.input(0).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const auto axes, axes_.Get(context));
    if (!axes) return InvalidModel("the axes to insert are missing");
    ZEROPOINT_ASSIGN_OR_RETURN(const auto inserted,
                               MarkAxes(*axes, dims.size() + axes->size()));
    Dims longer;
    auto next = dims.begin();
    for (const bool is_new : inserted) longer.push_back(is_new ? 1 : *next++);
    return context.Forward(0, 0, std::move(longer));
  }

 private:
  AxesArgument axes_;
};

}  // namespace shape

inline void AddShapeOperators(OperatorRegistry& registry) {
  registry.Add("", "Dropout", {}, Stateless<shape::RunDropout>);
  registry.Add("", "Flatten", {}, Construct<shape::Flatten>);
  registry.Add("", "Identity", {}, Stateless<shape::RunIdentity>);
  registry.Add("", "Reshape", {.first = 5}, Construct<shape::Reshape>);
  registry.Add("", "Shape", {}, Construct<shape::ShapeOperator>);
  registry.Add("", "Size", {}, Stateless<shape::RunSize>);
  registry.Add("", "Squeeze", {}, Construct<shape::Squeeze>);
  registry.Add("", "Unsqueeze", {}, Construct<shape::Unsqueeze>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_SHAPE_H_
