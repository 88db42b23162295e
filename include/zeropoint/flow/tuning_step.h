// TuningStep: a choice that was tried, for the report.
#ifndef ZEROPOINT_FLOW_TUNING_STEP_H_
#define ZEROPOINT_FLOW_TUNING_STEP_H_

#include <optional>
#include <string>

namespace zeropoint {

/// A choice that was tried.
struct TuningStep {
  std::string what;
  double sqnr_db = 0.0;
  bool accepted = false;
  /// What the nodes that are float in it cost together; see TunableNode.
  std::optional<double> float_cost = std::nullopt;
  /// What the target measures, where there is one.
  std::optional<double> quality = std::nullopt;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_TUNING_STEP_H_
