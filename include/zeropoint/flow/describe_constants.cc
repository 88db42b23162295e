#include "zeropoint/flow/describe_constants.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/graph_view.h"

namespace zeropoint {

namespace {

void Measure(std::span<const float> values, ConstantDistribution& of) {
  std::size_t count = 0;
  double sum = 0.0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const auto x = static_cast<double>(value);
    of.least = count == 0 ? x : std::min(of.least, x);
    of.greatest = count == 0 ? x : std::max(of.greatest, x);
    sum += x;
    ++count;
  }
  if (count == 0) return;
  of.mean = sum / static_cast<double>(count);
  double squares = 0.0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const double apart = static_cast<double>(value) - of.mean;
    squares += apart * apart;
  }
  of.standard_deviation = std::sqrt(squares / static_cast<double>(count));
}

}  // namespace

Result<std::vector<ConstantDistribution>> DescribeConstants(
    const GraphView& graph) {
  std::vector<ConstantDistribution> all;
  for (const ValueId value : graph.initializers()) {
    if (!IsReal(graph.element_type(value))) continue;
    Tensor scratch;
    Tensor wide;
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView stored,
                               graph.ConstantView(value, scratch));
    if (stored.rank() < 2) continue;
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView real, AsFloat(stored, wide));
    ConstantDistribution& each = all.emplace_back();
    each.name = graph.name(value);
    each.type = stored.type();
    each.dims.assign(stored.dims().begin(), stored.dims().end());
    Measure(real.As<float>(), each);
    graph.ForgetConstant(value);
  }
  return all;
}

}  // namespace zeropoint
