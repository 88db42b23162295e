// quantize, dequantize and requantize against core/reference.h, bit for bit.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "tests/kernels/each_target.h"
#include "zeropoint/core/reference.h"

namespace zeropoint::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kMax = std::numeric_limits<float>::max();
constexpr float kDenormal = std::numeric_limits<float>::denorm_min();

template <class T>
auto QuantizeOf(const KernelTable& kernels) {
  if constexpr (std::is_same_v<T, std::uint8_t>) return kernels.quantize_u8;
  if constexpr (std::is_same_v<T, std::int8_t>) return kernels.quantize_i8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return kernels.quantize_u16;
  if constexpr (std::is_same_v<T, std::int16_t>) return kernels.quantize_i16;
}

template <class T>
auto DequantizeOf(const KernelTable& kernels) {
  if constexpr (std::is_same_v<T, std::uint8_t>) return kernels.dequantize_u8;
  if constexpr (std::is_same_v<T, std::int8_t>) return kernels.dequantize_i8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return kernels.dequantize_u16;
  if constexpr (std::is_same_v<T, std::int16_t>) return kernels.dequantize_i16;
  if constexpr (std::is_same_v<T, std::int32_t>) return kernels.dequantize_i32;
}

template <class T>
auto RequantizeOf(const KernelTable& kernels) {
  if constexpr (std::is_same_v<T, std::uint8_t>) return kernels.requantize_u8;
  if constexpr (std::is_same_v<T, std::int8_t>) return kernels.requantize_i8;
}

template <class T>
auto RequantizeEachOf(const KernelTable& kernels) {
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    return kernels.requantize_each_u8;
  }
  if constexpr (std::is_same_v<T, std::int8_t>) {
    return kernels.requantize_each_i8;
  }
}

template <class T>
constexpr CodeRange FullRange() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

/// Code ranges and zero points at the edges of T and inside it.
template <class T>
std::vector<std::pair<CodeRange, std::int32_t>> Ranges() {
  const CodeRange full = FullRange<T>();
  const std::int32_t middle = (full.qmin + full.qmax) / 2;
  return {{full, full.qmin},
          {full, full.qmax},
          {full, middle},
          {full, middle + 1},
          {{full.qmin + 1, full.qmax}, middle},
          {{middle - 3, middle + 4}, middle + 1}};
}

/// Ties, their neighbours, extremes and the values that are not numbers, for
/// codes of the range.
std::vector<float> HardValues(float scale, CodeRange codes) {
  std::vector<float> values = {0.0f, -0.0f, kInfinity, -kInfinity, kNan, -kNan,
                               kMax, -kMax, kDenormal, -kDenormal, 1.0f, -1.0f};
  const int span = codes.qmax - codes.qmin + 2;
  const int step = span > 1000 ? 257 : 1;
  for (int code = -span; code <= span; code += step) {
    for (const float offset : {0.0f, 0.5f, 0.25f}) {
      const float tie = (static_cast<float>(code) + offset) * scale;
      values.push_back(tie);
      values.push_back(std::nextafter(tie, kInfinity));
      values.push_back(std::nextafter(tie, -kInfinity));
    }
  }
  return values;
}

template <class T>
void CheckQuantize(const KernelTable& kernels, const float* x,
                   std::size_t count, QParams params, CodeRange codes) {
  constexpr T kGuard = 77;
  std::vector<T> q(count + 1, kGuard);
  QuantizeOf<T>(kernels)(x, count, params, codes, q.data());
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t expected = reference::Quantize(x[i], params, codes);
    if (q[i] != expected) {
      BOOST_ERROR("x " << x[i] << " scale " << params.scale << " zero point "
                       << params.zero_point << ": " << +q[i] << ", expected "
                       << expected);
    }
  }
  BOOST_TEST(q[count] == kGuard);
}

using Storages =
    std::tuple<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t>;
using AnyCodes = std::tuple<std::uint8_t, std::int8_t, std::uint16_t,
                            std::int16_t, std::int32_t>;
using ByteCodes = std::tuple<std::uint8_t, std::int8_t>;

}  // namespace

BOOST_AUTO_TEST_SUITE(quantize)

BOOST_AUTO_TEST_CASE_TEMPLATE(EqualsReferenceOnHardValues, T, Storages) {
  const float scales[] = {1.0f,     0.1f,   0.0078125f, 3.0f / 255,
                          1e-6f,    1e20f,  2.5e38f,    1e-20f,
                          1.2e-38f, 1e-40f, kDenormal,  0.3333333f};
  ForEachTarget([&](const KernelTable& kernels) {
    for (const auto& [codes, zero_point] : Ranges<T>()) {
      for (const float scale : scales) {
        const std::vector<float> x = HardValues(scale, codes);
        CheckQuantize<T>(kernels, x.data(), x.size(), {scale, zero_point},
                         codes);
      }
    }
  });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(EqualsReferenceAtEveryLength, T, Storages) {
  const std::vector<float> x = RandomFloats(400, -3.0f, 3.0f, 1);
  const QParams params{0.017f, (FullRange<T>().qmin + FullRange<T>().qmax) / 2};
  ForEachTarget([&](const KernelTable& kernels) {
    for (std::size_t offset = 0; offset < 3; ++offset) {
      for (std::size_t count = 0; count <= 3 * 64 + 1; ++count) {
        CheckQuantize<T>(kernels, x.data() + offset, count, params,
                         FullRange<T>());
      }
    }
  });
}

// One hard value in a block must not change how the others are rounded.
BOOST_AUTO_TEST_CASE_TEMPLATE(EqualsReferenceNextToHardValues, T, ByteCodes) {
  constexpr std::size_t kDistance = 67;
  const float scale = 3.0f / 255;
  ForEachTarget([&](const KernelTable& kernels) {
    for (const auto& [codes, zero_point] : Ranges<T>()) {
      const std::vector<float> hard = HardValues(scale, codes);
      std::vector<float> x(hard.size() * kDistance);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const auto step = static_cast<float>(i * 31 % 509) - 254.0f;
        x[i] = i % kDistance == 0 ? hard[i / kDistance] : (step + 0.3f) * scale;
      }
      CheckQuantize<T>(kernels, x.data(), x.size(), {scale, zero_point}, codes);
    }
  });
}

// So many values that the codes are written past the caches.
BOOST_AUTO_TEST_CASE(EqualsReferenceWhenStreamed) {
  constexpr std::size_t kCount = (std::size_t{1} << 24) + 133;
  const float scale = 0.1f;
  std::vector<float> x(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    x[i] = static_cast<float>(i * 7919 % 60013) * 0.0005f;
  }
  std::vector<std::uint8_t> q(kCount + 1);
  const auto quantize = DispatchedKernels().quantize_u8;
  quantize(x.data(), kCount, {scale, 3}, {0, 255}, q.data() + 1);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    wrong += q[i + 1] != reference::Quantize(x[i], {scale, 3}, {0, 255});
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(DequantizeEqualsReference, T, AnyCodes) {
  std::vector<T> q;
  const auto least = static_cast<std::int64_t>(std::numeric_limits<T>::min());
  const auto most = static_cast<std::int64_t>(std::numeric_limits<T>::max());
  for (std::int64_t i = 0; i <= 300; ++i) {
    q.push_back(static_cast<T>(least + (most - least) / 300 * i));
  }
  const std::int32_t zero_points[] = {
      0, sizeof(T) == 4 ? 0 : static_cast<std::int32_t>(least),
      sizeof(T) == 4 ? 0 : static_cast<std::int32_t>(most)};
  ForEachTarget([&](const KernelTable& kernels) {
    for (const std::int32_t zero_point : zero_points) {
      for (const float scale : {1.0f, 0.1f, 1e-40f, 3e38f}) {
        const QParams params{scale, zero_point};
        for (std::size_t count = 0; count <= q.size(); ++count) {
          std::vector<float> x(count + 1, 77.0f);
          DequantizeOf<T>(kernels)(q.data() + q.size() - count, count, params,
                                   x.data());
          for (std::size_t i = 0; i < count; ++i) {
            const float expected =
                reference::Dequantize(q[q.size() - count + i], params);
            if (std::bit_cast<std::uint32_t>(x[i]) !=
                std::bit_cast<std::uint32_t>(expected)) {
              BOOST_ERROR("code " << +q[i] << ": " << x[i] << ", expected "
                                  << expected);
            }
          }
          BOOST_TEST(x[count] == 77.0f);
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(RequantizeEqualsReference, T, ByteCodes) {
  std::vector<std::int32_t> acc = {std::numeric_limits<std::int32_t>::min(),
                                   std::numeric_limits<std::int32_t>::max(),
                                   (1 << 24) + 1, -(1 << 24) - 1, 0};
  for (std::int32_t i = -300; i <= 300; ++i) acc.push_back(i);
  ForEachTarget([&](const KernelTable& kernels) {
    for (const auto& [codes, zero_point] : Ranges<T>()) {
      for (const float multiplier : {0.5f, 0.25f, 0.1f, 1.0f, 1e-9f, 1e30f}) {
        for (std::size_t count = 0; count <= acc.size();
             count += count < 200 ? 1 : acc.size() - 200) {
          std::vector<T> q(count + 1, 77);
          RequantizeOf<T>(kernels)(acc.data(), count, multiplier, zero_point,
                                   codes, q.data());
          for (std::size_t i = 0; i < count; ++i) {
            const std::int32_t expected =
                reference::Requantize(acc[i], multiplier, zero_point, codes);
            if (q[i] != expected) {
              BOOST_ERROR("accumulator " << acc[i] << ": " << +q[i]
                                         << ", expected " << expected);
            }
          }
          BOOST_TEST(+q[count] == 77);
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(RequantizeEachTakesAMultiplierForEachValue, T,
                              ByteCodes) {
  std::vector<std::int32_t> acc;
  std::vector<float> multipliers;
  for (std::int32_t i = -60; i <= 60; ++i) {
    acc.push_back(i * 12345);
    multipliers.push_back(0.0001f * static_cast<float>(i + 61));
  }
  ForEachTarget([&](const KernelTable& kernels) {
    for (const auto& [codes, zero_point] : Ranges<T>()) {
      for (std::size_t count = 0; count <= acc.size(); ++count) {
        std::vector<T> q(count + 1, 77);
        RequantizeEachOf<T>(kernels)(acc.data(), count, multipliers.data(),
                                     zero_point, codes, q.data());
        for (std::size_t i = 0; i < count; ++i) {
          BOOST_TEST(+q[i] == reference::Requantize(acc[i], multipliers[i],
                                                    zero_point, codes));
        }
        BOOST_TEST(+q[count] == 77);
      }
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint::test
