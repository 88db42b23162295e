// The unit that takes Highway's slot, for those who do not need it themselves.
#include "zeropoint/kernels/dispatch.h"
