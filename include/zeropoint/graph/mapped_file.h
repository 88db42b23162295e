// MappedFile: a file's bytes without reading them.
#ifndef ZEROPOINT_GRAPH_MAPPED_FILE_H_
#define ZEROPOINT_GRAPH_MAPPED_FILE_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "zeropoint/core/status.h"

// glibc's name for a mask that only callers of the raw system call need; onnx's
// parser has an enumerator of this name.
#undef MAP_TYPE

namespace zeropoint {

/// A file mapped read-only. It must not shrink while it is mapped.
class MappedFile {
 public:
  static Result<MappedFile> Open(const std::string& path) {
    const int fd =
        ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
      return IoError("cannot open \"" + path + "\": " + std::strerror(errno));
    }
    struct stat facts {};
    if (::fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
      ::close(fd);
      return IoError("\"" + path + "\" is not a regular file");
    }
    auto mapped = Map(fd, 0, static_cast<std::size_t>(facts.st_size), path);
    ::close(fd);
    return mapped;
  }

  /// Maps `size` bytes of an open file; `offset` is a multiple of the page.
  static Result<MappedFile> Map(int fd, std::size_t offset, std::size_t size,
                                const std::string& path) {
    void* data = nullptr;
    if (size > 0) {
      data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd,
                    static_cast<off_t>(offset));
    }
    if (data == MAP_FAILED) {
      return IoError("cannot map \"" + path + "\": " + std::strerror(errno));
    }
    return MappedFile(static_cast<const std::byte*>(data), size);
  }

  /// Says that `part` of bytes() is not needed for now: its whole pages leave
  /// memory, and come back from the file when they are read.
  void Forget(std::span<const std::byte> part) const {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
    const std::uintptr_t first = (begin + page - 1) / page * page;
    const std::uintptr_t last = (begin + part.size()) / page * page;
    if (first >= last) return;
    ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }

  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedFile() {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
  }

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size)
      : data_(data), size_(size) {}

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_MAPPED_FILE_H_
