// The one unit that compiles the built-in operators.
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/binary.h"
#include "zeropoint/exec/operators/cast.h"
#include "zeropoint/exec/operators/conv_transpose.h"
#include "zeropoint/exec/operators/convolution.h"
#include "zeropoint/exec/operators/data_movement.h"
#include "zeropoint/exec/operators/gather.h"
#include "zeropoint/exec/operators/gemm.h"
#include "zeropoint/exec/operators/generate.h"
#include "zeropoint/exec/operators/integer_conv.h"
#include "zeropoint/exec/operators/integer_matmul.h"
#include "zeropoint/exec/operators/matmul.h"
#include "zeropoint/exec/operators/normalization.h"
#include "zeropoint/exec/operators/pad.h"
#include "zeropoint/exec/operators/pooling.h"
#include "zeropoint/exec/operators/quantize.h"
#include "zeropoint/exec/operators/reduce.h"
#include "zeropoint/exec/operators/resize.h"
#include "zeropoint/exec/operators/shape.h"
#include "zeropoint/exec/operators/slice.h"
#include "zeropoint/exec/operators/softmax.h"
#include "zeropoint/exec/operators/unary.h"
#include "zeropoint/exec/qlinear_operators.h"

namespace zeropoint {

void AddBuiltinOperators(OperatorRegistry& registry) {
  AddBinaryOperators(registry);
  AddCastOperators(registry);
  AddConvTransposeOperators(registry);
  AddConvolutionOperators(registry);
  AddDataMovementOperators(registry);
  AddGatherOperators(registry);
  AddGemmOperators(registry);
  AddGenerateOperators(registry);
  AddIntegerConvOperators(registry);
  AddIntegerMatMulOperators(registry);
  AddMatMulOperators(registry);
  AddNormalizationOperators(registry);
  AddPadOperators(registry);
  AddPoolingOperators(registry);
  AddQuantizeOperators(registry);
  AddReduceOperators(registry);
  AddResizeOperators(registry);
  AddShapeOperators(registry);
  AddSliceOperators(registry);
  AddSoftmaxOperators(registry);
  AddUnaryOperators(registry);
  AddQLinearOperators(registry);
}

}  // namespace zeropoint
