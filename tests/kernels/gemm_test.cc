// The float matrix product against sums in double.
#include <cmath>

#include "tests/kernels/each_target.h"

namespace zeropoint::test {
namespace {

struct Product {
  GemmShape shape;
  std::vector<float> a, b, bias;  // a [m, k], b [k, n], bias [n]
};

Product RandomProduct(GemmShape shape) {
  return {shape, RandomFloats(shape.m * shape.k, -1.0f, 1.0f, 1),
          RandomFloats(shape.k * shape.n, -1.0f, 1.0f, 2),
          RandomFloats(shape.n, -1.0f, 1.0f, 3)};
}

std::vector<float> Multiply(const KernelTable& kernels, const Product& p,
                            bool with_bias, Clamp clamp) {
  std::vector<float> packed(kernels.packed_b_count_f32(p.shape));
  kernels.pack_b_f32(p.shape, p.b.data(), p.shape.n, 1, packed.data());
  std::vector<float> c(p.shape.m * p.shape.n + 1, 77.0f);
  kernels.gemm_f32(p.shape, p.a.data(), p.shape.k, packed.data(),
                   with_bias ? p.bias.data() : nullptr, clamp, c.data(),
                   p.shape.n, 0, p.shape.m);
  BOOST_TEST(c.back() == 77.0f);
  c.pop_back();
  return c;
}

void Check(const KernelTable& kernels, const Product& p, bool with_bias,
           Clamp clamp) {
  const auto [m, n, k] = p.shape;
  const std::vector<float> c = Multiply(kernels, p, with_bias, clamp);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = with_bias ? p.bias[j] : 0.0;
      double size = std::abs(sum);
      for (std::size_t l = 0; l < k; ++l) {
        const double product =
            static_cast<double>(p.a[i * k + l]) * p.b[l * n + j];
        sum += product;
        size += std::abs(product);
      }
      const double expected = std::clamp<double>(sum, clamp.lo, clamp.hi);
      const double tolerance =
          1e-7 * size * std::sqrt(static_cast<double>(k) + 1);
      if (!(std::abs(c[i * n + j] - expected) <= tolerance)) {
        BOOST_ERROR("[" << m << ", " << k << "] * [" << k << ", " << n
                        << "] at " << i << ", " << j << ": " << c[i * n + j]
                        << ", expected " << expected);
        return;
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gemm)

BOOST_AUTO_TEST_CASE(EqualsSumsOfProducts) {
  const GemmShape shapes[] = {
      {1, 1, 1},    {1, 10, 64},  {3, 5, 7},     {7, 16, 1},    {8, 48, 192},
      {9, 49, 193}, {13, 33, 31}, {17, 97, 400}, {50, 17, 5},   {100, 100, 100},
      {5, 3, 0},    {2, 200, 3},  {64, 130, 65}, {12, 15, 500}, {4, 24, 20}};
  ForEachTarget([&](const KernelTable& kernels) {
    for (const GemmShape& shape : shapes) {
      const Product product = RandomProduct(shape);
      Check(kernels, product, false, {});
      Check(kernels, product, true, {});
      Check(kernels, product, true, {.lo = 0.0f, .hi = 0.5f});
    }
  });
}

BOOST_AUTO_TEST_CASE(EveryTileSize) {
  ForEachTarget([&](const KernelTable& kernels) {
    for (std::size_t m = 1; m <= 9; ++m) {
      for (std::size_t n = 1; n <= 50; ++n) {
        Check(kernels, RandomProduct({m, n, 3}), true, {});
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(DoesNotDependOnTheRowSplit) {
  const Product p = RandomProduct({61, 70, 300});
  const auto [m, n, k] = p.shape;
  ForEachTarget([&](const KernelTable& kernels) {
    const std::vector<float> whole = Multiply(kernels, p, true, {});
    std::vector<float> packed(kernels.packed_b_count_f32(p.shape));
    kernels.pack_b_f32(p.shape, p.b.data(), n, 1, packed.data());
    for (const std::size_t step : {1u, 3u, 8u, 50u}) {
      std::vector<float> c(m * n);
      for (std::size_t row = 0; row < m; row += step) {
        kernels.gemm_f32(p.shape, p.a.data(), k, packed.data(), p.bias.data(),
                         {}, c.data(), n, row, std::min(m, row + step));
      }
      BOOST_TEST((c == whole));
    }
  });
}

BOOST_AUTO_TEST_CASE(ReadsTransposedAndStridedOperands) {
  const Product p = RandomProduct({11, 53, 37});
  const auto [m, n, k] = p.shape;
  std::vector<float> transposed(k * n);  // [n, k]
  for (std::size_t l = 0; l < k; ++l) {
    for (std::size_t j = 0; j < n; ++j) transposed[j * k + l] = p.b[l * n + j];
  }
  std::vector<float> wide_a(m * (k + 5), 1e30f);  // leading dimension k + 5
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t l = 0; l < k; ++l) {
      wide_a[i * (k + 5) + l] = p.a[i * k + l];
    }
  }
  ForEachTarget([&](const KernelTable& kernels) {
    const std::vector<float> expected = Multiply(kernels, p, false, {});
    std::vector<float> packed(kernels.packed_b_count_f32(p.shape));
    kernels.pack_b_f32(p.shape, transposed.data(), 1, k, packed.data());
    std::vector<float> c(m * (n + 3), 77.0f);  // leading dimension n + 3
    kernels.gemm_f32(p.shape, wide_a.data(), k + 5, packed.data(), nullptr, {},
                     c.data(), n + 3, 0, m);
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n + 3; ++j) {
        BOOST_TEST(c[i * (n + 3) + j] == (j < n ? expected[i * n + j] : 77.0f));
      }
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint::test
