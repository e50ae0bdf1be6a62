#pragma once

// Catch2 2 (Debian 12) and 3 (Debian 13, Ubuntu 24.04) behind one header. No other file includes
// either.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#define CATCH_CONFIG_NO_POSIX_SIGNALS  // glibc 2.34's MINSIGSTKSZ is no constant; Catch 2 wants one
#include <catch2/catch.hpp>
#endif
