// OutputMeasures: how far a tensor of one model is from that of another, over
// all samples.
#ifndef ZEROPOINT_EVAL_OUTPUT_MEASURES_H_
#define ZEROPOINT_EVAL_OUTPUT_MEASURES_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

/// Sums over pairs of tensors; one Add a sample. All measures are derived from
/// the sums, so two of these merge exactly but for the rounding of double sums.
class OutputMeasures {
 public:
  /// Folds one sample in: the reference and what is compared with it. Values
  /// that are not finite in `other` while the reference is finite count as
  /// non-finite and as an error of the size of the reference. Errors:
  /// kInvalidData for tensors of different shape or without reals (float,
  /// float16, bfloat16; one of each can be compared).
  Status Add(const TensorView& reference, const TensorView& other) {
    Tensor wide_reference;
    Tensor wide_other;
    const Result<TensorView> expected = AsFloat(reference, wide_reference);
    const Result<TensorView> found = AsFloat(other, wide_other);
    if (!expected.ok() || !found.ok()) {
      return InvalidData("only float tensors can be compared; found " +
                         std::string(DataTypeName(reference.type())) + " and " +
                         std::string(DataTypeName(other.type())));
    }
    if (!std::ranges::equal(reference.dims(), other.dims())) {
      return InvalidData("shapes differ: " + FormatDims(reference.dims()) +
                         " and " + FormatDims(other.dims()));
    }
    const std::span<const float> r = expected->As<float>();
    const std::span<const float> q = found->As<float>();
    double signal = 0.0;
    double error = 0.0;
    for (std::size_t i = 0; i < r.size(); ++i) {
      const auto x = static_cast<double>(r[i]);
      auto y = static_cast<double>(q[i]);
      if (!std::isfinite(y) && std::isfinite(x)) {
        ++non_finite_;
        y = 0.0;
      }
      signal += x * x;
      error += (x - y) * (x - y);
      dot_ += x * y;
      other_energy_ += y * y;
      max_abs_error_ = std::max(max_abs_error_, std::abs(x - y));
    }
    signal_ += signal;
    error_ += error;
    ++samples_;
    worst_db_ = std::min(worst_db_, Decibel(signal, error));
    if (!r.empty()) {
      const auto top = [](std::span<const float> values) {
        return std::max_element(values.begin(), values.end()) - values.begin();
      };
      agreeing_ += top(r) == top(q) ? 1 : 0;
    }
    return Status();
  }

  std::size_t samples() const { return samples_; }
  /// sum r^2 and sum (r - q)^2
  double signal() const { return signal_; }
  double error() const { return error_; }
  /// 10 log10(sum r^2 / sum (r - q)^2) over all samples; infinite when equal.
  double sqnr_db() const { return Decibel(signal_, error_); }
  /// The least SQNR of a single sample.
  double worst_sample_db() const { return worst_db_; }
  /// r . q / (|r| |q|); 1 for two tensors of zeros.
  double cosine() const {
    const double norms = std::sqrt(signal_) * std::sqrt(other_energy_);
    if (norms > 0.0) return dot_ / norms;
    return signal_ == other_energy_ ? 1.0 : 0.0;
  }
  double max_abs_error() const { return max_abs_error_; }
  /// Share of samples in which the greatest element is at the same place; the
  /// first one where several are equal.
  double argmax_agreement() const {
    return samples_ == 0
               ? 0.0
               : static_cast<double>(agreeing_) / static_cast<double>(samples_);
  }
  std::size_t non_finite() const { return non_finite_; }

 private:
  static double Decibel(double signal, double error) {
    if (error == 0.0) return std::numeric_limits<double>::infinity();
    if (signal == 0.0) return -std::numeric_limits<double>::infinity();
    return 10.0 * std::log10(signal / error);
  }

  std::size_t samples_ = 0;
  double signal_ = 0.0;
  double error_ = 0.0;
  double dot_ = 0.0;
  double other_energy_ = 0.0;
  double max_abs_error_ = 0.0;
  double worst_db_ = std::numeric_limits<double>::infinity();
  std::size_t agreeing_ = 0;
  std::size_t non_finite_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_OUTPUT_MEASURES_H_
