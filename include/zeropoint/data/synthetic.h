// SyntheticSource: made-up samples, for trying a model without data.
//
// Every value is a hash of where it stands (sample, input, element), so the
// same sample comes whatever was asked for before.
#ifndef ZEROPOINT_DATA_SYNTHETIC_H_
#define ZEROPOINT_DATA_SYNTHETIC_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/data/split_mix.h"

namespace zeropoint {

/// Fills `values` from the stream `stream`:
///
///   real numbers        uniform in [-1, 1)
///   8-bit integers      any value: they are mostly pixels
///   other integers,     0 or 1: valid as an index, a length or a mask
///   booleans
template <class T>
void FillSynthetic(std::uint64_t stream, std::span<T> values) {
  const std::uint64_t base = SplitMix64(stream);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t bits = SplitMix64(base + i);
    if constexpr (std::is_floating_point_v<T>) {
      // 24 bits: exact in float.
      values[i] = static_cast<T>(bits >> 40) / static_cast<T>(1 << 23) - T{1};
    } else if constexpr (sizeof(T) == 1 && !std::is_same_v<T, bool>) {
      values[i] = static_cast<T>(bits >> 56);
    } else {
      values[i] = static_cast<T>(bits >> 63);
    }
  }
}

class SyntheticSource final : public FeedSource {
 public:
  /// `samples` samples for `inputs`; an open axis 0 becomes a batch of 1.
  ///
  /// Errors: kInvalidData when another axis is open, since nobody but the user
  /// knows a length that the model can take; kUnsupported for a type that has
  /// no C++ one.
  static Result<std::unique_ptr<FeedSource>> Open(
      const std::vector<InputDescription>& inputs, std::size_t samples,
      std::size_t skip, std::optional<std::size_t> limit) {
    const auto range = SelectSamples(samples, skip, limit);
    if (!range.ok()) return range.status().WithContext("synthetic data");
    std::unique_ptr<SyntheticSource> source(new SyntheticSource);
    source->range_ = *range;
    for (const InputDescription& input : inputs) {
      if (input.optional) continue;
      ZEROPOINT_RETURN_IF_ERROR(source->AddInput(input).WithContext(
          "synthetic data for the model's input '" + input.name + "'"));
    }
    return std::unique_ptr<FeedSource>(std::move(source));
  }

  Result<std::optional<Feeds>> Next() override {
    if (next_ == range_.count) return std::optional<Feeds>();
    const std::uint64_t sample = range_.first + next_++;
    Feeds feeds;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      Tensor tensor(inputs_[i].type, *inputs_[i].dims);
      const std::uint64_t stream = sample * inputs_.size() + i;
      ZEROPOINT_RETURN_IF_ERROR(VisitDataType(tensor.type(), [&]<class T>() {
        FillSynthetic(stream, tensor.MutableAs<T>());
        return Status();
      }));
      feeds.push_back({inputs_[i].name, std::move(tensor)});
    }
    return std::optional<Feeds>(std::move(feeds));
  }

  Status Rewind() override {
    next_ = 0;
    return Status();
  }

  Status Skip(std::size_t samples) override {
    next_ += std::min(samples, range_.count - next_);
    return Status();
  }

  std::optional<std::size_t> size() const override { return range_.count; }

 private:
  SyntheticSource() = default;

  Status AddInput(InputDescription input) {
    constexpr std::string_view kRemedy =
        "; give real data as a .npz, or fix the shape in the model";
    if (!input.dims) {
      return InvalidData("its shape is unknown" + std::string(kRemedy));
    }
    for (std::size_t i = 0; i < input.dims->size(); ++i) {
      std::int64_t& dim = (*input.dims)[i];
      if (dim < 0 && i == 0) dim = 1;
      if (dim < 0) {
        return InvalidData("its axis " + std::to_string(i) + " is open" +
                           std::string(kRemedy));
      }
    }
    // Far above any real input, far below what would exhaust memory.
    constexpr std::size_t kMaxElements = std::size_t{1} << 30;
    if (ElementCount(*input.dims).value_or(kMaxElements + 1) > kMaxElements) {
      return InvalidData("its shape " + FormatDims(*input.dims) +
                         " is too large" + std::string(kRemedy));
    }
    // The executor rounds.
    if (IsHalf(input.type)) input.type = DataType::kFloat;
    ZEROPOINT_RETURN_IF_ERROR(
        VisitDataType(input.type, []<class T>() { return Status(); }));
    inputs_.push_back(std::move(input));
    return Status();
  }

  std::vector<InputDescription> inputs_;
  SampleRange range_;
  std::size_t next_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_SYNTHETIC_H_
