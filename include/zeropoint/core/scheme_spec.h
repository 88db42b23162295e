// SchemeSpec: the facts of a scheme as plain data, and their text
// ("i8:sym:channel:narrow").
//
// The command line, files, the registry and the passes know only this form;
// SpecOf<S>() makes it from a scheme type.
#ifndef ZEROPOINT_CORE_SCHEME_SPEC_H_
#define ZEROPOINT_CORE_SCHEME_SPEC_H_

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/scheme.h"
#include "zeropoint/core/status.h"

namespace zeropoint {

/// A scheme without numbers; see scheme.h for what each part means.
struct SchemeSpec {
  DataType storage = DataType::kUint8;
  bool symmetric = false;
  bool per_channel = false;
  /// kOperatorAxis leaves the choice to the operator; so it is without
  /// per_channel.
  int axis = kOperatorAxis;
  std::int32_t qmin = 0;
  std::int32_t qmax = 255;

  friend constexpr bool operator==(const SchemeSpec&,
                                   const SchemeSpec&) = default;
};

/// Least and greatest code of an affine storage type; nothing for other types.
struct CodeRange {
  std::int32_t qmin;
  std::int32_t qmax;
};
constexpr std::optional<CodeRange> FullCodeRange(DataType storage) {
  switch (storage) {
    case DataType::kUint8:
      return CodeRange{0, 255};
    case DataType::kInt8:
      return CodeRange{-128, 127};
    case DataType::kUint16:
      return CodeRange{0, 65535};
    case DataType::kInt16:
      return CodeRange{-32768, 32767};
    default:
      return std::nullopt;
  }
}

/// The facts of scheme type S.
template <Scheme S>
constexpr SchemeSpec SpecOf() {
  SchemeSpec spec;
  spec.storage = DataTypeOf<typename S::Storage>();
  spec.symmetric = std::same_as<typename S::Symmetry, Symmetric>;
  if constexpr (!std::same_as<typename S::Granularity, PerTensor>) {
    spec.per_channel = true;
    spec.axis = S::Granularity::kAxis;
  }
  spec.qmin = S::kQMin;
  spec.qmax = S::kQMax;
  return spec;
}

/// The text of a spec: storage, "sym" or "asym", then "channel" or "axis=N",
/// then "narrow"; parts that do not apply are left out. "u8:asym",
/// "i8:sym:channel:narrow", "i8:sym:axis=1".
inline std::string FormatScheme(const SchemeSpec& spec) {
  std::string text;
  switch (spec.storage) {
    case DataType::kUint8:
      text = "u8";
      break;
    case DataType::kInt8:
      text = "i8";
      break;
    case DataType::kUint16:
      text = "u16";
      break;
    default:
      text = "i16";
  }
  text += spec.symmetric ? ":sym" : ":asym";
  if (spec.per_channel) {
    text += spec.axis == kOperatorAxis ? std::string(":channel")
                                       : ":axis=" + std::to_string(spec.axis);
  }
  const auto full = FullCodeRange(spec.storage);
  if (full && spec.qmin > full->qmin) text += ":narrow";
  return text;
}

namespace internal {

inline std::optional<DataType> ParseStorage(std::string_view text) {
  if (text == "u8" || text == "uint8") return DataType::kUint8;
  if (text == "i8" || text == "s8" || text == "int8") return DataType::kInt8;
  if (text == "u16" || text == "uint16") return DataType::kUint16;
  if (text == "i16" || text == "s16" || text == "int16") {
    return DataType::kInt16;
  }
  return std::nullopt;
}

inline Status ApplySchemePart(std::string_view part, SchemeSpec& spec) {
  constexpr std::string_view kAxisPrefix = "axis=";
  if (part == "sym" || part == "asym") {
    spec.symmetric = part == "sym";
  } else if (part == "tensor" || part == "channel") {
    spec.per_channel = part == "channel";
    spec.axis = kOperatorAxis;
  } else if (part.starts_with(kAxisPrefix)) {
    const std::string_view digits = part.substr(kAxisPrefix.size());
    int axis = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), axis);
    if (error != std::errc() || end != digits.data() + digits.size() ||
        axis == kOperatorAxis) {
      return InvalidArgument("axis '" + std::string(digits) +
                             "' is not a number; write axis=0");
    }
    spec.per_channel = true;
    spec.axis = axis;
  } else if (part == "narrow") {
    if (spec.storage == DataType::kUint8 || spec.storage == DataType::kUint16) {
      return InvalidArgument(
          "'narrow' leaves out the lowest code of a signed type; unsigned "
          "storage has no narrow range");
    }
    spec.qmin = FullCodeRange(spec.storage)->qmin + 1;
  } else if (part == "full") {
    spec.qmin = FullCodeRange(spec.storage)->qmin;
  } else {
    return InvalidArgument("unknown part '" + std::string(part) +
                           "'; known: sym, asym, tensor, channel, axis=N, "
                           "narrow, full");
  }
  return Status();
}

}  // namespace internal

/// Reads the text form: a storage type (u8, i8, u16, i16; s8 and s16 are read
/// too), then parts separated by ':' in any order: sym, asym, tensor, channel,
/// axis=N, narrow, full; of two that contradict each other the later one holds.
/// Without sym or asym: signed is symmetric, unsigned is not.
/// Errors: kInvalidArgument, naming the part and what is known.
inline Result<SchemeSpec> ParseScheme(std::string_view text) {
  const auto fail = [text](const Status& status) {
    return status.WithContext("scheme '" + std::string(text) + "'");
  };
  std::size_t end = text.find(':');
  const auto storage = internal::ParseStorage(text.substr(0, end));
  if (!storage) {
    return fail(InvalidArgument("unknown storage type '" +
                                std::string(text.substr(0, end)) +
                                "'; known: u8, i8, u16, i16"));
  }
  SchemeSpec spec;
  spec.storage = *storage;
  spec.qmin = FullCodeRange(*storage)->qmin;
  spec.qmax = FullCodeRange(*storage)->qmax;
  spec.symmetric = spec.qmin < 0;
  while (end != std::string_view::npos) {
    const std::size_t begin = end + 1;
    end = text.find(':', begin);
    const Status status = internal::ApplySchemePart(
        text.substr(begin, end == std::string_view::npos ? end : end - begin),
        spec);
    if (!status.ok()) return fail(status);
  }
  return spec;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_SCHEME_SPEC_H_
