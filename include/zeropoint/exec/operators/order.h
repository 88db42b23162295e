// ArgMax, ArgMin, Hardmax, TopK, Unique: operators that compare elements along
// an axis.
#ifndef ZEROPOINT_EXEC_OPERATORS_ORDER_H_
#define ZEROPOINT_EXEC_OPERATORS_ORDER_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace order {

/// Whether element a of a tensor comes before element b, by value; NaN comes
/// behind every number.
struct Less {
  bool (*function)(const void* x, std::size_t a, std::size_t b) = nullptr;
  bool operator()(const void* x, std::size_t a, std::size_t b) const {
    return function(x, a, b);
  }
};

template <class T>
bool LessAs(const void* x, std::size_t a, std::size_t b) {
  const T* values = static_cast<const T*>(x);
  if constexpr (std::floating_point<T>) {
    if (std::isnan(values[a]) || std::isnan(values[b])) {
      return !std::isnan(values[a]) && std::isnan(values[b]);
    }
  }
  return values[a] < values[b];
}

inline Result<Less> FindLess(DataType type) {
  Less less;
  ZEROPOINT_RETURN_IF_ERROR(VisitDataType(type, [&less]<class T>() {
    less.function = LessAs<T>;
    return Status();
  }));
  return less;
}

/// For each row along the axis, the index of its greatest (or least) element:
/// the first of equal ones, or the last.
class ArgExtreme final : public Operator {
 public:
  ArgExtreme(const OperatorInit& init, bool greatest)
      : axis_(GetInt(init.node, "axis", 0)),
        keep_(GetInt(init.node, "keepdims", 1) != 0),
        last_(GetInt(init.node, "select_last_index", 0) != 0),
        greatest_(greatest) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, x.rank()));
    ZEROPOINT_ASSIGN_OR_RETURN(const Less less, FindLess(x.type()));
    const AroundAxis around(x.dims(), axis);
    if (around.size == 0) return InvalidData("an axis without elements");
    Dims dims = ToDims(x.dims());
    dims[axis] = 1;
    if (!keep_) dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
    ZEROPOINT_ASSIGN_OR_RETURN(std::int64_t * y,
                               context.Output<std::int64_t>(0, dims));
    for (std::size_t i = 0; i < around.outer * around.inner; ++i) {
      const std::size_t base =
          i / around.inner * around.size * around.inner + i % around.inner;
      std::size_t best = 0;
      for (std::size_t k = 1; k < around.size; ++k) {
        const std::size_t a = base + best * around.inner;
        const std::size_t b = base + k * around.inner;
        const bool better =
            greatest_ ? less(x.data(), a, b) : less(x.data(), b, a);
        const bool worse =
            greatest_ ? less(x.data(), b, a) : less(x.data(), a, b);
        if (better || (last_ && !worse)) best = k;
      }
      y[i] = static_cast<std::int64_t>(best);
    }
    return Status();
  }

 private:
  std::int64_t axis_;
  bool keep_;
  bool last_;
  bool greatest_;
};

template <bool kGreatest>
Result<std::unique_ptr<Operator>> MakeArgExtreme(const OperatorInit& init) {
  return std::unique_ptr<Operator>(
      std::make_unique<ArgExtreme>(init, kGreatest));
}

/// y = 1 at the first greatest element of each row along `axis`, elsewhere 0.
/// Before opset 13 a row is everything from `axis` (1) on.
class Hardmax final : public Operator {
 public:
  explicit Hardmax(const OperatorInit& init)
      : flattens_(init.opset < 13),
        axis_(GetInt(init.node, "axis", flattens_ ? 1 : -1)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    const auto dims = context.input(0).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, dims.size()));
    AroundAxis around(dims, axis);
    if (flattens_) {
      around.size *= around.inner;
      around.inner = 1;
    }
    std::vector<double> y(x.size());
    for (std::size_t i = 0; !x.empty() && i < around.outer * around.inner;
         ++i) {
      const std::size_t base =
          i / around.inner * around.size * around.inner + i % around.inner;
      std::size_t best = base;
      for (std::size_t k = 1; k < around.size; ++k) {
        const std::size_t at = base + k * around.inner;
        if (x[at] > x[best]) best = at;
      }
      y[best] = 1;
    }
    return WriteReals(context, 0, context.input(0).type(), ToDims(dims), y);
  }

 private:
  bool flattens_;
  std::int64_t axis_;
};

/// The k greatest (or least) elements of each row along `axis`, best first, and
/// their indices; of equal elements the one with the lower index first.
class TopK final : public Operator {
 public:
  explicit TopK(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", -1)),
        greatest_(GetInt(init.node, "largest", 1) != 0),
        k_(GetInt(init.node, "k", -1)),
        by_input_(init.opset >= 10) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(by_input_ ? 2 : 1));
    const TensorView& x = context.input(0);
    std::int64_t count = k_;
    if (by_input_) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto given, ReadIntegers(context, 1));
      if (given.size() != 1) return InvalidData("k must be one number");
      count = given[0];
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, x.rank()));
    if (count < 0 || count > x.dims()[axis]) {
      return InvalidData("there are no " + std::to_string(count) +
                         " elements in an axis of " +
                         std::to_string(x.dims()[axis]));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const Less less, FindLess(x.type()));
    const AroundAxis around(x.dims(), axis);
    const std::size_t width = BytesOf(x.type(), 1);
    Dims dims = ToDims(x.dims());
    dims[axis] = count;
    ZEROPOINT_ASSIGN_OR_RETURN(void* values, context.Output(0, x.type(), dims));
    ZEROPOINT_ASSIGN_OR_RETURN(std::int64_t * indices,
                               context.Output<std::int64_t>(1, dims));
    const auto k = static_cast<std::size_t>(count);
    std::vector<std::size_t> order(around.size);
    for (std::size_t i = 0; i < around.outer * around.inner; ++i) {
      const std::size_t base =
          i / around.inner * around.size * around.inner + i % around.inner;
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + count, order.end(),
                        [&](std::size_t a, std::size_t b) {
                          const std::size_t at_a = base + a * around.inner;
                          const std::size_t at_b = base + b * around.inner;
                          if (less(x.data(), at_a, at_b)) return !greatest_;
                          if (less(x.data(), at_b, at_a)) return greatest_;
                          return a < b;
                        });
      for (std::size_t j = 0; j < k; ++j) {
        const std::size_t to = i / around.inner * k * around.inner +
                               j * around.inner + i % around.inner;
        indices[to] = static_cast<std::int64_t>(order[j]);
        std::memcpy(
            static_cast<std::byte*>(values) + to * width,
            data_movement::Bytes(x) + (base + order[j] * around.inner) * width,
            width);
      }
    }
    return Status();
  }

 private:
  std::int64_t axis_;
  bool greatest_;
  std::int64_t k_;
  bool by_input_;
};

/// The different slices of x along `axis` (without it: elements), in order of
/// value or of first appearance; for each where it first appears and how often,
/// and for each slice of x which one it is.
class Unique final : public Operator {
 public:
  explicit Unique(const OperatorInit& init)
      : flat_(!HasAttribute(init.node, "axis")),
        axis_(GetInt(init.node, "axis", 0)),
        sorted_(GetInt(init.node, "sorted", 1) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    Dims dims =
        flat_ ? Dims{static_cast<std::int64_t>(x.size())} : ToDims(x.dims());
    std::size_t axis = 0;
    if (!flat_) {
      ZEROPOINT_ASSIGN_OR_RETURN(axis, NormalizeAxis(axis_, x.rank()));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const Less less, FindLess(x.type()));
    const AroundAxis around(dims, axis);
    const auto compare = [&](std::size_t a, std::size_t b) {
      for (std::size_t i = 0; i < around.outer * around.inner; ++i) {
        const std::size_t base =
            i / around.inner * around.size * around.inner + i % around.inner;
        const std::size_t at_a = base + a * around.inner;
        const std::size_t at_b = base + b * around.inner;
        if (less(x.data(), at_a, at_b)) return -1;
        if (less(x.data(), at_b, at_a)) return 1;
      }
      return 0;
    };
    std::vector<std::size_t> order(around.size);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(
        order.begin(), order.end(),
        [&](std::size_t a, std::size_t b) { return compare(a, b) < 0; });
    // Groups of equal slices: where each begins in `order`.
    std::vector<std::size_t> first;
    std::vector<std::size_t> count;
    std::vector<std::size_t> group(around.size);
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i == 0 || compare(order[i - 1], order[i]) != 0) {
        first.push_back(order[i]);
        count.push_back(0);
      }
      ++count.back();
      group[order[i]] = first.size() - 1;
    }
    std::vector<std::size_t> listed(first.size());
    std::iota(listed.begin(), listed.end(), 0);
    if (!sorted_) {
      std::sort(
          listed.begin(), listed.end(),
          [&](std::size_t a, std::size_t b) { return first[a] < first[b]; });
    }
    return Write(context, around, dims, axis, first, count, group, listed);
  }

 private:
  static Status Write(OpContext& context, const AroundAxis& around, Dims dims,
                      std::size_t axis, const std::vector<std::size_t>& first,
                      const std::vector<std::size_t>& count,
                      const std::vector<std::size_t>& group,
                      const std::vector<std::size_t>& listed) {
    const TensorView& x = context.input(0);
    const std::int64_t found = std::ssize(listed);
    dims[axis] = found;
    const std::size_t run = around.inner * BytesOf(x.type(), 1);
    ZEROPOINT_ASSIGN_OR_RETURN(void* out, context.Output(0, x.type(), dims));
    auto* y = static_cast<std::byte*>(out);
    for (std::size_t outer = 0; run > 0 && outer < around.outer; ++outer) {
      for (const std::size_t which : listed) {
        std::memcpy(y,
                    data_movement::Bytes(x) +
                        (outer * around.size + first[which]) * run,
                    run);
        y += run;
      }
    }
    std::vector<std::size_t> place(listed.size());
    for (std::size_t i = 0; i < listed.size(); ++i) place[listed[i]] = i;
    for (std::size_t output = 1; output < 4; ++output) {
      if (!context.wants_output(output)) continue;
      const std::int64_t size = output == 2 ? std::ssize(group) : found;
      ZEROPOINT_ASSIGN_OR_RETURN(std::int64_t * numbers,
                                 context.Output<std::int64_t>(output, {size}));
      for (std::size_t i = 0; i < static_cast<std::size_t>(size); ++i) {
        const std::size_t number = output == 1   ? first[listed[i]]
                                   : output == 2 ? place[group[i]]
                                                 : count[listed[i]];
        numbers[i] = static_cast<std::int64_t>(number);
      }
    }
    return Status();
  }

  bool flat_;
  std::int64_t axis_;
  bool sorted_;
};

}  // namespace order

inline void AddOrderOperators(OperatorRegistry& registry) {
  using namespace order;  // NOLINT(google-build-using-namespace)
  registry.Add("", "ArgMax", {}, MakeArgExtreme<true>);
  registry.Add("", "ArgMin", {}, MakeArgExtreme<false>);
  registry.Add("", "Hardmax", {}, Construct<Hardmax>);
  registry.Add("", "TopK", {}, Construct<TopK>);
  registry.Add("", "Unique", {}, Construct<Unique>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_ORDER_H_
