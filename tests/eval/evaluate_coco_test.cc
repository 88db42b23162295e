#include "zeropoint/eval/evaluate_coco.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "tests/testing.h"

namespace zeropoint {
namespace {

constexpr std::int64_t kDog = 18;
constexpr std::int64_t kCat = 90;

/// Images 1 and 2, dogs and cats.
CocoGroundTruth Truth(std::vector<CocoAnnotation> annotations) {
  CocoGroundTruth truth;
  truth.images = {{.id = 2}, {.id = 1}};
  truth.categories = {{kDog, "dog"}, {kCat, "cat"}};
  truth.annotations = std::move(annotations);
  for (std::size_t i = 0; i < truth.annotations.size(); ++i) {
    truth.annotations[i].id = static_cast<std::int64_t>(i) + 1;
  }
  return truth;
}
CocoAnnotation Object(std::int64_t image, ImageBox box,
                      std::int64_t category = kDog) {
  return {.image_id = image,
          .category_id = category,
          .box = box,
          .area = box.area()};
}
CocoAnnotation Crowd(std::int64_t image, ImageBox box) {
  CocoAnnotation crowd = Object(image, box);
  crowd.crowd = true;
  return crowd;
}
CocoDetection Found(std::int64_t image, ImageBox box, double score,
                    std::int64_t category = kDog) {
  return {image, category, box, score};
}
CocoScores Score(const CocoGroundTruth& truth,
                 const std::vector<CocoDetection>& detections,
                 const CocoOptions& options = {}) {
  const auto evaluation = EvaluateCoco(truth, detections, options);
  REQUIRE_OK(evaluation);
  return evaluation->scores;
}
void CheckNear(double got, double wanted) {
  BOOST_TEST(got == wanted, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_SUITE(evaluate_coco)

BOOST_AUTO_TEST_CASE(ThresholdsAreThoseOfNumpy) {
  BOOST_TEST(kOverlapThreshold[0] == 0.5);
  BOOST_TEST(kOverlapThreshold[5] == 0.75);
  BOOST_TEST(kOverlapThreshold[8] == 0.8999999999999999);
  BOOST_TEST(kOverlapThreshold[9] == 0.95);
}

BOOST_AUTO_TEST_CASE(EverythingFound) {
  const auto truth =
      Truth({Object(1, {0, 0, 10, 10}), Object(2, {5, 5, 50, 50}),
             Object(2, {0, 0, 200, 200}, kCat)});
  const CocoScores scores = Score(
      truth, {Found(1, {0, 0, 10, 10}, 0.9), Found(2, {5, 5, 50, 50}, 0.8),
              Found(2, {0, 0, 200, 200}, 0.7, kCat)});
  for (const CocoScoreName& each : kCocoScoreNames) {
    BOOST_TEST_CONTEXT(each.name) { CheckNear(scores.*each.score, 1.0); }
  }
}

BOOST_AUTO_TEST_CASE(NothingFoundIsZeroAndNothingToFindIsMinusOne) {
  const CocoScores scores = Score(Truth({Object(1, {0, 0, 10, 10})}), {});
  BOOST_TEST(scores.ap == 0.0);
  BOOST_TEST(scores.ar1 == 0.0);
  BOOST_TEST(scores.ap_small == 0.0);
  BOOST_TEST(scores.ap_medium == -1.0);
  BOOST_TEST(scores.ar_large == -1.0);
  const CocoScores empty = Score(Truth({}), {Found(1, {0, 0, 9, 9}, 0.5)});
  BOOST_TEST((empty == CocoScores()));
  BOOST_TEST((Score({}, {}) == CocoScores()));
}

// Right, wrong, right: precision 1 up to half of the objects, then 2 / 3.
BOOST_AUTO_TEST_CASE(AveragePrecisionByHand) {
  const auto truth =
      Truth({Object(1, {0, 0, 10, 10}), Object(1, {50, 0, 10, 10})});
  const CocoScores scores = Score(
      truth, {Found(1, {50, 0, 10, 10}, 0.7), Found(1, {90, 90, 10, 10}, 0.8),
              Found(1, {0, 0, 10, 10}, 0.9)});
  CheckNear(scores.ap, (51 + 50 * 2.0 / 3.0) / 101);
  CheckNear(scores.ar1, 0.5);
  CheckNear(scores.ar10, 1.0);
}

// A category without objects does not count, one without detections does.
BOOST_AUTO_TEST_CASE(MeanOverCategoriesThatHaveObjects) {
  const std::vector<CocoDetection> found = {Found(1, {0, 0, 10, 10}, 0.9),
                                            Found(1, {0, 0, 9, 9}, 0.9, kCat)};
  CheckNear(Score(Truth({Object(1, {0, 0, 10, 10})}), found).ap, 1.0);
  CheckNear(
      Score(Truth({Object(1, {0, 0, 10, 10}), Object(2, {0, 0, 10, 10}, kCat)}),
            found)
          .ap,
      0.5);
}

// Overlap 0.8: found at thresholds .50 to .75 (.8 is missed by the rounding of
// the box), not above.
BOOST_AUTO_TEST_CASE(OverlapDecidesAtWhichThresholds) {
  const CocoScores scores = Score(Truth({Object(1, {0, 0, 10, 10})}),
                                  {Found(1, {0, 0, 10, 7.9}, 0.9)});
  CheckNear(scores.ap50, 1.0);
  CheckNear(scores.ap75, 1.0);
  CheckNear(scores.ap, 0.6);
  CheckNear(scores.ar100, 0.6);
}

BOOST_AUTO_TEST_CASE(ASecondDetectionOfAnObjectIsWrong) {
  const auto truth =
      Truth({Object(1, {0, 0, 10, 10}), Object(2, {0, 0, 10, 10})});
  CheckNear(Score(truth,
                  {Found(1, {0, 0, 10, 10}, 0.9), Found(1, {0, 0, 10, 10}, 0.8),
                   Found(2, {0, 0, 10, 10}, 0.7)})
                .ap,
            (51 + 50 * 2.0 / 3.0) / 101);
}

// Of equal scores the one that stands first counts as higher; over images, the
// image with the lower id.
BOOST_AUTO_TEST_CASE(TiesGoByOrder) {
  const auto truth = Truth({Object(1, {0, 0, 10, 10})});
  const CocoDetection right = Found(1, {0, 0, 10, 10}, 0.5);
  const CocoDetection wrong = Found(1, {50, 50, 10, 10}, 0.5);
  CheckNear(Score(truth, {right, wrong}).ap, 1.0);
  CheckNear(Score(truth, {wrong, right}).ap, 0.5);
  CheckNear(Score(truth, {wrong, right}).ar1, 0.0);
  CocoDetection elsewhere = wrong;
  elsewhere.image_id = 2;
  CheckNear(Score(truth, {elsewhere, right}).ap, 1.0);
}

// Two objects with the same overlap: the last is taken.
BOOST_AUTO_TEST_CASE(OfEqualOverlapsTheLastObjectIsTaken) {
  const auto truth =
      Truth({Object(1, {0, 0, 10, 10}), Object(1, {0, 0, 10, 10})});
  DetectionMatcher matcher;
  const CocoDetection first = Found(1, {0, 0, 10, 10}, 0.9);
  const CocoDetection second = Found(1, {0, 0, 10, 9}, 0.8);
  const std::vector<const CocoDetection*> detections = {&first, &second};
  const std::vector<const CocoAnnotation*> truths = {&truth.annotations[0],
                                                     &truth.annotations[1]};
  const auto outcomes = matcher.Match(detections, truths);
  BOOST_TEST(outcomes[0][0].matched == kEveryThreshold);
  BOOST_TEST(outcomes[1][0].matched == kEveryThreshold >> 1);
}

// What lies in a crowd is neither right nor wrong, however much of it.
BOOST_AUTO_TEST_CASE(CrowdsExcuse) {
  const auto truth =
      Truth({Crowd(1, {100, 0, 100, 100}), Object(1, {0, 0, 10, 10})});
  CheckNear(Score(truth, {Found(1, {110, 10, 10, 10}, 0.95),
                          Found(1, {120, 10, 10, 10}, 0.94),
                          Found(1, {0, 0, 10, 10}, 0.9)})
                .ap,
            1.0);
  // Outside of it they are wrong.
  CheckNear(Score(truth, {Found(1, {110, 110, 10, 10}, 0.95),
                          Found(1, {0, 0, 10, 10}, 0.9)})
                .ap,
            0.5);
  BOOST_TEST(Score(Truth({Crowd(1, {0, 0, 9, 9})}), {}).ap == -1.0);
}

// An object that counts is preferred to a crowd that covers more.
BOOST_AUTO_TEST_CASE(ObjectsBeforeCrowds) {
  const auto truth =
      Truth({Crowd(1, {0, 0, 100, 100}), Object(1, {0, 0, 10, 10})});
  CheckNear(Score(truth, {Found(1, {0, 0, 10, 6}, 0.9)}).ap50, 1.0);
}

// The area of an object is that of its outline, of a detection that of its box.
BOOST_AUTO_TEST_CASE(AreaRanges) {
  auto truth = Truth({Object(1, {0, 0, 40, 40})});  // medium
  truth.annotations[0].area = 32 * 32;              // small and medium
  const CocoScores both = Score(truth, {Found(1, {0, 0, 40, 40}, 0.9)});
  CheckNear(both.ap_small, 1.0);
  CheckNear(both.ap_medium, 1.0);
  BOOST_TEST(both.ap_large == -1.0);
  truth.annotations[0].area = 100;
  const CocoScores small = Score(
      truth, {Found(1, {0, 0, 40, 40}, 0.9), Found(1, {50, 0, 40, 40}, 0.95),
              Found(1, {90, 0, 10, 10}, 0.97)});
  // Unmatched detections of another size do not count: one of two is wrong.
  CheckNear(small.ap_small, 0.5);
  CheckNear(small.ap, 1.0 / 3.0);
  BOOST_TEST(small.ap_medium == -1.0);
}

BOOST_AUTO_TEST_CASE(AtMostAHundredOfAnImage) {
  const auto truth =
      Truth({Object(1, {0, 0, 10, 10}), Object(1, {500, 0, 10, 10})});
  std::vector<CocoDetection> found = {Found(1, {500, 0, 10, 10}, 0.1)};
  for (int i = 0; i < 99; ++i) {
    found.push_back(Found(1, {1000, 20.0 * i, 10, 10}, 0.9));
  }
  CheckNear(Score(truth, found).ar100, 0.5);
  found.push_back(Found(1, {0, 0, 10, 10}, 0.5));
  CheckNear(Score(truth, found).ar100, 0.5);  // the worst has dropped out
}

BOOST_AUTO_TEST_CASE(AnotherImageIsAnError) {
  CheckError(
      EvaluateCoco(Truth({}), std::vector{Found(1, {}, 1), Found(3, {}, 1)})
          .status(),
      StatusCode::kInvalidData, {"detection 1", "image 3"});
}

BOOST_AUTO_TEST_CASE(WhatIsNotListedIsLeftOut) {
  auto truth = Truth({Object(1, {0, 0, 10, 10}), Object(7, {0, 0, 10, 10}),
                      Object(1, {0, 0, 10, 10}, 5), Object(2, {0, 0, 10, 10})});
  const std::vector<CocoDetection> found = {Found(1, {0, 0, 10, 10}, 0.9),
                                            Found(1, {0, 0, 10, 10}, 0.9, 5)};
  const auto all = EvaluateCoco(truth, found);
  REQUIRE_OK(all);
  BOOST_TEST(all->images == 2u);
  BOOST_TEST(all->annotations == 2u);
  BOOST_TEST(all->annotations_left_out == 2u);
  BOOST_TEST(all->detections_left_out == 1u);
  CheckNear(all->scores.ap, 51.0 / 101);
  const auto first = EvaluateCoco(truth, found, {.image_ids = {{1}}});
  REQUIRE_OK(first);
  BOOST_TEST(first->images == 1u);
  CheckNear(first->scores.ap, 1.0);
}

// As in pycocotools, which takes the id of a match for a truth value.
BOOST_AUTO_TEST_CASE(ToFindTheIdZeroIsNoSuccess) {
  auto truth = Truth({Object(1, {0, 0, 10, 10})});
  truth.annotations[0].id = 0;
  const auto evaluation =
      EvaluateCoco(truth, std::vector{Found(1, {0, 0, 10, 10}, 0.9)});
  REQUIRE_OK(evaluation);
  BOOST_TEST(evaluation->has_id_zero);
  BOOST_TEST(evaluation->scores.ap == 0.0);
}

/// Many objects, most of them found.
std::pair<CocoGroundTruth, std::vector<CocoDetection>> RandomSet(
    std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto uniform = [&random](int most) {
    return static_cast<double>(random() % static_cast<unsigned>(most));
  };
  std::vector<CocoAnnotation> annotations;
  std::vector<CocoDetection> found;
  for (int i = 0; i < 60; ++i) {
    const std::int64_t image = 1 + static_cast<std::int64_t>(random() % 2);
    const std::int64_t category = random() % 3 == 0 ? kCat : kDog;
    const ImageBox box = {uniform(300), uniform(300), 5 + uniform(150),
                          5 + uniform(150)};
    annotations.push_back(Object(image, box, category));
    annotations.back().crowd = random() % 8 == 0;
    const double score = static_cast<double>(i * 37 % 60) / 60;
    found.push_back(Found(
        image, {box.x + uniform(9), box.y + uniform(9), box.width, box.height},
        score, category));
  }
  return {Truth(std::move(annotations)), std::move(found)};
}

BOOST_AUTO_TEST_CASE(OrderDoesNotMatterWithoutTies) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    auto [truth, found] = RandomSet(seed);
    const CocoScores scores = Score(truth, found);
    std::mt19937 random(seed);
    std::shuffle(found.begin(), found.end(), random);
    std::reverse(truth.images.begin(), truth.images.end());
    std::reverse(truth.categories.begin(), truth.categories.end());
    BOOST_TEST((Score(truth, found) == scores));
  }
}

BOOST_AUTO_TEST_CASE(OnlyTheOrderOfScoresMatters) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    auto [truth, found] = RandomSet(seed);
    const CocoScores scores = Score(truth, found);
    for (CocoDetection& each : found) {
      each.score = 5 * each.score * each.score * each.score - 100;
    }
    BOOST_TEST((Score(truth, found) == scores));
  }
}

BOOST_AUTO_TEST_CASE(WrongDetectionsOfTheLowestScoreCostNothing) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    auto [truth, found] = RandomSet(seed);
    const CocoScores scores = Score(truth, found);
    for (int i = 0; i < 5; ++i) {
      found.push_back(Found(1, {5000, 5000, 10, 10}, -1, kDog));
    }
    BOOST_TEST((Score(truth, found) == scores));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint
