// RNN, GRU and LSTM, and DynamicQuantizeLSTM of com.microsoft.
//
// The equations are those of the operator specification. Weights come gate
// after gate, a step computes all gates of all hidden units, and every number
// is a double inside.
#ifndef ZEROPOINT_EXEC_OPERATORS_RECURRENT_H_
#define ZEROPOINT_EXEC_OPERATORS_RECURRENT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/exec/operators/recurrent_activation.h"
#include "zeropoint/exec/operators/recurrent_codes.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace recurrent {

enum class Cell { kRnn, kGru, kLstm };

/// Inputs: X [time, batch, input], W [directions, gates * hidden, input],
/// R [directions, gates * hidden, hidden], B [directions, 2 * gates * hidden],
/// lengths [batch], initial H [directions, batch, hidden]; LSTM: initial C and
/// peepholes P [directions, 3 * hidden]. With layout 1 the batch comes first.
/// Outputs: Y [time, directions, batch, hidden], the last H; LSTM: the last C.
///
/// On codes: W [directions, input, gates * hidden] and R [directions, hidden,
/// gates * hidden] hold them, inputs 8 to 11 are their scales and zero points;
/// X as a whole, and H of each batch in each step, are rounded by their ranges.
class Recurrent final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init,
                                                Cell cell,
                                                bool on_codes = false) {
    auto op = std::make_unique<Recurrent>();
    op->cell_ = cell;
    op->on_codes_ = on_codes;
    op->gates_ = cell == Cell::kRnn ? 1 : cell == Cell::kGru ? 3 : 4;
    const auto& node = init.node;
    const std::string_view direction = GetString(node, "direction", "forward");
    op->directions_ = direction == "bidirectional" ? 2 : 1;
    op->backward_ = direction == "reverse";
    op->hidden_ = GetInt(node, "hidden_size", 0);
    op->clip_ = static_cast<double>(GetFloat(node, "clip", 0));
    op->batch_first_ = GetInt(node, "layout", 0) != 0;
    op->resets_late_ = GetInt(node, "linear_before_reset", 0) != 0;
    op->couples_ = GetInt(node, "input_forget", 0) != 0;
    std::vector<std::string> names =
        cell == Cell::kRnn ? std::vector<std::string>{"Tanh"}
        : cell == Cell::kGru
            ? std::vector<std::string>{"Sigmoid", "Tanh"}
            : std::vector<std::string>{"Sigmoid", "Tanh", "Tanh"};
    const std::size_t each = names.size();
    if (op->directions_ == 2) {
      for (std::size_t i = 0; i < each; ++i) names.push_back(names[i]);
    }
    names = GetStrings(node, "activations", names);
    if (names.size() < each * op->directions_) {
      return InvalidModel("there are too few activations");
    }
    const auto alphas = GetFloats(node, "activation_alpha");
    const auto betas = GetFloats(node, "activation_beta");
    for (std::size_t i = 0; i < names.size(); ++i) {
      ZEROPOINT_ASSIGN_OR_RETURN(Activation f, FindActivation(names[i]));
      if (i < alphas.size()) f.alpha = static_cast<double>(alphas[i]);
      if (i < betas.size()) f.beta = static_cast<double>(betas[i]);
      op->activations_.push_back(f);
    }
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const Sizes s, CheckShapes(context));
    ZEROPOINT_ASSIGN_OR_RETURN(const Data data, Read(context, s));
    const Dims y_dims =
        batch_first_ ? Dims{s.batch, s.time, Signed(directions_), s.hidden}
                     : Dims{s.time, Signed(directions_), s.batch, s.hidden};
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(y_dims));
    auto h = data.h;
    auto c = data.c;
    for (std::size_t d = 0; d < directions_; ++d) {
      for (std::int64_t b = 0; b < s.batch; ++b) {
        RunSequence(data, s, d, b, h, c, y);
      }
    }
    const DataType type = context.input(0).type();
    if (context.wants_output(0)) {
      ZEROPOINT_RETURN_IF_ERROR(WriteReals(context, 0, type, y_dims, y));
    }
    ZEROPOINT_RETURN_IF_ERROR(WriteState(context, s, 1, h));
    if (cell_ == Cell::kLstm) {
      ZEROPOINT_RETURN_IF_ERROR(WriteState(context, s, 2, c));
    }
    return Status();
  }

 private:
  struct Sizes {
    std::int64_t time, batch, input, hidden;
  };
  struct Data {
    std::vector<double> x, w, r, bias, h, c, peephole;
    std::vector<std::int64_t> lengths;
  };

  static std::int64_t Signed(std::size_t n) {
    return static_cast<std::int64_t>(n);
  }
  static std::size_t Index(std::int64_t n) {
    return static_cast<std::size_t>(n);
  }

  static Status CheckShape(const OpContext& context, std::size_t i,
                           const Dims& expected) {
    if (!context.has_input(i) ||
        std::ranges::equal(context.input(i).dims(), expected)) {
      return Status();
    }
    return InvalidData("input " + std::to_string(i) + " has shape " +
                       FormatDims(context.input(i).dims()) + "; expected " +
                       FormatDims(expected));
  }

  Result<Sizes> CheckShapes(const OpContext& context) const {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(3));
    const auto x = context.input(0).dims();
    const auto r = context.input(2).dims();
    if (x.size() != 3 || r.size() != 3) {
      return InvalidData("X, W and R need three axes");
    }
    const Sizes s{batch_first_ ? x[1] : x[0], batch_first_ ? x[0] : x[1], x[2],
                  r[on_codes_ ? 1 : 2]};
    if (hidden_ > 0 && hidden_ != s.hidden) {
      return InvalidModel("hidden_size differs from the weights'");
    }
    constexpr std::int64_t kMost = 1 << 24;
    if (s.hidden > kMost) return InvalidData("too many hidden units");
    const std::int64_t rows = Signed(gates_) * s.hidden;
    const std::int64_t d = Signed(directions_);
    const Dims state =
        batch_first_ ? Dims{s.batch, d, s.hidden} : Dims{d, s.batch, s.hidden};
    const auto weights = [&](std::int64_t columns) {
      return on_codes_ ? Dims{d, columns, rows} : Dims{d, rows, columns};
    };
    ZEROPOINT_RETURN_IF_ERROR(CheckShape(context, 1, weights(s.input)));
    ZEROPOINT_RETURN_IF_ERROR(CheckShape(context, 2, weights(s.hidden)));
    ZEROPOINT_RETURN_IF_ERROR(CheckShape(context, 3, {d, 2 * rows}));
    ZEROPOINT_RETURN_IF_ERROR(CheckShape(context, 4, {s.batch}));
    ZEROPOINT_RETURN_IF_ERROR(CheckShape(context, 5, state));
    if (cell_ == Cell::kLstm) {
      ZEROPOINT_RETURN_IF_ERROR(CheckShape(context, 6, state));
      ZEROPOINT_RETURN_IF_ERROR(CheckShape(context, 7, {d, 3 * s.hidden}));
    }
    return s;
  }

  Result<Data> Read(const OpContext& context, const Sizes& s) const {
    Data data;
    const auto read = [&](std::size_t i, std::size_t zeros,
                          std::vector<double>& values) -> Status {
      values.assign(zeros, 0.0);
      if (!context.has_input(i)) return Status();
      ZEROPOINT_ASSIGN_OR_RETURN(values, ReadReals(context, i));
      return Status();
    };
    const std::size_t rows = gates_ * Index(s.hidden);
    const std::size_t states = directions_ * Index(s.batch * s.hidden);
    ZEROPOINT_RETURN_IF_ERROR(read(0, 0, data.x));
    if (on_codes_) {
      RoundDynamically(data.x);
      ZEROPOINT_ASSIGN_OR_RETURN(data.w, ReadCodes(context, 1, 8));
      ZEROPOINT_ASSIGN_OR_RETURN(data.r, ReadCodes(context, 2, 10));
    } else {
      ZEROPOINT_RETURN_IF_ERROR(read(1, 0, data.w));
      ZEROPOINT_RETURN_IF_ERROR(read(2, 0, data.r));
    }
    ZEROPOINT_RETURN_IF_ERROR(read(3, directions_ * 2 * rows, data.bias));
    ZEROPOINT_RETURN_IF_ERROR(read(5, states, data.h));
    const bool lstm = cell_ == Cell::kLstm;
    ZEROPOINT_RETURN_IF_ERROR(read(lstm ? 6 : 8, states, data.c));
    ZEROPOINT_RETURN_IF_ERROR(
        read(lstm ? 7 : 8, directions_ * 3 * Index(s.hidden), data.peephole));
    data.lengths.assign(Index(s.batch), s.time);
    if (context.has_input(4)) {
      ZEROPOINT_ASSIGN_OR_RETURN(data.lengths, ReadIntegers(context, 4));
      for (const std::int64_t length : data.lengths) {
        if (length < 0 || length > s.time) {
          return InvalidData("a sequence of length " + std::to_string(length));
        }
      }
    }
    return data;
  }

  // Where the state of direction d and batch b begins.
  std::size_t StateAt(const Sizes& s, std::size_t d, std::int64_t b) const {
    const std::size_t row = batch_first_ ? Index(b) * directions_ + d
                                         : d * Index(s.batch) + Index(b);
    return row * Index(s.hidden);
  }

  double Clip(double x) const {
    return clip_ > 0 ? std::clamp(x, -clip_, clip_) : x;
  }

  void RunSequence(const Data& data, const Sizes& s, std::size_t d,
                   std::int64_t b, std::vector<double>& all_h,
                   std::vector<double>& all_c, std::vector<double>& y) const {
    const std::size_t hidden = Index(s.hidden);
    double* h = all_h.data() + StateAt(s, d, b);
    double* c = all_c.data() + StateAt(s, d, b);
    const std::int64_t length = data.lengths[Index(b)];
    const bool backward = backward_ || d == 1;
    for (std::int64_t i = 0; i < length; ++i) {
      const std::int64_t t = backward ? length - 1 - i : i;
      const std::int64_t row = batch_first_ ? b * s.time + t : t * s.batch + b;
      Step(data, s, d, data.x.data() + row * s.input, h, c);
      const std::int64_t place =
          batch_first_ ? (b * s.time + t) * Signed(directions_) + Signed(d)
                       : (t * Signed(directions_) + Signed(d)) * s.batch + b;
      std::copy_n(h, hidden, y.begin() + place * s.hidden);
    }
  }

  // Gate g of unit j: W x + Wb + (with_state ? R h + Rb : 0).
  struct Gates {
    std::vector<double> from_x;
    std::vector<double> from_h;
  };
  Gates Products(const Data& data, const Sizes& s, std::size_t d,
                 const double* x, const double* h) const {
    const std::size_t rows = gates_ * Index(s.hidden);
    std::vector<double> rounded;
    if (on_codes_) {
      rounded.assign(h, h + s.hidden);
      RoundDynamically(rounded);
      h = rounded.data();
    }
    Gates gates{std::vector<double>(rows), std::vector<double>(rows)};
    const double* bias = data.bias.data() + d * 2 * rows;
    for (std::size_t row = 0; row < rows; ++row) {
      const double* w = data.w.data() + (d * rows + row) * Index(s.input);
      const double* r = data.r.data() + (d * rows + row) * Index(s.hidden);
      double sum = bias[row];
      for (std::size_t k = 0; k < Index(s.input); ++k) sum += w[k] * x[k];
      gates.from_x[row] = sum;
      sum = bias[rows + row];
      for (std::size_t k = 0; k < Index(s.hidden); ++k) sum += r[k] * h[k];
      gates.from_h[row] = sum;
    }
    return gates;
  }

  void Step(const Data& data, const Sizes& s, std::size_t d, const double* x,
            double* h, double* c) const {
    const std::size_t n = Index(s.hidden);
    const Gates gates = Products(data, s, d, x, h);
    const auto sum = [&](std::size_t gate, std::size_t j) {
      return gates.from_x[gate * n + j] + gates.from_h[gate * n + j];
    };
    if (cell_ == Cell::kRnn) {
      const Activation& f = activations_[d];
      for (std::size_t j = 0; j < n; ++j) h[j] = f(Clip(sum(0, j)));
    } else if (cell_ == Cell::kGru) {
      StepGru(data, s, d, gates, h);
    } else {
      const Activation* f = &activations_[3 * d];
      const double* p = data.peephole.data() + d * 3 * n;
      for (std::size_t j = 0; j < n; ++j) {  // gates i, o, f, c
        const double in = f[0](Clip(sum(0, j) + p[j] * c[j]));
        const double forget =
            couples_ ? 1 - in : f[0](Clip(sum(2, j) + p[2 * n + j] * c[j]));
        c[j] = forget * c[j] + in * f[1](Clip(sum(3, j)));
        const double out = f[0](Clip(sum(1, j) + p[n + j] * c[j]));
        h[j] = out * f[2](c[j]);
      }
    }
  }

  // Gates z, r, h. The reset gate weighs the state before its product with R,
  // or with linear_before_reset the product.
  void StepGru(const Data& data, const Sizes& s, std::size_t d,
               const Gates& gates, double* h) const {
    const std::size_t n = Index(s.hidden);
    const std::size_t rows = gates_ * n;
    const Activation* f = &activations_[2 * d];
    std::vector<double> update(n);
    std::vector<double> reset(n);
    for (std::size_t j = 0; j < n; ++j) {
      update[j] = f[0](Clip(gates.from_x[j] + gates.from_h[j]));
      reset[j] = f[0](Clip(gates.from_x[n + j] + gates.from_h[n + j]));
    }
    std::vector<double> next(n);
    for (std::size_t j = 0; j < n; ++j) {
      double state = reset[j] * gates.from_h[2 * n + j];
      if (!resets_late_) {
        const double* r = data.r.data() + (d * rows + 2 * n + j) * n;
        state = data.bias[d * 2 * rows + rows + 2 * n + j];
        for (std::size_t k = 0; k < n; ++k) state += r[k] * reset[k] * h[k];
      }
      next[j] = f[1](Clip(gates.from_x[2 * n + j] + state));
    }
    for (std::size_t j = 0; j < n; ++j) {
      h[j] = (1 - update[j]) * next[j] + update[j] * h[j];
    }
  }

  Status WriteState(OpContext& context, const Sizes& s, std::size_t output,
                    const std::vector<double>& state) const {
    if (!context.wants_output(output)) return Status();
    const std::int64_t d = Signed(directions_);
    return WriteReals(
        context, output, context.input(0).type(),
        batch_first_ ? Dims{s.batch, d, s.hidden} : Dims{d, s.batch, s.hidden},
        state);
  }

  Cell cell_ = Cell::kRnn;
  std::size_t gates_ = 1;
  std::size_t directions_ = 1;
  bool backward_ = false;
  std::int64_t hidden_ = 0;
  double clip_ = 0;
  bool batch_first_ = false;
  bool resets_late_ = false;
  bool couples_ = false;
  bool on_codes_ = false;
  std::vector<Activation> activations_;
};

template <Cell kCell, bool kOnCodes = false>
Result<std::unique_ptr<Operator>> MakeRecurrent(const OperatorInit& init) {
  return Recurrent::Make(init, kCell, kOnCodes);
}

}  // namespace recurrent

inline void AddRecurrentOperators(OperatorRegistry& registry) {
  using namespace recurrent;  // NOLINT(google-build-using-namespace)
  registry.Add("", "GRU", {}, MakeRecurrent<Cell::kGru>);
  registry.Add("", "LSTM", {}, MakeRecurrent<Cell::kLstm>);
  registry.Add("", "RNN", {}, MakeRecurrent<Cell::kRnn>);
  registry.Add("com.microsoft", "DynamicQuantizeLSTM", {},
               MakeRecurrent<Cell::kLstm, true>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_RECURRENT_H_
