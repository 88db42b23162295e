// SpillFile: a place on disk for tensors that are made while a large model is
// rewritten, so that they need no memory until the model is saved.
#ifndef ZEROPOINT_GRAPH_SPILL_FILE_H_
#define ZEROPOINT_GRAPH_SPILL_FILE_H_

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/mapped_file.h"

namespace zeropoint::internal {

/// A file without a name: it is gone with the object, or the process.
class SpillFile {
 public:
  SpillFile() = default;
  SpillFile(SpillFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}
  SpillFile& operator=(SpillFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SpillFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// Appends `bytes` and maps them where they lie now. The file is made at the
  /// first call, in `folder`.
  /// Errors: kIoError from the file system.
  Result<MappedFile> Append(std::span<const std::byte> bytes,
                            const std::string& folder) {
    const std::string where = folder.empty() ? "." : folder;
    if (fd_ < 0) {
      fd_ = ::open(where.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
      if (fd_ < 0) return Wrong("create", where);
    }
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t offset = (size_ + page - 1) / page * page;
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t written =
          ::pwrite(fd_, bytes.data() + done, bytes.size() - done,
                   static_cast<off_t>(offset + done));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return Wrong("write", where);
      done += static_cast<std::size_t>(written);
    }
    size_ = offset + bytes.size();
    return MappedFile::Map(fd_, offset, bytes.size(), where);
  }

 private:
  static Status Wrong(const char* what, const std::string& where) {
    return IoError(std::string("cannot ") + what + " a temporary file in \"" +
                   where + "\": " + std::strerror(errno));
  }

  int fd_ = -1;
  std::size_t size_ = 0;
};

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_GRAPH_SPILL_FILE_H_
