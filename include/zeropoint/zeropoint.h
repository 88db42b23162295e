// Everything, for examples and teaching. The library itself never includes it;
// real programs include what they use.
#ifndef ZEROPOINT_ZEROPOINT_H_
#define ZEROPOINT_ZEROPOINT_H_

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/data/feed_source.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/quantize_static.h"
#include "zeropoint/flow/run_pipeline.h"
#include "zeropoint/flow/run_samples.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/profiles/find_profile.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

#endif  // ZEROPOINT_ZEROPOINT_H_
