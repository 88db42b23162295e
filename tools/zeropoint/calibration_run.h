// What `zeropoint calibrate` does in one process, be it alone or one of many.
#ifndef ZEROPOINT_TOOLS_ZEROPOINT_CALIBRATION_RUN_H_
#define ZEROPOINT_TOOLS_ZEROPOINT_CALIBRATION_RUN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tools/zeropoint/command.h"
#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/flow/calibrate_model.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/profiles/find_profile.h"

namespace zeropoint::cli {

/// The command line of `zeropoint calibrate`.
struct CalibrateOptions {
  std::string model;
  std::string output;
  std::string profile{ProfileNames().front()};
  std::string optimize = "basic";
  std::string shard = "0/1";
  std::string collect = "all";
  bool resume = false;
  double checkpoint = 5.0;
  CommonOptions common;
  DataOptions data;
};

/// A state, and the samples that it does not have yet.
class CalibrationRun {
 public:
  /// Part `part` of the samples that `options` name. Errors: those of the model
  /// and the data; kInvalidData when the part is empty.
  static Result<CalibrationRun> Open(const CalibrateOptions& options,
                                     const Shard& part);

  /// How many samples this run is for, and how many of them the state has.
  std::uint64_t samples() const { return range_.count; }
  std::uint64_t done() const { return state_.samples.count(); }

  /// Goes on from the state at `path`, if there is one. Errors:
  /// kInvalidArgument when it is of another model, of other options, or holds
  /// samples that are not the first of this run; LoadState's.
  Status Resume(const std::string& path);

  /// Observes the samples that are missing. The state is saved at `path` when
  /// all are in, each `options.checkpoint` seconds before, and when a signal
  /// asks the program to end: kCancelled then. Errors: CalibrateModel's.
  Status Observe(const CalibrateOptions& options, const std::string& path);

  CalibrationState& state() { return state_; }

 private:
  CalibrationRun(Model model, DataOptions data)
      : model_(std::move(model)), data_(std::move(data)) {}

  /// The options that leave only the samples that are missing.
  DataOptions Rest() const;

  Model model_;
  CalibrationPreparation preparation_;
  DataOptions data_;
  std::string data_name_;
  /// The number of the first feed that `data_` gives.
  std::size_t base_ = 0;
  SampleRange range_;
  CalibrationState state_;
};

/// With --json, a line of JSON on standard error, where a scheduler's log keeps
/// it.
void PrintEvent(const CalibrateOptions& options, std::string_view event,
                std::uint64_t samples, const std::string& path);

/// Prints what `state`, now at `output`, holds. Errors: ChooseRanges'.
Status PrintState(const CalibrationState& state, const std::string& output,
                  bool json, bool quiet);

/// `zeropoint calibrate` in one of the processes of an mpirun: each observes
/// its part, into a file of its own, and rank 0 writes the whole. Returns the
/// exit status.
int CalibrateAcrossRanks(CalibrateOptions options);

}  // namespace zeropoint::cli

#endif  // ZEROPOINT_TOOLS_ZEROPOINT_CALIBRATION_RUN_H_
