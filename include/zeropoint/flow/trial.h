// Trials: what a choice would cost, measured on samples that nothing was chosen
// by.
#ifndef ZEROPOINT_FLOW_TRIAL_H_
#define ZEROPOINT_FLOW_TRIAL_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/run_samples.h"
#include "zeropoint/flow/sample_scores.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

/// A second model with the same contents.
/// Errors: kUnsupported when weights lie in a file beside the model.
Result<Model> CloneModel(Model& model);

/// Samples with the float model's outputs on them.
struct HeldOutSamples {
  std::vector<std::string> outputs;
  std::vector<Feeds> feeds;
  std::vector<std::vector<Tensor>> references;  // by sample, then output
  std::vector<double> mean_energies;            // by output
};

/// The mean energy of each output over all samples; 0 of what holds no real
/// numbers.
std::vector<double> MeanEnergies(
    const std::vector<std::vector<Tensor>>& references);

/// The last `count` samples of a source of `total`, run through `executor`.
template <Executor E>
Result<HeldOutSamples> HoldOut(E& executor, FeedSource& source,
                               std::size_t total, std::size_t count,
                               std::vector<std::string> outputs) {
  HeldOutSamples held;
  held.outputs = std::move(outputs);
  ZEROPOINT_RETURN_IF_ERROR(source.Rewind());
  for (std::size_t i = 0; i < total; ++i) {
    ZEROPOINT_ASSIGN_OR_RETURN(std::optional<Feeds> feeds, source.Next());
    if (!feeds) break;
    if (i + count < total) continue;
    KeepingSink sink(held.outputs.size());
    ZEROPOINT_RETURN_IF_ERROR(
        executor.Run(*feeds, held.outputs, sink)
            .WithContext("calibration sample " + std::to_string(i)));
    std::vector<Tensor>& reference = held.references.emplace_back();
    for (const Tensor& tensor : sink.tensors()) {
      reference.push_back(tensor.Clone());
    }
    held.feeds.push_back(std::move(*feeds));
  }
  held.mean_energies = MeanEnergies(held.references);
  return held;
}

inline constexpr double kMostDecibel = 120.0;

/// The SQNR of the outputs of `quantized` on each of the first `most` samples:
/// noise over signal, the mean over the float outputs, in dB, and between
/// -kMostDecibel and kMostDecibel. An output that is near zero on a sample, as
/// the mask of an empty image, counts as if it had a tenth of its mean energy.
/// -kMostDecibel where it computes what cannot be compared.
///
/// Errors: those of the executor.
Result<SampleScores> ScoresOf(const Model& quantized,
                              const HeldOutSamples& held, ThreadPool& pool,
                              const KernelTable& kernels,
                              std::size_t most = 1000);

/// With the float model: the share of rows, along the last axis of the outputs
/// with reals, whose greatest element is at the same place.
/// Errors: those of the executor.
Result<double> AgreementOf(const Model& quantized, const HeldOutSamples& held,
                           ThreadPool& pool, const KernelTable& kernels);

/// Remembers the codes of another rounder, which trials ask for again and
/// again. Not for several threads at once.
class RememberingRounder final : public WeightRounder {
 public:
  explicit RememberingRounder(const WeightRounder& rounder)
      : rounder_(rounder) {}

  Result<QuantizedTensor> Round(const WeightToRound& weight,
                                const SchemeSpec& scheme,
                                int axis) const override {
    const Key key{std::string(weight.weights), std::string(weight.input),
                  weight.bias_is_corrected, axis};
    auto known = known_.find(key);
    if (known == known_.end()) {
      ZEROPOINT_ASSIGN_OR_RETURN(QuantizedTensor made,
                                 rounder_.Round(weight, scheme, axis));
      known = known_.emplace(key, std::move(made)).first;
    }
    QuantizedTensor copy;
    copy.codes = known->second.codes.Clone();
    copy.params = known->second.params;
    return copy;
  }

 private:
  using Key = std::tuple<std::string, std::string, bool, int>;
  const WeightRounder& rounder_;
  mutable std::map<Key, QuantizedTensor> known_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_TRIAL_H_
