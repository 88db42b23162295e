// NpzSource: samples from a .npz whose arrays are named after the inputs.
//
// Every array is [samples, ...the input's whole shape, batch axis included...];
// names that start with "__" are labels. All that can be wrong with names,
// types, shapes and numbers of samples is found before the first sample.
#ifndef ZEROPOINT_DATA_NPZ_SOURCE_H_
#define ZEROPOINT_DATA_NPZ_SOURCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/data/npz.h"
#include "zeropoint/data/preprocess.h"

namespace zeropoint {

class NpzSource final : public FeedSource {
 public:
  /// Errors: NpzArchive's; kInvalidData when the arrays do not fit `inputs`.
  static Result<std::unique_ptr<FeedSource>> Open(
      const std::string& path, const std::vector<InputDescription>& inputs,
      Preprocess steps, std::size_t skip, std::optional<std::size_t> limit) {
    ZEROPOINT_ASSIGN_OR_RETURN(NpzArchive archive, NpzArchive::Open(path));
    std::unique_ptr<NpzSource> source(
        new NpzSource(std::move(archive), std::move(steps)));
    ZEROPOINT_RETURN_IF_ERROR(source->MatchInputs(inputs));
    ZEROPOINT_RETURN_IF_ERROR(source->SetRange(skip, limit));
    ZEROPOINT_RETURN_IF_ERROR(source->Rewind());
    return std::unique_ptr<FeedSource>(std::move(source));
  }

  Result<std::optional<Feeds>> Next() override {
    if (next_ == range_.count) return std::optional<Feeds>();
    ++next_;
    Feeds feeds;
    for (std::size_t i = 0; i < fed_.size(); ++i) {
      Result<Tensor> tensor = ReadFeed(i);
      if (!tensor.ok()) {
        return tensor.status().WithContext(archive_.Context(array(i).name));
      }
      feeds.push_back({array(i).name, *std::move(tensor)});
    }
    return std::optional<Feeds>(std::move(feeds));
  }

  Status Rewind() override {
    next_ = 0;
    readers_.clear();
    for (std::size_t i = 0; i < fed_.size(); ++i) {
      Result<NpzSampleReader> reader = OpenAtFirst(fed_[i]);
      if (!reader.ok()) {
        return reader.status().WithContext(archive_.Context(array(i).name));
      }
      readers_.push_back(*std::move(reader));
    }
    return Status();
  }

  Status Skip(std::size_t samples) override {
    samples = std::min(samples, range_.count - next_);
    next_ += samples;
    for (std::size_t i = 0; i < fed_.size(); ++i) {
      ZEROPOINT_RETURN_IF_ERROR(readers_[i].Skip(samples).WithContext(
          archive_.Context(array(i).name)));
    }
    return Status();
  }

  std::optional<std::size_t> size() const override { return range_.count; }

  std::vector<std::string> label_names() const override {
    std::vector<std::string> names;
    for (const NpzArray& array : archive_.arrays()) {
      if (IsLabel(array)) names.push_back(array.name);
    }
    return names;
  }

  Result<std::vector<std::int64_t>> ClassLabels(
      std::string_view name) override {
    const InputPreprocess widen{.cast = DataType::kInt64};
    std::vector<std::int64_t> labels;
    ZEROPOINT_RETURN_IF_ERROR(
        ReadLabels(name, false, [&](NpzSampleReader& reader) -> Status {
          ZEROPOINT_ASSIGN_OR_RETURN(const Tensor stored, reader.Next());
          ZEROPOINT_ASSIGN_OR_RETURN(const Tensor label,
                                     ApplyPreprocess(widen, stored.view()));
          labels.push_back(label.As<std::int64_t>()[0]);
          return Status();
        }));
    return labels;
  }

  Result<std::vector<std::string>> TextLabels(std::string_view name) override {
    std::vector<std::string> labels;
    ZEROPOINT_RETURN_IF_ERROR(
        ReadLabels(name, true, [&](NpzSampleReader& reader) -> Status {
          ZEROPOINT_ASSIGN_OR_RETURN(std::string label, reader.NextText());
          labels.push_back(std::move(label));
          return Status();
        }));
    return labels;
  }

 private:
  NpzSource(NpzArchive archive, Preprocess steps)
      : archive_(std::move(archive)), steps_(std::move(steps)) {}

  static bool IsLabel(const NpzArray& array) {
    return array.name.starts_with("__");
  }
  const NpzArray& array(std::size_t feed) const {
    return archive_.arrays()[fed_[feed]];
  }

  // Finds each input's array, in the order of the inputs, and checks it.
  Status MatchInputs(const std::vector<InputDescription>& inputs) {
    for (const NpzArray& array : archive_.arrays()) {
      if (!IsLabel(array) && FindInput(inputs, array.name) == nullptr) {
        return UnknownInput(inputs).WithContext(archive_.Context(array.name));
      }
    }
    for (const InputDescription& input : inputs) {
      const std::optional<std::size_t> found = Find(input.name);
      if (found) {
        ZEROPOINT_RETURN_IF_ERROR(
            CheckArray(input, archive_.arrays()[*found])
                .WithContext(archive_.Context(input.name)));
        fed_.push_back(*found);
      } else if (!input.optional) {
        return InvalidData("'" + archive_.path() +
                           "': no array for the model's input '" + input.name +
                           "'; the inputs are " + FormatNames(inputs));
      }
    }
    return Status();
  }

  Status CheckArray(const InputDescription& input,
                    const NpzArray& array) const {
    if (array.header.dims.empty()) {
      return InvalidData("is a single value; arrays are [samples, ...]");
    }
    return CheckSample(input, steps_, array.header.type, array.sample_dims());
  }

  Status SetRange(std::size_t skip, std::optional<std::size_t> limit) {
    for (std::size_t i = 1; i < fed_.size(); ++i) {
      if (array(i).samples() != array(0).samples()) {
        return InvalidData("has " + std::to_string(array(i).samples()) +
                           " samples, '" + array(0).name + "' has " +
                           std::to_string(array(0).samples()))
            .WithContext(archive_.Context(array(i).name));
      }
    }
    const std::size_t total = fed_.empty() ? 0 : array(0).samples();
    const auto range = SelectSamples(total, skip, limit);
    if (!range.ok()) {
      return range.status().WithContext("'" + archive_.path() + "'");
    }
    range_ = *range;
    return Status();
  }

  std::optional<std::size_t> Find(std::string_view name) const {
    for (std::size_t i = 0; i < archive_.arrays().size(); ++i) {
      if (archive_.arrays()[i].name == name) return i;
    }
    return std::nullopt;
  }

  Result<NpzSampleReader> OpenAtFirst(std::size_t index) {
    ZEROPOINT_ASSIGN_OR_RETURN(NpzSampleReader reader, archive_.Read(index));
    ZEROPOINT_RETURN_IF_ERROR(reader.Skip(range_.first));
    return reader;
  }

  Result<Tensor> ReadFeed(std::size_t feed) {
    ZEROPOINT_ASSIGN_OR_RETURN(Tensor stored, readers_[feed].Next());
    const auto step = steps_.find(array(feed).name);
    if (step == steps_.end()) return stored;
    return ApplyPreprocess(step->second, stored.view());
  }

  // Calls `read` once for each sample's label.
  template <class Read>
  Status ReadLabels(std::string_view name, bool text, Read&& read) {
    const std::optional<std::size_t> index = Find(name);
    if (!index || !IsLabel(archive_.arrays()[*index])) {
      return NoLabels(name).WithContext("'" + archive_.path() + "'");
    }
    const NpzArray& labels = archive_.arrays()[*index];
    const std::string context = archive_.Context(name);
    if (labels.header.dims.size() != 1 ||
        labels.samples() != array(0).samples()) {
      return InvalidData("has shape " + FormatDims(labels.header.dims) +
                         ", labels are one for each of the " +
                         std::to_string(array(0).samples()) + " samples")
          .WithContext(context);
    }
    if (text != (labels.header.type == DataType::kString)) {
      return InvalidData("holds " +
                         std::string(DataTypeName(labels.header.type)) +
                         ", wanted are " + (text ? "texts" : "whole numbers"))
          .WithContext(context);
    }
    Result<NpzSampleReader> reader = OpenAtFirst(*index);
    if (!reader.ok()) return reader.status().WithContext(context);
    for (std::size_t i = 0; i < range_.count; ++i) {
      ZEROPOINT_RETURN_IF_ERROR(read(*reader).WithContext(context));
    }
    return Status();
  }

  NpzArchive archive_;
  Preprocess steps_;
  std::vector<std::size_t> fed_;          // the arrays that are fed
  std::vector<NpzSampleReader> readers_;  // one for each of them
  SampleRange range_;
  std::size_t next_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_NPZ_SOURCE_H_
