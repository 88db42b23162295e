// CalibrationState: what calibration has seen so far, of which samples.
//
// A plain value: it can be stored, resumed, merged with the states of other
// machines, and asked for ranges by any rule afterwards.
#ifndef ZEROPOINT_CALIBRATION_CALIBRATION_STATE_H_
#define ZEROPOINT_CALIBRATION_CALIBRATION_STATE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "zeropoint/calibration/channel_mean_observer.h"
#include "zeropoint/calibration/tensor_statistics.h"
#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

/// What is kept of one tensor. Merges exactly, whatever the order.
struct TensorState {
  static constexpr std::uint64_t kNoSample = ~std::uint64_t{0};

  TensorStatistics statistics;
  ChannelMeanObserver means;
  /// The shape with most elements; of equals, the lexicographically greatest.
  Dims dims;
  std::uint64_t elements = 0;
  /// Samples that produced the tensor, and those of them in which it held no
  /// reals (float, float16, bfloat16), or no element.
  std::uint64_t samples = 0;
  std::uint64_t other_type = 0;
  std::uint64_t empty = 0;
  /// The first sample that holds the least value, and the greatest.
  std::uint64_t lo_sample = kNoSample;
  std::uint64_t hi_sample = kNoSample;

  /// Folds in what sample number `sample` produced.
  void Observe(const TensorView& produced, std::uint64_t sample,
               bool channel_means, const KernelTable& kernels) {
    ++samples;
    Tensor wide;
    const Result<TensorView> real = AsFloat(produced, wide);
    if (!real.ok()) {
      ++other_type;
      return;
    }
    const TensorView& tensor = *real;
    if (tensor.size() == 0) ++empty;
    TakeDims(Dims(tensor.dims().begin(), tensor.dims().end()), tensor.size());
    const MinMaxState before = statistics.min_max().state();
    const MinMaxState seen = statistics.Observe(tensor.As<float>(), kernels);
    if (seen.finite > 0) TakeExtremes(before, seen, sample, sample);
    if (channel_means) means.Observe(tensor, 1, seen, kernels);
  }

  /// Errors: those of TensorStatistics::Merge.
  Status Merge(const TensorState& other) {
    const MinMaxState mine = statistics.min_max().state();
    const MinMaxState& theirs = other.statistics.min_max().state();
    ZEROPOINT_RETURN_IF_ERROR(statistics.Merge(other.statistics));
    TakeExtremes(mine, theirs, other.lo_sample, other.hi_sample);
    means.Merge(other.means);
    if (other.samples > other.other_type) TakeDims(other.dims, other.elements);
    samples += other.samples;
    other_type += other.other_type;
    empty += other.empty;
    return Status();
  }

 private:
  /// The samples of the extremes, once what had the range `mine` has taken in
  /// `theirs`.
  void TakeExtremes(const MinMaxState& mine, const MinMaxState& theirs,
                    std::uint64_t their_lo_sample,
                    std::uint64_t their_hi_sample) {
    lo_sample = First(mine.lo <= theirs.lo, lo_sample, theirs.lo <= mine.lo,
                      their_lo_sample);
    hi_sample = First(mine.hi >= theirs.hi, hi_sample, theirs.hi >= mine.hi,
                      their_hi_sample);
  }
  /// The smaller number among those whose value counts.
  static std::uint64_t First(bool mine_counts, std::uint64_t mine,
                             bool theirs_count, std::uint64_t theirs) {
    if (!theirs_count) return mine;
    return mine_counts ? std::min(mine, theirs) : theirs;
  }
  void TakeDims(Dims other, std::uint64_t size) {
    if (std::tie(size, other) > std::tie(elements, dims)) {
      elements = size;
      dims = std::move(other);
    }
  }
};

/// Samples [begin, end) of the data set `data`.
struct SampleInterval {
  std::string data;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  friend auto operator<=>(const SampleInterval&,
                          const SampleInterval&) = default;
};

/// The samples that went in: sorted, disjoint, and joined where one interval
/// begins as another ends, so that equal sets are equal.
class SampleSet {
 public:
  /// Errors: kInvalidArgument when a sample is there already.
  Status Add(const SampleInterval& added) {
    if (added.begin >= added.end) return Status();
    for (const SampleInterval& interval : intervals_) {
      if (interval.data == added.data && interval.begin < added.end &&
          added.begin < interval.end) {
        return InvalidArgument(
            "samples " + std::to_string(std::max(interval.begin, added.begin)) +
            " to " + std::to_string(std::min(interval.end, added.end) - 1) +
            " of '" + added.data + "' would count twice");
      }
    }
    intervals_.push_back(added);
    std::sort(intervals_.begin(), intervals_.end());
    std::vector<SampleInterval> joined;
    for (SampleInterval& interval : intervals_) {
      if (!joined.empty() && joined.back().data == interval.data &&
          joined.back().end == interval.begin) {
        joined.back().end = interval.end;
      } else {
        joined.push_back(std::move(interval));
      }
    }
    intervals_ = std::move(joined);
    return Status();
  }

  const std::vector<SampleInterval>& intervals() const { return intervals_; }
  std::uint64_t count() const {
    std::uint64_t count = 0;
    for (const auto& interval : intervals_) {
      count += interval.end - interval.begin;
    }
    return count;
  }
  /// How many samples have a smaller number than `sample`.
  std::uint64_t CountBelow(std::uint64_t sample) const {
    std::uint64_t count = 0;
    for (const auto& interval : intervals_) {
      count +=
          std::clamp(sample, interval.begin, interval.end) - interval.begin;
    }
    return count;
  }

 private:
  std::vector<SampleInterval> intervals_;
};

/// All tensors of a model, and what identifies the run.
struct CalibrationState {
  /// Of the model as the user has it; see ModelFingerprint.
  std::uint64_t model = 0;
  /// How the model was made ready before tensors were observed, as
  /// "onnxruntime-cpu,basic": names of tensors depend on it.
  std::string preparation;
  CollectedStatistics collected;
  SampleSet samples;
  std::map<std::string, TensorState, std::less<>> tensors;

  /// Takes over what `other` saw: exact, and the same whichever comes first.
  /// Errors: kInvalidArgument for another model, preparation or set of
  /// statistics, and for samples that both saw; *this is then undefined.
  Status Merge(const CalibrationState& other) {
    if (model != other.model) {
      return InvalidArgument("the states are of different models");
    }
    if (preparation != other.preparation ||
        tensors.size() != other.tensors.size()) {
      return InvalidArgument("the model was prepared differently ('" +
                             preparation + "' and '" + other.preparation +
                             "'); calibrate with the same options");
    }
    if (collected != other.collected) {
      return InvalidArgument("the states hold different statistics");
    }
    for (const SampleInterval& interval : other.samples.intervals()) {
      ZEROPOINT_RETURN_IF_ERROR(samples.Add(interval));
    }
    for (const auto& [name, tensor] : other.tensors) {
      const auto mine = tensors.find(name);
      if (mine == tensors.end()) {
        return InvalidArgument("tensor '" + name +
                               "' is in one of the states only");
      }
      ZEROPOINT_RETURN_IF_ERROR(
          mine->second.Merge(tensor).WithContext("tensor '" + name + "'"));
    }
    return Status();
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_CALIBRATION_STATE_H_
