// Reports of `inspect`: weights, and the differences of two models.
#ifndef ZEROPOINT_REPORT_INSPECTION_REPORT_H_
#define ZEROPOINT_REPORT_INSPECTION_REPORT_H_

#include <span>
#include <string>

#include "zeropoint/flow/describe_constants.h"
#include "zeropoint/flow/describe_weights.h"
#include "zeropoint/flow/diff_models.h"
#include "zeropoint/report/json_report.h"

namespace zeropoint {

/// float[{name, type, shape, least, greatest, mean, standard_deviation}],
/// quantized[{name, node, type, shape, scales{count, least, greatest},
/// codes_used, most_frequent_code_share}]
Json WeightsToJson(std::span<const ConstantDistribution> constants,
                   std::span<const WeightDescription> weights);
/// A line for each.
std::string WeightsToText(std::span<const ConstantDistribution> constants,
                          std::span<const WeightDescription> weights);

/// operators{type: [first, second]}, opsets{domain: [first, second]},
/// only_in_first[node], only_in_second[node], changed[{node, op, what[]}],
/// constants{only_in_first[], only_in_second[], changed[{name, first, second,
/// max_abs_difference}]}
Json DifferenceToJson(const ModelDifference& difference);
/// "-" stands before what only the first has, "+" before what only the second
/// has, "~" before what both have in different ways.
std::string DifferenceToText(const ModelDifference& difference);

}  // namespace zeropoint

#endif  // ZEROPOINT_REPORT_INSPECTION_REPORT_H_
