// ProgressBar: one line on a terminal that says how far a long flow is.
#ifndef ZEROPOINT_TOOLS_ZEROPOINT_PROGRESS_BAR_H_
#define ZEROPOINT_TOOLS_ZEROPOINT_PROGRESS_BAR_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace zeropoint::cli {

/// Draws "calibrating [#####     ] 12/32  48/s  0 s left" over itself and wipes
/// it away at the end, so that nothing but the result stays. Redraws at most
/// ten times a second.
class ProgressBar {
 public:
  /// `stream` must outlive the bar; nothing is written unless `shown`.
  ProgressBar(std::FILE* stream, bool shown) : stream_(stream), shown_(shown) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { Finish(); }

  void Update(std::string_view what, std::size_t done,
              std::optional<std::size_t> total) {
    if (!shown_) return;
    const Clock::time_point now = Clock::now();
    if (width_ > 0 && now - drawn_ < std::chrono::milliseconds(100) &&
        done != total) {
      return;
    }
    drawn_ = now;
    Draw(Line(what, done, total,
              std::chrono::duration<double>(now - begin_).count()));
  }

  /// Wipes the line.
  void Finish() {
    if (width_ > 0) {
      Draw("");
      std::fputc('\r', stream_);
      std::fflush(stream_);
    }
    width_ = 0;
  }

  /// The text of the line after `seconds`.
  static std::string Line(std::string_view what, std::size_t done,
                          std::optional<std::size_t> total, double seconds) {
    constexpr std::size_t kCells = 30;
    std::string line(what);
    const double rate =
        seconds > 0.0 ? static_cast<double>(done) / seconds : 0.0;
    if (total && *total > 0) {
      const std::size_t full =
          kCells * std::min(done, *total) / std::max<std::size_t>(*total, 1);
      line += " [" + std::string(full, '#') + std::string(kCells - full, ' ') +
              "] " + std::to_string(done) + "/" + std::to_string(*total);
    } else {
      line += " " + std::to_string(done);
    }
    char speed[64] = "";
    std::snprintf(speed, sizeof(speed), "  %.3g/s", rate);
    line += speed;
    if (total && rate > 0.0) {
      std::snprintf(
          speed, sizeof(speed), "  %.0f s left",
          static_cast<double>(*total - std::min(done, *total)) / rate);
      line += speed;
    }
    return line;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void Draw(const std::string& line) {
    std::string padded = line;
    padded.resize(std::max(padded.size(), width_), ' ');
    std::fprintf(stream_, "\r%s", padded.c_str());
    std::fflush(stream_);
    width_ = line.size();
  }

  std::FILE* stream_;
  bool shown_;
  std::size_t width_ = 0;  // of the line on screen
  Clock::time_point begin_ = Clock::now();
  Clock::time_point drawn_;
};

}  // namespace zeropoint::cli

#endif  // ZEROPOINT_TOOLS_ZEROPOINT_PROGRESS_BAR_H_
