// FindProfile: a profile by the name that the command line uses.
#ifndef ZEROPOINT_PROFILES_FIND_PROFILE_H_
#define ZEROPOINT_PROFILES_FIND_PROFILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/profiles/generic.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"
#include "zeropoint/profiles/open_vino.h"

namespace zeropoint {

/// Names that FindProfile knows, the default first.
inline std::vector<std::string_view> ProfileNames() {
  return {OnnxRuntimeCpu::kName, OpenVino::kName, Generic::kName};
}

/// Errors: kInvalidArgument, listing the known names.
inline Result<TargetSpec> FindProfile(std::string_view name) {
  if (name == OnnxRuntimeCpu::kName) return OnnxRuntimeCpu::Spec();
  if (name == OpenVino::kName) return OpenVino::Spec();
  if (name == Generic::kName) return Generic::Spec();
  std::string known;
  for (const std::string_view each : ProfileNames()) {
    known += (known.empty() ? "" : ", ") + std::string(each);
  }
  return InvalidArgument("unknown profile '" + std::string(name) +
                         "'; known: " + known);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PROFILES_FIND_PROFILE_H_
