// What the compiler must agree with: schemes and their specs.
#include <boost/test/unit_test.hpp>
#include <cstdint>

#include "zeropoint/core/scheme.h"
#include "zeropoint/core/scheme_spec.h"

namespace zeropoint {
namespace {

using Activations = Affine<std::uint8_t>;
using Weights = Affine<std::int8_t, Symmetric, PerChannel<>, NarrowRange>;

static_assert(Scheme<Activations> && Scheme<Weights>);
static_assert(Scheme<Affine<std::uint16_t, Symmetric>>);
static_assert(Scheme<Affine<std::int16_t, Asymmetric, PerChannel<-1>>>);
static_assert(!Scheme<int>);

static_assert(Activations::kQMin == 0 && Activations::kQMax == 255);
static_assert(Weights::kQMin == -127 && Weights::kQMax == 127);
static_assert(Affine<std::int8_t>::kQMin == -128);
static_assert(Affine<std::uint16_t>::kQMax == 65535);
static_assert(Affine<std::int16_t, Symmetric, PerTensor, NarrowRange>::kQMin ==
              -32767);

static_assert(SpecOf<Activations>() == SchemeSpec{});
static_assert(SpecOf<Weights>() == SchemeSpec{.storage = DataType::kInt8,
                                              .symmetric = true,
                                              .per_channel = true,
                                              .axis = kOperatorAxis,
                                              .qmin = -127,
                                              .qmax = 127});
static_assert(SpecOf<Affine<std::int8_t, Symmetric, PerChannel<1>>>().axis ==
              1);
static_assert(FullCodeRange(DataType::kInt16)->qmin == -32768);
static_assert(!FullCodeRange(DataType::kFloat));

}  // namespace
}  // namespace zeropoint

BOOST_AUTO_TEST_CASE(SchemesHoldWhatTheyPromiseAtCompileTime) {
  BOOST_TEST(zeropoint::SpecOf<zeropoint::Affine<std::uint8_t>>().qmax == 255);
}
