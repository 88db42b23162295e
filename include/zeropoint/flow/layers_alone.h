// LayersAlone: a quantized model cut at its layers, so that each computes from
// the float model's tensors.
//
// Noise piles up along a network, so the noise of a tensor says little of the
// layer that makes it. Where each layer reads the float model's tensors, not
// even quantized, what it makes shows the noise of its own weights and its own
// pair.
#ifndef ZEROPOINT_FLOW_LAYERS_ALONE_H_
#define ZEROPOINT_FLOW_LAYERS_ALONE_H_

#include <span>
#include <string>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

/// A tensor of the float model and the one that stands for it in the quantized
/// model.
struct TensorPair {
  std::string float_name;
  std::string quantized_name;
};

struct LayersAlone {
  Model model;
  /// By layer: the input that takes the float model's tensor, and the tensor
  /// that the layer makes, through a pair of its own.
  std::vector<std::string> inputs;
  std::vector<std::string> taps;

  /// `feeds` of the quantized model with the float model's tensors of the
  /// layers.
  Feeds With(const Feeds& feeds, std::span<const Tensor> real_layers) const;
};

/// Cuts a copy of `quantized` at `layers` (see MatchLayers), all of the main
/// graph.
/// Errors: kUnsupported when weights lie in a file beside the model;
/// kInvalidArgument for a layer without a QuantizeLinear; those of
/// Model::FromProto.
Result<LayersAlone> CutAtLayers(Model& quantized,
                                std::span<const TensorPair> layers);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_LAYERS_ALONE_H_
