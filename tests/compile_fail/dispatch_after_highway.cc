// expect-error: include dispatch.h before highway.h and its -inl.h files
#define HWY_HIGHWAY_INCLUDED  // as hwy/highway.h does

#include "zeropoint/kernels/dispatch.h"
