// expect-error: nodiscard
#include "zeropoint/core/status.h"

zeropoint::Status Save();

void Forgetful() { Save(); }
