// SchemeSpec: the facts of a scheme as plain data, and their text
// ("i8:sym:channel:narrow").
//
// The command line, files, the registry and the passes know only this form;
// SpecOf<S>() makes it from a scheme type.
#ifndef ZEROPOINT_CORE_SCHEME_SPEC_H_
#define ZEROPOINT_CORE_SCHEME_SPEC_H_

#include <array>
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
  /// One scale for each run of so many elements along the axis that the
  /// operator sums over; the last run may be shorter. 0: not blocked. Excludes
  /// per_channel, which it refines: every output channel has blocks of its own.
  std::int64_t block = 0;
  /// Of the stored scales: float, or in a model of half precision the type of
  /// the reals. No part of the text: it is a property of the tensor.
  DataType scale_type = DataType::kFloat;

  friend constexpr bool operator==(const SchemeSpec&,
                                   const SchemeSpec&) = default;
};

/// Least and greatest code.
struct CodeRange {
  std::int32_t qmin;
  std::int32_t qmax;
};
/// All codes of an affine storage type; nothing for other types.
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
    case DataType::kUint4:
      return CodeRange{0, 15};
    case DataType::kInt4:
      return CodeRange{-8, 7};
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

namespace internal {

struct StorageName {
  std::string_view text;
  DataType type;
};
/// What is written first; the others are read too.
inline constexpr std::array kStorageNames = {
    StorageName{"u8", DataType::kUint8},   StorageName{"i8", DataType::kInt8},
    StorageName{"u16", DataType::kUint16}, StorageName{"i16", DataType::kInt16},
    StorageName{"u4", DataType::kUint4},   StorageName{"i4", DataType::kInt4},
    StorageName{"s8", DataType::kInt8},    StorageName{"s16", DataType::kInt16},
    StorageName{"s4", DataType::kInt4},
};

constexpr std::string_view StorageText(DataType storage) {
  for (const StorageName& name : kStorageNames) {
    if (name.type == storage) return name.text;
  }
  return DataTypeName(storage);
}

}  // namespace internal

/// The text of a spec: storage, "sym" or "asym", then "channel", "axis=N" or
/// "block=N", then "narrow"; parts that do not apply are left out. "u8:asym",
/// "i8:sym:channel:narrow", "i8:sym:axis=1", "i4:sym:block=32".
inline std::string FormatScheme(const SchemeSpec& spec) {
  std::string text(internal::StorageText(spec.storage));
  text += spec.symmetric ? ":sym" : ":asym";
  if (spec.block > 0) text += ":block=" + std::to_string(spec.block);
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
  for (const StorageName& name : kStorageNames) {
    if (text == name.text || text == DataTypeName(name.type)) return name.type;
  }
  return std::nullopt;
}

inline Status ApplySchemePart(std::string_view part, SchemeSpec& spec) {
  constexpr std::string_view kAxisPrefix = "axis=";
  constexpr std::string_view kBlockPrefix = "block=";
  if (part == "sym" || part == "asym") {
    spec.symmetric = part == "sym";
  } else if (part == "tensor" || part == "channel") {
    spec.per_channel = part == "channel";
    spec.axis = kOperatorAxis;
    spec.block = 0;
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
    spec.block = 0;
  } else if (part.starts_with(kBlockPrefix)) {
    const std::string_view digits = part.substr(kBlockPrefix.size());
    std::int64_t block = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), block);
    if (error != std::errc() || end != digits.data() + digits.size() ||
        block < 1) {
      return InvalidArgument("block '" + std::string(digits) +
                             "' is no positive number; write block=32");
    }
    spec.per_channel = false;
    spec.axis = kOperatorAxis;
    spec.block = block;
  } else if (part == "narrow") {
    if (FullCodeRange(spec.storage)->qmin == 0) {
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
                           "block=N, narrow, full");
  }
  return Status();
}

}  // namespace internal

/// Reads the text form: a storage type (u8, i8, u16, i16, u4, i4; s8, s16 and
/// s4 are read too), then parts separated by ':' in any order: sym, asym,
/// tensor, channel, axis=N, block=N, narrow, full; of two that contradict each
/// other the later one holds. Without sym or asym: signed is symmetric,
/// unsigned is not. Errors: kInvalidArgument, naming the part and what is
/// known.
inline Result<SchemeSpec> ParseScheme(std::string_view text) {
  const auto fail = [text](const Status& status) {
    return status.WithContext("scheme '" + std::string(text) + "'");
  };
  std::size_t end = text.find(':');
  const auto storage = internal::ParseStorage(text.substr(0, end));
  if (!storage) {
    return fail(InvalidArgument("unknown storage type '" +
                                std::string(text.substr(0, end)) +
                                "'; known: u8, i8, u16, i16, u4, i4"));
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
