// SecondMomentTable: the moments of the inputs of a model's weights, by name.
#ifndef ZEROPOINT_CALIBRATION_SECOND_MOMENT_TABLE_H_
#define ZEROPOINT_CALIBRATION_SECOND_MOMENT_TABLE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "zeropoint/calibration/second_moment_observer.h"

namespace zeropoint {

/// The moments of the input of each linear node, by the names of that input and
/// of the weights. Nodes that read the same patches share them.
using SecondMomentTable = std::map<std::pair<std::string, std::string>,
                                   std::shared_ptr<const SecondMoments>>;

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_SECOND_MOMENT_TABLE_H_
