// Combine: how a new element joins the one that is there, for scattering.
#ifndef ZEROPOINT_EXEC_OPERATORS_COMBINE_H_
#define ZEROPOINT_EXEC_OPERATORS_COMBINE_H_

#include <concepts>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "zeropoint/exec/operators/binary_formulas.h"
#include "zeropoint/exec/operators/copy_box.h"

namespace zeropoint {

/// *to = f(*to, *from), for elements of one type.
struct Combine {
  void (*function)(const std::byte* from, std::byte* to) = nullptr;
  void operator()(const std::byte* from, std::byte* to) const {
    function(from, to);
  }
};

namespace internal {
template <class F, class T>
void CombineAs(const std::byte* from, std::byte* to) {
  T a;
  T b;
  std::memcpy(&a, to, sizeof(T));
  std::memcpy(&b, from, sizeof(T));
  a = F::Apply(a, b);
  std::memcpy(to, &a, sizeof(T));
}
template <std::size_t kBytes>
void Replace(const std::byte* from, std::byte* to) {
  std::memcpy(to, from, kBytes);
}
template <class F>
Combine CombineFor(DataType type) {
  Combine combine;
  (void)VisitDataType(type, [&combine]<class T>() {
    if constexpr (!std::same_as<T, bool>) combine.function = CombineAs<F, T>;
    return Status();
  });
  return combine;
}
inline Combine ReplaceFor(DataType type) {
  switch (BitsOf(type)) {
    case 8:
      return {Replace<1>};
    case 16:
      return {Replace<2>};
    case 32:
      return {Replace<4>};
    case 64:
      return {Replace<8>};
    case 128:
      return {Replace<16>};
    default:
      return {};
  }
}
}  // namespace internal

/// `reduction` is "none" (the new element replaces), "add", "mul", "max" or
/// "min". Errors: another name; a type that it has no rule for.
inline Result<Combine> FindCombine(std::string_view reduction, DataType type) {
  Combine combine;
  if (reduction == "none") {
    combine = internal::ReplaceFor(type);
  } else if (reduction == "add") {
    combine = internal::CombineFor<binary::Add>(type);
  } else if (reduction == "mul") {
    combine = internal::CombineFor<binary::Mul>(type);
  } else if (reduction == "max") {
    combine = internal::CombineFor<binary::Max>(type);
  } else if (reduction == "min") {
    combine = internal::CombineFor<binary::Min>(type);
  } else {
    return InvalidModel("reduction '" + std::string(reduction) +
                        "' is unknown");
  }
  if (combine.function == nullptr) {
    return Unsupported("no rule for reduction '" + std::string(reduction) +
                       "' of elements of type " +
                       std::string(DataTypeName(type)));
  }
  return combine;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_COMBINE_H_
