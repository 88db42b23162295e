#include "tools/zeropoint/quality_metric.h"

#include <stdio.h>   // popen
#include <stdlib.h>  // mkdtemp

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "zeropoint/graph/model.h"

namespace zeropoint::cli {
namespace {

/// A folder that goes with its contents.
class ScratchFolder {
 public:
  ScratchFolder() = default;
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code none;
    if (!path_.empty()) std::filesystem::remove_all(path_, none);
  }

  Status Make() {
    std::error_code problem;
    const auto parent = std::filesystem::temp_directory_path(problem);
    std::string name = (parent / "zeropoint-XXXXXX").string();
    if (problem || mkdtemp(name.data()) == nullptr) {
      return IoError("cannot make a folder in the temporary directory");
    }
    path_ = name;
    return Status();
  }

  std::string path() const { return path_; }

 private:
  std::string path_;
};

struct CommandResult {
  std::string output;
  int status = 0;
};

Result<CommandResult> RunInShell(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return IoError("cannot run a shell");
  CommandResult result;
  std::array<char, 4096> buffer{};
  while (fgets(buffer.data(), buffer.size(), pipe) != nullptr) {
    result.output += buffer.data();
  }
  result.status = pclose(pipe);
  return result;
}

/// Of the last line that is not empty.
Result<double> LastNumber(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t end = text.find_last_not_of(kBlanks);
  if (end == std::string_view::npos) return InvalidData("it prints nothing");
  text = text.substr(0, end + 1);
  const std::size_t line = text.find_last_of('\n');
  if (line != std::string_view::npos) text.remove_prefix(line + 1);
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  double number = 0.0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size() ||
      !std::isfinite(number)) {
    return InvalidData("its last line is '" + std::string(text) +
                       "', not a number");
  }
  return number;
}

Result<double> Measure(const std::string& command, const Model& quantized) {
  ScratchFolder folder;
  ZEROPOINT_RETURN_IF_ERROR(folder.Make());
  const std::string path = folder.path() + "/model.onnx";
  ZEROPOINT_RETURN_IF_ERROR(quantized.Save(path, {}));
  ZEROPOINT_ASSIGN_OR_RETURN(const CommandResult result,
                             RunInShell(command + " " + path));
  if (result.status != 0) {
    return InvalidData("the metric '" + command + "' failed");
  }
  Result<double> number = LastNumber(result.output);
  if (!number.ok()) {
    return number.status().WithContext("the metric '" + command + "'");
  }
  return number;
}

}  // namespace

Result<QualityTarget> MakeQualityTarget(const std::string& text) {
  std::string command;
  ZEROPOINT_ASSIGN_OR_RETURN(QualityTarget target,
                             ParseQualityTarget(text, command));
  if (target.measure == QualityMeasure::kMetric) {
    target.metric = [command](const Model& quantized) {
      return Measure(command, quantized);
    };
  }
  return target;
}

}  // namespace zeropoint::cli
