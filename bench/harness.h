// What the benchmarks share: timing with warm-up and repetition, and rows
// printed as a table or, with --json, as one JSON object a line.
//
// The minimum of several runs is the figure: whatever disturbs a run only makes
// it longer.
#ifndef ZEROPOINT_BENCH_HARNESS_H_
#define ZEROPOINT_BENCH_HARNESS_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace zeropoint::bench {

/// The command line of every benchmark program.
struct Options {
  bool json = false;
  std::string filter;     // only benchmarks whose name contains it
  double seconds = 0.25;  // to spend on one benchmark
};

/// Parses `--json`, `--filter=TEXT` and `--seconds=X`; anything else ends the
/// program with status 2.
inline Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      options.json = true;
    } else if (argument.starts_with("--filter=")) {
      options.filter = argument.substr(std::strlen("--filter="));
    } else if (argument.starts_with("--seconds=")) {
      options.seconds = std::atof(argv[i] + std::strlen("--seconds="));
    } else {
      std::fprintf(stderr,
                   "%s: unknown option %s; known are --json, --filter=TEXT, "
                   "--seconds=X\n",
                   argv[0], argv[i]);
      std::exit(2);
    }
  }
  return options;
}

/// Seconds that one run took.
struct Timing {
  double min = 0.0;
  double median = 0.0;
};

/// Runs once to warm up, then at least five times and for about `seconds`.
/// Runs too short for the clock are timed several at once.
template <class F>
Timing Time(double seconds, F&& run) {
  using Clock = std::chrono::steady_clock;
  const auto time = [&](std::size_t repeats) {
    const Clock::time_point start = Clock::now();
    for (std::size_t i = 0; i < repeats; ++i) run();
    const std::chrono::duration<double> elapsed = Clock::now() - start;
    return elapsed.count() / static_cast<double>(repeats);
  };
  constexpr double kShortest = 2e-4;  // of one measurement
  const double first = std::max(std::min(time(1), time(1)), 1e-9);
  const auto repeats = static_cast<std::size_t>(kShortest / first) + 1;
  const double one = first * static_cast<double>(repeats);
  const auto wanted = static_cast<std::size_t>(seconds / one);
  std::vector<double> runs(std::clamp<std::size_t>(wanted, 5, 1000));
  for (double& duration : runs) duration = time(repeats);
  std::sort(runs.begin(), runs.end());
  return {runs.front(), runs[runs.size() / 2]};
}

/// One result.
struct Row {
  std::string name;
  std::string size_kind;  // "bytes", "shape" or "model"
  std::string size;
  int threads = 1;
  double value = 0.0;
  std::string unit;
  double limit = 0.0;  // what the machine allows, in the same unit; 0: unknown
  bool higher_is_better = true;
};

/// Prints rows as they come.
class Reporter {
 public:
  explicit Reporter(const Options& options) : json_(options.json) {
    if (!json_) {
      std::printf("%-24s %-34s %3s %10s %-8s %10s %6s\n", "name", "size", "thr",
                  "value", "unit", "limit", "ratio");
    }
  }

  void Add(const Row& row) const {
    if (json_) {
      const bool number = row.size_kind == "bytes";
      const char* quote = number ? "" : "\"";
      std::printf(
          "{\"name\": \"%s\", \"%s\": %s%s%s, \"threads\": %d, "
          "\"value\": %.6g, \"unit\": \"%s\"",
          row.name.c_str(), row.size_kind.c_str(), quote, row.size.c_str(),
          quote, row.threads, row.value, row.unit.c_str());
      if (row.limit > 0) std::printf(", \"limit\": %.6g", row.limit);
      std::printf("}\n");
    } else {
      std::printf("%-24s %-34s %3d %10.4g %-8s", row.name.c_str(),
                  row.size.c_str(), row.threads, row.value, row.unit.c_str());
      if (row.limit > 0) {
        const double ratio = row.higher_is_better ? row.value / row.limit
                                                  : row.limit / row.value;
        std::printf(" %10.4g %5.0f%%", row.limit, 100 * ratio);
      }
      std::printf("\n");
    }
    std::fflush(stdout);
  }

 private:
  bool json_;
};

}  // namespace zeropoint::bench

#endif  // ZEROPOINT_BENCH_HARNESS_H_
