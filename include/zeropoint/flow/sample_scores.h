// SampleScores: how well a choice does on each held-out sample.
//
// Samples differ far more than choices do; so choices are compared sample by
// sample, and one sample alone decides nothing.
#ifndef ZEROPOINT_FLOW_SAMPLE_SCORES_H_
#define ZEROPOINT_FLOW_SAMPLE_SCORES_H_

#include <cmath>
#include <cstddef>
#include <vector>

namespace zeropoint {

/// The SQNR of the outputs in dB, of one sample each; finite.
using SampleScores = std::vector<double>;

inline double MeanOf(const SampleScores& scores) {
  double sum = 0.0;
  for (const double score : scores) sum += score;
  return scores.empty() ? 0.0 : sum / static_cast<double>(scores.size());
}

/// By how much scores exceed others of the same samples.
struct ScoreGain {
  double mean_db = 0.0;
  double standard_error_db = 0.0;

  /// At least `least_db`, and more than the samples differ among themselves.
  bool IsAtLeast(double least_db) const {
    return mean_db > least_db && mean_db > standard_error_db;
  }
};

/// Requires as many samples in both, or fewer in `after`, then of the first.
inline ScoreGain GainOf(const SampleScores& before, const SampleScores& after) {
  SampleScores gains;
  for (std::size_t i = 0; i < after.size(); ++i) {
    gains.push_back(after[i] - before[i]);
  }
  ScoreGain gain{.mean_db = MeanOf(gains)};
  if (gains.size() < 2) return gain;
  double squares = 0.0;
  for (const double each : gains) {
    squares += (each - gain.mean_db) * (each - gain.mean_db);
  }
  const auto count = static_cast<double>(gains.size());
  gain.standard_error_db = std::sqrt(squares / (count - 1.0) / count);
  return gain;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_SAMPLE_SCORES_H_
