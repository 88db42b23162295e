// Executor: what runs a model. A concept, so that a compiler brings its own.
#ifndef ZEROPOINT_EXEC_EXECUTOR_H_
#define ZEROPOINT_EXEC_EXECUTOR_H_

#include <concepts>
#include <cstddef>
#include <span>
#include <string>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

/// Receives the tensors that a run was asked for.
class TensorSink {
 public:
  /// `tap` is the index in the list of taps of this run. The view dies when
  /// Consume returns: copy what must stay. Called on the thread that called
  /// Run, in the order in which the tensors are produced; once a tap and run,
  /// except for tensors in the bodies of If, Loop and Scan: as often as they
  /// are made.
  virtual Status Consume(std::size_t tap, const TensorView& tensor) = 0;

 protected:
  ~TensorSink() = default;
};

/// Runs a model on `feeds` and hands each tensor named in `taps` to `sink`:
/// graph inputs, outputs and initializers as well as intermediate tensors.
///
/// Errors: kInvalidData when the feeds do not fit the model's inputs (name,
/// type, rank, fixed axes); kNotFound for a tap that names no tensor;
/// kUnsupported for an operator that the executor lacks; whatever Consume
/// returns.
template <class E>
concept Executor =
    requires(E& executor, const Feeds& feeds, std::span<const std::string> taps,
             TensorSink& sink) {
      { executor.Run(feeds, taps, sink) } -> std::same_as<Status>;
    };

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_EXECUTOR_H_
