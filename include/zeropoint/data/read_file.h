// ReadFile: a small file as bytes.
#ifndef ZEROPOINT_DATA_READ_FILE_H_
#define ZEROPOINT_DATA_READ_FILE_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "zeropoint/core/status.h"

namespace zeropoint {

/// Errors: kNotFound when `path` is no regular file; kIoError when it cannot be
/// read.
inline Result<std::string> ReadFile(const std::string& path) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) {
    return NotFound("'" + path + "' is not a file; check the path");
  }
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    return IoError("cannot read '" + path + "'; check its permissions");
  }
  return bytes;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_READ_FILE_H_
