// Reading the bytes of a model file, and saying what is wrong with those that
// are none.
#ifndef ZEROPOINT_GRAPH_MODEL_READER_H_
#define ZEROPOINT_GRAPH_MODEL_READER_H_

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"

namespace zeropoint::internal {

/// protobuf counts bytes in int32.
inline constexpr std::int64_t kMaxProtoBytes =
    std::numeric_limits<std::int32_t>::max();

enum class WireFault { kNone, kCutShort, kNotOnnx };

// Walks the top-level fields of a message that failed to parse. A field of
// ModelProto that runs past the end is a cut file; any other tag means that
// this never was a model.
inline WireFault DiagnoseWire(google::protobuf::io::ZeroCopyInputStream& bytes,
                              std::int64_t size) {
  constexpr std::uint32_t kLastModelField = 26;
  constexpr std::uint32_t kVarint = 0;
  constexpr std::uint32_t kLengthDelimited = 2;
  google::protobuf::io::CodedInputStream stream(&bytes);
  while (stream.CurrentPosition() < size) {
    const std::uint32_t tag = stream.ReadTag();
    if (tag == 0) {
      return stream.CurrentPosition() >= size ? WireFault::kCutShort
                                              : WireFault::kNotOnnx;
    }
    const std::uint32_t wire_type = tag & 7;
    if ((wire_type != kVarint && wire_type != kLengthDelimited) ||
        tag >> 3 == 0 || tag >> 3 > kLastModelField) {
      return WireFault::kNotOnnx;
    }
    std::uint64_t value = 0;
    if (!stream.ReadVarint64(&value)) return WireFault::kCutShort;
    if (wire_type == kVarint) continue;
    if (value > static_cast<std::uint64_t>(size - stream.CurrentPosition())) {
      return WireFault::kCutShort;
    }
    stream.Skip(static_cast<int>(value));
  }
  return WireFault::kNone;
}

// A file descriptor that closes itself.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

inline Status NotAModel(const std::string& path, int fd, std::int64_t size) {
  WireFault fault = WireFault::kNotOnnx;
  if (::lseek(fd, 0, SEEK_SET) == 0) {
    google::protobuf::io::FileInputStream bytes(fd);
    fault = DiagnoseWire(bytes, size);
  }
  switch (fault) {
    case WireFault::kCutShort:
      return InvalidModel("\"" + path + "\" is cut short after " +
                          std::to_string(size) +
                          " bytes: download or copy it again");
    case WireFault::kNone:
      return InvalidModel("\"" + path +
                          "\" is damaged: its outer frame is an ONNX model's "
                          "but the contents do not parse");
    default:
      return InvalidModel("\"" + path +
                          "\" is not an ONNX model (not a protobuf message)");
  }
}

/// Parses the file; a message with no graph or no operator set is refused.
inline Result<std::unique_ptr<onnx::ModelProto>> ReadModelProto(
    const std::string& path) {
  const OpenFile file(path);
  if (file.get() < 0) {
    const std::string text =
        "cannot open the model \"" + path + "\": " + std::strerror(errno);
    return errno == ENOENT ? NotFound(text) : IoError(text);
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return IoError("\"" + path + "\" is not a regular file");
  }
  if (facts.st_size == 0) return InvalidModel("\"" + path + "\" is empty");
  if (facts.st_size > kMaxProtoBytes) {
    return InvalidModel("\"" + path +
                        "\" exceeds 2 GB, the limit of one protobuf message: "
                        "store its weights as external data");
  }
  auto model = std::make_unique<onnx::ModelProto>();
  google::protobuf::io::FileInputStream bytes(file.get());
  if (!model->ParseFromZeroCopyStream(&bytes)) {
    return NotAModel(path, file.get(), facts.st_size);
  }
  if (!model->has_graph()) {
    return InvalidModel("\"" + path +
                        "\" is not an ONNX model, or is cut short: it has no "
                        "graph");
  }
  constexpr std::int64_t kFirstIrWithOpsets = 3;
  if (model->opset_import_size() == 0 &&
      model->ir_version() >= kFirstIrWithOpsets) {
    return InvalidModel("\"" + path +
                        "\" is cut short or damaged: it imports no operator "
                        "set");
  }
  return model;
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_GRAPH_MODEL_READER_H_
