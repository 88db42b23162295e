// expect-error: deleted
#include "zeropoint/core/tensor_view.h"

// No ONNX element type is a pointer.
auto Elements(const zeropoint::TensorView& view) { return view.As<char*>(); }
