// AtomicFile: a file that appears whole or not at all.
//
// Everything is written to a temporary file beside the target, which Commit()
// syncs and renames over it: a reader sees the old file or the new one, never
// half of either, and a run that fails leaves nothing behind.
#ifndef ZEROPOINT_CORE_ATOMIC_FILE_H_
#define ZEROPOINT_CORE_ATOMIC_FILE_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "zeropoint/core/status.h"

namespace zeropoint {

/// A file in the making. Moves, does not copy; destroyed without Commit(), it
/// takes its temporary file with it.
class AtomicFile {
 public:
  /// Opens a temporary file in the folder of `path`. An existing file there
  /// stays as it is until Commit(); a link is followed.
  ///
  /// Errors: kIoError when the folder is missing or refuses, or when `path` is
  /// a folder or a device.
  static Result<AtomicFile> Create(const std::string& path) {
    std::error_code error;
    const std::filesystem::file_status found =
        std::filesystem::status(path, error);
    std::string target = path;
    if (std::filesystem::exists(found)) {
      if (!std::filesystem::is_regular_file(found)) {
        return IoError("cannot write '" + path +
                       "': it is not a regular file; choose another name");
      }
      target = std::filesystem::canonical(path, error).string();
      if (error) return Failure("cannot write", path, error.value());
    }
    const std::string stem = target + "." + std::to_string(::getpid()) + "-";
    for (int attempt = 0;; ++attempt) {
      std::string temporary = stem + std::to_string(attempt) + ".partial";
      const int descriptor = ::open(
          temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor >= 0) {
        return AtomicFile(std::move(target), std::move(temporary), descriptor);
      }
      if (errno != EEXIST || attempt == kMaxAttempts) {
        return Failure("cannot write", path, errno);
      }
    }
  }

  AtomicFile(AtomicFile&& other) noexcept
      : target_(std::move(other.target_)),
        temporary_(std::move(other.temporary_)),
        descriptor_(std::exchange(other.descriptor_, -1)) {}
  AtomicFile& operator=(AtomicFile&& other) noexcept {
    std::swap(target_, other.target_);
    std::swap(temporary_, other.temporary_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~AtomicFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
  }

  /// Appends. Not buffered: hand over large pieces.
  Status Write(const void* data, std::size_t bytes) {
    const char* rest = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t written =
          ::write(descriptor_, rest, std::min(bytes, kMaxWrite));
      if (written < 0) {
        if (errno == EINTR) continue;
        return Failure("cannot write", target_, errno);
      }
      rest += written;
      bytes -= static_cast<std::size_t>(written);
    }
    return Status();
  }
  Status Write(std::string_view text) {
    return Write(text.data(), text.size());
  }

  /// Writes at byte `offset`, wherever Write() stands; what lies between reads
  /// as zero bytes.
  Status WriteAt(std::uint64_t offset, const void* data, std::size_t bytes) {
    const char* rest = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t written =
          ::pwrite(descriptor_, rest, std::min(bytes, kMaxWrite),
                   static_cast<off_t>(offset));
      if (written < 0) {
        if (errno == EINTR) continue;
        return Failure("cannot write", target_, errno);
      }
      rest += written;
      offset += static_cast<std::uint64_t>(written);
      bytes -= static_cast<std::size_t>(written);
    }
    return Status();
  }

  /// The temporary file, for serializers that write to a descriptor. Stays
  /// owned by this object.
  int descriptor() const { return descriptor_; }

  /// Makes the file appear under its name. Nothing may follow but destruction.
  Status Commit() {
    ZEROPOINT_ASSERT(descriptor_ >= 0, "Commit() comes once");
    if (::fsync(descriptor_) != 0 ||
        ::rename(temporary_.c_str(), target_.c_str()) != 0) {
      return Failure("cannot write", target_, errno);
    }
    ::close(std::exchange(descriptor_, -1));
    SyncFolder();
    return Status();
  }

 private:
  static constexpr int kMaxAttempts = 100;
  // write() moves at most about 2 GiB a call.
  static constexpr std::size_t kMaxWrite = std::size_t{1} << 30;

  AtomicFile(std::string target, std::string temporary, int descriptor)
      : target_(std::move(target)),
        temporary_(std::move(temporary)),
        descriptor_(descriptor) {}

  static Status Failure(std::string_view what, const std::string& path,
                        int error) {
    std::string message = std::string(what) + " '" + path +
                          "': " + std::generic_category().message(error);
    if (error == ENOENT) message += "; make its folder first";
    if (error == EACCES || error == EROFS) {
      message += "; choose a folder that you may write to";
    }
    if (error == ENOSPC) message += "; free some space";
    return IoError(std::move(message));
  }

  // The rename itself survives a crash only when the folder is synced. Some
  // file systems refuse to sync folders; the file is whole either way.
  void SyncFolder() const {
    std::string folder = std::filesystem::path(target_).parent_path().string();
    if (folder.empty()) folder = ".";
    const int descriptor =
        ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
  }

  std::string target_;
  std::string temporary_;
  int descriptor_ = -1;
};

/// Writes `contents` to `path`, whole or not at all.
inline Status WriteFileAtomically(const std::string& path,
                                  std::string_view contents) {
  ZEROPOINT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  ZEROPOINT_RETURN_IF_ERROR(file.Write(contents));
  return file.Commit();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_ATOMIC_FILE_H_
