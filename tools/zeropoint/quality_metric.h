// What --target measures.
#ifndef ZEROPOINT_TOOLS_ZEROPOINT_QUALITY_METRIC_H_
#define ZEROPOINT_TOOLS_ZEROPOINT_QUALITY_METRIC_H_

#include <string>

#include "zeropoint/core/status.h"
#include "zeropoint/flow/quality_target.h"

namespace zeropoint::cli {

/// Reads the text of --target. A metric runs the command in a shell, with the
/// path of the quantized model as its last argument; the last line that it
/// prints is the number. Errors of the metric: kInvalidData when the command
/// fails or prints no number.
Result<QualityTarget> MakeQualityTarget(const std::string& text);

}  // namespace zeropoint::cli

#endif  // ZEROPOINT_TOOLS_ZEROPOINT_QUALITY_METRIC_H_
