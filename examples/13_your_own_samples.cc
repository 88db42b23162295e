// Samples from a program's own code: a reader, or a function of the sample's
// number, becomes a source like any other. docs/guide/data.md explains it.
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "zeropoint/data/batched_source.h"
#include "zeropoint/data/data_reader.h"
#include "zeropoint/data/selected_source.h"

namespace zp = zeropoint;

// #region reader
// get_next() is all that a reader needs; rewind() lets flows start over.
struct Thermometer {
  std::optional<zp::Feeds> get_next() {
    if (at == readings.size()) return std::nullopt;
    zp::Tensor tensor(zp::DataType::kFloat, {1, 1});  // [batch, 1]
    tensor.MutableAs<float>()[0] = readings[at++];
    zp::Feeds feeds;
    feeds.push_back({"x", std::move(tensor)});
    return feeds;
  }
  void rewind() { at = 0; }
  std::size_t size() const { return readings.size(); }

  std::vector<float> readings = {20.5f, 21.0f, 19.5f, 22.0f, 18.0f, 23.5f};
  std::size_t at = 0;
};
static_assert(zp::CalibrationDataReader<Thermometer>);
// #endregion

zp::Status Print(zp::FeedSource& source) {
  for (;;) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<zp::Feeds> feeds,
                               source.Next());
    if (!feeds) return zp::Status();
    const zp::Tensor& x = (*feeds)[0].tensor;
    std::printf("%s:", zp::FormatDims(x.dims()).c_str());
    for (const float value : x.As<float>()) std::printf(" %.1f", value);
    std::printf("\n");
  }
}

zp::Status Run() {
  // #region decorate
  // Every second reading, shuffled by the seed 7, two at a time.
  std::unique_ptr<zp::FeedSource> source =
      std::make_unique<zp::ReaderSource<Thermometer>>(Thermometer());
  ZEROPOINT_ASSIGN_OR_RETURN(
      source, zp::SelectedSource::Over(std::move(source),
                                       {.stride = 2, .shuffle_seed = 7}));
  const std::vector<zp::InputDescription> inputs = {
      {.name = "x", .type = zp::DataType::kFloat, .dims = zp::Dims{-1, 1}}};
  ZEROPOINT_ASSIGN_OR_RETURN(
      source, zp::BatchedSource::Over(std::move(source), 2, inputs));
  // #endregion
  return Print(*source);
}

int main() {
  const zp::Status status = Run();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
