// QuantizationReport: what a flow did to a model, tensor by tensor.
#ifndef ZEROPOINT_FLOW_QUANTIZATION_REPORT_H_
#define ZEROPOINT_FLOW_QUANTIZATION_REPORT_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/flow/quantization_details.h"
#include "zeropoint/flow/tuning_step.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Wall time of one phase.
struct PhaseTime {
  std::string phase;
  double seconds = 0.0;
};

struct QuantizationReport {
  /// FormName.
  std::string form;
  std::string profile;
  std::string activations;  // scheme
  std::string weights;      // scheme
  /// Nodes after the clean-up, before anything was quantized.
  std::size_t nodes = 0;
  std::size_t samples = 0;
  QuantizationSummary quantized;
  /// Nodes that compute in float and stay so.
  std::vector<Declined> float_nodes;
  /// What the clean-up, or the conversion to the form, left undone, with the
  /// reason.
  std::vector<Declined> left_undone;
  std::string calibration;  // method
  CalibrationFindings findings;
  std::vector<PhaseTime> seconds;
  /// What was tried on held-out samples, in order.
  std::vector<TuningStep> tuning;
  std::size_t trials = 0;
  /// Why nothing was; empty when it was, or was not asked for.
  std::string tuning_note;
  /// Where they were asked for.
  std::optional<QuantizationDetails> details;
};

/// Measures phases one after the other.
class PhaseTimer {
 public:
  explicit PhaseTimer(std::vector<PhaseTime>& phases) : phases_(phases) {}

  /// Ends the phase that has been running since the last call.
  void End(std::string_view phase) {
    const Clock::time_point now = Clock::now();
    phases_.push_back({std::string(phase),
                       std::chrono::duration<double>(now - begin_).count()});
    begin_ = now;
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<PhaseTime>& phases_;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZATION_REPORT_H_
