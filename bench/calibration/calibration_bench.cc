// Observers in values a second, beside reading the same bytes; range rules in
// time a tensor.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "bench/harness.h"
#include "zeropoint/calibration/tensor_statistics.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint::bench {
namespace {

/// About normal, by the sum of four uniform values; `relu` as after a Relu.
std::vector<float> Activations(std::size_t count, bool relu) {
  std::vector<float> values(count);
  std::uint32_t state = 1;
  const auto uniform = [&state] {
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(state >> 8) / (1 << 24) - 0.5f;
  };
  for (float& value : values) {
    value = 0.2f + 3.0f * (uniform() + uniform() + uniform() + uniform());
    if (relu && value < 0.0f) value = 0.0f;
  }
  return values;
}

class CalibrationBench {
 public:
  explicit CalibrationBench(const Options& options)
      : options_(options), reporter_(options) {}

  void Run() {
    for (const bool relu : {false, true}) {
      const std::string kind = relu ? "-relu" : "-signed";
      for (const std::size_t count :
           {std::size_t{1} << 14, std::size_t{1} << 20}) {
        const std::vector<float> x = Activations(count, relu);
        Observe<MinMaxObserver>("min-max" + kind, x);
        Observe<HistogramObserver>("histogram" + kind, x);
        Observe<MomentsObserver>("moments" + kind, x);
      }
      Rules(kind, Activations(std::size_t{1} << 20, relu));
    }
  }

 private:
  bool Wanted(const std::string& name) const {
    return name.find(options_.filter) != std::string::npos;
  }

  template <class O>
  void Observe(const std::string& name, const std::vector<float>& x) {
    if (!Wanted(name)) return;
    const KernelTable& kernels = DispatchedKernels();
    O observer;
    const Timing timing =
        Time(options_.seconds, [&] { observer.Observe(x, kernels); });
    reporter_.Add({.name = name,
                   .size_kind = "bytes",
                   .size = std::to_string(x.size() * sizeof(float)),
                   .value = static_cast<double>(x.size()) / timing.min / 1e9,
                   .unit = "Gvalue/s"});
  }

  void Rules(const std::string& kind, const std::vector<float>& x) {
    TensorStatistics statistics(CollectedStatistics::All());
    statistics.Observe(x, DispatchedKernels());
    for (const char* scheme : {"u8:asym", "i8:sym"}) {
      for (const char* rule : {"percentile:99.99", "entropy", "mse"}) {
        const std::string name = std::string("rule-") + rule + kind;
        if (!Wanted(name)) continue;
        const CalibrationSpec spec = ParseCalibration(rule).value();
        const SchemeSpec for_scheme = ParseScheme(scheme).value();
        float hi = 0.0f;
        const Timing timing = Time(options_.seconds, [&] {
          hi = statistics.Choose(spec, for_scheme).value().hi;
        });
        reporter_.Add({.name = name,
                       .size_kind = "shape",
                       .size = std::string("2048 bins, ") + scheme,
                       .value = timing.min * 1e6,
                       .unit = "us",
                       .higher_is_better = false});
      }
    }
  }

  Options options_;
  Reporter reporter_;
};

}  // namespace
}  // namespace zeropoint::bench

int main(int argc, char** argv) {
  zeropoint::bench::CalibrationBench(zeropoint::bench::ParseOptions(argc, argv))
      .Run();
}
