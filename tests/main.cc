#define BOOST_TEST_MODULE zeropoint
#include <boost/test/unit_test.hpp>
