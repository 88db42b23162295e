// TuningStep: a choice that was tried, for the report.
#ifndef ZEROPOINT_FLOW_TUNING_STEP_H_
#define ZEROPOINT_FLOW_TUNING_STEP_H_

#include <string>

namespace zeropoint {

/// A choice that was tried.
struct TuningStep {
  std::string what;
  double sqnr_db = 0.0;
  bool accepted = false;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_TUNING_STEP_H_
