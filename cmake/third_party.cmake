# SPDX-License-Identifier: Apache-2.0
#
# What we use from Debian, as targets with names of our own. Everything here is a system header, so our warnings do not apply to it.
set(SANDGATE_SETUP_HINT "Run tools/setup, or install it with:   sudo apt-get install")

# Boost 1.81: headers only; src/third_party compiles them.
find_path(SANDGATE_BOOST_INCLUDE boost/url.hpp)
if(NOT SANDGATE_BOOST_INCLUDE)
  message(FATAL_ERROR "Boost's headers are missing. ${SANDGATE_SETUP_HINT} libboost1.81-dev")
endif()
mark_as_advanced(SANDGATE_BOOST_INCLUDE)
file(STRINGS "${SANDGATE_BOOST_INCLUDE}/boost/version.hpp" boost_version_line REGEX "define BOOST_LIB_VERSION")
if(NOT boost_version_line MATCHES "\"1_(8[1-9]|9[0-9])")
  message(FATAL_ERROR "Boost 1.81 or newer is needed; ${SANDGATE_BOOST_INCLUDE} says: ${boost_version_line}. ${SANDGATE_SETUP_HINT} libboost1.81-dev")
endif()

add_library(boost_headers INTERFACE)
target_include_directories(boost_headers SYSTEM INTERFACE "${SANDGATE_BOOST_INCLUDE}")
target_compile_definitions(boost_headers INTERFACE BOOST_ALL_NO_LIB)

# spdlog and fmt header-only, through targets of ours: Debian's spdlog target would link libfmt.so.
find_package(fmt CONFIG QUIET)
find_path(SANDGATE_SPDLOG_INCLUDE spdlog/spdlog.h)
mark_as_advanced(SANDGATE_SPDLOG_INCLUDE)
if(NOT SANDGATE_SPDLOG_INCLUDE OR NOT TARGET fmt::fmt-header-only)
  message(FATAL_ERROR "spdlog is missing. ${SANDGATE_SETUP_HINT} libspdlog-dev")
endif()
add_library(spdlog_headers INTERFACE)
target_include_directories(spdlog_headers SYSTEM INTERFACE "${SANDGATE_SPDLOG_INCLUDE}")
target_link_libraries(spdlog_headers INTERFACE fmt::fmt-header-only)
target_compile_definitions(spdlog_headers INTERFACE SPDLOG_FMT_EXTERNAL)

# libcrypto: digests of modules. libssl: upstreams with https.
find_package(OpenSSL 3 COMPONENTS Crypto SSL QUIET)
if(NOT TARGET OpenSSL::Crypto OR NOT TARGET OpenSSL::SSL)
  message(FATAL_ERROR "OpenSSL 3 is missing. ${SANDGATE_SETUP_HINT} libssl-dev")
endif()

# The index of deployed modules.
find_package(SQLite3 3.37 QUIET)
if(NOT TARGET SQLite::SQLite3)
  message(FATAL_ERROR "SQLite 3 is missing. ${SANDGATE_SETUP_HINT} libsqlite3-dev")
endif()

# The protocol of Redis.
find_path(SANDGATE_HIREDIS_INCLUDE hiredis/hiredis.h)
find_library(SANDGATE_HIREDIS_LIBRARY hiredis)
mark_as_advanced(SANDGATE_HIREDIS_INCLUDE SANDGATE_HIREDIS_LIBRARY)
if(NOT SANDGATE_HIREDIS_INCLUDE OR NOT SANDGATE_HIREDIS_LIBRARY)
  message(FATAL_ERROR "hiredis is missing. ${SANDGATE_SETUP_HINT} libhiredis-dev")
endif()
add_library(hiredis_protocol INTERFACE)
target_include_directories(hiredis_protocol SYSTEM INTERFACE "${SANDGATE_HIREDIS_INCLUDE}")
target_link_libraries(hiredis_protocol INTERFACE "${SANDGATE_HIREDIS_LIBRARY}")

find_package(CLI11 CONFIG QUIET)
if(NOT TARGET CLI11::CLI11)
  message(FATAL_ERROR "CLI11 is missing. ${SANDGATE_SETUP_HINT} libcli11-dev")
endif()
