// NpzArchive: the arrays of a .npz file, read a sample at a time.
//
// A .npz is a .zip of .npy files. The archive is usually deflated, so an array
// can only be read from front to back; a sample is a slice along axis 0, which
// in row-major order is the next run of bytes. So one sample is all that is
// ever in memory, however large the array.
#ifndef ZEROPOINT_DATA_NPZ_H_
#define ZEROPOINT_DATA_NPZ_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/data/npy.h"
#include "zeropoint/data/zip_archive.h"

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

/// One array of an archive.
struct NpzArray {
  std::string name;
  NpyHeader header;

  /// The length of axis 0. Requires an axis.
  std::size_t samples() const {
    return static_cast<std::size_t>(header.dims[0]);
  }
  /// The other axes. Requires an axis.
  std::span<const std::int64_t> sample_dims() const {
    return std::span(header.dims).subspan(1);
  }
};

/// Reads one array a sample at a time. Must not outlive its archive.
class NpzSampleReader {
 public:
  NpzSampleReader(const NpzArray& array, ZipEntryStream stream)
      : array_(&array), stream_(std::move(stream)) {}

  /// The next sample. Requires that one is left and that the elements are not
  /// text. The last one also checks the array's checksum.
  Result<Tensor> Next() {
    const NpyHeader& header = array_->header;
    const auto dims = array_->sample_dims();
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
    const NpyHeader& header = array_->header;
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
    const std::uint64_t bytes = *array_->header.data_bytes();
    next_ += samples;
    return stream_.Skip(bytes / std::max<std::size_t>(1, array_->samples()) *
                        samples);
  }

 private:
  Status ReadBytes(void* into, std::size_t bytes) {
    ZEROPOINT_ASSERT(next_ < array_->samples(), "no sample is left");
    ZEROPOINT_RETURN_IF_ERROR(stream_.Read(into, bytes));
    return ++next_ == array_->samples() ? stream_.Finish() : Status();
  }

  static void SwapBytes(char* data, std::size_t items, std::size_t item_bytes) {
    for (std::size_t i = 0; i < items; ++i) {
      std::reverse(data + i * item_bytes, data + (i + 1) * item_bytes);
    }
  }

  const NpzArray* array_;
  ZipEntryStream stream_;
  std::size_t next_ = 0;
};

/// A .npz file opened for reading.
class NpzArchive {
 public:
  /// Reads the list of arrays and each one's header.
  ///
  /// Errors: kNotFound, kIoError; kInvalidData for a damaged archive, two
  /// arrays of one name, an entry that is no .npy, or one whose size does not
  /// fit its shape; kUnsupported for what NpyHeader does not know and for
  /// Fortran order. Messages name the file and the array.
  static Result<NpzArchive> Open(const std::string& path) {
    ZEROPOINT_ASSIGN_OR_RETURN(ZipArchive zip, ZipArchive::Open(path));
    NpzArchive archive(path, std::move(zip));
    for (std::size_t i = 0; i < archive.zip_.entries().size(); ++i) {
      const Status status = archive.AddArray(i);
      if (!status.ok()) {
        return status.WithContext(
            archive.Context(archive.zip_.entries()[i].name));
      }
    }
    return archive;
  }

  const std::string& path() const { return path_; }
  const std::vector<NpzArray>& arrays() const { return arrays_; }

  /// A reader at the first sample of `arrays()[index]`. Requires that the array
  /// has an axis.
  Result<NpzSampleReader> Read(std::size_t index) {
    ZEROPOINT_ASSIGN_OR_RETURN(ZipEntryStream stream, zip_.Read(index));
    ZEROPOINT_RETURN_IF_ERROR(stream.Skip(arrays_[index].header.header_bytes));
    return NpzSampleReader(arrays_[index], std::move(stream));
  }

  /// "'calib.npz': array 'x'", for messages.
  std::string Context(std::string_view array) const {
    return "'" + path_ + "': array '" + std::string(array) + "'";
  }

 private:
  NpzArchive(std::string path, ZipArchive zip)
      : path_(std::move(path)), zip_(std::move(zip)) {}

  Status AddArray(std::size_t index) {
    constexpr std::string_view kSuffix = ".npy";
    const ZipEntry& entry = zip_.entries()[index];
    if (!entry.name.ends_with(kSuffix)) {
      return InvalidData("is not a .npy file; save with numpy.savez");
    }
    NpzArray array;
    array.name = entry.name.substr(0, entry.name.size() - kSuffix.size());
    for (const NpzArray& other : arrays_) {
      if (other.name == array.name) return InvalidData("stands there twice");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(ZipEntryStream stream, zip_.Read(index));
    ZEROPOINT_ASSIGN_OR_RETURN(
        array.header, ReadNpyHeader([&](void* into, std::size_t bytes) {
          return stream.Read(into, bytes);
        }));
    const NpyHeader& header = array.header;
    if (header.fortran_order && header.dims.size() > 1) {
      return Unsupported(
          "is stored in Fortran order; save "
          "numpy.ascontiguousarray(it)");
    }
    const std::uint64_t expected = header.header_bytes + *header.data_bytes();
    if (entry.bytes != expected) {
      return InvalidData("takes " + std::to_string(entry.bytes) +
                         " bytes, but " + std::to_string(expected) +
                         " for its shape " + FormatDims(header.dims) +
                         "; write the file again");
    }
    arrays_.push_back(std::move(array));
    return Status();
  }

  std::string path_;
  ZipArchive zip_;
  std::vector<NpzArray> arrays_;  // one for each entry of the archive
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_NPZ_H_
