// QuantizationChoice: what is quantized and how, among what tuning tries.
#ifndef ZEROPOINT_FLOW_QUANTIZATION_CHOICE_H_
#define ZEROPOINT_FLOW_QUANTIZATION_CHOICE_H_

#include <string>
#include <vector>

namespace zeropoint {

/// One choice that decides what is quantized and how.
struct QuantizationChoice {
  bool second_order_rounding = true;
  bool correct_bias = true;
  /// Pairs stand where the form wants them, not where the target does.
  bool placed_for_form = false;
  /// Ranges are the least and greatest value, not what the rule of the options
  /// says.
  bool min_max_ranges = false;
  /// Also what is slower in int8 than in float: to see what a node costs that
  /// pays only beside others.
  bool at_any_speed = false;
  /// Names of nodes that stay float for the sake of accuracy.
  std::vector<std::string> float_nodes = {};
  /// Those that stay float for the sake of speed: see
  /// FloatFacts::gain_too_little.
  std::vector<std::string> slow_nodes = {};
  /// Names of nodes that equalize channels; they are float.
  std::vector<std::string> equalizers = {};
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZATION_CHOICE_H_
