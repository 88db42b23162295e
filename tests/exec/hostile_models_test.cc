// Models made to break an executor: each is an error, none a crash.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <string>

#include "tests/exec/run_model.h"

namespace zeropoint::testing {
namespace {

struct Hostile {
  const char* what;
  const char* nodes;  // make y of the floats x [2, 3] and the integers i [2]
};

// Each must fail, whatever the operator's code thinks of its inputs.
const Hostile kHostile[] = {
    {"a cycle", "a = Add (x, b) b = Neg (a) y = Neg (b)"},
    {"a size whose product overflows",
     "s = Constant <value = int64[3] {4294967296, 4294967296, 4294967296}> () "
     "y = Expand (x, s)"},
    {"a size that no machine has",
     "s = Constant <value = int64[1] {4611686018427387904}> () "
     "y = ConstantOfShape (s)"},
    {"a negative size",
     "s = Constant <value = int64[2] {-5, 3}> () y = ConstantOfShape (s)"},
    {"repeats that overflow",
     "s = Constant <value = int64[2] {9223372036854775807, 2}> () "
     "y = Tile (x, s)"},
    {"an index outside",
     "k = Constant <value = int64[1] {7}> () y = Gather (x, k)"},
    {"a place outside",
     "k = Constant <value = int64[1, 2] {0, 9}> () y = GatherND (x, k)"},
    {"a place with too many axes",
     "k = Constant <value = int64[1, 3] {0, 0, 0}> () y = GatherND (x, k)"},
    {"scattering outside",
     "k = Constant <value = int64[1, 2] {-9, 0}> () "
     "v = Constant <value = float[1] {1}> () y = ScatterND (x, k, v)"},
    {"updates of another shape",
     "k = Constant <value = int64[1, 2] {0, 0}> () "
     "v = Constant <value = float[4] {1, 2, 3, 4}> () "
     "y = ScatterND (x, k, v)"},
    {"more elements than there are",
     "k = Constant <value = int64[1] {4}> () y, z = TopK (x, k)"},
    {"an axis outside", "y = ArgMax <axis = 5> (x)"},
    {"a depth that no machine has",
     "d = Constant <value = int64 {1099511627776}> () "
     "v = Constant <value = float[2] {0, 1}> () y = OneHot (i, d, v)"},
    {"an equation that does not fit",
     "y = Einsum <equation = \"ijk,k->ij\"> (x, x)"},
    {"an output axis from nowhere", "y = Einsum <equation = \"ij->q\"> (x)"},
    {"the determinant of what is not square", "y = Det (x)"},
    {"a transform longer than any signal",
     "t = Constant <value = int64[3] {1, 6, 1}> () r = Reshape (x, t) "
     "n = Constant <value = int64 {9223372036854775807}> () y = DFT (r, n)"},
    {"a position outside a sequence",
     "s = SequenceConstruct (x, x) k = Constant <value = int64 {2}> () "
     "y = SequenceAt (s, k)"},
    {"a tensor where a sequence belongs",
     "y = ConcatFromSequence <axis = 0> (x)"},
    {"a sequence where a tensor belongs",
     "s = SequenceConstruct (x, x) y = Neg (s)"},
    {"pieces that do not make up the axis",
     "k = Constant <value = int64[2] {1, 7}> () "
     "s = SplitToSequence <axis = 1> (x, k) y = ConcatFromSequence <axis = 1> "
     "(s)"},
    {"a condition of two values",
     "c = Constant <value = bool[2] {1, 0}> () "
     "y = If (c) <then_branch = t () => (float[2] a) { a = Neg (x) }, "
     "else_branch = e () => (float[2] b) { b = Abs (x) }>"},
    {"a branch that is missing",
     "c = Constant <value = bool {1}> () "
     "y = If (c) <then_branch = t () => (float[2] a) { a = Neg (x) }>"},
    {"a body with too few inputs",
     "c = Constant <value = bool {1}> () "
     "y = Loop (\"\", c, x) <body = b (int64 k) => (float[2] a) { a = Neg (x) "
     "}>"},
    {"a window that does not fit", "y = LpPool <kernel_shape = [9, 9]> (x)"},
    {"weights that do not fit", "y, h = LSTM <hidden_size = 4> (x, x, x)"},
    {"boxes that do not fit", "y = NonMaxSuppression (x, x)"},
    {"an activation that nobody knows",
     "y, h = RNN <activations = [\"Magic\"]> (x, x, x)"},
};

BOOST_AUTO_TEST_SUITE(hostile_models)

BOOST_AUTO_TEST_CASE(AreErrorsThatSayWhere) {
  for (const Hostile& hostile : kHostile) {
    const Model model =
        ParseGraph("g (float[2, 3] x, int64[2] i) => (float y) {" +
                       std::string(hostile.nodes) + "}",
                   18);
    const auto outputs =
        Run(model, MakeFeeds(MakeFeed<float>("x", {2, 3}, {1, 2, 3, 4, 5, 6}),
                             MakeFeed<std::int64_t>("i", {2}, {0, 1})));
    BOOST_TEST(!outputs.ok(), hostile.what << " is no error");
    if (!outputs.ok()) CheckSays(outputs.status(), "(");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint::testing
