#include "zeropoint/core/atomic_file.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "tests/testing.h"

namespace zeropoint {
namespace {

namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(atomic_file)

BOOST_AUTO_TEST_CASE(AppearsOnCommitOnly) {
  const TempFolder folder;
  const std::string target = folder.File("out.bin");
  auto file = AtomicFile::Create(target);
  BOOST_REQUIRE(file.ok());
  BOOST_REQUIRE(file->Write("hello ").ok());
  BOOST_REQUIRE(file->Write("world").ok());
  BOOST_TEST(!fs::exists(target));
  BOOST_REQUIRE(file->Commit().ok());
  BOOST_TEST(folder.Read("out.bin") == "hello world");
  BOOST_TEST(folder.Count() == 1u);
}

BOOST_AUTO_TEST_CASE(LeavesNothingWithoutCommit) {
  const TempFolder folder;
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
  const TempFolder folder;
  const std::string target = folder.File("out.bin");
  folder.Write("out.bin", "old");
  {
    auto abandoned = AtomicFile::Create(target);
    BOOST_REQUIRE(abandoned.ok());
    BOOST_REQUIRE(abandoned->Write("new").ok());
  }
  BOOST_TEST(folder.Read("out.bin") == "old");
  auto file = AtomicFile::Create(target);
  BOOST_REQUIRE(file.ok());
  BOOST_REQUIRE(file->Write("new").ok());
  BOOST_REQUIRE(file->Commit().ok());
  BOOST_TEST(folder.Read("out.bin") == "new");
}

BOOST_AUTO_TEST_CASE(WritesAtAnyOffset) {
  const TempFolder folder;
  const std::string target = folder.File("out.bin");
  auto file = AtomicFile::Create(target);
  BOOST_REQUIRE(file.ok());
  BOOST_REQUIRE(file->WriteAt(4, "EF", 2).ok());
  BOOST_REQUIRE(file->WriteAt(0, "AB", 2).ok());
  BOOST_REQUIRE(file->Commit().ok());
  BOOST_TEST(folder.Read("out.bin") == std::string("AB\0\0EF", 6));
}

BOOST_AUTO_TEST_CASE(TwoWritersOfOneTargetDoNotMeet) {
  const TempFolder folder;
  const std::string target = folder.File("out.bin");
  auto first = AtomicFile::Create(target);
  auto second = AtomicFile::Create(target);
  BOOST_REQUIRE(first.ok() && second.ok());
  BOOST_REQUIRE(first->Write("first").ok());
  BOOST_REQUIRE(second->Write("second").ok());
  BOOST_REQUIRE(second->Commit().ok());
  BOOST_REQUIRE(first->Commit().ok());
  BOOST_TEST(folder.Read("out.bin") == "first");
  BOOST_TEST(folder.Count() == 1u);
}

BOOST_AUTO_TEST_CASE(WritesThroughALink) {
  const TempFolder folder;
  folder.Write("real.bin", "old");
  fs::create_symlink("real.bin", folder.File("link.bin"));
  auto file = AtomicFile::Create(folder.File("link.bin"));
  BOOST_REQUIRE(file.ok());
  BOOST_REQUIRE(file->Write("new").ok());
  BOOST_REQUIRE(file->Commit().ok());
  BOOST_TEST(fs::is_symlink(folder.File("link.bin")));
  BOOST_TEST(folder.Read("real.bin") == "new");
}

BOOST_AUTO_TEST_CASE(RefusesWhatIsNoFile) {
  const TempFolder folder;
  CheckError(AtomicFile::Create(folder.File("no/such/out.bin")).status(),
             StatusCode::kIoError, {"no/such/out.bin", "make its folder"});
  BOOST_TEST(!AtomicFile::Create(folder.path()).ok());
  BOOST_TEST(!AtomicFile::Create("/dev/null").ok());
}

BOOST_AUTO_TEST_CASE(ReportsARefusedWrite) {
  // No file system takes a file of 2^62 bytes.
  const TempFolder folder;
  auto file = AtomicFile::Create(folder.File("out.bin"));
  BOOST_REQUIRE(file.ok());
  const Status past_the_end = file->WriteAt(std::uint64_t{1} << 62, "x", 1);
  BOOST_REQUIRE(!past_the_end.ok());
  BOOST_TEST((past_the_end.code() == StatusCode::kIoError));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
