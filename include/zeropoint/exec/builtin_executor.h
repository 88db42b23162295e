// BuiltinExecutor: the executor that every flow uses unless told otherwise.
//
// A plan is made once from the model; a run walks a schedule of it. Tensors
// live in an arena from the step that makes them to the last one that reads
// them, so memory does not grow with the depth of the model or with the number
// of taps.
#ifndef ZEROPOINT_EXEC_BUILTIN_EXECUTOR_H_
#define ZEROPOINT_EXEC_BUILTIN_EXECUTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

class OperatorRegistry;

struct ExecutorOptions {
  /// The calling thread included; 0: one a hardware thread. The results do not
  /// depend on it.
  int threads = 0;
  /// Null: DispatchedKernels().
  const KernelTable* kernels = nullptr;
  /// Null: the built-in operators. Needed during Create only.
  const OperatorRegistry* operators = nullptr;
  /// Null: an own pool of `threads` threads. Must outlive the executor.
  ThreadPool* pool = nullptr;
  /// How often the loops of one run may go round, all of them together: a model
  /// whose loop never ends is an error, not a hang.
  std::int64_t max_loop_iterations = 1'000'000;
  /// What the tensors of one run may take together, weights and feeds not
  /// counted.
  std::size_t max_tensor_bytes = std::size_t{16} << 30;
};

/// Runs a model: any batch, shapes resolved at run time. One run at a time;
/// several executors may share a pool.
///
/// A tap names a tensor of the main graph or, where that has none of the name,
/// tensors in the bodies of If, Loop and Scan: those reach the sink each time
/// that they are made, so once an iteration. What functions compute inside has
/// no name to tap. A sequence reaches the sink member by member.
class BuiltinExecutor {
 public:
  /// Folds constants and makes an operator for every node. `model` must outlive
  /// the executor and stay as it is. An operator that is missing here is an
  /// error of the runs that need it. Errors: Plan::Make's.
  static Result<BuiltinExecutor> Create(const Model& model,
                                        const ExecutorOptions& options = {});

  BuiltinExecutor(BuiltinExecutor&&) noexcept;
  BuiltinExecutor& operator=(BuiltinExecutor&&) noexcept;
  ~BuiltinExecutor();

  /// As the Executor concept says. Stops when all taps are delivered; nodes
  /// that no tap needs are not run. A failed run leaves the executor usable.
  Status Run(const Feeds& feeds, std::span<const std::string> taps,
             TensorSink& sink);

  /// The most bytes that tensors of the last run had at one time, weights and
  /// feeds not counted.
  std::size_t peak_bytes() const;

 private:
  struct State;

  explicit BuiltinExecutor(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

static_assert(Executor<BuiltinExecutor>);

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_BUILTIN_EXECUTOR_H_
