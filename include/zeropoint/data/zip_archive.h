// ZipArchive: reads the entries of a .zip as streams, over libzip.
//
// An archive is hostile until its figures are checked: a few bytes may claim to
// unfold to terabytes. Entries whose claimed size no compressor could reach are
// refused, so memory asked for on the strength of a size stays in proportion to
// the file. Checksums are checked when an entry is read to its end.
#ifndef ZEROPOINT_DATA_ZIP_ARCHIVE_H_
#define ZEROPOINT_DATA_ZIP_ARCHIVE_H_

#include <zip.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"

namespace zeropoint {

/// One file of an archive.
struct ZipEntry {
  std::string name;
  std::uint64_t bytes = 0;  // unfolded
};

/// Reads one entry from front to back. Must not outlive its archive.
class ZipEntryStream {
 public:
  /// Fills `into`. Errors: kInvalidData when the entry ends before or is
  /// damaged.
  Status Read(void* into, std::size_t bytes) {
    char* rest = static_cast<char*>(into);
    while (bytes > 0) {
      const zip_int64_t got = zip_fread(file_.get(), rest, bytes);
      if (got < 0) return Damaged();
      if (got == 0) return InvalidData("ends too early; write the file again");
      rest += got;
      bytes -= static_cast<std::size_t>(got);
    }
    return Status();
  }

  /// Drops the next `bytes`.
  Status Skip(std::uint64_t bytes) {
    char scratch[16384];
    while (bytes > 0) {
      const std::size_t step = bytes < sizeof(scratch)
                                   ? static_cast<std::size_t>(bytes)
                                   : sizeof(scratch);
      ZEROPOINT_RETURN_IF_ERROR(Read(scratch, step));
      bytes -= step;
    }
    return Status();
  }

  /// Checks that nothing follows and that the checksum is right.
  Status Finish() {
    char extra = 0;
    const zip_int64_t got = zip_fread(file_.get(), &extra, 1);
    if (got < 0) return Damaged();
    if (got > 0) return InvalidData("is longer than its header says");
    return Status();
  }

 private:
  friend class ZipArchive;
  struct Close {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
  };
  explicit ZipEntryStream(zip_file_t* file) : file_(file) {}

  Status Damaged() const {
    return InvalidData(std::string("is damaged (") +
                       zip_error_strerror(zip_file_get_error(file_.get())) +
                       "); write or fetch the file again");
  }

  std::unique_ptr<zip_file_t, Close> file_;
};

/// An archive opened for reading.
class ZipArchive {
 public:
  /// Errors: kNotFound, kIoError; kInvalidData when `path` is no archive or
  /// lies about its sizes; kUnsupported for encryption and for compression
  /// other than deflate.
  static Result<ZipArchive> Open(const std::string& path) {
    std::error_code failure;
    const std::uintmax_t file_bytes = std::filesystem::file_size(path, failure);
    if (failure) {
      return NotFound("cannot read '" + path + "': " + failure.message());
    }
    int code = 0;
    ZipArchive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (archive.zip_ == nullptr) {
      zip_error_t error;
      zip_error_init_with_code(&error, code);
      Status status = InvalidData("'" + path + "' is no readable .zip (" +
                                  zip_error_strerror(&error) +
                                  "); write or fetch the file again");
      zip_error_fini(&error);
      return status;
    }
    ZEROPOINT_RETURN_IF_ERROR(
        archive.ReadEntries(file_bytes).WithContext("'" + path + "'"));
    return archive;
  }

  const std::vector<ZipEntry>& entries() const { return entries_; }

  /// A stream at the start of `entries()[index]`. Several may be open at once.
  Result<ZipEntryStream> Read(std::size_t index) {
    zip_file_t* file = zip_fopen_index(zip_.get(), index, 0);
    if (file == nullptr) {
      return InvalidData(std::string("cannot be opened (") +
                         zip_error_strerror(zip_get_error(zip_.get())) +
                         "); write or fetch the file again");
    }
    return ZipEntryStream(file);
  }

 private:
  struct Discard {
    void operator()(zip_t* zip) const { zip_discard(zip); }
  };
  explicit ZipArchive(zip_t* zip) : zip_(zip) {}

  Status ReadEntries(std::uint64_t file_bytes) {
    // Deflate writes at best two bits for 258 bytes.
    constexpr std::uint64_t kMaxRatio = 1032;
    const zip_int64_t count = zip_get_num_entries(zip_.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) {
      zip_stat_t stat;
      if (zip_stat_index(zip_.get(), static_cast<zip_uint64_t>(i), 0, &stat) !=
          0) {
        return InvalidData(
            "its list of entries is damaged; write or fetch "
            "the file again");
      }
      const std::string entry = "entry '" + std::string(stat.name) + "' ";
      if (stat.encryption_method != ZIP_EM_NONE) {
        return Unsupported(entry + "is encrypted; decrypt the archive first");
      }
      if (stat.comp_method != ZIP_CM_STORE &&
          stat.comp_method != ZIP_CM_DEFLATE) {
        return Unsupported(entry +
                           "is compressed in an unknown way; only "
                           "stored and deflated entries are read");
      }
      const std::uint64_t ratio =
          stat.comp_method == ZIP_CM_STORE ? 1 : kMaxRatio;
      if (stat.comp_size > file_bytes || stat.size / ratio > stat.comp_size) {
        return InvalidData(entry +
                           "claims more bytes than the file can hold; "
                           "write or fetch the file again");
      }
      entries_.push_back({stat.name, stat.size});
    }
    return Status();
  }

  std::unique_ptr<zip_t, Discard> zip_;
  std::vector<ZipEntry> entries_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_ZIP_ARCHIVE_H_
