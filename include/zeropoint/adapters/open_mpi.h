// OpenMpi: the processes of one mpirun as a Communicator.
//
// Open MPI's library is loaded when it is asked for, not linked: a program that
// can use it still runs where it is not installed, and pays nothing for it.
#ifndef ZEROPOINT_ADAPTERS_OPEN_MPI_H_
#define ZEROPOINT_ADAPTERS_OPEN_MPI_H_

#include <memory>
#include <string>
#include <string_view>

#include "zeropoint/core/status.h"

namespace zeropoint {

/// This process among those of one mpirun.
class OpenMpi {
 public:
  /// Whether this process was started by Open MPI's mpirun: it says so in the
  /// environment.
  static bool StartedByMpirun();

  /// How many of the run's processes share this machine; 1 outside of mpirun.
  static int RanksOnThisMachine();

  /// Loads libmpi.so.40 (Open MPI 4 and 5) and joins the run; once a process.
  /// Errors: kNotFound when it cannot be loaded, kIoError when MPI refuses.
  static Result<OpenMpi> Join();

  OpenMpi(OpenMpi&&) noexcept;
  OpenMpi& operator=(OpenMpi&&) = delete;
  /// Leaves the run: waits until the others do.
  ~OpenMpi();

  int rank() const;
  int size() const;

  /// Errors: kIoError, with MPI's message.
  Status Send(std::string_view bytes, int to);
  /// Waits without keeping a processor busy, which the other ranks may need.
  /// Errors: kIoError, with MPI's message.
  Result<std::string> Receive(int from);

 private:
  struct Run;
  explicit OpenMpi(std::unique_ptr<Run> run);

  std::unique_ptr<Run> run_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_ADAPTERS_OPEN_MPI_H_
