// External data: tensors whose bytes lie in files beside the model.
//
// The model names those files, and a model is hostile: a location must stay
// inside the model's folder, offset and length inside the file, and the length
// must be what the shape needs. All of it is checked when the model is opened.
// Files are memory-mapped once each, so pages are read when a weight is.
#ifndef ZEROPOINT_GRAPH_EXTERNAL_DATA_H_
#define ZEROPOINT_GRAPH_EXTERNAL_DATA_H_

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/mapped_file.h"
#include "zeropoint/graph/spill_file.h"

namespace zeropoint {

namespace internal {

struct ExternalReference {
  std::string location;
  std::size_t offset = 0;
  std::optional<std::size_t> length;  // absent: what the shape needs
};

inline std::optional<std::size_t> ParseSize(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

inline Result<ExternalReference> ParseExternalReference(
    const onnx::TensorProto& tensor) {
  ExternalReference reference;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") {
      reference.location = entry.value();
    } else if (entry.key() == "offset" || entry.key() == "length") {
      const auto value = ParseSize(entry.value());
      if (!value) {
        return InvalidModel("tensor \"" + tensor.name() +
                            "\" has the external-data " + entry.key() + " \"" +
                            entry.value() + "\", which is not a size in bytes");
      }
      if (entry.key() == "offset") {
        reference.offset = *value;
      } else {
        reference.length = value;
      }
    }
  }
  if (reference.location.empty()) {
    return InvalidModel("tensor \"" + tensor.name() +
                        "\" has external data but names no file for it");
  }
  return reference;
}

}  // namespace internal

/// The data files of one model, each mapped once.
class ExternalData {
 public:
  /// `folder`: the model's, to which locations are relative; "" is the current
  /// one.
  explicit ExternalData(std::string folder = "") : folder_(std::move(folder)) {}

  /// Checks the reference of an external `tensor` and maps its file.
  /// Errors: kInvalidModel for a location outside the folder, an offset or
  /// length outside the file or unlike the shape; kNotFound for a missing file;
  /// PackedBytes's.
  Status Map(const onnx::TensorProto& tensor) {
    ZEROPOINT_ASSIGN_OR_RETURN(const internal::ExternalReference reference,
                               internal::ParseExternalReference(tensor));
    if (!files_.contains(reference.location)) {
      ZEROPOINT_ASSIGN_OR_RETURN(
          const std::string path,
          PathInsideFolder(tensor.name(), reference.location));
      ZEROPOINT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
      files_.emplace(reference.location, std::move(file));
    }
    return Bytes(tensor).status();
  }

  /// Whether there is any data file.
  bool empty() const { return files_.empty(); }

  /// Moves the raw bytes of `tensor` to a file without a name in the model's
  /// folder; it is external from then on, and saved like the others. Where the
  /// folder takes no file, the tensor stays as it is.
  void Spill(onnx::TensorProto& tensor) {
    const std::string& raw = tensor.raw_data();
    auto mapped = spilled_.Append(
        {reinterpret_cast<const std::byte*>(raw.data()), raw.size()}, folder_);
    if (!mapped.ok()) return;
    // No path: PathInsideFolder takes none with this byte.
    std::string location("\0spilled ", 9);
    location += std::to_string(files_.size());
    auto& entry = *tensor.add_external_data();
    entry.set_key("location");
    entry.set_value(location);
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    // clear_raw_data keeps the memory for the next value.
    delete tensor.release_raw_data();
    files_.emplace(std::move(location), std::move(mapped).value());
#ifdef __GLIBC__
    // Once a large block was freed, glibc takes the next ones from its heap and
    // keeps them there: a gigabyte for 4 GB of weights.
    ::malloc_trim(0);
#endif
  }

  /// Says that the bytes of a tensor are not needed for now (MappedFile).
  void Forget(const onnx::TensorProto& tensor) const {
    const auto reference = internal::ParseExternalReference(tensor);
    const auto bytes = Bytes(tensor);
    if (!reference.ok() || !bytes.ok()) return;
    files_.find(reference->location)->second.Forget(*bytes);
  }

  /// The bytes of a tensor. Safe to call from many threads at once.
  /// Errors: as Map's; kNotFound when Map never saw its file.
  Result<std::span<const std::byte>> Bytes(
      const onnx::TensorProto& tensor) const {
    ZEROPOINT_ASSIGN_OR_RETURN(const internal::ExternalReference reference,
                               internal::ParseExternalReference(tensor));
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t needed,
                               Needed(tensor, reference));
    const auto file = files_.find(reference.location);
    if (file == files_.end()) {
      return NotFound("tensor \"" + tensor.name() +
                      "\" has external data in \"" + reference.location +
                      "\", which was not there when the model was opened");
    }
    if (reference.length && *reference.length != needed) {
      return internal::WrongCount(tensor, needed, *reference.length,
                                  "bytes of external data");
    }
    const std::span<const std::byte> bytes = file->second.bytes();
    if (reference.offset > bytes.size() ||
        needed > bytes.size() - reference.offset) {
      return InvalidModel(
          "tensor \"" + tensor.name() + "\" needs " + std::to_string(needed) +
          " bytes at offset " + std::to_string(reference.offset) + " of \"" +
          reference.location + "\", which has " + std::to_string(bytes.size()) +
          ": the data file is cut short or not this model's");
    }
    return bytes.subspan(reference.offset, needed);
  }

 private:
  // An element type that this library does not know passes through by its
  // stated length.
  static Result<std::size_t> Needed(
      const onnx::TensorProto& tensor,
      const internal::ExternalReference& reference) {
    auto packed = PackedBytes(tensor);
    if (packed.ok() || !reference.length ||
        packed.status().code() != StatusCode::kUnsupported) {
      return packed;
    }
    return *reference.length;
  }

  // Compared after symbolic links are followed: a link inside the folder may
  // point out of it.
  Result<std::string> PathInsideFolder(const std::string& tensor,
                                       const std::string& location) const {
    namespace fs = std::filesystem;
    const fs::path relative(location);
    bool climbs = relative.is_absolute();
    for (const auto& part : relative) climbs = climbs || part == "..";
    if (climbs || location.find('\0') != std::string::npos) {
      return OutsideFolder(tensor, location);
    }
    std::error_code error;
    const fs::path folder =
        fs::canonical(folder_.empty() ? "." : folder_, error);
    if (error) {
      return NotFound("the model's folder \"" + folder_ +
                      "\" cannot be opened: " + error.message());
    }
    const fs::path path = fs::canonical(folder / relative, error);
    if (error) {
      return NotFound("tensor \"" + tensor + "\" has external data in \"" +
                      location + "\", which cannot be opened in the folder \"" +
                      folder.string() + "\" (" + error.message() +
                      "): put the data file beside the model");
    }
    const auto [folder_end, path_at] =
        std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    if (folder_end != folder.end()) return OutsideFolder(tensor, location);
    return path.string();
  }

  static Status OutsideFolder(const std::string& tensor,
                              const std::string& location) {
    return InvalidModel("tensor \"" + tensor + "\" has external data in \"" +
                        location +
                        "\", which lies outside the model's folder: copy the "
                        "data file beside the model");
  }

  std::string folder_;
  std::map<std::string, MappedFile> files_;
  internal::SpillFile spilled_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_EXTERNAL_DATA_H_
