// NpzArchive: the arrays of a .npz file, read a sample at a time.
//
// A .npz is a .zip of .npy files. The archive is usually deflated, so an array
// can only be read from front to back; a sample is a slice along axis 0, which
// in row-major order is the next run of bytes. So one sample is all that is
// ever in memory, however large the array.
#ifndef ZEROPOINT_DATA_NPZ_H_
#define ZEROPOINT_DATA_NPZ_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/data/npy.h"
#include "zeropoint/data/npy_sample_reader.h"
#include "zeropoint/data/zip_archive.h"

namespace zeropoint {

/// One array of an archive.
struct NpzArray {
  std::string name;
  NpyHeader header;

  /// As of the header. Require an axis.
  std::size_t samples() const { return header.samples(); }
  std::span<const std::int64_t> sample_dims() const {
    return header.sample_dims();
  }
};

/// Reads one array of an archive. Must not outlive the archive.
using NpzSampleReader = NpySampleReader<ZipEntryStream>;

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
    return NpzSampleReader(arrays_[index].header, std::move(stream));
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
