#include "zeropoint/calibration/state_file.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/laws/observer_laws.h"
#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
namespace {

/// Three tensors; sample k of "a" has a shape of its own, "b" is empty every
/// third time, "c" is never produced.
CalibrationState Observed(
    const std::vector<std::uint64_t>& samples,
    const CollectedStatistics& collected = CollectedStatistics::All()) {
  CalibrationState state;
  state.model = 77;
  state.preparation = "generic,basic";
  state.collected = collected;
  for (const std::string name : {"a", "b", "c"}) {
    state.tensors[name].statistics = TensorStatistics(collected);
  }
  for (const std::uint64_t sample : samples) {
    std::mt19937 random(static_cast<unsigned>(sample) + 1);
    const std::size_t width = 1 + sample % 5;
    const Tensor a =
        Tensor::Of<float>({1, 4, static_cast<std::int64_t>(width)},
                          std::span<const float>(laws::internal::AwkwardValues(
                              4 * width, random)));
    state.tensors["a"].Observe(a.view(), sample, true, DispatchedKernels());
    const std::size_t count = sample % 3 == 0 ? 0 : 8;
    const Tensor b = Tensor::Of<float>(
        {static_cast<std::int64_t>(count)},
        std::span<const float>(laws::internal::AwkwardValues(count, random)));
    state.tensors["b"].Observe(b.view(), sample, false, DispatchedKernels());
    BOOST_REQUIRE(state.samples.Add({"data", sample, sample + 1}).ok());
  }
  return state;
}

std::vector<std::uint64_t> Numbers(std::uint64_t begin, std::uint64_t end) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = begin; i < end; ++i) numbers.push_back(i);
  return numbers;
}

std::string Bytes(const CalibrationState& state) {
  return SerializeState(state).value();
}

BOOST_AUTO_TEST_SUITE(state_file)

BOOST_AUTO_TEST_CASE(WhatIsWrittenIsRead) {
  for (const CollectedStatistics& collected :
       {CollectedStatistics::All(), CollectedStatistics{}}) {
    const std::string bytes = Bytes(Observed(Numbers(0, 20), collected));
    const auto read = ParseState(bytes);
    BOOST_REQUIRE_MESSAGE(read.ok(), read.status().message());
    BOOST_TEST((Bytes(*read) == bytes));
    BOOST_TEST(read->samples.count() == 20u);
    BOOST_TEST(read->tensors.at("a").statistics.min_max().count() > 0u);
  }
}

BOOST_AUTO_TEST_CASE(AnySplitMergedInAnyOrderGivesTheSameBytes) {
  const std::string whole = Bytes(Observed(Numbers(0, 24)));
  std::mt19937 random(3);
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::vector<CalibrationState> shards;
    std::uint64_t begin = 0;
    while (begin < 24) {
      const std::uint64_t end = std::min<std::uint64_t>(
          24, begin + 1 + random() % static_cast<unsigned>(repeat % 10 + 1));
      // Through a file, as a shard goes.
      shards.push_back(
          ParseState(Bytes(Observed(Numbers(begin, end)))).value());
      begin = end;
    }
    std::shuffle(shards.begin(), shards.end(), random);
    while (shards.size() > 1) {
      const std::size_t at = random() % (shards.size() - 1);
      const Status merged = shards[at].Merge(shards.back());
      BOOST_REQUIRE_MESSAGE(merged.ok(), merged.message());
      shards.pop_back();
    }
    BOOST_TEST((Bytes(shards.front()) == whole));
  }
}

BOOST_AUTO_TEST_CASE(StrangersAndOverlapsAreRefused) {
  const CalibrationState first = Observed(Numbers(0, 4));
  const auto refused = [&](const CalibrationState& other,
                           const std::string& word) {
    CalibrationState mine = first;
    const Status status = mine.Merge(other);
    BOOST_TEST(!status.ok());
    BOOST_TEST(status.message().find(word) != std::string::npos,
               status.message());
  };
  refused(Observed(Numbers(3, 6)), "samples 3 to 3 of 'data'");
  CalibrationState other = Observed(Numbers(4, 6));
  other.model = 78;
  refused(other, "different models");
  other = Observed(Numbers(4, 6));
  other.preparation = "openvino,basic";
  refused(other, "prepared differently");
  refused(Observed(Numbers(4, 6), {}), "different statistics");
  other = Observed(Numbers(4, 6));
  other.tensors.erase("b");
  other.tensors["d"];
  refused(other, "'d'");
}

BOOST_AUTO_TEST_CASE(TheSameNumbersOfAnotherDataSetAreOtherSamples) {
  SampleSet samples;
  BOOST_TEST(samples.Add({"x", 0, 4}).ok());
  BOOST_TEST(samples.Add({"y", 0, 4}).ok());
  BOOST_TEST(samples.Add({"x", 8, 9}).ok());
  BOOST_TEST(samples.Add({"x", 4, 8}).ok());
  BOOST_TEST(!samples.Add({"x", 5, 6}).ok());
  BOOST_TEST(samples.intervals().size() == 2u);
  BOOST_TEST(samples.count() == 13u);
}

BOOST_AUTO_TEST_CASE(EveryDamagedByteIsFound) {
  const std::string bytes = Bytes(Observed(Numbers(0, 2), {}));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    BOOST_TEST(!ParseState(damaged).ok());
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    BOOST_TEST(!ParseState(std::string_view(bytes).substr(0, size)).ok());
  }
}

BOOST_AUTO_TEST_CASE(AHostileFileWithARightChecksumIsNoDanger) {
  // Damage behind a checksum that fits: refused, or read as a whole state.
  const std::string bytes = Bytes(Observed(Numbers(0, 3)));
  std::mt19937 random(1);
  std::size_t refused = 0;
  for (int repeat = 0; repeat < 3000; ++repeat) {
    std::string damaged = bytes;
    for (int flips = 0; flips < 3; ++flips) {
      const std::size_t at = repeat % 2 == 0
                                 ? 16 + random() % (bytes.size() - 16)
                                 : bytes.size() - 1 - random() % 600;
      damaged[at] = static_cast<char>(random());
    }
    const std::uint64_t hash = XxHash64(std::string_view(damaged).substr(16));
    for (std::size_t i = 0; i < 8; ++i) {
      damaged[8 + i] = static_cast<char>(hash >> (8 * i) & 0xff);
    }
    const auto state = ParseState(damaged);
    refused += state.ok() ? 0 : 1;
    if (state.ok()) {
      const auto chosen =
          ChooseRanges(*state, ParseCalibration("entropy").value(), {});
      BOOST_TEST((chosen.ok() || !chosen.status().message().empty()));
    }
  }
  BOOST_TEST(refused > 100u);
}

BOOST_AUTO_TEST_CASE(OtherVersionsAndOtherFilesAreNamed) {
  std::string bytes = Bytes(Observed({0}));
  bytes[7] = '2';
  BOOST_TEST(ParseState(bytes).status().message().find("version '002'") !=
             std::string::npos);
  BOOST_TEST(ParseState("PK and so on, a long file")
                 .status()
                 .message()
                 .find("not a calibration state") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(MovingAveragesAreNotStored) {
  CalibrationState state;
  state.collected.moving_average = 0.1;
  BOOST_TEST(!SerializeState(state).ok());
}

BOOST_AUTO_TEST_CASE(FindingsNameWhatIsWrong) {
  const CalibrationState state = Observed(Numbers(0, 40));
  const auto chosen = ChooseRanges(state, CalibrationSpec{}, {}).value();
  BOOST_TEST(chosen.findings.never_produced == std::vector<std::string>{"c"},
             boost::test_tools::per_element());
  BOOST_TEST(!chosen.findings.non_finite.empty());
  BOOST_TEST(chosen.table.contains("a"));
  BOOST_TEST(!chosen.table.contains("c"));
  BOOST_TEST(chosen.table.at("a").why == "min-max of 40 samples");

  CalibrationState growing;
  growing.tensors["t"];
  growing.tensors["still"];
  for (std::uint64_t sample = 0; sample < 20; ++sample) {
    const Tensor grows =
        Tensor::Of<float>({1}, std::vector<float>{static_cast<float>(sample)});
    const Tensor same = Tensor::Of<float>({1}, std::vector<float>{1.0f});
    growing.tensors["t"].Observe(grows.view(), sample, false,
                                 DispatchedKernels());
    growing.tensors["still"].Observe(same.view(), sample, false,
                                     DispatchedKernels());
    BOOST_REQUIRE(growing.samples.Add({"d", sample, sample + 1}).ok());
  }
  const auto late = ChooseRanges(growing, CalibrationSpec{}, {}).value();
  BOOST_TEST(late.findings.unsettled == std::vector<std::string>{"t"},
             boost::test_tools::per_element());
  BOOST_TEST(late.findings.unsettled_share == 0.5);
  BOOST_TEST(!late.findings.settled());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
