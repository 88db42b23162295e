// Patches: what one output of a linear operator is computed from, as the column
// that im2col would make of it.
#ifndef ZEROPOINT_CALIBRATION_PATCHES_H_
#define ZEROPOINT_CALIBRATION_PATCHES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace zeropoint {

/// One spatial axis of a convolution's window. Every member is positive but
/// pad_begin, which may be 0.
struct PatchAxis {
  std::int64_t in = 1;
  std::int64_t out = 1;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad_begin = 0;
};

/// How the patches lie in a tensor [batch, channels, axes...]. Without axes the
/// patches are its rows: the input of Gemm and MatMul.
struct PatchShape {
  std::size_t batch = 0;
  std::size_t channels = 0;
  std::vector<PatchAxis> axes;
  /// The window spreads an input over the output (ConvTranspose): output
  /// o reads input (o - tap * dilation) / stride, where that is whole.
  bool transposed = false;

  std::size_t taps() const { return Product(&PatchAxis::kernel); }
  std::size_t positions() const { return batch * Product(&PatchAxis::out); }
  std::size_t inputs() const { return Product(&PatchAxis::in); }

 private:
  std::size_t Product(std::int64_t PatchAxis::*member) const {
    std::size_t product = 1;
    for (const PatchAxis& axis : axes) {
      product *= static_cast<std::size_t>(axis.*member);
    }
    return product;
  }
};

/// At most `count` of `positions` patches: one out of each of `count` equal
/// stretches, at a place that a hash of `sample` and the stretch decides. So
/// the choice depends on nothing but the numbers given here, and no period of
/// an image can hide from it.
inline std::vector<std::size_t> ChoosePositions(std::size_t positions,
                                                std::size_t count,
                                                std::uint64_t sample) {
  std::vector<std::size_t> chosen;
  if (positions <= count) count = positions;
  chosen.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = positions * i / count;
    const std::size_t length = positions * (i + 1) / count - begin;
    // The finalizer of splitmix64.
    std::uint64_t hash = (sample << 32) + i + 0x9e3779b97f4a7c15u;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    chosen.push_back(begin + (hash ^ (hash >> 31)) % length);
  }
  return chosen;
}

namespace internal {

/// Where tap `tap` of the patch at `position` reads, counted over the spatial
/// axes of one channel; -1 in the padding.
inline std::int64_t PatchOffset(const PatchShape& shape, std::size_t position,
                                std::size_t tap) {
  std::int64_t offset = 0;
  std::int64_t scale = 1;
  for (std::size_t i = shape.axes.size(); i-- > 0;) {
    const PatchAxis& axis = shape.axes[i];
    const auto out = static_cast<std::size_t>(axis.out);
    const auto kernel = static_cast<std::size_t>(axis.kernel);
    const auto at = static_cast<std::int64_t>(position % out);
    const auto t = static_cast<std::int64_t>(tap % kernel);
    position /= out;
    tap /= kernel;
    std::int64_t in = at * axis.stride - axis.pad_begin + t * axis.dilation;
    if (shape.transposed) {
      in = at - t * axis.dilation;
      if (in < 0 || in % axis.stride != 0) return -1;
      in /= axis.stride;
    }
    if (in < 0 || in >= axis.in) return -1;
    offset += in * scale;
    scale *= axis.in;
  }
  return offset;
}

}  // namespace internal

/// Writes the patches at `positions` of x: patches[(channel * taps + tap) *
/// positions.size() + i] is what tap `tap` of patch i reads of the channel, 0
/// in the padding.
///
/// Shapes:   x [batch, channels, axes...]; patches [channels * taps,
///           positions].
/// Requires: x has as many values as the shape says; positions below
///           shape.positions().
inline void ExtractPatches(std::span<const float> x, const PatchShape& shape,
                           std::span<const std::size_t> positions,
                           std::span<float> patches) {
  const std::size_t taps = shape.taps();
  const std::size_t plane = shape.inputs();
  const std::size_t count = positions.size();
  const std::size_t per_item = shape.positions() / shape.batch;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t item = positions[i] / per_item;
    for (std::size_t tap = 0; tap < taps; ++tap) {
      const std::int64_t offset =
          internal::PatchOffset(shape, positions[i] % per_item, tap);
      float* to = patches.data() + tap * count + i;
      if (offset < 0) {
        for (std::size_t c = 0; c < shape.channels; ++c) {
          to[c * taps * count] = 0.0f;
        }
        continue;
      }
      const float* from = x.data() + item * shape.channels * plane +
                          static_cast<std::size_t>(offset);
      for (std::size_t c = 0; c < shape.channels; ++c) {
        to[c * taps * count] = from[c * plane];
      }
    }
  }
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_PATCHES_H_
