#include "zeropoint/core/atomic_file.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace zeropoint {
namespace {

namespace fs = std::filesystem;

// An empty folder that goes with the test.
struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "zp-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }

  std::string File(const std::string& name) const { return path / name; }
  std::size_t Count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
  fs::path path;
};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

BOOST_AUTO_TEST_SUITE(atomic_file)

BOOST_AUTO_TEST_CASE(AppearsOnCommitOnly) {
  const Folder folder;
  const std::string target = folder.File("out.bin");
  auto file = AtomicFile::Create(target);
  BOOST_REQUIRE(file.ok());
  BOOST_REQUIRE(file->Write("hello ").ok());
  BOOST_REQUIRE(file->Write("world").ok());
  BOOST_TEST(!fs::exists(target));
  BOOST_REQUIRE(file->Commit().ok());
  BOOST_TEST(ReadAll(target) == "hello world");
  BOOST_TEST(folder.Count() == 1u);
}

BOOST_AUTO_TEST_CASE(LeavesNothingWithoutCommit) {
  const Folder folder;
  {
    auto file = AtomicFile::Create(folder.File("out.bin"));
    BOOST_REQUIRE(file.ok());
    BOOST_REQUIRE(file->Write("half").ok());
    BOOST_TEST(folder.Count() == 1u);
    const AtomicFile moved = std::move(*file);
    BOOST_TEST(folder.Count() == 1u);
  }
  BOOST_TEST(folder.Count() == 0u);
}

BOOST_AUTO_TEST_CASE(KeepsTheOldFileUntilCommit) {
  const Folder folder;
  const std::string target = folder.File("out.bin");
  std::ofstream(target) << "old";
  {
    auto abandoned = AtomicFile::Create(target);
    BOOST_REQUIRE(abandoned.ok());
    BOOST_REQUIRE(abandoned->Write("new").ok());
  }
  BOOST_TEST(ReadAll(target) == "old");
  auto file = AtomicFile::Create(target);
  BOOST_REQUIRE(file.ok());
  BOOST_REQUIRE(file->Write("new").ok());
  BOOST_REQUIRE(file->Commit().ok());
  BOOST_TEST(ReadAll(target) == "new");
}

BOOST_AUTO_TEST_CASE(WritesAtAnyOffset) {
  const Folder folder;
  const std::string target = folder.File("out.bin");
  auto file = AtomicFile::Create(target);
  BOOST_REQUIRE(file.ok());
  BOOST_REQUIRE(file->WriteAt(4, "EF", 2).ok());
  BOOST_REQUIRE(file->WriteAt(0, "AB", 2).ok());
  BOOST_REQUIRE(file->Commit().ok());
  BOOST_TEST(ReadAll(target) == std::string("AB\0\0EF", 6));
}

BOOST_AUTO_TEST_CASE(TwoWritersOfOneTargetDoNotMeet) {
  const Folder folder;
  const std::string target = folder.File("out.bin");
  auto first = AtomicFile::Create(target);
  auto second = AtomicFile::Create(target);
  BOOST_REQUIRE(first.ok() && second.ok());
  BOOST_REQUIRE(first->Write("first").ok());
  BOOST_REQUIRE(second->Write("second").ok());
  BOOST_REQUIRE(second->Commit().ok());
  BOOST_REQUIRE(first->Commit().ok());
  BOOST_TEST(ReadAll(target) == "first");
  BOOST_TEST(folder.Count() == 1u);
}

BOOST_AUTO_TEST_CASE(WritesThroughALink) {
  const Folder folder;
  std::ofstream(folder.File("real.bin")) << "old";
  fs::create_symlink("real.bin", folder.path / "link.bin");
  auto file = AtomicFile::Create(folder.File("link.bin"));
  BOOST_REQUIRE(file.ok());
  BOOST_REQUIRE(file->Write("new").ok());
  BOOST_REQUIRE(file->Commit().ok());
  BOOST_TEST(fs::is_symlink(folder.path / "link.bin"));
  BOOST_TEST(ReadAll(folder.File("real.bin")) == "new");
}

BOOST_AUTO_TEST_CASE(RefusesWhatIsNoFile) {
  const Folder folder;
  const auto missing = AtomicFile::Create(folder.File("no/such/out.bin"));
  BOOST_REQUIRE(!missing.ok());
  BOOST_TEST((missing.status().code() == StatusCode::kIoError));
  BOOST_TEST(missing.status().message().find("no/such/out.bin") !=
             std::string::npos);
  BOOST_TEST(missing.status().message().find("folder") != std::string::npos);
  BOOST_TEST(!AtomicFile::Create(folder.path.string()).ok());
  BOOST_TEST(!AtomicFile::Create("/dev/null").ok());
}

BOOST_AUTO_TEST_CASE(ReportsARefusedWrite) {
  // No file system takes a file of 2^62 bytes.
  const Folder folder;
  auto file = AtomicFile::Create(folder.File("out.bin"));
  BOOST_REQUIRE(file.ok());
  const Status past_the_end = file->WriteAt(std::uint64_t{1} << 62, "x", 1);
  BOOST_REQUIRE(!past_the_end.ok());
  BOOST_TEST((past_the_end.code() == StatusCode::kIoError));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
