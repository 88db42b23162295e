// Operator: one node of the model, ready to run; OpContext: what it sees of a
// run.
//
// An operator is made once from its node, where it reads its attributes, and
// run many times with inputs of any shape. It decides the type and shape of its
// outputs when it runs; the context gives it the memory.
#ifndef ZEROPOINT_EXEC_OPERATOR_H_
#define ZEROPOINT_EXEC_OPERATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/exec/arena.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

class TensorSink;

/// A value during a run. Mostly a tensor: a shape, and elements that live in
/// the arena, the model or the feeds. An optional that holds something is what
/// it holds.
struct RunValue {
  enum class Kind : std::uint8_t { kTensor, kSequence, kEmptyOptional };

  DataType type = DataType::kUndefined;  // of a tensor's elements
  Dims dims;
  const void* data = nullptr;
  Arena::Buffer buffer;   // empty when the elements live outside the arena
  bool constant = false;  // the same elements on every run
  Kind kind = Kind::kTensor;
  /// The members of a sequence, shared with the sequences it was made from.
  std::shared_ptr<const std::vector<RunValue>> members;

  bool is_tensor() const { return kind == Kind::kTensor; }
  bool is_there() const { return !is_tensor() || type != DataType::kUndefined; }
  /// A view without elements and type for what is not a tensor.
  TensorView view() const {
    return is_there() && is_tensor() ? TensorView(type, dims, data)
                                     : TensorView();
  }
};

/// What operators work with, owned by the executor.
struct ExecResources {
  const KernelTable& kernels;
  ThreadPool& pool;
  Arena& arena;
  /// No output may be larger; keeps constant folding from blowing up a model.
  std::size_t most_bytes;
  /// Who receives tapped values; null where nothing is tapped.
  TensorSink* sink = nullptr;
  /// How often the loops of this run may still go round, all of them together;
  /// null: they may not.
  std::int64_t* rounds_left = nullptr;
};

/// A graph inside a node, as those who prepare a run see it.
class NestedGraph {
 public:
  virtual ~NestedGraph() = default;
  /// Whether the graph, or one nested in it, makes a tensor of that name.
  virtual bool Makes(std::string_view tensor) const = 0;
  /// The values of the enclosing plan that the graph uses.
  virtual std::vector<int> captures() const = 0;
  /// Before runs with these taps. Errors: what keeps it from being run.
  virtual Status Prepare(std::span<const std::string> taps) = 0;
};

/// One run of one operator: its inputs, and a place for its outputs.
class OpContext {
 public:
  /// `last_use[i]`: nobody reads input i after this step.
  OpContext(const ExecResources& resources,
            std::span<const RunValue* const> inputs,
            const std::vector<bool>& last_use, std::span<RunValue> outputs,
            const std::vector<bool>& wanted, Clamp clamp)
      : resources_(resources),
        inputs_(inputs),
        last_use_(last_use),
        outputs_(outputs),
        wanted_(wanted),
        clamp_(clamp) {
    views_.reserve(inputs.size());
    for (const RunValue* input : inputs) {
      views_.push_back(input == nullptr ? TensorView() : input->view());
    }
  }

  /// For an operator that runs another one.
  const ExecResources& resources() const { return resources_; }
  const KernelTable& kernels() const { return resources_.kernels; }
  ThreadPool& pool() const { return resources_.pool; }

  /// Inputs of the node, omitted optional ones included.
  std::size_t input_count() const { return inputs_.size(); }
  bool has_input(std::size_t i) const {
    return i < inputs_.size() && inputs_[i] != nullptr;
  }
  /// Requires has_input(i).
  const TensorView& input(std::size_t i) const { return views_[i]; }
  /// Input i whatever its kind, or nullptr where it is omitted.
  const RunValue* value(std::size_t i) const {
    return i < inputs_.size() ? inputs_[i] : nullptr;
  }
  /// Whether input i has the same elements on every run, so that what is made
  /// from it can be kept.
  bool is_constant(std::size_t i) const {
    return has_input(i) && inputs_[i]->constant;
  }
  /// An error unless the inputs [0, count) are there and tensors.
  Status RequireInputs(std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) {
      if (!has_input(i)) {
        return InvalidModel("input " + std::to_string(i) +
                            " is missing; the operator needs " +
                            std::to_string(count));
      }
      if (!inputs_[i]->is_tensor()) {
        return InvalidModel("input " + std::to_string(i) +
                            " is a sequence or an empty optional; the operator "
                            "takes tensors");
      }
    }
    return Status();
  }
  /// The elements of input i. Errors: missing, or of another type.
  template <class T>
  Result<std::span<const T>> Input(std::size_t i) const {
    if (!has_input(i)) {
      return InvalidModel("input " + std::to_string(i) + " is missing");
    }
    if (views_[i].type() != DataTypeOf<T>()) {
      return Unsupported("input " + std::to_string(i) + " is " +
                         std::string(DataTypeName(views_[i].type())) +
                         "; the built-in executor expects " +
                         std::string(DataTypeName(DataTypeOf<T>())));
    }
    return views_[i].As<T>();
  }

  std::size_t output_count() const { return outputs_.size(); }
  /// Whether anybody reads output i.
  bool wants_output(std::size_t i) const {
    return i < outputs_.size() && wanted_[i];
  }
  /// What outputs are limited to; only for operators that AcceptsClamp().
  Clamp clamp() const { return clamp_; }

  /// Memory for output i, its content undefined. Errors: a shape whose element
  /// count overflows; no memory.
  Result<void*> Output(std::size_t i, DataType type, Dims dims) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t bytes, Bytes(type, dims));
    Arena::Buffer buffer = resources_.arena.Allocate(bytes);
    if (buffer.data() == nullptr) return NoMemory(dims, bytes);
    return Set(i, type, std::move(dims), std::move(buffer));
  }
  template <class T>
  Result<T*> Output(std::size_t i, Dims dims) {
    ZEROPOINT_ASSIGN_OR_RETURN(void* data,
                               Output(i, DataTypeOf<T>(), std::move(dims)));
    return static_cast<T*>(data);
  }

  /// As Output, in the memory of input `over` when nobody else reads it and the
  /// size is the same. For operators that read element k before they write it
  /// and never after.
  Result<void*> OutputOver(std::size_t i, std::size_t over, DataType type,
                           Dims dims) {
    const RunValue& value = *inputs_[over];
    const auto count = ElementCount(dims);
    if (count && last_use_[over] && value.buffer.unique() &&
        value.data == value.buffer.data() &&
        BytesOf(type, *count) == views_[over].bytes()) {
      return Set(i, type, std::move(dims), value.buffer);
    }
    return Output(i, type, std::move(dims));
  }
  template <class T>
  Result<T*> OutputOver(std::size_t i, std::size_t over, Dims dims) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        void* data, OutputOver(i, over, DataTypeOf<T>(), std::move(dims)));
    return static_cast<T*>(data);
  }

  /// Output i is input `from` under another shape; nothing is copied. Errors:
  /// another number of elements.
  Status Forward(std::size_t i, std::size_t from, Dims dims) {
    const RunValue& value = *inputs_[from];
    if (ElementCount(dims) != views_[from].size()) {
      return InvalidData("shape " + FormatDims(views_[from].dims()) +
                         " cannot become " + FormatDims(dims));
    }
    RunValue& output = outputs_[i];
    output.type = value.type;
    output.dims = std::move(dims);
    output.data = value.data;
    output.buffer = value.buffer;
    return Status();
  }

  /// Output i is `value`, of any kind; nothing is copied.
  void SetOutput(std::size_t i, RunValue value) {
    value.constant = false;
    if (i < outputs_.size()) outputs_[i] = std::move(value);
  }

  /// Memory until the operator returns, its content undefined.
  Result<std::byte*> ScratchBytes(std::size_t bytes) {
    Arena::Buffer buffer = resources_.arena.Allocate(bytes);
    if (buffer.data() == nullptr) {
      return Unsupported("no memory for " + std::to_string(bytes) +
                         " bytes of scratch");
    }
    scratch_.push_back(buffer);
    return buffer.data();
  }
  template <class T>
  Result<T*> Scratch(std::size_t count) {
    ZEROPOINT_ASSERT(count <= SIZE_MAX / sizeof(T), "scratch overflows");
    ZEROPOINT_ASSIGN_OR_RETURN(std::byte * data,
                               ScratchBytes(count * sizeof(T)));
    return reinterpret_cast<T*>(data);
  }

 private:
  Result<std::size_t> Bytes(DataType type, const Dims& dims) const {
    const auto count = ElementCount(dims);
    if (!count) {
      return InvalidData("shape " + FormatDims(dims) + " is not possible");
    }
    const std::size_t bytes = BytesOf(type, *count);
    if (bytes > resources_.most_bytes) return NoMemory(dims, bytes);
    return bytes;
  }

  static Status NoMemory(const Dims& dims, std::size_t bytes) {
    return Unsupported("no memory for a tensor of shape " + FormatDims(dims) +
                       " (" + std::to_string(bytes) + " bytes)");
  }

  void* Set(std::size_t i, DataType type, Dims dims, Arena::Buffer buffer) {
    RunValue& output = outputs_[i];
    output.type = type;
    output.dims = std::move(dims);
    output.buffer = std::move(buffer);
    std::byte* data = output.buffer.data();
    output.data = data;
    return data;
  }

  const ExecResources& resources_;
  std::span<const RunValue* const> inputs_;
  const std::vector<bool>& last_use_;
  std::span<RunValue> outputs_;
  const std::vector<bool>& wanted_;
  Clamp clamp_;
  std::vector<TensorView> views_;
  std::vector<Arena::Buffer> scratch_;
};

/// Runs one node. Implementations keep what they derive from constant inputs
/// (packed weights) between runs, so one operator serves one run at a time.
class Operator {
 public:
  virtual ~Operator() = default;

  /// Computes every wanted output. Errors: inputs that do not fit each other or
  /// the attributes; the executor adds the node's name.
  virtual Status Run(OpContext& context) = 0;

  /// Whether Run limits output 0 to context.clamp().
  virtual bool AcceptsClamp() const { return false; }
  /// For Relu and Clip: the interval that the operator limits input 0 to, given
  /// its constant inputs (nullptr where there is none); nothing if it does
  /// anything else.
  virtual std::optional<Clamp> AsClamp(
      [[maybe_unused]] std::span<const RunValue* const> constants) const {
    return std::nullopt;
  }

  /// The graphs that Run runs. Their captured values follow the node's own
  /// inputs, in the order of the graphs.
  virtual std::span<NestedGraph* const> nested() const { return {}; }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATOR_H_
