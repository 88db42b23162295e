// Operators on the bits of elements: BitwiseAnd, BitShift, BitCast and their
// like; IsInf; and the mean of several tensors.
#ifndef ZEROPOINT_EXEC_OPERATORS_BITWISE_H_
#define ZEROPOINT_EXEC_OPERATORS_BITWISE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "zeropoint/exec/operators/binary.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/exec/operators/unary.h"

namespace zeropoint {
namespace bitwise {

using binary::Integer;

struct And {
  template <Integer T>
  static T Apply(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <Integer T>
  static T Apply(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <Integer T>
  static T Apply(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};
struct Not {
  template <Integer T>
  static T Apply(T x, unary::Constants) {
    return static_cast<T>(~x);
  }
};
/// Whether a shift by `by` leaves no bit of T.
template <Integer T>
bool ShiftsAllOut(T by) {
  constexpr auto kBits = static_cast<std::uint64_t>(sizeof(T) * 8);
  return by < 0 || static_cast<std::uint64_t>(by) >= kBits;
}
/// x * 2^by, modulo the type.
struct ShiftLeft {
  template <Integer T>
  static T Apply(T x, T by) {
    if (ShiftsAllOut(by)) return T{0};
    return static_cast<T>(static_cast<std::uint64_t>(x)
                          << static_cast<unsigned>(by));
  }
};
/// floor(x / 2^by): signed integers keep their sign.
struct ShiftRight {
  template <Integer T>
  static T Apply(T x, T by) {
    if (ShiftsAllOut(by)) return static_cast<T>(x < 0 ? -1 : 0);
    return static_cast<T>(x >> static_cast<unsigned>(by));
  }
};

inline Result<std::unique_ptr<Operator>> MakeBitShift(
    const OperatorInit& init) {
  const std::string_view direction = GetString(init.node, "direction", "");
  if (direction == "LEFT") {
    return Stateless<binary::RunBinary<ShiftLeft>>(init);
  }
  if (direction == "RIGHT") {
    return Stateless<binary::RunBinary<ShiftRight>>(init);
  }
  return InvalidModel("direction must be LEFT or RIGHT");
}

/// The same bits as elements of another type of the same width.
class BitCast final : public Operator {
 public:
  explicit BitCast(const OperatorInit& init)
      : to_(static_cast<DataType>(GetInt(init.node, "to", 0))) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    if (BitsOf(to_) == 0 || BitsOf(to_) != BitsOf(x.type())) {
      return InvalidModel(
          "elements of type " + std::string(DataTypeName(x.type())) +
          " have other bits than " + std::string(DataTypeName(to_)));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(void* y,
                               context.Output(0, to_, ToDims(x.dims())));
    if (x.bytes() > 0) std::memcpy(y, x.data(), x.bytes());
    return Status();
  }

 private:
  DataType to_;
};

/// Whether an element is infinite, of a sign that counts.
class IsInf final : public Operator {
 public:
  explicit IsInf(const OperatorInit& init)
      : negative_(GetInt(init.node, "detect_negative", 1) != 0),
        positive_(GetInt(init.node, "detect_positive", 1) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(
        bool* y, context.Output<bool>(0, ToDims(context.input(0).dims())));
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i] = std::isinf(x[i]) && (x[i] < 0 ? negative_ : positive_);
    }
    return Status();
  }

 private:
  bool negative_;
  bool positive_;
};

/// y = (input 0 + input 1 + ...) / count, with broadcasting.
inline Status RunMean(OpContext& context) {
  ZEROPOINT_RETURN_IF_ERROR(
      context.RequireInputs(std::max<std::size_t>(1, context.input_count())));
  Dims dims = ToDims(context.input(0).dims());
  for (std::size_t i = 1; i < context.input_count(); ++i) {
    ZEROPOINT_ASSIGN_OR_RETURN(dims,
                               BroadcastDims(dims, context.input(i).dims()));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(auto sum, ZeroReals(dims));
  for (std::size_t i = 0; i < context.input_count(); ++i) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, i));
    const auto strides = BroadcastStrides(context.input(i).dims(), dims);
    std::vector<std::int64_t> index(dims.size());
    for (double& value : sum) {
      std::ptrdiff_t at = 0;
      for (std::size_t k = 0; k < dims.size(); ++k) at += index[k] * strides[k];
      value += x[static_cast<std::size_t>(at)];
      NextIndex(dims, index);
    }
  }
  for (double& value : sum) value /= static_cast<double>(context.input_count());
  return WriteReals(context, 0, context.input(0).type(), dims, sum);
}

}  // namespace bitwise

inline void AddBitwiseOperators(OperatorRegistry& registry) {
  using namespace bitwise;  // NOLINT(google-build-using-namespace)
  registry.Add("", "BitCast", {}, Construct<BitCast>);
  registry.Add("", "BitShift", {}, MakeBitShift);
  registry.Add("", "BitwiseAnd", {}, Stateless<binary::RunBinary<And>>);
  registry.Add("", "BitwiseNot", {}, unary::MakeUnary<bitwise::Not>);
  registry.Add("", "BitwiseOr", {}, Stateless<binary::RunBinary<Or>>);
  registry.Add("", "BitwiseXor", {}, Stateless<binary::RunBinary<Xor>>);
  registry.Add("", "IsInf", {}, Construct<IsInf>);
  registry.Add("", "Mean", {}, Stateless<RunMean>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_BITWISE_H_
