// The .npy header: what NumPy writes in front of an array's elements.
//
//   \x93NUMPY, version (2 bytes), length of the text (2 bytes; 4 from version
//   2 on), then a Python dictionary padded with spaces:
//   {'descr': '<f4', 'fortran_order': False, 'shape': (64, 1, 28, 28), }
//
// Only what an array of numbers or text needs is understood; the rest (objects,
// which NumPy would unpickle and so execute, records, dates) is refused by
// name. Source: NumPy, numpy.lib.format.
#ifndef ZEROPOINT_DATA_NPY_H_
#define ZEROPOINT_DATA_NPY_H_

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

/// One array of a .npy file or .npz archive.
struct NpyHeader {
  DataType type = DataType::kUndefined;  // kString: text, UTF-32, padded by NUL
  std::size_t item_bytes = 0;
  bool swapped = false;  // the file's byte order is not this machine's
  bool fortran_order = false;
  Dims dims;
  std::size_t header_bytes = 0;  // the elements begin here

  /// The length of axis 0. Requires an axis.
  std::size_t samples() const { return static_cast<std::size_t>(dims[0]); }
  /// The other axes. Requires an axis.
  std::span<const std::int64_t> sample_dims() const {
    return std::span(dims).subspan(1);
  }

  /// Bytes of all elements; nothing when that overflows.
  std::optional<std::uint64_t> data_bytes() const {
    const std::optional<std::size_t> count = ElementCount(dims);
    if (!count ||
        (item_bytes > 0 &&
         *count > std::numeric_limits<std::size_t>::max() / 2 / item_bytes)) {
      return std::nullopt;
    }
    return *count * item_bytes;
  }
};

namespace internal {

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";
inline constexpr bool kLittle = std::endian::native == std::endian::little;
inline constexpr char kNativeOrder = kLittle ? '<' : '>';
inline constexpr char kOtherOrder = kLittle ? '>' : '<';

struct NpyType {
  DataType type;
  char kind;
  std::size_t bytes;
};
inline constexpr std::array kNpyTypes = {
    NpyType{DataType::kBool, 'b', 1},   NpyType{DataType::kInt8, 'i', 1},
    NpyType{DataType::kInt16, 'i', 2},  NpyType{DataType::kInt32, 'i', 4},
    NpyType{DataType::kInt64, 'i', 8},  NpyType{DataType::kUint8, 'u', 1},
    NpyType{DataType::kUint16, 'u', 2}, NpyType{DataType::kUint32, 'u', 4},
    NpyType{DataType::kUint64, 'u', 8}, NpyType{DataType::kFloat16, 'f', 2},
    NpyType{DataType::kFloat, 'f', 4},  NpyType{DataType::kDouble, 'f', 8},
};

// Takes the header's dictionary apart, from left to right.
class NpyDictionary {
 public:
  explicit NpyDictionary(std::string_view text) : rest_(text) {}

  bool Take(char wanted) {
    SkipSpace();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::string_view> TakeString() {
    SkipSpace();
    if (!rest_.starts_with('\'') && !rest_.starts_with('"')) return {};
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return {};
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::optional<bool> TakeBool() {
    SkipSpace();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return value;
      }
    }
    return {};
  }

  // "()", "(64,)", "(64, 3)"
  std::optional<Dims> TakeShape() {
    if (!Take('(')) return {};
    Dims dims;
    while (!Take(')')) {
      SkipSpace();
      std::int64_t dim = -1;
      const auto [end, error] =
          std::from_chars(rest_.data(), rest_.data() + rest_.size(), dim);
      if (error != std::errc() || dim < 0) return {};
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      dims.push_back(dim);
      if (!Take(',') && !rest_.starts_with(')')) return {};
    }
    return dims;
  }

  bool AtEnd() {
    SkipSpace();
    return rest_.empty();
  }

 private:
  void SkipSpace() {
    const std::size_t end = rest_.find_first_not_of(" \t\n");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }
  std::string_view rest_;
};

// "<f4": byte order, kind, bytes of an item (for text: characters).
inline Status ParseNpyType(std::string_view text, NpyHeader& header) {
  if (text.starts_with("|O")) {
    return Unsupported(
        "holds Python objects, which only Python could load, and would "
        "execute; save an array of one number type");
  }
  if (text.size() > 2 &&
      std::string_view("<>|=").find(text[0]) != std::string_view::npos) {
    std::size_t size = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + 2, end, size);
    if (error != std::errc() || stop != end) size = 0;
    header.swapped = text[0] == kOtherOrder;
    for (const NpyType& known : kNpyTypes) {
      if (known.kind == text[1] && known.bytes == size) {
        header.type = known.type;
        header.item_bytes = size;
        return Status();
      }
    }
    // The limit keeps the bytes of an item within std::size_t.
    if (text[1] == 'U' && size > 0 && size <= (std::size_t{1} << 30)) {
      header.type = DataType::kString;
      header.item_bytes = 4 * size;  // UTF-32
      return Status();
    }
  }
  return Unsupported("holds elements of type '" + std::string(text) +
                     "', which is not supported; save integers, booleans or "
                     "float32");
}

inline Status ParseNpyDictionary(std::string_view text, NpyHeader& header) {
  Status broken =
      InvalidData("its .npy header is broken; write the file again");
  NpyDictionary dictionary(text);
  bool type_seen = false, order_seen = false, shape_seen = false;
  if (!dictionary.Take('{')) return broken;
  while (!dictionary.Take('}')) {
    const auto key = dictionary.TakeString();
    if (!key || !dictionary.Take(':')) return broken;
    if (*key == "descr" && !type_seen) {
      if (dictionary.Take('[')) {
        return Unsupported(
            "holds records with named fields; save one array a "
            "field");
      }
      const auto type = dictionary.TakeString();
      if (!type) return broken;
      ZEROPOINT_RETURN_IF_ERROR(ParseNpyType(*type, header));
      type_seen = true;
    } else if (*key == "fortran_order" && !order_seen) {
      const auto order = dictionary.TakeBool();
      if (!order) return broken;
      header.fortran_order = *order;
      order_seen = true;
    } else if (*key == "shape" && !shape_seen) {
      auto shape = dictionary.TakeShape();
      if (!shape) return broken;
      header.dims = *std::move(shape);
      shape_seen = true;
    } else {
      return broken;
    }
    if (!dictionary.Take(',')) {
      if (!dictionary.Take('}')) return broken;
      break;
    }
  }
  if (!dictionary.AtEnd() || !type_seen || !order_seen || !shape_seen) {
    return broken;
  }
  return Status();
}

}  // namespace internal

/// Reads and checks a header through `read(void* into, std::size_t bytes)`,
/// which fills `into` or returns why it cannot.
///
/// Errors: whatever `read` returns; kInvalidData for a broken header or a shape
/// whose size overflows; kUnsupported for a newer format and for elements that
/// are no numbers, booleans or text. The messages complete "array 'x' ...".
template <class Read>
Result<NpyHeader> ReadNpyHeader(Read&& read) {
  // Real headers take 64 or 128 bytes; this keeps a hostile length harmless.
  constexpr std::size_t kMaxText = std::size_t{1} << 16;
  std::array<unsigned char, 8> start{};
  ZEROPOINT_RETURN_IF_ERROR(read(start.data(), start.size()));
  if (std::memcmp(start.data(), internal::kNpyMagic.data(),
                  internal::kNpyMagic.size()) != 0) {
    return InvalidData("is not in .npy form; save it with numpy.savez");
  }
  const int version = start[6];
  if (version < 1 || version > 3) {
    return Unsupported("is in .npy version " + std::to_string(version) +
                       "; versions 1 to 3 are known");
  }
  std::array<unsigned char, 4> length{};
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  ZEROPOINT_RETURN_IF_ERROR(read(length.data(), length_bytes));
  const std::size_t text_bytes = length[0] | std::size_t{length[1]} << 8 |
                                 std::size_t{length[2]} << 16 |
                                 std::size_t{length[3]} << 24;
  if (text_bytes > kMaxText) {
    return InvalidData("has a .npy header of " + std::to_string(text_bytes) +
                       " bytes; write the file again");
  }
  std::string text(text_bytes, '\0');
  ZEROPOINT_RETURN_IF_ERROR(read(text.data(), text.size()));
  NpyHeader header;
  ZEROPOINT_RETURN_IF_ERROR(internal::ParseNpyDictionary(text, header));
  header.header_bytes = start.size() + length_bytes + text_bytes;
  if (!header.data_bytes()) {
    return InvalidData("has the impossible shape " + FormatDims(header.dims));
  }
  return header;
}

/// The header (version 1) of a dense row-major array, padded so that the
/// elements begin at a multiple of 64 bytes. Requires a type that NumPy has.
inline std::string FormatNpyHeader(DataType type,
                                   std::span<const std::int64_t> dims) {
  std::string text = "{'descr': '";
  for (const internal::NpyType& known : internal::kNpyTypes) {
    if (known.type != type) continue;
    text += known.bytes == 1 ? '|' : internal::kNativeOrder;
    text += known.kind + std::to_string(known.bytes);
  }
  text += "', 'fortran_order': False, 'shape': (";
  for (const std::int64_t dim : dims) text += std::to_string(dim) + ", ";
  text += "), }";
  constexpr std::size_t kStart = 10;  // magic, version, length
  text.resize((kStart + text.size() + 1 + 63) / 64 * 64 - kStart - 1, ' ');
  text += '\n';
  ZEROPOINT_ASSERT(text.size() < (1u << 16), "a shape of fewer axes");
  std::string header(internal::kNpyMagic);
  header += {'\x01', '\x00', static_cast<char>(text.size() & 0xff),
             static_cast<char>(text.size() >> 8)};
  return header + text;
}

/// Whether FormatNpyHeader can name `type`.
inline bool HasNpyType(DataType type) {
  for (const internal::NpyType& known : internal::kNpyTypes) {
    if (known.type == type) return true;
  }
  return false;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_NPY_H_
