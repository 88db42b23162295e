// MergeAcrossRanks, AgreeAcrossRanks: many processes that end as one.
//
// Messages run along a binomial tree: in round r, rank k + 2^r sends to rank k,
// where 2^(r+1) divides k. So n ranks need ceil(log2 n) rounds, and no rank
// receives more messages than that. What a Communicator must do is little, so
// that it can be MPI, a socket, or threads in a test.
#ifndef ZEROPOINT_ADAPTERS_MERGE_ACROSS_RANKS_H_
#define ZEROPOINT_ADAPTERS_MERGE_ACROSS_RANKS_H_

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/calibration/state_file.h"
#include "zeropoint/core/status.h"

namespace zeropoint {

/// One of `size()` processes, numbered from 0, that can send bytes to each
/// other. Messages from one rank to another arrive in the order in which they
/// were sent.
template <class C>
concept Communicator =
    requires(C& c, const C& constant, std::string_view bytes, int rank) {
      { constant.rank() } -> std::same_as<int>;
      { constant.size() } -> std::same_as<int>;
      { c.Send(bytes, rank) } -> std::same_as<Status>;
      { c.Receive(rank) } -> std::same_as<Result<std::string>>;
    };

/// Every rank calls it; afterwards all have the `bytes` of rank 0. Errors: the
/// communicator's.
template <Communicator C>
Status BroadcastFromRank0(C& ranks, std::string& bytes) {
  const int rank = ranks.rank();
  const int size = ranks.size();
  int step = 1;
  while (step < size && (rank & step) == 0) step *= 2;
  if (rank != 0) {
    ZEROPOINT_ASSIGN_OR_RETURN(bytes, ranks.Receive(rank - step));
  }
  // The farthest first: it has the most to pass on.
  for (step /= 2; step > 0; step /= 2) {
    if (rank + step < size) {
      ZEROPOINT_RETURN_IF_ERROR(ranks.Send(bytes, rank + step));
    }
  }
  return Status();
}

/// Every rank calls it with how it fared. Returns, on every rank, what the
/// failed ones said, one line each, in the order of the ranks; success when all
/// have succeeded. Errors: the communicator's.
template <Communicator C>
Status AgreeAcrossRanks(C& ranks, const Status& mine) {
  const int rank = ranks.rank();
  const int size = ranks.size();
  std::string failures;
  if (!mine.ok()) {
    failures = "rank " + std::to_string(rank) + " of " + std::to_string(size) +
               ": " + mine.message() + "\n";
  }
  for (int step = 1; step < size; step *= 2) {
    if ((rank & step) != 0) {
      ZEROPOINT_RETURN_IF_ERROR(ranks.Send(failures, rank - step));
      break;
    }
    if (rank + step >= size) continue;
    ZEROPOINT_ASSIGN_OR_RETURN(const std::string others,
                               ranks.Receive(rank + step));
    failures += others;
  }
  ZEROPOINT_RETURN_IF_ERROR(BroadcastFromRank0(ranks, failures));
  if (failures.empty()) return Status();
  failures.pop_back();
  return InvalidArgument(std::move(failures));
}

/// Every rank calls it with what it saw; afterwards rank 0 has what all saw,
/// the bytes of one process that saw it alone. What the others have is then
/// undefined. Errors: the communicator's; those of CalibrationState::Merge,
/// on the rank that met them and on rank 0.
template <Communicator C>
Status MergeAcrossRanks(C& ranks, CalibrationState& state) {
  const int rank = ranks.rank();
  const int size = ranks.size();
  Status merged;
  for (int step = 1; step < size; step *= 2) {
    if ((rank & step) != 0) {
      // Of a failure nothing is sent, which no state is.
      std::string bytes;
      if (merged.ok()) {
        ZEROPOINT_ASSIGN_OR_RETURN(bytes, SerializeState(state));
      }
      ZEROPOINT_RETURN_IF_ERROR(ranks.Send(bytes, rank - step));
      return merged;
    }
    if (rank + step >= size) continue;
    ZEROPOINT_ASSIGN_OR_RETURN(const std::string bytes,
                               ranks.Receive(rank + step));
    if (!merged.ok()) continue;
    Result<CalibrationState> other = ParseState(bytes);
    merged = other.ok() ? state.Merge(*other) : other.status();
    merged = merged.WithContext("merging the state of rank " +
                                std::to_string(rank + step));
  }
  return merged;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_ADAPTERS_MERGE_ACROSS_RANKS_H_
