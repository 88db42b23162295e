// Tune: accepts a remedy only where it helps, and puts the few nodes that cost
// most back to float.
//
// Remedies against the loss of quantization do not add up, and some hurt some
// models. So each is tried, on samples that it was not made from, and kept when
// the outputs come closer to the float model's.
#ifndef ZEROPOINT_FLOW_TUNE_H_
#define ZEROPOINT_FLOW_TUNE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"

namespace zeropoint {

struct TuneOptions {
  /// Of the calibration samples, the last quarter is held out: at most so many.
  std::size_t most_held_out = 8;
  /// Nodes that may go back to float together do at most this share of the
  /// multiply-accumulates.
  double float_share = 0.12;
  std::size_t most_float_nodes = 8;
  /// The configured choice is left, and a node goes back to float, for at least
  /// this much: smaller differences on a few samples rank nothing.
  double least_gain_db = 0.5;
  /// Equalizing channels puts nodes in, and trusts what few samples say of each
  /// channel: it must halve the noise.
  double least_equalization_gain_db = 3.0;
};

/// One choice that decides what is quantized and how.
struct QuantizationChoice {
  bool second_order_rounding = true;
  bool correct_bias = true;
  /// Pairs stand where the form wants them, not where the target does.
  bool placed_for_form = false;
  /// Names of nodes that stay float for the sake of accuracy.
  std::vector<std::string> float_nodes = {};
  /// Names of nodes that equalize channels; they are float.
  std::vector<std::string> equalizers = {};
};

/// A node that tuning may put back to float.
struct TunableNode {
  std::string name;
  double macs = 0.0;  // a sample
};

/// A choice that was tried.
struct TuningStep {
  std::string what;
  double sqnr_db = 0.0;
  bool accepted = false;
};

struct TuningResult {
  QuantizationChoice choice;
  std::vector<TuningStep> steps;
};

/// The noise over signal of the outputs, 10^(-SQNR / 10), that a choice leaves;
/// on half of the samples when `quick`, which only ranks.
using NoiseFunction =
    std::function<Result<double>(const QuantizationChoice& choice, bool quick)>;

/// The SQNR that this noise over signal is.
inline double Decibel(double noise) { return -10.0 * std::log10(noise); }

namespace internal {

class Tuner {
 public:
  Tuner(const TuneOptions& options, QuantizationChoice start,
        const NoiseFunction& noise)
      : options_(options), noise_of_(noise) {
    result_.choice = std::move(start);
  }

  Result<TuningResult> Run(const std::vector<TunableNode>& nodes) {
    ZEROPOINT_ASSIGN_OR_RETURN(noise_, noise_of_(result_.choice, false));
    Note("as configured", noise_, true);
    if (result_.choice.placed_for_form) {
      QuantizationChoice other = result_.choice;
      other.placed_for_form = false;
      // The target's placement is the better one for speed too.
      ZEROPOINT_RETURN_IF_ERROR(Try("placed as in qdq", std::move(other), 0.0));
    }
    if (result_.choice.second_order_rounding) {
      QuantizationChoice other = result_.choice;
      other.second_order_rounding = false;
      ZEROPOINT_RETURN_IF_ERROR(Try("nearest rounding", std::move(other)));
    }
    if (result_.choice.correct_bias) {
      QuantizationChoice other = result_.choice;
      other.correct_bias = false;
      ZEROPOINT_RETURN_IF_ERROR(Try("no bias correction", std::move(other)));
    }
    ZEROPOINT_RETURN_IF_ERROR(ReturnToFloat(nodes));
    return std::move(result_);
  }

 private:
  void Note(std::string what, double noise, bool accepted) {
    result_.steps.push_back({std::move(what), Decibel(noise), accepted});
  }

  Status Try(std::string what, QuantizationChoice choice) {
    return Try(std::move(what), std::move(choice), options_.least_gain_db);
  }
  Status Try(std::string what, QuantizationChoice choice,
             double least_gain_db) {
    ZEROPOINT_ASSIGN_OR_RETURN(const double noise, noise_of_(choice, false));
    const bool better = Decibel(noise) > Decibel(noise_) + least_gain_db;
    Note(std::move(what), noise, better);
    if (better) {
      noise_ = noise;
      result_.choice = std::move(choice);
    }
    return Status();
  }

  /// Noise that goes when these nodes are float as well.
  Result<double> GainOf(const std::vector<TunableNode>& nodes,
                        std::size_t begin, std::size_t end) {
    QuantizationChoice choice = result_.choice;
    for (std::size_t i = begin; i < end; ++i) {
      choice.float_nodes.push_back(nodes[i].name);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const double noise, noise_of_(choice, true));
    return quick_noise_ - noise;
  }

  /// Looks for the nodes that cost most: first which stretch of the network
  /// they are in, then which nodes of the worst two stretches they are. That
  /// takes some 3 sqrt(n) trials in place of n.
  Status ReturnToFloat(const std::vector<TunableNode>& nodes) {
    const std::size_t n = nodes.size();
    if (n < 2 || noise_ == 0.0 || options_.most_float_nodes == 0) {
      return Status();
    }
    ZEROPOINT_ASSIGN_OR_RETURN(quick_noise_, noise_of_(result_.choice, true));
    double all_macs = 0.0;
    for (const TunableNode& node : nodes) all_macs += node.macs;
    const auto length =
        static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(n))));
    std::vector<std::pair<double, std::size_t>> stretches;  // gain, begin
    for (std::size_t begin = 0; begin < n; begin += length) {
      ZEROPOINT_ASSIGN_OR_RETURN(
          const double gain, GainOf(nodes, begin, std::min(n, begin + length)));
      stretches.emplace_back(-gain, begin);
    }
    std::sort(stretches.begin(), stretches.end());
    std::vector<std::pair<double, std::size_t>> ranked;  // gain, node
    for (std::size_t i = 0; i < std::min<std::size_t>(2, stretches.size());
         ++i) {
      const std::size_t begin = stretches[i].second;
      for (std::size_t at = begin; at < std::min(n, begin + length); ++at) {
        if (nodes[at].macs > options_.float_share * all_macs) continue;
        ZEROPOINT_ASSIGN_OR_RETURN(const double gain,
                                   GainOf(nodes, at, at + 1));
        if (gain > 0.0) ranked.emplace_back(-gain, at);
      }
    }
    std::sort(ranked.begin(), ranked.end());
    double macs = 0.0;
    std::size_t tried = 0;
    for (const auto& [gain, at] : ranked) {
      if (++tried > options_.most_float_nodes) break;
      if (macs + nodes[at].macs > options_.float_share * all_macs) continue;
      QuantizationChoice choice = result_.choice;
      choice.float_nodes.push_back(nodes[at].name);
      const std::size_t before = result_.choice.float_nodes.size();
      ZEROPOINT_RETURN_IF_ERROR(
          Try("float '" + nodes[at].name + "'", std::move(choice)));
      if (result_.choice.float_nodes.size() > before) macs += nodes[at].macs;
    }
    return Status();
  }

  const TuneOptions& options_;
  const NoiseFunction& noise_of_;
  TuningResult result_;
  double noise_ = 0.0;
  double quick_noise_ = 0.0;
};

}  // namespace internal

/// Starts from `start` and keeps what lowers `noise`: each remedy on its own
/// against the choice so far, then nodes back to float, worst first, each for
/// at least options.least_gain_db. `nodes` come in the order of the network.
///
/// Errors: those of `noise`.   Cost: about 3 sqrt(nodes) + 8 calls of `noise`.
inline Result<TuningResult> Tune(const TuneOptions& options,
                                 QuantizationChoice start,
                                 const std::vector<TunableNode>& nodes,
                                 const NoiseFunction& noise) {
  return internal::Tuner(options, std::move(start), noise).Run(nodes);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_TUNE_H_
