# SPDX-License-Identifier: Apache-2.0
#
# One compiler: clang 19 with lld 19. Debian 12's g++ 12.2 miscompiles coroutines (tests/toolchain holds the shapes), and clang 14 has
# neither std::expected nor std::source_location with libstdc++ 12.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19 OR CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 20)
  message(FATAL_ERROR
    "Sandgate is built with clang 19 only; this is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} (${CMAKE_CXX_COMPILER}).\n"
    "Install it:   sudo apt-get install clang-19 lld-19      (or run tools/setup)\n"
    "Then, in a fresh build folder:   cmake --preset release    (or pass -DCMAKE_CXX_COMPILER=clang++-19)\n"
    "Why: g++ 12 compiles coroutines wrongly without a word; see tests/toolchain/coroutine_shapes_test.cc.")
endif()

find_program(SANDGATE_LLD ld.lld-19)
if(NOT SANDGATE_LLD)
  message(FATAL_ERROR "ld.lld-19 is missing. Install it:   sudo apt-get install lld-19      (or run tools/setup)")
endif()
mark_as_advanced(SANDGATE_LLD)

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_COLOR_DIAGNOSTICS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# ccache, with its own default folder in the user's cache. Paths are made relative to the checkout, so another checkout hits as well.
find_program(SANDGATE_CCACHE ccache)
mark_as_advanced(SANDGATE_CCACHE)
set(SANDGATE_LAUNCHER)
if(SANDGATE_CCACHE)
  set(SANDGATE_LAUNCHER env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=time_macros
      "${SANDGATE_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SANDGATE_LAUNCHER})
endif()
