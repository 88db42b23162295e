// NpzWriter: writes arrays of a known number of samples, a sample at a time.
//
// The entries are stored, not deflated, so every byte's place is known from the
// shapes: each sample goes straight to its place, several arrays grow side by
// side, and nothing waits in memory. Only the checksums come at the end. Sizes
// are written as Zip64 always, as NumPy does, and times are fixed, so the same
// arrays make the same bytes. Source: PKWARE APPNOTE 6.3.
#ifndef ZEROPOINT_DATA_NPZ_WRITER_H_
#define ZEROPOINT_DATA_NPZ_WRITER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/atomic_file.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/data/npy.h"

namespace zeropoint {

namespace internal {

inline constexpr std::array<std::uint32_t, 256> kCrc32Table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t remainder = i;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = remainder >> 1 ^ (remainder & 1 ? 0xedb88320u : 0u);
    }
    table[i] = remainder;
  }
  return table;
}();

// The CRC-32 of what `crc` covers followed by `data`; 0 covers nothing.
inline std::uint32_t Crc32(std::uint32_t crc, const void* data,
                           std::size_t bytes) {
  const auto* at = static_cast<const unsigned char*>(data);
  crc = ~crc;
  for (std::size_t i = 0; i < bytes; ++i) {
    crc = kCrc32Table[(crc ^ at[i]) & 0xff] ^ crc >> 8;
  }
  return ~crc;
}

// Numbers as .zip writes them: lowest byte first.
class ZipRecord {
 public:
  ZipRecord& Add16(std::uint64_t value) { return Add(value, 2); }
  ZipRecord& Add32(std::uint64_t value) { return Add(value, 4); }
  ZipRecord& Add64(std::uint64_t value) { return Add(value, 8); }
  ZipRecord& AddText(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  ZipRecord& Add(std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) {
      bytes_ += static_cast<char>(value >> 8 * i & 0xff);
    }
    return *this;
  }
  std::string bytes_;
};

}  // namespace internal

/// An array to be written: [samples, ...sample_dims].
struct NpzArraySpec {
  std::string name;
  DataType type = DataType::kUndefined;
  Dims sample_dims;
};

/// A .npz file in the making; it appears on Commit(), whole.
class NpzWriter {
 public:
  /// Errors: kInvalidArgument for two arrays of one name or sizes that
  /// overflow; kUnsupported for a type that NumPy lacks; AtomicFile's.
  static Result<NpzWriter> Create(const std::string& path,
                                  const std::vector<NpzArraySpec>& arrays,
                                  std::size_t samples) {
    ZEROPOINT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
    NpzWriter writer(path, samples, std::move(file));
    for (const NpzArraySpec& spec : arrays) {
      ZEROPOINT_RETURN_IF_ERROR(writer.AddEntry(spec).WithContext(
          "cannot write array '" + spec.name + "' to '" + path + "'"));
    }
    return writer;
  }

  /// Writes the next sample of array number `array`. Requires the type and
  /// shape that Create() was told, and that a sample is missing.
  Status Append(std::size_t array, const TensorView& sample) {
    Entry& entry = entries_[array];
    ZEROPOINT_ASSERT(sample.type() == entry.type &&
                         std::ranges::equal(sample.dims(), entry.sample_dims),
                     "a sample has the type and shape of its array");
    ZEROPOINT_ASSERT(entry.written < samples_, "no sample is missing");
    ZEROPOINT_RETURN_IF_ERROR(
        file_.WriteAt(entry.data_offset + entry.written * sample.bytes(),
                      sample.data(), sample.bytes()));
    entry.crc = internal::Crc32(entry.crc, sample.data(), sample.bytes());
    ++entry.written;
    return Status();
  }

  /// Errors: kInvalidData when samples are missing; AtomicFile's.
  Status Commit() {
    std::uint64_t offset = end_;
    for (const Entry& entry : entries_) {
      if (entry.written != samples_) {
        return InvalidData("cannot finish '" + path_ + "': array '" +
                           entry.name + "' has " +
                           std::to_string(entry.written) + " of " +
                           std::to_string(samples_) + " samples");
      }
      ZEROPOINT_RETURN_IF_ERROR(
          WriteText(entry.offset, LocalHeader(entry) + entry.npy_header));
      const std::string record = DirectoryRecord(entry);
      ZEROPOINT_RETURN_IF_ERROR(WriteText(offset, record));
      offset += record.size();
    }
    ZEROPOINT_RETURN_IF_ERROR(WriteText(offset, EndRecords(offset)));
    return file_.Commit();
  }

 private:
  struct Entry {
    std::string name;
    DataType type;
    Dims sample_dims;
    std::string npy_header;
    std::uint64_t offset;       // of the local header
    std::uint64_t data_offset;  // of the elements
    std::uint64_t bytes;        // header of the .npy and elements
    std::uint32_t crc;
    std::size_t written = 0;  // samples
  };

  static constexpr std::uint64_t kVersion = 45;  // Zip64
  static constexpr std::uint64_t kUtf8Names = 1 << 11;
  static constexpr std::uint64_t kStored = 0;
  static constexpr std::uint64_t kTime = 0, kDate = 0x21;  // 1980-01-01
  static constexpr std::uint64_t kInZip64 = 0xffffffff;
  static constexpr std::uint64_t kRegularFile = 0100644u << 16;

  NpzWriter(std::string path, std::size_t samples, AtomicFile file)
      : path_(std::move(path)), samples_(samples), file_(std::move(file)) {}

  Status AddEntry(const NpzArraySpec& spec) {
    if (!HasNpyType(spec.type)) {
      return Unsupported("NumPy has no type " +
                         std::string(DataTypeName(spec.type)));
    }
    Dims dims = spec.sample_dims;
    dims.insert(dims.begin(), static_cast<std::int64_t>(samples_));
    const auto count = ElementCount(dims);
    const std::string name = spec.name + ".npy";
    if (!count || name.size() > 0xffff) {
      return InvalidArgument("its shape or name is too long");
    }
    for (const Entry& other : entries_) {
      if (other.name == name) return InvalidArgument("it is there already");
    }
    Entry entry{.name = name,
                .type = spec.type,
                .sample_dims = spec.sample_dims,
                .npy_header = FormatNpyHeader(spec.type, dims),
                .offset = end_,
                .data_offset = 0,
                .bytes = 0,
                .crc = 0};
    entry.bytes = entry.npy_header.size() + BytesOf(spec.type, *count);
    entry.crc =
        internal::Crc32(0, entry.npy_header.data(), entry.npy_header.size());
    const std::uint64_t start = entry.offset + LocalHeader(entry).size();
    entry.data_offset = start + entry.npy_header.size();
    end_ = start + entry.bytes;
    entries_.push_back(std::move(entry));
    return Status();
  }

  // What the local header and the directory say of an entry alike.
  static void AddCommon(internal::ZipRecord& record, const Entry& entry,
                        std::uint64_t extra_bytes) {
    record.Add16(kVersion)
        .Add16(kUtf8Names)
        .Add16(kStored)
        .Add16(kTime)
        .Add16(kDate)
        .Add32(entry.crc)
        .Add32(kInZip64)
        .Add32(kInZip64)
        .Add16(entry.name.size())
        .Add16(extra_bytes);
  }

  static std::string LocalHeader(const Entry& entry) {
    internal::ZipRecord record;
    record.Add32(0x04034b50);
    AddCommon(record, entry, 20);
    record.AddText(entry.name).Add16(1).Add16(16);
    record.Add64(entry.bytes).Add64(entry.bytes);
    return record.bytes();
  }

  static std::string DirectoryRecord(const Entry& entry) {
    internal::ZipRecord record;
    record.Add32(0x02014b50).Add16(3u << 8 | kVersion);  // made on Unix
    AddCommon(record, entry, 28);
    record.Add16(0).Add16(0).Add16(0).Add32(kRegularFile).Add32(kInZip64);
    record.AddText(entry.name).Add16(1).Add16(24);
    record.Add64(entry.bytes).Add64(entry.bytes).Add64(entry.offset);
    return record.bytes();
  }

  // The end of the directory: the Zip64 record, where it stands, and the old
  // record that refers to it.
  std::string EndRecords(std::uint64_t directory_end) const {
    const std::uint64_t bytes = directory_end - end_;
    const std::uint64_t count = entries_.size();
    internal::ZipRecord record;
    record.Add32(0x06064b50)
        .Add64(44)
        .Add16(3u << 8 | kVersion)
        .Add16(kVersion)
        .Add32(0)
        .Add32(0)
        .Add64(count)
        .Add64(count)
        .Add64(bytes)
        .Add64(end_);
    record.Add32(0x07064b50).Add32(0).Add64(directory_end).Add32(1);
    record.Add32(0x06054b50)
        .Add16(0)
        .Add16(0)
        .Add16(0xffff)
        .Add16(0xffff)
        .Add32(kInZip64)
        .Add32(kInZip64)
        .Add16(0);
    return record.bytes();
  }

  Status WriteText(std::uint64_t offset, const std::string& text) {
    return file_.WriteAt(offset, text.data(), text.size());
  }

  std::string path_;
  std::size_t samples_;
  AtomicFile file_;
  std::vector<Entry> entries_;
  std::uint64_t end_ = 0;  // of the entries, where the directory begins
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_NPZ_WRITER_H_
