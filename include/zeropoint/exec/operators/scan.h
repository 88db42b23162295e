// Scan: a graph that is run along an axis of its inputs.
#ifndef ZEROPOINT_EXEC_OPERATORS_SCAN_H_
#define ZEROPOINT_EXEC_OPERATORS_SCAN_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operators/control_flow.h"

namespace zeropoint {
namespace control_flow {

/// for (t = 0; t < length; ++t)
///   state..., y[t]... = body(state..., x[t]...)
///
/// x[t] is slice t of a scanned input along its axis, counted from the end for
/// a reversed direction; y[t] becomes slice t of an output likewise.
///
/// Before opset 9 the first input may give the length of each sequence of a
/// batch, every other input has a batch axis first and is scanned along its
/// second one, and outputs of shorter sequences are filled up with 0.
/// Errors: scanned inputs of different lengths.
class Scan final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    auto op = std::make_unique<Scan>();
    ZEROPOINT_ASSIGN_OR_RETURN(op->body_, BodyOf(init, "body"));
    op->nested_ = {op->body_.get()};
    op->batched_ = init.opset < 9;
    op->own_inputs_ = static_cast<std::size_t>(init.node.input_size());
    const std::size_t first = op->batched_ ? 1 : 0;
    const std::int64_t scanned = GetInt(init.node, "num_scan_inputs", 0);
    const std::size_t inputs = op->body_->input_count();
    if (scanned < 1 || op->own_inputs_ != inputs + first ||
        static_cast<std::size_t>(scanned) > inputs ||
        op->body_->output_count() <
            inputs - static_cast<std::size_t>(scanned)) {
      return InvalidModel(
          "the body does not fit " + std::to_string(init.node.input_size()) +
          " inputs of which " + std::to_string(scanned) + " are scanned");
    }
    op->states_ = inputs - static_cast<std::size_t>(scanned);
    const auto list = [&](const char* name, std::size_t size) {
      auto values = GetInts(init.node, name);
      values.resize(size, 0);
      return values;
    };
    const auto inputs_scanned = static_cast<std::size_t>(scanned);
    const std::size_t outputs_scanned = op->body_->output_count() - op->states_;
    op->input_axes_ = list("scan_input_axes", inputs_scanned);
    op->output_axes_ = list("scan_output_axes", outputs_scanned);
    op->reads_backward_ = list(
        op->batched_ ? "directions" : "scan_input_directions", inputs_scanned);
    op->writes_backward_ = list("scan_output_directions", outputs_scanned);
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    if (batched_) return RunBatch(context);
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(own_inputs_));
    std::vector<RunValue> inputs;
    for (std::size_t i = 0; i < own_inputs_; ++i) {
      inputs.push_back(*context.value(i));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        auto outputs, RunSequence(context, std::move(inputs), kWholeSequence));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      context.SetOutput(i, std::move(outputs[i]));
    }
    return Status();
  }

  std::span<NestedGraph* const> nested() const override { return nested_; }

 private:
  static constexpr std::int64_t kWholeSequence = -1;

  // Where the inputs' slices lie. Errors: lengths that differ.
  Result<std::int64_t> Length(const std::vector<RunValue>& inputs,
                              std::vector<std::size_t>& axes) const {
    std::int64_t length = -1;
    for (std::size_t k = 0; k < input_axes_.size(); ++k) {
      const RunValue& x = inputs[states_ + k];
      ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                                 NormalizeAxis(input_axes_[k], x.dims.size()));
      axes.push_back(axis);
      if (length >= 0 && x.dims[axis] != length) {
        return InvalidData("scanned inputs of lengths " +
                           std::to_string(length) + " and " +
                           std::to_string(x.dims[axis]));
      }
      length = x.dims[axis];
    }
    return length;
  }

  // One sequence; stops after `most` slices, but the outputs are as long as the
  // inputs.
  Result<std::vector<RunValue>> RunSequence(OpContext& context,
                                            std::vector<RunValue> inputs,
                                            std::int64_t most) {
    std::vector<std::size_t> axes;
    ZEROPOINT_ASSIGN_OR_RETURN(const std::int64_t whole, Length(inputs, axes));
    if (most > whole) {
      return InvalidData("a sequence of length " + std::to_string(most) +
                         " in an axis of " + std::to_string(whole));
    }
    const std::int64_t length = most < 0 ? whole : most;
    const ExecResources& resources = context.resources();
    const auto captured =
        Captured(context, own_inputs_, body_->captures().size());
    std::vector<RunValue> states(
        inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(states_));
    for (RunValue& state : states) state.constant = false;
    std::vector<std::vector<RunValue>> slices(output_axes_.size());
    for (std::int64_t t = 0; t < length; ++t) {
      ZEROPOINT_RETURN_IF_ERROR(GoRound(context));
      std::vector<RunValue> now = std::move(states);
      for (std::size_t k = 0; k < axes.size(); ++k) {
        const std::int64_t at = reads_backward_[k] != 0 ? length - 1 - t : t;
        ZEROPOINT_ASSIGN_OR_RETURN(
            RunValue slice,
            CopyPart(resources, inputs[states_ + k], axes[k], at, 1, false));
        now.push_back(std::move(slice));
      }
      ZEROPOINT_ASSIGN_OR_RETURN(
          auto outputs, body_->Run(resources, std::move(now), captured));
      for (std::size_t k = 0; k < slices.size(); ++k) {
        slices[k].push_back(std::move(outputs[states_ + k]));
      }
      outputs.resize(states_);
      states = std::move(outputs);
    }
    for (std::size_t k = 0; k < slices.size(); ++k) {
      if (slices[k].empty()) {
        return InvalidData("a sequence without elements has no outputs");
      }
      if (writes_backward_[k] != 0) {
        std::reverse(slices[k].begin(), slices[k].end());
      }
      while (std::ssize(slices[k]) < whole) {  // only of a batch
        ZEROPOINT_ASSIGN_OR_RETURN(RunValue zero,
                                   Zeros(resources, slices[k].front()));
        slices[k].push_back(std::move(zero));
      }
      ZEROPOINT_ASSIGN_OR_RETURN(
          RunValue joined,
          JoinValues(resources, slices[k], output_axes_[k], true));
      states.push_back(std::move(joined));
    }
    return states;
  }

  static Result<RunValue> Zeros(const ExecResources& resources,
                                const RunValue& like) {
    ZEROPOINT_ASSIGN_OR_RETURN(RunValue zeros,
                               NewTensor(resources, like.type, like.dims));
    std::memset(zeros.buffer.data(), 0, zeros.view().bytes());
    return zeros;
  }

  Status RunBatch(OpContext& context) {
    std::vector<std::vector<RunValue>> results(body_->output_count());
    std::int64_t batch = -1;
    for (std::size_t i = 1; i < own_inputs_; ++i) {
      if (!context.has_input(i) || !context.value(i)->is_tensor() ||
          context.input(i).rank() < 1 ||
          (batch >= 0 && context.input(i).dims()[0] != batch)) {
        return InvalidData("input " + std::to_string(i) +
                           " needs the batch's axis first");
      }
      batch = context.input(i).dims()[0];
    }
    std::span<const std::int64_t> lengths;
    if (context.has_input(0)) {
      ZEROPOINT_ASSIGN_OR_RETURN(lengths, context.Input<std::int64_t>(0));
      if (std::ssize(lengths) != batch) {
        return InvalidData("sequence_lens needs a length for each sequence");
      }
    }
    for (std::int64_t b = 0; b < batch; ++b) {
      std::vector<RunValue> inputs;
      for (std::size_t i = 1; i < own_inputs_; ++i) {
        ZEROPOINT_ASSIGN_OR_RETURN(
            RunValue part,
            CopyPart(context.resources(), *context.value(i), 0, b, 1, false));
        inputs.push_back(std::move(part));
      }
      const std::int64_t length =
          lengths.empty()
              ? kWholeSequence
              : std::max<std::int64_t>(0, lengths[static_cast<std::size_t>(b)]);
      ZEROPOINT_ASSIGN_OR_RETURN(
          auto outputs, RunSequence(context, std::move(inputs), length));
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        results[i].push_back(std::move(outputs[i]));
      }
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      ZEROPOINT_ASSIGN_OR_RETURN(
          RunValue joined,
          JoinValues(context.resources(), results[i], 0, true));
      context.SetOutput(i, std::move(joined));
    }
    return Status();
  }

  std::unique_ptr<Body> body_;
  std::array<NestedGraph*, 1> nested_{};
  bool batched_ = false;
  std::size_t own_inputs_ = 0;
  std::size_t states_ = 0;
  std::vector<std::int64_t> input_axes_;
  std::vector<std::int64_t> output_axes_;
  std::vector<std::int64_t> reads_backward_;
  std::vector<std::int64_t> writes_backward_;
};

}  // namespace control_flow

inline void AddScanOperators(OperatorRegistry& registry) {
  registry.Add("", "Scan", {}, control_flow::Scan::Make);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_SCAN_H_
