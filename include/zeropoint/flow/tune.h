// Tune: accepts a remedy only where it helps, and puts the few nodes that cost
// most back to float.
//
// Remedies against the loss of quantization do not add up, and some hurt some
// models. So each is tried, on samples that it was not made from, and kept when
// the outputs come closer to the float model's. Samples differ far more than
// choices do; so choices are compared sample by sample, and one sample alone
// decides nothing.
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
#include "zeropoint/flow/quantization_choice.h"
#include "zeropoint/flow/sample_scores.h"
#include "zeropoint/flow/tune_options.h"
#include "zeropoint/flow/tuning_step.h"

namespace zeropoint {

/// A node that tuning may put back to float.
struct TunableNode {
  std::string name;
  /// Its share of the work: multiply-accumulates, and what moving its elements
  /// costs in that unit.
  double work_share = 0.0;
  /// What float costs: the time that it takes more, over that of the whole
  /// model in int8; the share of the work where times are not known.
  double float_cost = 0.0;
};

struct TuningResult {
  QuantizationChoice choice;
  std::vector<TuningStep> steps;
};

/// What the target measures, of a choice with these scores; asked only where
/// there is a target.
using QualityFunction = std::function<Result<double>(
    const QuantizationChoice& choice, const SampleScores& scores)>;

/// The scores that a choice leaves; of the first half of the samples when
/// `quick`, which only ranks.
using ScoreFunction = std::function<Result<SampleScores>(
    const QuantizationChoice& choice, bool quick)>;

namespace internal {

class Tuner {
 public:
  Tuner(const TuneOptions& options, QuantizationChoice start,
        const ScoreFunction& score, const QualityFunction& quality)
      : options_(options), score_(score), quality_(quality) {
    result_.choice = std::move(start);
  }

  Result<TuningResult> Run(const std::vector<TunableNode>& nodes) {
    ZEROPOINT_ASSIGN_OR_RETURN(scores_, score_(result_.choice, false));
    Note("as configured", scores_, true);
    if (result_.choice.placed_for_form) {
      QuantizationChoice other = result_.choice;
      other.placed_for_form = false;
      // The target's placement is the better one for speed too.
      ZEROPOINT_RETURN_IF_ERROR(Try("placed as in qdq", std::move(other), 0.0));
    }
    if (options_.try_min_max_ranges) {
      QuantizationChoice other = result_.choice;
      other.min_max_ranges = true;
      ZEROPOINT_RETURN_IF_ERROR(
          Try("min-max ranges", std::move(other), options_.least_gain_db));
    }
    // Before the remedies: where one node drowns all others, what those gain
    // cannot be seen.
    if (!options_.target) ZEROPOINT_RETURN_IF_ERROR(ReturnToFloat(nodes));
    if (result_.choice.second_order_rounding) {
      QuantizationChoice other = result_.choice;
      other.second_order_rounding = false;
      ZEROPOINT_RETURN_IF_ERROR(
          Try("nearest rounding", std::move(other), options_.least_gain_db));
    }
    if (result_.choice.correct_bias) {
      QuantizationChoice other = result_.choice;
      other.correct_bias = false;
      ZEROPOINT_RETURN_IF_ERROR(
          Try("no bias correction", std::move(other), options_.least_gain_db));
    }
    if (options_.target) ZEROPOINT_RETURN_IF_ERROR(ReachTarget(nodes));
    return std::move(result_);
  }

 private:
  void Note(std::string what, const SampleScores& scores, bool accepted) {
    result_.steps.push_back({std::move(what), MeanOf(scores), accepted});
  }

  Status Try(std::string what, QuantizationChoice choice,
             double least_gain_db) {
    ZEROPOINT_ASSIGN_OR_RETURN(const SampleScores scores,
                               score_(choice, false));
    const bool better = GainOf(scores_, scores).IsAtLeast(least_gain_db);
    Note(std::move(what), scores, better);
    if (better) {
      scores_ = scores;
      result_.choice = std::move(choice);
    }
    return Status();
  }

  using Noise = std::vector<double>;  // over signal, by sample

  static Noise NoiseOf(const SampleScores& scores) {
    Noise noise;
    for (const double score : scores) {
      noise.push_back(std::pow(10.0, -score / 10.0));
    }
    return noise;
  }

  /// The noise of these nodes, measured with all others in float, where no
  /// other node can drown it. A node that is quantized only next to its
  /// neighbours makes none on its own: then, what goes when it is float.
  Result<Noise> NoiseOf(const std::vector<TunableNode>& nodes,
                        std::size_t begin, std::size_t end) {
    QuantizationChoice alone = result_.choice;
    alone.at_any_speed = true;
    QuantizationChoice without = result_.choice;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      (i >= begin && i < end ? without : alone)
          .float_nodes.push_back(nodes[i].name);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const SampleScores scores, score_(alone, true));
    Noise noise = NoiseOf(scores);
    constexpr double kNone = 1e-11;
    if (*std::max_element(noise.begin(), noise.end()) > kNone) return noise;
    ZEROPOINT_ASSIGN_OR_RETURN(const SampleScores rest, score_(without, true));
    const Noise all_noise = NoiseOf(scores_);
    const Noise rest_noise = NoiseOf(rest);
    for (std::size_t i = 0; i < rest.size(); ++i) {
      noise[i] = std::max(0.0, all_noise[i] - rest_noise[i]);
    }
    return noise;
  }

  /// What is gained, in dB, when `part` of `all` the noise goes.
  static double GainWithout(const Noise& all, const Noise& part) {
    double gain = 0.0;
    for (std::size_t i = 0; i < part.size(); ++i) {
      // Noise adds up but roughly; some always stays.
      const double rest = std::max(all[i] - part[i], 1e-3 * all[i]);
      gain += 10.0 * std::log10(all[i] / rest);
    }
    return part.empty() ? 0.0 : gain / static_cast<double>(part.size());
  }

  struct Candidate {
    std::size_t node = 0;
    double share = 0.0;
    Noise noise;
  };

  /// The nodes to look at one by one: all of a small network; of a larger one
  /// those in the noisiest stretches of sqrt(n) nodes, which takes some
  /// 4 sqrt(n) trials in place of n.
  Result<std::vector<Candidate>> Candidates(
      const std::vector<TunableNode>& nodes) {
    constexpr std::size_t kFewNodes = 40;
    const std::size_t most_stretches = options_.target ? nodes.size() : 3;
    const double most_cost = options_.target ? 1e30 : options_.float_share;
    const std::size_t n = nodes.size();
    const auto length = n <= kFewNodes
                            ? n
                            : static_cast<std::size_t>(
                                  std::ceil(std::sqrt(static_cast<double>(n))));
    std::vector<std::pair<double, std::size_t>> stretches;  // -noise, begin
    for (std::size_t begin = 0; begin < n; begin += length) {
      double sum = 0.0;
      if (length < n) {
        ZEROPOINT_ASSIGN_OR_RETURN(
            const Noise noise,
            NoiseOf(nodes, begin, std::min(n, begin + length)));
        for (const double each : noise) sum += std::log(each + 1e-12);
      }
      stretches.emplace_back(-sum, begin);
    }
    std::sort(stretches.begin(), stretches.end());
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < std::min(most_stretches, stretches.size());
         ++i) {
      const std::size_t begin = stretches[i].second;
      for (std::size_t at = begin; at < std::min(n, begin + length); ++at) {
        const double share = nodes[at].float_cost;
        if (share > most_cost) continue;
        ZEROPOINT_ASSIGN_OR_RETURN(Noise noise, NoiseOf(nodes, at, at + 1));
        candidates.push_back({at, share, std::move(noise)});
      }
    }
    return candidates;
  }

  /// Puts nodes back to float, the one first that gains most for its price, and
  /// keeps as many as are worth it together: one alone may gain nothing, or
  /// even lose, that helps once the next one is float too.
  Status ReturnToFloat(const std::vector<TunableNode>& nodes) {
    if (nodes.size() < 2 || options_.most_float_nodes == 0) return Status();
    ZEROPOINT_ASSIGN_OR_RETURN(std::vector<Candidate> candidates,
                               Candidates(nodes));
    const std::size_t first_step = result_.steps.size();
    QuantizationChoice choice = result_.choice;
    SampleScores scores = scores_;
    const SampleScores before = scores_;
    double share = 0.0;
    double price = 0.0;
    double best_worth = 0.0;
    std::size_t kept = 0;
    while (choice.float_nodes.size() < options_.most_float_nodes) {
      std::erase_if(candidates, [&](const Candidate& candidate) {
        return share + candidate.share > options_.float_share;
      });
      if (candidates.empty()) break;
      const Candidate next = TakeBest(candidates, scores);
      choice.float_nodes.push_back(nodes[next.node].name);
      share += next.share;
      price += PriceOf(next);
      ZEROPOINT_ASSIGN_OR_RETURN(scores, score_(choice, false));
      Note("float '" + choice.float_nodes.back() + "'", scores, false);
      result_.steps.back().float_cost = share;
      const ScoreGain gain = GainOf(before, scores);
      if (gain.IsAtLeast(options_.least_gain_db) &&
          gain.mean_db - price > best_worth) {
        best_worth = gain.mean_db - price;
        kept = result_.steps.size() - first_step;
        scores_ = scores;
        result_.choice = choice;
      }
    }
    for (std::size_t i = 0; i < kept; ++i) {
      result_.steps[first_step + i].accepted = true;
    }
    return Status();
  }

  /// The candidate that gains most for its price, taken out.
  Candidate TakeBest(std::vector<Candidate>& candidates,
                     const SampleScores& scores) const {
    // Again each time: what drowned the others may be gone.
    const Noise now = NoiseOf(scores);
    const auto worth = [&](const Candidate& candidate) {
      return GainWithout(now, candidate.noise) / PriceOf(candidate);
    };
    const auto best = std::max_element(
        candidates.begin(), candidates.end(),
        [&](const auto& a, const auto& b) { return worth(a) < worth(b); });
    Candidate taken = std::move(*best);
    candidates.erase(best);
    return taken;
  }

  Result<bool> IsReached(std::string what, const QuantizationChoice& choice,
                         SampleScores& scores) {
    ZEROPOINT_ASSIGN_OR_RETURN(scores, score_(choice, false));
    ZEROPOINT_ASSIGN_OR_RETURN(const double quality, quality_(choice, scores));
    const bool reached = quality >= options_.target->least;
    Note(std::move(what), scores, false);
    result_.steps.back().quality = quality;
    return reached;
  }

  /// Puts nodes back to float until the target is reached, then quantizes again
  /// those that it does not need, the dearest first.
  Status ReachTarget(const std::vector<TunableNode>& nodes) {
    SampleScores scores;
    ZEROPOINT_ASSIGN_OR_RETURN(
        bool reached, IsReached("for the target", result_.choice, scores));
    if (reached) {
      result_.steps.back().accepted = true;
      return Status();
    }
    ZEROPOINT_ASSIGN_OR_RETURN(std::vector<Candidate> candidates,
                               Candidates(nodes));
    std::vector<Candidate> taken;
    double share = 0.0;
    while (!reached && !candidates.empty()) {
      taken.push_back(TakeBest(candidates, scores));
      share += taken.back().share;
      const std::string& name = nodes[taken.back().node].name;
      result_.choice.float_nodes.push_back(name);
      ZEROPOINT_ASSIGN_OR_RETURN(
          reached, IsReached("float '" + name + "'", result_.choice, scores));
      result_.steps.back().accepted = true;
      result_.steps.back().float_cost = share;
    }
    if (!reached) {
      return InvalidArgument(
          "the target cannot be reached: with every node with weights in float "
          "it is " +
          std::to_string(*result_.steps.back().quality));
    }
    std::stable_sort(taken.begin(), taken.end(),
                     [](const Candidate& a, const Candidate& b) {
                       return a.share > b.share;
                     });
    for (const Candidate& candidate : taken) {
      const std::string& name = nodes[candidate.node].name;
      QuantizationChoice without = result_.choice;
      std::erase(without.float_nodes, name);
      ZEROPOINT_ASSIGN_OR_RETURN(
          const bool needless,
          IsReached("int8 '" + name + "' again", without, scores));
      result_.steps.back().accepted = needless;
      if (needless) result_.choice = std::move(without);
    }
    return Status();
  }

  /// What a node must gain, in dB.
  double PriceOf(const Candidate& candidate) const {
    return options_.least_gain_db_of_a_node +
           options_.least_gain_db_of_all_time * candidate.share;
  }

  const TuneOptions& options_;
  const ScoreFunction& score_;
  const QualityFunction& quality_;
  TuningResult result_;
  SampleScores scores_;
};

}  // namespace internal

/// Starts from `start` and keeps what raises the scores: nodes back to float,
/// worst first, as many as are worth the work that they do, then each remedy on
/// its own against the choice so far. `nodes` come in the order of
/// the network. Where the options have a target, as few nodes as reach it go
/// back to float, whatever they are worth.
///
/// Errors: those of `score` and `quality`; kInvalidArgument for a target that
/// no choice reaches.   Cost: the scores of at most 4 sqrt(nodes) + 40
/// choices on half of the samples, and of some 16 on all; twice the former
/// where nodes are quantized only together.
inline Result<TuningResult> Tune(const TuneOptions& options,
                                 QuantizationChoice start,
                                 const std::vector<TunableNode>& nodes,
                                 const ScoreFunction& score,
                                 const QualityFunction& quality = {}) {
  return internal::Tuner(options, std::move(start), score, quality).Run(nodes);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_TUNE_H_
