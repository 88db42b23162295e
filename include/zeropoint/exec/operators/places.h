// Compress, OneHot and NonZero: between elements and where they are.
#ifndef ZEROPOINT_EXEC_OPERATORS_PLACES_H_
#define ZEROPOINT_EXEC_OPERATORS_PLACES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace places {

using data_movement::Bytes;
using data_movement::ElementWidth;

/// The slices of x along `axis` (without it: the elements) whose condition is
/// true.
class Compress final : public Operator {
 public:
  explicit Compress(const OperatorInit& init)
      : flat_(!HasAttribute(init.node, "axis")),
        axis_(GetInt(init.node, "axis", 0)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto keep, context.Input<bool>(1));
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(x));
    Dims dims = ToDims(x.dims());
    std::size_t axis = 0;
    if (flat_) {
      dims = {static_cast<std::int64_t>(x.size())};
    } else {
      ZEROPOINT_ASSIGN_OR_RETURN(axis, NormalizeAxis(axis_, x.rank()));
    }
    const AroundAxis around(dims, axis);
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < std::min(keep.size(), around.size); ++i) {
      if (keep[i]) kept.push_back(i);
    }
    dims[axis] = std::ssize(kept);
    ZEROPOINT_ASSIGN_OR_RETURN(void* out, context.Output(0, x.type(), dims));
    auto* y = static_cast<std::byte*>(out);
    const std::size_t run = around.inner * width;
    for (std::size_t outer = 0; run > 0 && outer < around.outer; ++outer) {
      for (const std::size_t i : kept) {
        std::memcpy(y, Bytes(x) + (outer * around.size + i) * run, run);
        y += run;
      }
    }
    return Status();
  }

 private:
  bool flat_;
  std::int64_t axis_;
};

/// y[..., indices[...], ...] = on, elsewhere off; the new axis, of size
/// `depth`, stands at `axis`. Indices below 0 count from the end; one outside
/// makes a row without `on`.
class OneHot final : public Operator {
 public:
  explicit OneHot(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", -1)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(3));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto indices, ReadReals(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(const double real_depth, ReadReal(context, 1));
    const TensorView& values = context.input(2);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(values));
    const auto depth = ConvertElement<std::int64_t>(real_depth);
    if (depth < 1 || values.size() != 2) {
      return InvalidData("OneHot needs a depth above 0 and two values");
    }
    Dims dims = ToDims(context.input(0).dims());
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, dims.size() + 1));
    const std::size_t inner = CountOf(std::span(dims).subspan(axis));
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), depth);
    ZEROPOINT_ASSIGN_OR_RETURN(void* out,
                               context.Output(0, values.type(), dims));
    auto* y = static_cast<std::byte*>(out);
    const std::size_t count = CountOf(dims);
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(y + i * width, Bytes(values), width);
    }
    for (std::size_t i = 0; i < indices.size(); ++i) {
      auto index = ConvertElement<std::int64_t>(indices[i]);
      if (index < 0) index += depth;
      if (index < 0 || index >= depth) continue;
      const std::size_t at = (i / inner * static_cast<std::size_t>(depth) +
                              static_cast<std::size_t>(index)) *
                                 inner +
                             i % inner;
      std::memcpy(y + at * width, Bytes(values) + width, width);
    }
    return Status();
  }

 private:
  std::int64_t axis_;
};

/// The places of elements other than 0, one a column: [rank, found].
inline Status RunNonZero(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
  const auto dims = context.input(0).dims();
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] != 0) found.push_back(i);
  }
  ZEROPOINT_ASSIGN_OR_RETURN(
      std::int64_t * y,
      context.Output<std::int64_t>(0, {std::ssize(dims), std::ssize(found)}));
  for (std::size_t k = 0; k < found.size(); ++k) {
    auto rest = static_cast<std::int64_t>(found[k]);
    for (std::size_t axis = dims.size(); axis-- > 0;) {
      y[axis * found.size() + k] = rest % dims[axis];
      rest /= dims[axis];
    }
  }
  return Status();
}

}  // namespace places

inline void AddPlacesOperators(OperatorRegistry& registry) {
  using namespace places;  // NOLINT(google-build-using-namespace)
  registry.Add("", "Compress", {}, Construct<Compress>);
  registry.Add("", "NonZero", {}, Stateless<RunNonZero>);
  registry.Add("", "OneHot", {}, Construct<OneHot>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_PLACES_H_
