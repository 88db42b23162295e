// expect-success
#include "zeropoint/core/status.h"

zeropoint::Status Save();

zeropoint::Status Careful() {
  ZEROPOINT_RETURN_IF_ERROR(Save());
  return zeropoint::Status();
}
