#include "zeropoint/data/npz.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/data/numpy_files.h"
#include "tests/testing.h"
#include "zeropoint/data/npz_writer.h"

namespace zeropoint {
namespace {

// Reads everything that a file holds; the first error, if there is one.
Status ReadAll(const std::string& path) {
  ZEROPOINT_ASSIGN_OR_RETURN(NpzArchive archive, NpzArchive::Open(path));
  if (archive.arrays().empty()) return InvalidData("no arrays");
  for (std::size_t i = 0; i < archive.arrays().size(); ++i) {
    const NpzArray& array = archive.arrays()[i];
    if (array.header.dims.empty() || array.samples() > 1000) continue;
    ZEROPOINT_ASSIGN_OR_RETURN(NpzSampleReader reader, archive.Read(i));
    for (std::size_t k = 0; k < array.samples(); ++k) {
      Status status = array.header.type == DataType::kString
                          ? reader.NextText().status()
                          : reader.Next().status();
      if (!status.ok()) return status;
    }
  }
  return Status();
}

// A stored archive of one entry, whatever its bytes.
std::string Zip(std::string_view name, std::string_view content) {
  const std::uint32_t crc = internal::Crc32(0, content.data(), content.size());
  const auto common = [&](internal::ZipRecord& record) {
    record.Add16(20).Add16(0).Add16(0).Add16(0).Add16(0x21).Add32(crc);
    record.Add32(content.size()).Add32(content.size());
    record.Add16(name.size()).Add16(0);
  };
  internal::ZipRecord file;
  file.Add32(0x04034b50);
  common(file);
  file.AddText(name).AddText(content);
  const std::size_t directory = file.bytes().size();
  file.Add32(0x02014b50).Add16(20);
  common(file);
  file.Add16(0).Add16(0).Add16(0).Add32(0).Add32(0).AddText(name);
  const std::size_t end = file.bytes().size();
  file.Add32(0x06054b50).Add16(0).Add16(0).Add16(1).Add16(1);
  file.Add32(end - directory).Add32(directory).Add16(0);
  return file.bytes();
}

BOOST_AUTO_TEST_SUITE(npz)

BOOST_AUTO_TEST_CASE(ReadsADeflatedFileOfNumPy) {
  const TempFolder folder;
  auto archive = NpzArchive::Open(folder.Write("a.npz", FromHex(kDeflatedNpz)));
  REQUIRE_OK(archive);
  BOOST_REQUIRE(archive->arrays().size() == 4u);

  const NpzArray& x = archive->arrays()[0];
  BOOST_TEST(x.name == "x");
  BOOST_TEST((x.header.type == DataType::kUint8));
  BOOST_TEST(x.samples() == 3u);
  auto samples = archive->Read(0);
  REQUIRE_OK(samples);
  for (std::uint8_t k = 0; k < 3; ++k) {
    const auto sample = samples->Next();
    REQUIRE_OK(sample);
    BOOST_TEST((sample->dims() == Dims{1, 2, 2}));
    for (std::uint8_t i = 0; i < 4; ++i) {
      BOOST_TEST(sample->As<std::uint8_t>()[i] == 4 * k + i);
    }
  }

  // Two arrays side by side, the second from its last sample on.
  auto ids = archive->Read(1);
  auto texts = archive->Read(3);
  REQUIRE_OK(ids);
  REQUIRE_OK(texts);
  for (const std::string_view wanted :
       {"a", "\u00fcn\u00ef", "\u65e5\U0001F642"}) {
    const auto text = texts->NextText();
    REQUIRE_OK(text);
    BOOST_TEST(*text == wanted);
  }
  REQUIRE_OK(ids->Skip(2));
  const auto last = ids->Next();
  REQUIRE_OK(last);
  BOOST_TEST(last->As<std::int64_t>()[0] == 3);
  BOOST_TEST(last->As<std::int64_t>()[1] == 4);
}

BOOST_AUTO_TEST_CASE(ConvertsTheOtherByteOrder) {
  const TempFolder folder;
  auto archive =
      NpzArchive::Open(folder.Write("a.npz", FromHex(kBigEndianNpz)));
  REQUIRE_OK(archive);
  auto numbers = archive->Read(0);
  auto texts = archive->Read(1);
  REQUIRE_OK(numbers);
  REQUIRE_OK(texts);
  for (const float wanted : {-0.5f, 0.5f, 1.5f}) {
    BOOST_TEST(numbers->Next()->As<float>()[0] == wanted);
  }
  for (const std::string_view wanted : {"ab", "\u65e5", ""}) {
    BOOST_TEST(*texts->NextText() == wanted);
  }
}

BOOST_AUTO_TEST_CASE(BooleansAreZeroOrOne) {
  const TempFolder folder;
  std::string array = FormatNpyHeader(DataType::kBool, Dims{3});
  array += {'\x00', '\x01', '\x80'};
  auto archive = NpzArchive::Open(folder.Write("a.npz", Zip("b.npy", array)));
  REQUIRE_OK(archive);
  auto reader = archive->Read(0);
  REQUIRE_OK(reader);
  for (const int wanted : {0, 1, 1}) {
    unsigned char byte = 0xff;
    std::memcpy(&byte, reader->Next()->data(), 1);
    BOOST_TEST(byte == wanted);
  }
}

BOOST_AUTO_TEST_CASE(RefusesWhatItCannotRead) {
  const TempFolder folder;
  const auto open = [&](std::string_view bytes) {
    return NpzArchive::Open(folder.Write("a.npz", bytes)).status();
  };
  CheckError(open(FromHex(kFortranNpz)), StatusCode::kUnsupported,
             {"a.npz", "'x", "Fortran", "ascontiguousarray"});
  CheckError(open(FromHex(kObjectNpz)), StatusCode::kUnsupported,
             {"a.npz", "'x", "objects"});
  CheckError(open("this is no archive"), StatusCode::kInvalidData,
             {"a.npz", ".zip"});
  CheckError(open(Zip("x.txt", "hello")), StatusCode::kInvalidData,
             {"x.txt", "numpy.savez"});
  CheckError(open(Zip("x.npy", "hello")), StatusCode::kInvalidData,
             {"x.npy", "too early"});
  CheckError(NpzArchive::Open(folder.File("missing.npz")).status(),
             StatusCode::kNotFound, {"missing.npz"});
  CheckError(NpzArchive::Open(folder.path()).status(), StatusCode::kNotFound,
             {folder.path()});
}

BOOST_AUTO_TEST_CASE(ShapesMustFitTheBytes) {
  const TempFolder folder;
  for (const std::int64_t samples : {2, 4, 1 << 30}) {
    const std::string array =
        FormatNpyHeader(DataType::kFloat, Dims{samples}) + std::string(12, 'x');
    CheckError(
        NpzArchive::Open(folder.Write("a.npz", Zip("x.npy", array))).status(),
        StatusCode::kInvalidData, {"'x.npy'", "bytes", "shape"});
  }
}

BOOST_AUTO_TEST_CASE(AnEntryMayNotClaimMoreThanDeflateCanHold) {
  const TempFolder folder;
  std::string bytes = FromHex(kDeflatedNpz);
  // The unfolded size in the first record of the directory.
  const std::size_t directory = bytes.find("PK\x01\x02");
  BOOST_REQUIRE(directory != std::string::npos);
  bytes.replace(directory + 24, 4, "\xf0\xff\xff\xff");
  CheckError(NpzArchive::Open(folder.Write("a.npz", bytes)).status(),
             StatusCode::kInvalidData, {"a.npz", "x.npy", "claims"});
}

BOOST_AUTO_TEST_CASE(FindsDamageByTheChecksum) {
  const TempFolder folder;
  std::string array = FormatNpyHeader(DataType::kFloat, Dims{1, 4});
  std::string bytes = Zip("x.npy", array + std::string(16, 'x'));
  bytes[bytes.find("xxxx") + 5] = 'y';
  CheckError(ReadAll(folder.Write("a.npz", bytes)), StatusCode::kInvalidData,
             {"damaged", "CRC"});
}

BOOST_AUTO_TEST_CASE(EveryPrefixIsAnError) {
  const TempFolder folder;
  const std::string file = FromHex(kDeflatedNpz);
  REQUIRE_OK(ReadAll(folder.Write("a.npz", file)));
  for (std::size_t size = 0; size < file.size(); ++size) {
    BOOST_TEST_CONTEXT("size " << size) {
      BOOST_TEST(!ReadAll(folder.Write("a.npz", file.substr(0, size))).ok());
    }
  }
}

// Under a sanitizer this is where a wrong bound would show.
BOOST_AUTO_TEST_CASE(NoChangedByteDoesHarm) {
  const TempFolder folder;
  const std::string file = FromHex(kDeflatedNpz);
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string changed = file;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const Status status = ReadAll(folder.Write("a.npz", changed));
      BOOST_TEST((status.ok() || !status.message().empty()));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(npz_writer)

BOOST_AUTO_TEST_CASE(ArraysGrowSideBySide) {
  const TempFolder folder;
  const std::string path = folder.File("out.npz");
  auto writer = NpzWriter::Create(path,
                                  {{"/m/logits", DataType::kFloat, {1, 2}},
                                   {"n\u00ef", DataType::kInt64, {}}},
                                  2);
  REQUIRE_OK(writer);
  for (const float k : {0.0f, 1.0f}) {
    const std::vector<float> logits = {k, k + 0.5f};
    const std::vector<std::int64_t> number = {static_cast<std::int64_t>(k) - 1};
    REQUIRE_OK(writer->Append(0, Tensor::Of<float>({1, 2}, logits).view()));
    REQUIRE_OK(writer->Append(1, Tensor::Of<std::int64_t>({}, number).view()));
  }
  BOOST_TEST(!std::filesystem::exists(path));
  REQUIRE_OK(writer->Commit());

  auto archive = NpzArchive::Open(path);
  REQUIRE_OK(archive);
  BOOST_REQUIRE(archive->arrays().size() == 2u);
  BOOST_TEST(archive->arrays()[0].name == "/m/logits");
  BOOST_TEST(archive->arrays()[1].name == "n\u00ef");
  BOOST_TEST((archive->arrays()[0].header.dims == Dims{2, 1, 2}));
  BOOST_TEST((archive->arrays()[1].header.dims == Dims{2}));
  auto logits = archive->Read(0);
  auto numbers = archive->Read(1);
  REQUIRE_OK(logits);
  REQUIRE_OK(numbers);
  for (const float k : {0.0f, 1.0f}) {
    const auto sample = logits->Next();
    REQUIRE_OK(sample);
    BOOST_TEST(sample->As<float>()[0] == k);
    BOOST_TEST(sample->As<float>()[1] == k + 0.5f);
    const auto number = numbers->Next();
    REQUIRE_OK(number);
    BOOST_TEST(number->As<std::int64_t>()[0] == static_cast<int>(k) - 1);
  }
}

BOOST_AUTO_TEST_CASE(SameArraysMakeSameBytes) {
  const TempFolder folder;
  for (const std::string_view name : {"a.npz", "b.npz"}) {
    auto writer =
        NpzWriter::Create(folder.File(name), {{"x", DataType::kUint8, {2}}}, 1);
    REQUIRE_OK(writer);
    const std::vector<std::uint8_t> values = {1, 2};
    REQUIRE_OK(writer->Append(0, Tensor::Of<std::uint8_t>({2}, values).view()));
    REQUIRE_OK(writer->Commit());
  }
  BOOST_TEST((folder.Read("a.npz") == folder.Read("b.npz")));
}

BOOST_AUTO_TEST_CASE(MissingSamplesLeaveNoFile) {
  const TempFolder folder;
  {
    auto writer = NpzWriter::Create(folder.File("out.npz"),
                                    {{"x", DataType::kFloat, {1}}}, 2);
    REQUIRE_OK(writer);
    const std::vector<float> value = {1};
    REQUIRE_OK(writer->Append(0, Tensor::Of<float>({1}, value).view()));
    CheckError(writer->Commit(), StatusCode::kInvalidData,
               {"out.npz", "'x", "1 of 2"});
  }
  BOOST_TEST(folder.Count() == 0u);
}

BOOST_AUTO_TEST_CASE(RefusesWhatNumPyCannotRead) {
  const TempFolder folder;
  const std::string path = folder.File("out.npz");
  CheckError(
      NpzWriter::Create(path, {{"x", DataType::kBfloat16, {1}}}, 1).status(),
      StatusCode::kUnsupported, {"out.npz", "'x'", "bfloat16"});
  CheckError(
      NpzWriter::Create(
          path, {{"x", DataType::kFloat, {1}}, {"x", DataType::kFloat, {1}}}, 1)
          .status(),
      StatusCode::kInvalidArgument, {"out.npz", "'x'"});
  CheckError(NpzWriter::Create(folder.File("no/out.npz"), {}, 1).status(),
             StatusCode::kIoError, {"no/out.npz"});
  BOOST_TEST(folder.Count() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
