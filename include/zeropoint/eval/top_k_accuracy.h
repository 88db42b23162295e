// TopKAccuracy: how often the labelled class is among the k that a classifier
// scores highest.
#ifndef ZEROPOINT_EVAL_TOP_K_ACCURACY_H_
#define ZEROPOINT_EVAL_TOP_K_ACCURACY_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

/// The place of class `label` among all by score, from 0 for the highest: how
/// many classes are scored higher, or equally and stand before it, as a stable
/// sort has it. Nothing for a class that `scores` lacks, and for a score of
/// NaN, which is below all others.
template <class T>
std::optional<std::size_t> RankOf(std::span<const T> scores,
                                  std::int64_t label) {
  if (label < 0 || static_cast<std::uint64_t>(label) >= scores.size()) {
    return std::nullopt;
  }
  const auto place = static_cast<std::size_t>(label);
  const T score = scores[place];
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(score)) return std::nullopt;
  }
  std::size_t rank = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    rank += scores[i] > score || (scores[i] == score && i < place) ? 1 : 0;
  }
  return rank;
}

class TopKAccuracy {
 public:
  /// `ks`: how many of the highest classes count as right; each 1 or more.
  explicit TopKAccuracy(std::vector<std::size_t> ks = {1})
      : ks_(std::move(ks)), right_(ks_.size()) {}

  /// Counts a sample whose `scores`, one a class, are numbers of any type. A
  /// label that is no class of theirs is wrong.
  ///
  /// Errors: kUnsupported for what is no number.
  Status Add(const TensorView& scores, std::int64_t label) {
    Tensor wide;
    const Result<TensorView> real = AsFloat(scores, wide);
    if (real.ok()) {
      Count(RankOf(real->As<float>(), label));
      return Status();
    }
    return VisitDataType(scores.type(), [&]<class T>() {
      Count(RankOf(scores.As<T>(), label));
      return Status();
    });
  }

  const std::vector<std::size_t>& ks() const { return ks_; }
  std::size_t samples() const { return samples_; }
  /// Share of the samples that are right by the k at `place` of ks().
  double accuracy(std::size_t place = 0) const {
    return samples_ == 0 ? 0.0
                         : static_cast<double>(right_[place]) /
                               static_cast<double>(samples_);
  }

 private:
  void Count(std::optional<std::size_t> rank) {
    for (std::size_t i = 0; i < ks_.size(); ++i) {
      right_[i] += rank && *rank < ks_[i] ? 1 : 0;
    }
    ++samples_;
  }

  std::vector<std::size_t> ks_;
  std::vector<std::size_t> right_;
  std::size_t samples_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_TOP_K_ACCURACY_H_
