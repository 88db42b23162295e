// NpySource: samples from a .npy, the one array of a model with one input.
//
// The array is [samples, ...the input's whole shape, batch axis included...],
// as in a .npz; labels need a .npz.
#ifndef ZEROPOINT_DATA_NPY_SOURCE_H_
#define ZEROPOINT_DATA_NPY_SOURCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/data/npy.h"
#include "zeropoint/data/npy_sample_reader.h"
#include "zeropoint/data/preprocess.h"

namespace zeropoint {

namespace internal {

// What NpySampleReader reads from, over a file.
class FileStream {
 public:
  explicit FileStream(const std::string& path)
      : file_(path, std::ios::binary) {}

  bool is_open() const { return file_.is_open(); }

  Status Read(void* into, std::size_t bytes) {
    file_.read(static_cast<char*>(into), static_cast<std::streamsize>(bytes));
    if (file_) return Status();
    return InvalidData("ends too early; write the file again");
  }

  Status Skip(std::uint64_t bytes) {
    file_.seekg(static_cast<std::streamoff>(bytes), std::ios::cur);
    return file_ ? Status() : IoError("cannot be read");
  }

  // The size of the file was compared with the header's.
  Status Finish() { return Status(); }

 private:
  std::ifstream file_;
};

}  // namespace internal

class NpySource final : public FeedSource {
 public:
  /// Errors: those of ReadNpyHeader; kIoError; kInvalidData when the array does
  /// not fit the one input of `inputs`, or there are more.
  static Result<std::unique_ptr<FeedSource>> Open(
      const std::string& path, const std::vector<InputDescription>& inputs,
      Preprocess steps, std::size_t skip, std::optional<std::size_t> limit) {
    std::unique_ptr<NpySource> source(new NpySource(path, std::move(steps)));
    ZEROPOINT_RETURN_IF_ERROR(
        source->Prepare(inputs, skip, limit).WithContext(source->context_));
    return std::unique_ptr<FeedSource>(std::move(source));
  }

  Result<std::optional<Feeds>> Next() override {
    if (next_ == range_.count) return std::optional<Feeds>();
    ++next_;
    Result<Tensor> tensor = ReadFeed();
    if (!tensor.ok()) return tensor.status().WithContext(context_);
    Feeds feeds;
    feeds.push_back({input_.name, *std::move(tensor)});
    return std::optional<Feeds>(std::move(feeds));
  }

  Status Rewind() override {
    next_ = 0;
    return OpenAtFirst().WithContext(context_);
  }

  Status Skip(std::size_t samples) override {
    samples = std::min(samples, range_.count - next_);
    next_ += samples;
    return reader_->Skip(samples).WithContext(context_);
  }

  std::optional<std::size_t> size() const override { return range_.count; }

 private:
  NpySource(std::string path, Preprocess steps)
      : path_(std::move(path)),
        context_("'" + path_ + "'"),
        steps_(std::move(steps)) {}

  Status Prepare(const std::vector<InputDescription>& inputs, std::size_t skip,
                 std::optional<std::size_t> limit) {
    std::size_t needed = 0;
    for (const InputDescription& input : inputs) {
      if (input.optional) continue;
      input_ = input;
      ++needed;
    }
    if (needed != 1) {
      return InvalidData("is one array, but the model's inputs are " +
                         FormatNames(inputs) +
                         "; save one array for each in a .npz");
    }
    internal::FileStream file(path_);
    std::error_code failure;
    const std::uintmax_t bytes = std::filesystem::file_size(path_, failure);
    if (!file.is_open() || failure) return IoError("cannot be read");
    ZEROPOINT_ASSIGN_OR_RETURN(
        header_, ReadNpyHeader([&](void* into, std::size_t count) {
          return file.Read(into, count);
        }));
    if (header_.fortran_order && header_.dims.size() > 1) {
      return Unsupported(
          "is stored in Fortran order; save numpy.ascontiguousarray(it)");
    }
    if (header_.dims.empty()) {
      return InvalidData("is a single value; arrays are [samples, ...]");
    }
    const std::uint64_t expected = header_.header_bytes + *header_.data_bytes();
    if (bytes != expected) {
      return InvalidData("takes " + std::to_string(bytes) + " bytes, but " +
                         std::to_string(expected) + " for its shape " +
                         FormatDims(header_.dims) + "; write the file again");
    }
    ZEROPOINT_RETURN_IF_ERROR(
        CheckSample(input_, steps_, header_.type, header_.sample_dims()));
    ZEROPOINT_ASSIGN_OR_RETURN(range_,
                               SelectSamples(header_.samples(), skip, limit));
    return OpenAtFirst();
  }

  Status OpenAtFirst() {
    internal::FileStream file(path_);
    if (!file.is_open()) return IoError("cannot be read");
    ZEROPOINT_RETURN_IF_ERROR(file.Skip(header_.header_bytes));
    reader_.emplace(header_, std::move(file));
    return reader_->Skip(range_.first);
  }

  Result<Tensor> ReadFeed() {
    ZEROPOINT_ASSIGN_OR_RETURN(Tensor stored, reader_->Next());
    const auto step = steps_.find(input_.name);
    if (step == steps_.end()) return stored;
    return ApplyPreprocess(step->second, stored.view());
  }

  std::string path_;
  std::string context_;
  Preprocess steps_;
  InputDescription input_;
  NpyHeader header_;
  std::optional<NpySampleReader<internal::FileStream>> reader_;
  SampleRange range_;
  std::size_t next_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_NPY_SOURCE_H_
