// StateFile: a calibration state as bytes (.zpcal), and back.
//
//   offset 0   "ZPCAL001"        what the file is, and its version
//          8   XXH64 of the rest, 8 bytes, least first
//         16   FlatBuffers payload: zpcal.fbs
//
// Equal states give equal bytes, whichever samples came first and however the
// work was split.
#ifndef ZEROPOINT_CALIBRATION_STATE_FILE_H_
#define ZEROPOINT_CALIBRATION_STATE_FILE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <ios>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/calibration/zpcal_generated.h"
#include "zeropoint/core/atomic_file.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/xxhash64.h"

namespace zeropoint {

namespace internal {

inline constexpr std::string_view kStateMagic = "ZPCAL001";
inline constexpr std::size_t kStateHeader = 16;

inline zpcal::Seen SeenToFile(const MinMaxState& seen) {
  return {seen.finite, seen.nan, seen.infinite, seen.lo, seen.hi};
}

/// Nothing when such a state cannot be.
inline std::optional<MinMaxState> SeenFromFile(const zpcal::Seen* stored) {
  if (stored == nullptr) return std::nullopt;
  const MinMaxState seen{stored->lo(), stored->hi(), stored->finite(),
                         stored->nan(), stored->infinite()};
  const MinMaxState nothing;
  const bool valid = seen.finite == 0
                         ? seen.lo == nothing.lo && seen.hi == nothing.hi
                         : IsValidRange({seen.lo, seen.hi});
  if (!valid) return std::nullopt;
  return seen;
}

template <class Sum>
std::optional<Sum> SumFromFile(const flatbuffers::Vector<std::uint64_t>* words,
                               std::size_t index = 0) {
  typename Sum::Limbs limbs;
  const std::size_t begin = index * limbs.size();
  if (words == nullptr || words->size() < begin + limbs.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < limbs.size(); ++i) {
    limbs[i] = words->Get(static_cast<flatbuffers::uoffset_t>(begin + i));
  }
  return Sum(limbs);
}

inline flatbuffers::Offset<zpcal::Tensor> TensorToFile(
    flatbuffers::FlatBufferBuilder& builder, const std::string& name,
    const TensorState& tensor) {
  const auto stored_name = builder.CreateString(name);
  const auto dims = builder.CreateVector(tensor.dims);
  const zpcal::Seen min_max = SeenToFile(tensor.statistics.min_max().state());
  flatbuffers::Offset<zpcal::Histogram> histogram;
  if (const auto& observer = tensor.statistics.histogram()) {
    const zpcal::Seen seen = SeenToFile(observer->seen());
    const auto counts =
        builder.CreateVector(observer->ring().data(), observer->ring().size());
    histogram =
        zpcal::CreateHistogram(builder, &seen, observer->exponent(), counts);
  }
  flatbuffers::Offset<zpcal::Moments> moments;
  if (const auto& observer = tensor.statistics.moments()) {
    const zpcal::Seen seen = SeenToFile(observer->seen());
    const auto& sum = observer->sum().limbs();
    const auto& squares = observer->squares().limbs();
    const auto stored_sum = builder.CreateVector(sum.data(), sum.size());
    moments = zpcal::CreateMoments(
        builder, &seen, stored_sum,
        builder.CreateVector(squares.data(), squares.size()));
  }
  std::vector<std::uint64_t> sums;
  for (const ExactFloatSum& sum : tensor.means.sums()) {
    sums.insert(sums.end(), sum.limbs().begin(), sum.limbs().end());
  }
  const auto means =
      zpcal::CreateChannelMeans(builder, builder.CreateVector(sums),
                                tensor.means.count(), tensor.means.mixed());
  return zpcal::CreateTensor(builder, stored_name, dims, tensor.elements,
                             tensor.samples, tensor.other_type, tensor.empty,
                             tensor.lo_sample, tensor.hi_sample, &min_max,
                             histogram, moments, means);
}

/// Nothing when the parts contradict each other.
inline std::optional<TensorState> TensorFromFile(
    const zpcal::Tensor& stored, const CollectedStatistics& collected) {
  TensorState tensor;
  const auto min_max = SeenFromFile(stored.min_max());
  if (!min_max || (stored.histogram() != nullptr) != collected.histogram ||
      (stored.moments() != nullptr) != collected.moments) {
    return std::nullopt;
  }
  std::optional<HistogramObserver> histogram;
  if (stored.histogram() != nullptr) {
    const auto seen = SeenFromFile(stored.histogram()->seen());
    std::vector<std::uint64_t> counts;
    if (const auto* words = stored.histogram()->counts()) {
      counts.assign(words->begin(), words->end());
    }
    if (!seen || !(MinMaxObserver(*seen) == MinMaxObserver(*min_max)) ||
        !HistogramObserver::IsValidState(*seen, stored.histogram()->exponent(),
                                         counts)) {
      return std::nullopt;
    }
    histogram.emplace(*seen, stored.histogram()->exponent(), std::move(counts));
  }
  std::optional<MomentsObserver> moments;
  if (stored.moments() != nullptr) {
    const auto seen = SeenFromFile(stored.moments()->seen());
    const auto sum = SumFromFile<ExactFloatSum>(stored.moments()->sum());
    const auto squares =
        SumFromFile<ExactSquareSum>(stored.moments()->squares());
    if (!seen || !(MinMaxObserver(*seen) == MinMaxObserver(*min_max)) || !sum ||
        !squares) {
      return std::nullopt;
    }
    moments.emplace(*seen, *sum, *squares);
  }
  tensor.statistics =
      TensorStatistics(MinMaxObserver(*min_max), std::move(histogram), moments);
  if (const auto* means = stored.means()) {
    constexpr std::size_t kWords = std::tuple_size_v<ExactFloatSum::Limbs>;
    std::vector<ExactFloatSum> sums;
    const std::size_t words =
        means->sums() == nullptr ? 0 : means->sums()->size();
    if (words % kWords != 0 || (means->mixed() && words > 0)) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < words / kWords; ++i) {
      sums.push_back(*SumFromFile<ExactFloatSum>(means->sums(), i));
    }
    tensor.means =
        ChannelMeanObserver(std::move(sums), means->count(), means->mixed());
  }
  if (const auto* dims = stored.dims()) {
    tensor.dims.assign(dims->begin(), dims->end());
  }
  tensor.elements = stored.elements();
  tensor.samples = stored.samples();
  tensor.other_type = stored.other_type();
  tensor.empty = stored.empty();
  tensor.lo_sample = stored.lo_sample();
  tensor.hi_sample = stored.hi_sample();
  return tensor;
}

}  // namespace internal

/// Errors: kInvalidArgument for a state with a moving average, which cannot be
/// resumed nor merged; kUnsupported for one beyond 2 GB.
inline Result<std::string> SerializeState(const CalibrationState& state) {
  if (state.collected.moving_average) {
    return InvalidArgument(
        "a moving average depends on the order of the samples and is not "
        "stored; use it with `static`");
  }
  flatbuffers::FlatBufferBuilder builder(1 << 16);
  std::vector<flatbuffers::Offset<zpcal::Interval>> intervals;
  for (const SampleInterval& interval : state.samples.intervals()) {
    intervals.push_back(
        zpcal::CreateInterval(builder, builder.CreateString(interval.data),
                              interval.begin, interval.end));
  }
  std::vector<flatbuffers::Offset<zpcal::Tensor>> tensors;
  constexpr std::size_t kMost = std::size_t{1} << 30;
  for (const auto& [name, tensor] : state.tensors) {
    tensors.push_back(internal::TensorToFile(builder, name, tensor));
    if (builder.GetSize() > kMost) {
      return Unsupported("the calibration state is beyond 1 GB");
    }
  }
  const auto samples = builder.CreateVector(intervals);
  const auto stored_tensors = builder.CreateVector(tensors);
  builder.Finish(zpcal::CreateState(
      builder, state.model, builder.CreateString(state.preparation),
      state.collected.histogram, state.collected.moments, samples,
      stored_tensors));
  const std::string_view payload(
      reinterpret_cast<const char*>(builder.GetBufferPointer()),
      builder.GetSize());
  std::string bytes(internal::kStateMagic);
  const std::uint64_t hash = XxHash64(payload);
  for (int i = 0; i < 8; ++i) {
    bytes += static_cast<char>(hash >> (8 * i) & 0xff);
  }
  return bytes.append(payload);
}

/// Errors: kInvalidData for bytes that are no such file, of another version,
/// damaged, or that hold a state that cannot be.
inline Result<CalibrationState> ParseState(std::string_view bytes) {
  const std::string_view magic = internal::kStateMagic;
  if (bytes.size() < internal::kStateHeader ||
      bytes.substr(0, 5) != magic.substr(0, 5)) {
    return InvalidData(
        "not a calibration state; `zeropoint calibrate` writes one");
  }
  if (!bytes.starts_with(magic)) {
    return InvalidData("a calibration state of version '" +
                       std::string(bytes.substr(5, 3)) +
                       "', this program reads 001");
  }
  // FlatBuffers are read in place and want to be aligned.
  const std::vector<std::uint64_t> aligned = [&] {
    std::vector<std::uint64_t> words((bytes.size() + 7) / 8);
    std::copy(bytes.begin(), bytes.end(),
              reinterpret_cast<char*>(words.data()));
    return words;
  }();
  const auto* payload = reinterpret_cast<const std::uint8_t*>(aligned.data()) +
                        internal::kStateHeader;
  const std::size_t size = bytes.size() - internal::kStateHeader;
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    hash |= std::uint64_t{static_cast<unsigned char>(bytes[8 + i])} << (8 * i);
  }
  if (hash != XxHash64(bytes.substr(internal::kStateHeader))) {
    return InvalidData("the calibration state is damaged: its checksum fails");
  }
  constexpr flatbuffers::uoffset_t kDepth = 64;
  constexpr flatbuffers::uoffset_t kMostTables =
      std::numeric_limits<flatbuffers::uoffset_t>::max();
  flatbuffers::Verifier verifier(payload, size, kDepth, kMostTables);
  const auto broken = [] {
    return InvalidData("the calibration state contradicts itself");
  };
  if (!zpcal::VerifyStateBuffer(verifier)) return broken();
  const zpcal::State& stored = *zpcal::GetState(payload);
  CalibrationState state;
  state.model = stored.model();
  if (stored.preparation() != nullptr) {
    state.preparation = stored.preparation()->str();
  }
  state.collected.histogram = stored.histogram();
  state.collected.moments = stored.moments();
  if (stored.samples() != nullptr) {
    for (const zpcal::Interval* interval : *stored.samples()) {
      if (interval->data() == nullptr) return broken();
      ZEROPOINT_RETURN_IF_ERROR(state.samples.Add(
          {interval->data()->str(), interval->begin(), interval->end()}));
    }
  }
  if (stored.tensors() != nullptr) {
    for (const zpcal::Tensor* tensor : *stored.tensors()) {
      auto read = internal::TensorFromFile(*tensor, state.collected);
      if (tensor->name() == nullptr || !read ||
          !state.tensors.emplace(tensor->name()->str(), std::move(*read))
               .second) {
        return broken();
      }
    }
  }
  return state;
}

/// Writes the file whole or not at all. Errors: SerializeState's; kIoError.
inline Status SaveState(const CalibrationState& state,
                        const std::string& path) {
  ZEROPOINT_ASSIGN_OR_RETURN(const std::string bytes, SerializeState(state));
  return WriteFileAtomically(path, bytes);
}

/// Errors: kNotFound; ParseState's, with the name of the file.
inline Result<CalibrationState> LoadState(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return NotFound("cannot read '" + path + "'");
  const std::string bytes((std::istreambuf_iterator<char>(file)),
                          std::istreambuf_iterator<char>());
  if (file.bad()) return IoError("cannot read '" + path + "'");
  auto state = ParseState(bytes);
  if (!state.ok()) return state.status().WithContext("'" + path + "'");
  return state;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_STATE_FILE_H_
