// NpySampleReader: the elements of an array, a sample at a time.
//
// A sample is a slice along axis 0, which in row-major order is the next run of
// bytes. So one sample is all that is ever in memory, however large the array.
#ifndef ZEROPOINT_DATA_NPY_SAMPLE_READER_H_
#define ZEROPOINT_DATA_NPY_SAMPLE_READER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/data/npy.h"

namespace zeropoint {

namespace internal {

inline Result<std::string> Utf8(std::u32string_view text) {
  std::string bytes;
  const auto put = [&bytes](char32_t high_bits, char32_t low_bits) {
    bytes += static_cast<char>(high_bits | low_bits);
  };
  for (const char32_t c : text) {
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
      return InvalidData("holds text that is not Unicode");
    }
    if (c < 0x80) {
      put(0, c);
      continue;
    }
    if (c < 0x800) {
      put(0xc0, c >> 6);
    } else {
      if (c < 0x10000) {
        put(0xe0, c >> 12);
      } else {
        put(0xf0, c >> 18);
        put(0x80, c >> 12 & 0x3f);
      }
      put(0x80, c >> 6 & 0x3f);
    }
    put(0x80, c & 0x3f);
  }
  return bytes;
}

}  // namespace internal

/// Reads one array a sample at a time, through a stream that stands at its
/// first element and has Read(into, bytes), Skip(bytes) and Finish(), as
/// ZipEntryStream has. Must not outlive `header`.
template <class Stream>
class NpySampleReader {
 public:
  NpySampleReader(const NpyHeader& header, Stream stream)
      : header_(&header), stream_(std::move(stream)) {}

  /// The next sample. Requires that one is left and that the elements are not
  /// text. The last one also checks the array's checksum.
  Result<Tensor> Next() {
    const NpyHeader& header = *header_;
    const auto dims = header.sample_dims();
    Tensor sample(header.type, Dims(dims.begin(), dims.end()));
    ZEROPOINT_RETURN_IF_ERROR(ReadBytes(sample.mutable_data(), sample.bytes()));
    if (header.swapped) {
      SwapBytes(static_cast<char*>(sample.mutable_data()), sample.size(),
                header.item_bytes);
    }
    // C++ knows no bool of value 2.
    if (header.type == DataType::kBool) {
      auto* bytes = static_cast<unsigned char*>(sample.mutable_data());
      for (std::size_t i = 0; i < sample.size(); ++i) bytes[i] = bytes[i] != 0;
    }
    return sample;
  }

  /// The next sample of a text array of one axis, in UTF-8. Requires that one
  /// is left.
  Result<std::string> NextText() {
    const NpyHeader& header = *header_;
    std::string item(header.item_bytes, '\0');
    ZEROPOINT_RETURN_IF_ERROR(ReadBytes(item.data(), item.size()));
    if (header.swapped) SwapBytes(item.data(), item.size() / 4, 4);
    std::u32string text(item.size() / 4, U'\0');
    std::memcpy(text.data(), item.data(), item.size());
    text.resize(text.find_last_not_of(U'\0') + 1);  // NUL is padding
    return internal::Utf8(text);
  }

  /// Drops the next `samples`.
  Status Skip(std::size_t samples) {
    const std::uint64_t bytes = *header_->data_bytes();
    next_ += samples;
    return stream_.Skip(bytes / std::max<std::size_t>(1, header_->samples()) *
                        samples);
  }

 private:
  Status ReadBytes(void* into, std::size_t bytes) {
    ZEROPOINT_ASSERT(next_ < header_->samples(), "no sample is left");
    ZEROPOINT_RETURN_IF_ERROR(stream_.Read(into, bytes));
    return ++next_ == header_->samples() ? stream_.Finish() : Status();
  }

  static void SwapBytes(char* data, std::size_t items, std::size_t item_bytes) {
    for (std::size_t i = 0; i < items; ++i) {
      std::reverse(data + i * item_bytes, data + (i + 1) * item_bytes);
    }
  }

  const NpyHeader* header_;
  Stream stream_;
  std::size_t next_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_NPY_SAMPLE_READER_H_
