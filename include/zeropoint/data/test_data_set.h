// TestDataSetSource: samples from ONNX's own test data, a folder a sample:
//
//   DATA/test_data_set_0/input_0.pb, input_1.pb, ...
//   DATA/test_data_set_1/input_0.pb, ...
//
// Each .pb is one TensorProto. A file belongs to the input that the tensor is
// named after; a tensor without a name to the input of the file's number.
#ifndef ZEROPOINT_DATA_TEST_DATA_SET_H_
#define ZEROPOINT_DATA_TEST_DATA_SET_H_

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/data/preprocess.h"
#include "zeropoint/data/read_file.h"
#include "zeropoint/data/tensor_proto.h"

namespace zeropoint {

namespace internal {

struct NumberedPath {
  std::size_t number;
  std::string path;
};

// What stands in `folder` under PREFIX<number>SUFFIX, by number.
inline Result<std::vector<NumberedPath>> ListNumbered(const std::string& folder,
                                                      std::string_view prefix,
                                                      std::string_view suffix) {
  std::vector<NumberedPath> found;
  std::error_code failure;
  std::filesystem::directory_iterator at(folder, failure);
  for (; !failure && at != std::filesystem::directory_iterator();
       at.increment(failure)) {
    const std::string name = at->path().filename().string();
    if (name.size() <= prefix.size() + suffix.size() ||
        !name.starts_with(prefix) || !name.ends_with(suffix)) {
      continue;
    }
    const char* end = name.data() + name.size() - suffix.size();
    std::size_t number = 0;
    const auto [stop, error] =
        std::from_chars(name.data() + prefix.size(), end, number);
    if (error == std::errc() && stop == end) {
      found.push_back({number, at->path().string()});
    }
  }
  if (failure) {
    return IoError("cannot list '" + folder + "': " + failure.message());
  }
  std::ranges::sort(found, [](const auto& a, const auto& b) {
    return a.number != b.number ? a.number < b.number : a.path < b.path;
  });
  return found;
}

}  // namespace internal

class TestDataSetSource final : public FeedSource {
 public:
  /// Errors: kIoError; kInvalidData when `folder` holds no test data set.
  static Result<std::unique_ptr<FeedSource>> Open(
      const std::string& folder, const std::vector<InputDescription>& inputs,
      Preprocess steps, std::size_t skip, std::optional<std::size_t> limit) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        std::vector<internal::NumberedPath> sets,
        internal::ListNumbered(folder, "test_data_set_", ""));
    if (sets.empty()) {
      return InvalidData("'" + folder +
                         "' holds no folder test_data_set_0, test_data_set_1, "
                         "...; name the folder that does, or a .npz");
    }
    const auto range = SelectSamples(sets.size(), skip, limit);
    if (!range.ok()) return range.status().WithContext("'" + folder + "'");
    std::unique_ptr<TestDataSetSource> source(new TestDataSetSource);
    source->inputs_ = inputs;
    source->steps_ = std::move(steps);
    for (std::size_t i = 0; i < range->count; ++i) {
      source->sets_.push_back(std::move(sets[range->first + i].path));
    }
    return std::unique_ptr<FeedSource>(std::move(source));
  }

  Result<std::optional<Feeds>> Next() override {
    if (next_ == sets_.size()) return std::optional<Feeds>();
    const std::string& set = sets_[next_++];
    ZEROPOINT_ASSIGN_OR_RETURN(const auto files,
                               internal::ListNumbered(set, "input_", ".pb"));
    std::vector<std::optional<Tensor>> values(inputs_.size());
    for (const internal::NumberedPath& file : files) {
      ZEROPOINT_RETURN_IF_ERROR(
          ReadInput(file, values).WithContext("'" + file.path + "'"));
    }
    Feeds feeds;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (values[i]) {
        feeds.push_back({inputs_[i].name, *std::move(values[i])});
      } else if (!inputs_[i].optional) {
        return InvalidData("'" + set +
                           "': no input_*.pb for the model's "
                           "input '" +
                           inputs_[i].name + "'");
      }
    }
    return std::optional<Feeds>(std::move(feeds));
  }

  Status Rewind() override {
    next_ = 0;
    return Status();
  }

  Status Skip(std::size_t samples) override {
    next_ += std::min(samples, sets_.size() - next_);
    return Status();
  }

  std::optional<std::size_t> size() const override { return sets_.size(); }

 private:
  TestDataSetSource() = default;

  Status ReadInput(const internal::NumberedPath& file,
                   std::vector<std::optional<Tensor>>& values) const {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(file.path));
    onnx::TensorProto proto;
    if (!proto.ParseFromString(bytes)) {
      return InvalidData("is no TensorProto; write or fetch the file again");
    }
    const std::optional<std::size_t> index = FindIndex(file.number, proto);
    if (!index) return UnknownInput(inputs_);
    const InputDescription& input = inputs_[*index];
    if (values[*index]) {
      return InvalidData("feeds the input '" + input.name +
                         "', as another file of its folder does");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(Tensor tensor, DecodeDataTensor(proto));
    ZEROPOINT_RETURN_IF_ERROR(
        CheckSample(input, steps_, tensor.type(), tensor.dims()));
    if (const auto step = steps_.find(input.name); step != steps_.end()) {
      ZEROPOINT_ASSIGN_OR_RETURN(tensor,
                                 ApplyPreprocess(step->second, tensor.view()));
    }
    values[*index] = std::move(tensor);
    return Status();
  }

  // Numbers count only the inputs without a default, as ONNX's tests do.
  std::optional<std::size_t> FindIndex(std::size_t number,
                                       const onnx::TensorProto& proto) const {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (proto.name().empty() ? !inputs_[i].optional && number-- == 0
                               : inputs_[i].name == proto.name()) {
        return i;
      }
    }
    return std::nullopt;
  }

  std::vector<InputDescription> inputs_;
  Preprocess steps_;
  std::vector<std::string> sets_;
  std::size_t next_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_TEST_DATA_SET_H_
