// Writing a model: one message, or a message and a data file.
//
// Tensors that go to the data file are emptied in the proto for the moment of
// the write, so that the weights exist once in memory; the message is streamed.
#ifndef ZEROPOINT_GRAPH_MODEL_WRITER_H_
#define ZEROPOINT_GRAPH_MODEL_WRITER_H_

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/atomic_file.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/external_data.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/model_reader.h"
#include "zeropoint/graph/payload.h"
#include "zeropoint/graph/visit_tensors.h"

namespace zeropoint {

/// Where the weights of a saved model go.
enum class ExternalDataPolicy {
  kAsLoaded,  // tensors that came from a data file go to one again
  kAlways,    // so does every initializer at or above the threshold
  kNever,     // all in one message; an error over 2 GB
};

struct SaveOptions {
  ExternalDataPolicy external_data = ExternalDataPolicy::kAsLoaded;
  /// Initializers of at least so many bytes are external under kAlways, and
  /// under kAsLoaded when the message would exceed max_message_bytes.
  std::size_t external_data_threshold = std::size_t{1} << 20;
  /// protobuf's own limit; smaller values serve tests.
  std::int64_t max_message_bytes = internal::kMaxProtoBytes;
};

namespace internal {

/// The elements of `tensor` in place, or decoded to `scratch`; see Model::Data.
inline Result<TensorView> ViewTensor(const onnx::TensorProto& tensor,
                                     const ExternalData& external_data,
                                     Tensor& scratch) {
  const void* bytes = nullptr;
  if (IsExternal(tensor)) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto mapped, external_data.Bytes(tensor));
    ZEROPOINT_RETURN_IF_ERROR(PackedBytes(tensor).status());
    bytes = mapped.data();
  } else if (tensor.has_raw_data()) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t needed, PackedBytes(tensor));
    if (tensor.raw_data().size() != needed) {
      return WrongCount(tensor, needed, tensor.raw_data().size(),
                        "bytes of raw_data");
    }
    bytes = tensor.raw_data().data();
  } else {
    ZEROPOINT_ASSIGN_OR_RETURN(scratch, DecodeTensor(tensor));
    return scratch.view();
  }
  const TensorView view(ElementType(tensor), DimsOf(tensor), bytes);
  // An offset in a data file may put elements where the CPU or the language
  // cannot read them as numbers.
  const auto alignment = std::max<std::uintptr_t>(
      1, static_cast<std::uintptr_t>(BitsOf(view.type()) / 8));
  if (reinterpret_cast<std::uintptr_t>(bytes) % alignment == 0) return view;
  scratch = Tensor::CopyOf(view);
  return scratch.view();
}

/// Writes one model once.
class ModelWriter {
 public:
  ModelWriter(onnx::ModelProto& model, const ExternalData& external_data,
              const SaveOptions& options)
      : model_(model), external_data_(external_data), options_(options) {}

  Status Write(const std::string& path) {
    Status written = WriteFiles(path);
    replaced_.PutBack();
    return written;
  }

 private:
  Status WriteFiles(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder =
        slash == std::string::npos ? "" : path.substr(0, slash + 1);
    location_ = path.substr(folder.size()) + ".data";

    ZEROPOINT_RETURN_IF_ERROR(ReplacePayloads(folder));
    if (MessageBytes() > options_.max_message_bytes) {
      return Unsupported(
          "\"" + path + "\" would exceed " +
          std::to_string(options_.max_message_bytes) +
          " bytes, the limit of one protobuf message: store more of its "
          "initializers as external data (a lower threshold)");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
    ZEROPOINT_RETURN_IF_ERROR(WriteMessage(path, file.descriptor()));
    if (data_file_) ZEROPOINT_RETURN_IF_ERROR(data_file_->Commit());
    Status committed = file.Commit();
    if (!committed.ok() && data_file_) ::unlink((folder + location_).c_str());
    return committed;
  }

  // Decides for each tensor where it goes, and puts it there.
  Status ReplacePayloads(const std::string& folder) {
    const bool embed = options_.external_data == ExternalDataPolicy::kNever;
    const bool too_big = !embed && MessageBytes() > options_.max_message_bytes;
    const bool all_large =
        too_big || options_.external_data == ExternalDataPolicy::kAlways;
    return VisitTensors(
        model_, [&](onnx::TensorProto& tensor, TensorRole role) -> Status {
          if (IsExternal(tensor)) {
            return embed ? Embed(tensor) : MoveOut(tensor, folder);
          }
          if (!all_large || role != TensorRole::kInitializer) return Status();
          const auto bytes = PackedBytes(tensor);
          if (!bytes.ok() || *bytes < options_.external_data_threshold) {
            return Status();
          }
          return MoveOut(tensor, folder);
        });
  }

  Status Embed(onnx::TensorProto& tensor) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto bytes, external_data_.Bytes(tensor));
    replaced_.Empty(tensor).set_raw_data(bytes.data(), bytes.size());
    return Status();
  }

  Status MoveOut(onnx::TensorProto& tensor, const std::string& folder) {
    Tensor scratch;
    std::span<const std::byte> bytes;
    if (IsExternal(tensor)) {
      ZEROPOINT_ASSIGN_OR_RETURN(bytes, external_data_.Bytes(tensor));
    } else {
      ZEROPOINT_ASSIGN_OR_RETURN(const TensorView view,
                                 ViewTensor(tensor, external_data_, scratch));
      bytes = {static_cast<const std::byte*>(view.data()), view.bytes()};
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t offset,
                               Append(bytes, IsExternal(tensor), folder));
    if (IsExternal(tensor)) external_data_.Forget(tensor);
    onnx::TensorProto& replaced = replaced_.Empty(tensor);
    replaced.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto add = [&replaced](const char* key, std::string value) {
      auto& entry = *replaced.add_external_data();
      entry.set_key(key);
      entry.set_value(std::move(value));
    };
    add("location", location_);
    add("offset", std::to_string(offset));
    add("length", std::to_string(bytes.size()));
    return Status();
  }

  // Returns where in the data file `bytes` are. Tensors that shared a range of
  // a data file share it again.
  Result<std::size_t> Append(std::span<const std::byte> bytes, bool mapped,
                             const std::string& folder) {
    if (!data_file_) {
      ZEROPOINT_ASSIGN_OR_RETURN(data_file_,
                                 AtomicFile::Create(folder + location_));
    }
    const auto range = std::pair(bytes.data(), bytes.size());
    if (mapped) {
      const auto known = written_.find(range);
      if (known != written_.end()) return known->second;
    }
    // Whole pages for what a reader may want to map by itself.
    constexpr std::size_t kPage = 4096;
    constexpr std::size_t kCacheLine = 64;
    const std::size_t alignment = bytes.size() < kPage ? kCacheLine : kPage;
    const std::size_t offset =
        (data_size_ + alignment - 1) / alignment * alignment;
    static constexpr std::array<char, kPage> kZeros{};
    ZEROPOINT_RETURN_IF_ERROR(
        data_file_->Write(kZeros.data(), offset - data_size_));
    ZEROPOINT_RETURN_IF_ERROR(data_file_->Write(bytes.data(), bytes.size()));
    data_size_ = offset + bytes.size();
    if (mapped) written_.emplace(range, offset);
    return offset;
  }

  std::int64_t MessageBytes() const {
    return static_cast<std::int64_t>(model_.ByteSizeLong());
  }

  Status WriteMessage(const std::string& path, int descriptor) const {
    google::protobuf::io::FileOutputStream bytes(descriptor);
    bool written = false;
    {
      google::protobuf::io::CodedOutputStream stream(&bytes);
      stream.SetSerializationDeterministic(true);
      written = model_.SerializeToCodedStream(&stream) && !stream.HadError();
    }
    if (!bytes.Flush() || !written) {
      return IoError("cannot write \"" + path +
                     "\": " + std::strerror(bytes.GetErrno()));
    }
    return Status();
  }

  onnx::ModelProto& model_;
  const ExternalData& external_data_;
  const SaveOptions& options_;
  std::string location_;
  std::optional<AtomicFile> data_file_;
  std::size_t data_size_ = 0;
  std::map<std::pair<const std::byte*, std::size_t>, std::size_t> written_;
  ReplacedPayloads replaced_;
};

}  // namespace internal

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_MODEL_WRITER_H_
