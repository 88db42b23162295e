// CalibrateModel: from a float model and samples to a calibration state.
#ifndef ZEROPOINT_FLOW_CALIBRATE_MODEL_H_
#define ZEROPOINT_FLOW_CALIBRATE_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/flow/sample_claims.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

/// Part `index` of `count` equal parts of the samples, in their order.
struct Shard {
  std::uint64_t index = 0;
  std::uint64_t count = 1;

  /// The samples of this part, of `total`.
  SampleRange Of(std::size_t total) const {
    const auto cut = [&](std::uint64_t part) {
      // Exact without a product that could wrap.
      const std::uint64_t each = total / count;
      const std::uint64_t more = total % count;
      return each * part + more * part / count;
    };
    const std::uint64_t first = cut(index);
    return {first, cut(index + 1) - first};
  }
};

/// Reads "2/7": part 2 of 7, counted from 0. Errors: kInvalidArgument.
Result<Shard> ParseShard(std::string_view text);

/// What states must share to be merged or used: how the model is made ready.
struct CalibrationPreparation {
  TargetSpec target;
  bool optimize = true;

  std::string text() const {
    return std::string(target.name) + (optimize ? ",basic" : ",off");
  }
};

/// An empty state for `model`, still as the user has it.
Result<CalibrationState> StartCalibration(
    Model& model, const CalibrationPreparation& preparation,
    const CollectedStatistics& collected);

/// Errors: kInvalidArgument when `state` is not of this model, or the model was
/// made ready in another way.
Status CheckStateIsOf(const CalibrationState& state, Model& model,
                      const CalibrationPreparation& preparation);

/// Cleans `model` up as QuantizeStatic does and folds the samples of `source`
/// into `state`. Errors: those of the clean-up, the executor and
/// ObserveSamples.
Status CalibrateModel(Model& model, FeedSource& source,
                      const CalibrationPreparation& preparation, int threads,
                      CalibrationState& state, const ObserveOptions& options);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_CALIBRATE_MODEL_H_
