// The integer matrix product against the reference, bit for bit.
#include <cstdint>
#include <limits>
#include <string>

#include "tests/kernels/codes.h"
#include "tests/kernels/each_target.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/kernels/gemm_i32-inl.h"

namespace zeropoint::test {
namespace {

/// This file's own table, for one thing that no other CPU shows: the method of
/// the targets with dot products of four, on emulated instructions.
KernelTable FourAtOnce() {
  namespace own = zeropoint::HWY_NAMESPACE;
  using Gemm = own::EitherGemm<own::QuadDot<false>, own::QuadDot<false>>;
  KernelTable table;
  table.target = "four products at once, emulated";
  table.packed_b_count_i32 = Gemm::Count;
  table.pack_b_i32 = Gemm::Pack;
  table.column_step_i32 = own::IntTileColumns;
  table.gemm_i32 = Gemm::Multiply;
  return table;
}

template <class F>
void ForEachMethod(F check) {
  ForEachTargetAnd(FourAtOnce(), check);
}

struct Problem {
  GemmShape shape;
  Signs signs;
  std::vector<std::uint8_t> a, b;
  std::vector<std::int32_t> a_zero_points, b_zero_points;  // 1, or one each
  std::vector<std::int32_t> bias;                          // none, or n

  CodeProduct product() const {
    const auto list = [](const std::vector<std::int32_t>& values) {
      return ZeroPointList{values.data(), values.size() == 1 ? 0u : 1u};
    };
    return {.shape = shape,
            .a_signed = signs.a,
            .b_signed = signs.b,
            .a_zero_points = list(a_zero_points),
            .b_zero_points = list(b_zero_points),
            .bias = bias.empty() ? nullptr : bias.data()};
  }
};

/// Zero points for each row and column when `each`, at the ends of the codes.
Problem RandomProblem(GemmShape shape, Signs signs, bool each) {
  const auto zero_points = [&](bool is_signed, std::size_t count,
                               unsigned seed) {
    const std::int32_t least = is_signed ? -128 : 0;
    auto values = RandomIntegers(each ? count : 1, least, least + 255, seed);
    if (values.size() == 1) values[0] = least + (seed % 2 == 0 ? 255 : 0);
    return values;
  };
  const auto m = static_cast<unsigned>(shape.m);
  Problem problem{
      shape,
      signs,
      RandomCodes(shape.m * shape.k, 1),
      RandomCodes(shape.k * shape.n, 2),
      zero_points(signs.a, std::max<std::size_t>(1, shape.m), m),
      zero_points(signs.b, std::max<std::size_t>(1, shape.n), m / 2),
      {}};
  if (each) problem.bias = RandomIntegers(shape.n, -1000000, 1000000, 5);
  return problem;
}

template <class A, class B>
std::vector<std::int32_t> ExpectedOf(const Problem& p) {
  const auto [m, n, k] = p.shape;
  const CodeProduct product = p.product();
  const auto* a = reinterpret_cast<const A*>(p.a.data());
  const auto* b = reinterpret_cast<const B*>(p.b.data());
  std::vector<std::int32_t> c(m * n);
  for (std::size_t i = 0; i < m * n; ++i) {
    const std::size_t row = i / n;
    const std::size_t column = i % n;
    const ZeroPointList& za = product.a_zero_points;
    const ZeroPointList& zb = product.b_zero_points;
    c[i] = reference::DotProduct(k, a + row * k, 1, za.values[row * za.step],
                                 b + column, n, zb.values[column * zb.step],
                                 p.bias.empty() ? 0 : p.bias[column]);
  }
  return c;
}

std::vector<std::int32_t> Expected(const Problem& p) {
  if (p.signs.a) {
    return p.signs.b ? ExpectedOf<std::int8_t, std::int8_t>(p)
                     : ExpectedOf<std::int8_t, std::uint8_t>(p);
  }
  return p.signs.b ? ExpectedOf<std::uint8_t, std::int8_t>(p)
                   : ExpectedOf<std::uint8_t, std::uint8_t>(p);
}

std::vector<std::int32_t> Pack(const KernelTable& kernels, const Problem& p) {
  const std::size_t count = kernels.packed_b_count_i32(p.shape);
  std::vector<std::int32_t> packed(count + 1, 77);
  kernels.pack_b_i32(p.shape, p.signs.b, p.b.data(), p.shape.n, 1,
                     packed.data());
  BOOST_TEST(packed.back() == 77);
  packed.pop_back();
  return packed;
}

std::vector<std::int32_t> Multiply(const KernelTable& kernels,
                                   const Problem& p) {
  const auto [m, n, k] = p.shape;
  const std::vector<std::int32_t> packed = Pack(kernels, p);
  std::vector<std::int32_t> c(m * n + 1, 77);
  kernels.gemm_i32(p.product(), p.a.data(), k, packed.data(), c.data(), n,
                   {0, m}, {0, n});
  BOOST_TEST(c.back() == 77);
  c.pop_back();
  return c;
}

void Check(const KernelTable& kernels, const Problem& p,
           const std::vector<std::int32_t>& expected) {
  const std::vector<std::int32_t> c = Multiply(kernels, p);
  BOOST_TEST((c == expected), "a [" << p.shape.m << ", " << p.shape.k
                                    << "], signed " << p.signs.a << " * b [..."
                                    << p.shape.n << "], signed " << p.signs.b);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gemm_i32)

BOOST_AUTO_TEST_CASE(EqualsTheReference) {
  const GemmShape shapes[] = {
      {1, 1, 1},    {1, 10, 64},  {3, 5, 7},     {7, 16, 1},   {6, 16, 256},
      {9, 49, 257}, {13, 33, 31}, {1, 70, 2100}, {50, 17, 5},  {5, 3, 0},
      {2, 200, 3},  {49, 97, 40}, {12, 15, 520}, {96, 48, 300}};
  for (const GemmShape& shape : shapes) {
    for (const Signs signs : kSigns) {
      for (const bool each : {false, true}) {
        for (const bool small : {false, true}) {
          Problem problem = RandomProblem(shape, signs, each);
          if (small) Halve(signs.b, problem.b);
          const std::vector<std::int32_t> expected = Expected(problem);
          ForEachMethod([&](const KernelTable& kernels) {
            Check(kernels, problem, expected);
          });
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(EveryTileSize) {
  for (std::size_t m = 1; m <= 17; m += m < 9 ? 1 : 4) {
    for (std::size_t n = 1; n <= 49; ++n) {
      const Problem problem =
          RandomProblem({m, n, 1 + n % 9}, kSigns[n % 4], m % 2 == 0);
      const std::vector<std::int32_t> expected = Expected(problem);
      ForEachMethod([&](const KernelTable& kernels) {
        Check(kernels, problem, expected);
      });
    }
  }
}

/// vpmaddubsw keeps 255 * 127 * 2 in 16 bits, which saturates.
BOOST_AUTO_TEST_CASE(ExtremesDoNotSaturate) {
  for (const Signs signs : kSigns) {
    for (const std::uint8_t a : kExtremes) {
      for (const std::uint8_t b : kExtremes) {
        Problem problem = RandomProblem({7, 19, 37}, signs, false);
        std::ranges::fill(problem.a, a);
        std::ranges::fill(problem.b, b);
        const std::vector<std::int32_t> expected = Expected(problem);
        ForEachMethod([&](const KernelTable& kernels) {
          Check(kernels, problem, expected);
        });
      }
    }
  }
}

/// Neighbours in k at the limit of 16 bits, and just beyond it, wherever they
/// stand among others that fit.
BOOST_AUTO_TEST_CASE(NeighboursAtTheLimitOfSixteenBits) {
  const int pairs[][2] = {{127, 1},   {64, 64},   {-128, 0},  {0, -128},
                          {-64, -64}, {127, 2},   {65, 64},   {-128, -1},
                          {1, 127},   {-127, -2}, {127, 127}, {127, -128}};
  for (const bool b_signed : {false, true}) {
    for (const auto& pair : pairs) {
      for (const std::size_t at : {0u, 5u, 18u, 35u}) {
        Problem problem = RandomProblem({7, 37, 38}, {false, b_signed}, false);
        std::ranges::fill(problem.a, std::uint8_t{255});
        Halve(b_signed, problem.b);
        const std::size_t k = at / 2 * 2;
        for (const std::size_t u : {0u, 1u}) {
          problem.b[(k + u) * 37 + at] =
              static_cast<std::uint8_t>(pair[u] ^ (b_signed ? 0 : 128));
        }
        const std::vector<std::int32_t> expected = Expected(problem);
        ForEachMethod([&](const KernelTable& kernels) {
          Check(kernels, problem, expected);
        });
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(WrapsWhereThirtyTwoBitsOverflow) {
  Problem problem = RandomProblem({2, 5, 70000}, {false, false}, false);
  std::ranges::fill(problem.a, std::uint8_t{255});
  std::ranges::fill(problem.b, std::uint8_t{255});
  problem.a_zero_points = {0};
  problem.b_zero_points = {std::numeric_limits<std::int32_t>::min()};
  const std::vector<std::int32_t> expected = Expected(problem);
  ForEachMethod(
      [&](const KernelTable& kernels) { Check(kernels, problem, expected); });
}

BOOST_AUTO_TEST_CASE(DoesNotDependOnHowRowsAndColumnsWereSplit) {
  const Problem p = RandomProblem({61, 150, 300}, {false, true}, true);
  const auto [m, n, k] = p.shape;
  ForEachMethod([&](const KernelTable& kernels) {
    const std::vector<std::int32_t> whole = Multiply(kernels, p);
    const std::vector<std::int32_t> packed = Pack(kernels, p);
    const std::size_t step = kernels.column_step_i32();
    for (const std::size_t rows : {1u, 3u, 8u, 50u}) {
      std::vector<std::int32_t> c(m * n);
      for (std::size_t row = 0; row < m; row += rows) {
        for (std::size_t column = 0; column < n; column += step) {
          kernels.gemm_i32(p.product(), p.a.data(), k, packed.data(), c.data(),
                           n, {row, std::min(m, row + rows)},
                           {column, std::min(n, column + step)});
        }
      }
      BOOST_TEST((c == whole));
    }
  });
}

BOOST_AUTO_TEST_CASE(ReadsTransposedStridedAndMisalignedOperands) {
  for (const Signs signs : kSigns) {
    const Problem p = RandomProblem({11, 53, 37}, signs, true);
    const auto [m, n, k] = p.shape;
    std::vector<std::uint8_t> transposed(k * n + 1);  // [n, k] from 1 on
    for (std::size_t i = 0; i < k * n; ++i) {
      transposed[1 + i % n * k + i / n] = p.b[i];
    }
    const std::size_t lda = k + 5;
    std::vector<std::uint8_t> wide_a(m * lda + 1, 99);
    for (std::size_t i = 0; i < m * k; ++i) {
      wide_a[1 + i / k * lda + i % k] = p.a[i];
    }
    const std::vector<std::int32_t> expected = Expected(p);
    ForEachMethod([&](const KernelTable& kernels) {
      std::vector<std::int32_t> packed(kernels.packed_b_count_i32(p.shape));
      kernels.pack_b_i32(p.shape, signs.b, transposed.data() + 1, 1, k,
                         packed.data());
      BOOST_TEST((packed == Pack(kernels, p)));
      std::vector<std::int32_t> c(m * (n + 3), 77);  // leading dimension n + 3
      kernels.gemm_i32(p.product(), wide_a.data() + 1, lda, packed.data(),
                       c.data(), n + 3, {0, m}, {0, n});
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n + 3; ++j) {
          BOOST_TEST(c[i * (n + 3) + j] == (j < n ? expected[i * n + j] : 77));
        }
      }
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint::test
