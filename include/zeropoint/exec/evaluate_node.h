// NodeEvaluation: one node computed from inputs that are already known.
//
// What constant folding needs, in the executor's plan and in passes: an object
// of this class is a NodeEvaluator (passes/pass.h).
#ifndef ZEROPOINT_EXEC_EVALUATE_NODE_H_
#define ZEROPOINT_EXEC_EVALUATE_NODE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/exec/arena.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/plan_scope.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

/// "node 'conv1' (Conv)", or by its first output when it has no name.
inline std::string DescribeNode(const onnx::NodeProto& node) {
  const bool named = !node.name().empty() || node.output_size() == 0;
  return (named ? "node '" + node.name()
                : "the node that makes '" + node.output(0)) +
         "' (" + node.op_type() + ")";
}

/// Runs `op` on `inputs` and returns a copy of each output (an empty Tensor for
/// one that has no name). Input i may be nullptr: omitted. Outputs may have 16
/// MiB and 8 times the bytes of the inputs: a constant that is far larger than
/// what it is made from is better made again.
/// Errors: what the operator says, with the node's name.
inline Result<std::vector<Tensor>> EvaluateOperator(
    const onnx::NodeProto& node, Operator& op,
    std::span<const RunValue* const> inputs, const KernelTable& kernels,
    ThreadPool& pool, Arena& arena) {
  std::size_t most_bytes = std::size_t{16} << 20;
  for (const RunValue* input : inputs) {
    if (input != nullptr) most_bytes += 8 * input->view().bytes();
  }
  std::int64_t rounds_left = 10'000;  // of loops inside functions
  const ExecResources resources{kernels,    pool,    arena,
                                most_bytes, nullptr, &rounds_left};
  std::vector<bool> wanted;
  for (const std::string& name : node.output()) wanted.push_back(!name.empty());
  const std::vector<bool> last_use(inputs.size(), false);
  std::vector<RunValue> values(wanted.size());
  OpContext context(resources, inputs, last_use, values, wanted, Clamp());
  ZEROPOINT_RETURN_IF_ERROR(op.Run(context).WithContext(DescribeNode(node)));
  std::vector<Tensor> outputs;
  for (const RunValue& value : values) {
    if (!value.is_tensor()) {
      return Unsupported(DescribeNode(node) +
                         ": only tensors are computed ahead of a run");
    }
    outputs.push_back(value.type == DataType::kUndefined
                          ? Tensor()
                          : Tensor::CopyOf(value.view()));
  }
  return outputs;
}

/// Evaluates nodes of one model. Copies share their memory, so one copy runs at
/// a time.
class NodeEvaluation {
 public:
  /// Takes the operator sets that `model` imports. `kernels` null: those of
  /// DispatchedKernels().
  explicit NodeEvaluation(const Model& model,
                          const KernelTable* kernels = nullptr)
      : state_(std::make_shared<State>()) {
    state_->scope.environment = std::make_shared<PlanEnvironment>(
        PlanEnvironment{nullptr,
                        {},
                        kernels == nullptr ? DispatchedKernels() : *kernels,
                        state_->pool});
    AddBuiltinOperators(state_->scope.environment->registry);
    state_->scope.opsets = OpsetImports(model.proto().opset_import());
  }

  /// The outputs of `node`. An input of type kUndefined is an omitted one.
  /// Errors: kUnsupported for an operator that the executor lacks or a result
  /// too large to be kept; what the operator says.
  Result<std::vector<Tensor>> operator()(
      const onnx::NodeProto& node, std::span<const TensorView> inputs) const {
    const PlanScope& scope = state_->scope;
    auto op = MakeOperator({node, scope.opsets.Version(node.domain()), &scope});
    if (!op.ok()) return op.status().WithContext(DescribeNode(node));
    std::vector<RunValue> values(inputs.size());
    std::vector<const RunValue*> pointers(inputs.size(), nullptr);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].type() == DataType::kUndefined) continue;
      const auto dims = inputs[i].dims();
      values[i].type = inputs[i].type();
      values[i].dims.assign(dims.begin(), dims.end());
      values[i].data = inputs[i].data();
      pointers[i] = &values[i];
    }
    return EvaluateOperator(node, **op, pointers, scope.environment->kernels,
                            state_->pool, state_->arena);
  }

 private:
  struct State {
    ThreadPool pool{1};
    PlanScope scope;
    Arena arena;
  };
  std::shared_ptr<State> state_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_EVALUATE_NODE_H_
