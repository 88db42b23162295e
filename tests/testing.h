// What tests of several layers share.
#ifndef ZEROPOINT_TESTS_TESTING_H_
#define ZEROPOINT_TESTS_TESTING_H_

#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

#include "zeropoint/core/status.h"

namespace zeropoint {

/// An empty folder that goes with the test.
class TempFolder {
 public:
  TempFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "zeropoint-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path() const { return path_.string(); }
  std::string File(std::string_view name) const {
    return (path_ / name).string();
  }
  /// Writes a file, and the folders on the way to it; returns its path.
  std::string Write(std::string_view name, std::string_view bytes) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file.string();
  }
  std::string Read(std::string_view name) const {
    std::ifstream file(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// How many files and folders stand in it.
  std::size_t Count() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(path_),
                      std::filesystem::directory_iterator()));
  }

 private:
  std::filesystem::path path_;
};

/// The error has `code`, and its message is one line that holds all `words`.
inline void CheckError(const Status& status, StatusCode code,
                       std::initializer_list<std::string_view> words) {
  BOOST_TEST_CONTEXT("message: " << status.message()) {
    BOOST_TEST((status.code() == code));
    BOOST_TEST((status.message().find('\n') == std::string::npos));
    for (const std::string_view word : words) {
      BOOST_TEST_CONTEXT("wanted: " << word) {
        BOOST_TEST((status.message().find(word) != std::string::npos));
      }
    }
  }
}

/// BOOST_REQUIRE(result.ok()) that shows the error.
#define REQUIRE_OK(expression)                                \
  do {                                                        \
    const ::zeropoint::Status required =                      \
        ::zeropoint::internal::StatusOf(expression);          \
    BOOST_REQUIRE_MESSAGE(required.ok(), required.message()); \
  } while (false)

namespace internal {
inline Status StatusOf(const Status& status) { return status; }
template <class T>
Status StatusOf(const Result<T>& result) {
  return result.status();
}
}  // namespace internal

}  // namespace zeropoint

#endif  // ZEROPOINT_TESTS_TESTING_H_
