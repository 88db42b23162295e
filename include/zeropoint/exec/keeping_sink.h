// KeepingSink: a sink for those who look at the tensors after the run.
#ifndef ZEROPOINT_EXEC_KEEPING_SINK_H_
#define ZEROPOINT_EXEC_KEEPING_SINK_H_

#include <cstddef>
#include <span>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/exec/executor.h"

namespace zeropoint {

/// Keeps copies of the tensors of one run.
class KeepingSink final : public TensorSink {
 public:
  explicit KeepingSink(std::size_t taps) : tensors_(taps) {}
  Status Consume(std::size_t tap, const TensorView& tensor) override {
    tensors_[tap] = Tensor::CopyOf(tensor);
    return Status();
  }
  std::span<const Tensor> tensors() const { return tensors_; }

 private:
  std::vector<Tensor> tensors_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_KEEPING_SINK_H_
