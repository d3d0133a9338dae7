# SPDX-License-Identifier: Apache-2.0
#
# Flags of every target of ours: the interface target `sandgate_options`. Build types: Release (fast, no debug sections: the binary is
# 20 MB, not 200) and Debug (-Og). A sanitizer is chosen with SANDGATE_SANITIZE.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1")

add_library(sandgate_options INTERFACE)

target_compile_options(sandgate_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi
  -Wcast-align -Wimplicit-fallthrough -Wunused -Wnull-dereference -Wthread-safety -Wno-missing-designated-field-initializers
  $<$<BOOL:${SANDGATE_WERROR}>:-Werror>
  -fvisibility=hidden -fvisibility-inlines-hidden
  -ffunction-sections -fdata-sections
  "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")

target_link_options(sandgate_options INTERFACE --ld-path=${SANDGATE_LLD} -Wl,--gc-sections)

# Checked operator[] and friends of the standard library: a bug of ours then ends the process instead of reading on.
target_compile_definitions(sandgate_options INTERFACE _GLIBCXX_ASSERTIONS)

if(SANDGATE_SANITIZE STREQUAL "")
  target_compile_options(sandgate_options INTERFACE -fstack-protector-strong -fstack-clash-protection
    $<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  target_link_options(sandgate_options INTERFACE -Wl,-z,relro,-z,now
    $<$<CONFIG:Release>:-Wl,--icf=safe> $<$<CONFIG:Release>:-Wl,-z,pack-relative-relocs>)
elseif(SANDGATE_SANITIZE STREQUAL "address")
  set(SANDGATE_SANITIZE_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(SANDGATE_SANITIZE STREQUAL "thread")
  set(SANDGATE_SANITIZE_FLAGS -fsanitize=thread)
elseif(SANDGATE_SANITIZE STREQUAL "fuzzer")
  # The libraries get coverage only (fuzzer-no-link); fuzz/CMakeLists.txt links the driver.
  set(SANDGATE_SANITIZE_FLAGS -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all)
else()
  message(FATAL_ERROR "SANDGATE_SANITIZE is \"${SANDGATE_SANITIZE}\"; it is empty, address, thread or fuzzer")
endif()

if(SANDGATE_SANITIZE_FLAGS)
  # -O1: sanitized code at -O0 is three times slower to run, -O2 twice as slow to build.
  target_compile_options(sandgate_options INTERFACE ${SANDGATE_SANITIZE_FLAGS} -O1 -g1 -fno-omit-frame-pointer)
  target_link_options(sandgate_options INTERFACE ${SANDGATE_SANITIZE_FLAGS})
endif()
