#include "zeropoint/flow/trial.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/eval/output_measures.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/run_samples.h"
#include "zeropoint/graph/external_data.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/visit_tensors.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

Result<Model> CloneModel(Model& model) {
  ZEROPOINT_RETURN_IF_ERROR(
      VisitTensors(model.proto(), [](onnx::TensorProto& tensor, TensorRole) {
        return IsExternal(tensor)
                   ? Unsupported("the weights lie in a file of their own")
                   : Status();
      }));
  return Model::FromProto(model.proto());
}

Result<double> NoiseOf(const Model& quantized, const HeldOutSamples& held,
                       ThreadPool& pool, const KernelTable& kernels,
                       std::size_t most) {
  ZEROPOINT_ASSIGN_OR_RETURN(
      BuiltinExecutor executor,
      BuiltinExecutor::Create(quantized, {.kernels = &kernels, .pool = &pool}));
  std::vector<OutputMeasures> measures(held.outputs.size());
  KeepingSink sink(held.outputs.size());
  for (std::size_t i = 0; i < std::min(most, held.feeds.size()); ++i) {
    ZEROPOINT_RETURN_IF_ERROR(
        executor.Run(held.feeds[i], held.outputs, sink)
            .WithContext("held-out sample " + std::to_string(i)));
    for (std::size_t k = 0; k < measures.size(); ++k) {
      const Tensor& reference = held.references[i][k];
      if (!IsReal(reference.type())) continue;
      if (!measures[k].Add(reference.view(), sink.tensors()[k].view()).ok()) {
        return std::numeric_limits<double>::infinity();
      }
    }
  }
  double noise = 0.0;
  std::size_t measured = 0;
  for (const OutputMeasures& output : measures) {
    if (output.samples() == 0) continue;
    if (output.non_finite() > 0) {
      return std::numeric_limits<double>::infinity();
    }
    noise += std::pow(10.0, -output.sqnr_db() / 10.0);
    ++measured;
  }
  return measured == 0 ? 0.0 : noise / static_cast<double>(measured);
}

}  // namespace zeropoint
