# SPDX-License-Identifier: Apache-2.0
#
# sandgate_library(NAME DEPS layer... [PRIVATE_DEPS target...] [TEST_DEPS target...] [EXCLUDE file.cc...])
#
# One folder, one library: every *.cc here except *_test.cc and EXCLUDE, in target NAME (file libsandgate_NAME.a). Headers are found from
# src/ ("http/field.h"). Every *_test.cc goes into one executable NAME_test, whose tests ctest knows one by one; what they share is in testing/. Every header without a
# source file of the same name is compiled alone (NAME_headers); the others are their source's first include, which tests/tidy checks.
# A folder without sources is an interface library, so layers can be written in any order.
set(SANDGATE_TSAN_LIBRARIES base platform net sandbox capability_key_value abi_router_middleware modules telemetry gateway admin server
    CACHE INTERNAL "Libraries whose tests cross threads: ctest label tsan")

function(sandgate_library name)
  cmake_parse_arguments(arg "" "" "DEPS;PRIVATE_DEPS;TEST_DEPS;EXCLUDE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "*.cc")
  file(GLOB headers CONFIGURE_DEPENDS "*.h")
  file(GLOB tests CONFIGURE_DEPENDS "*_test.cc" "testing/*.cc")
  list(TRANSFORM arg_EXCLUDE PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  list(REMOVE_ITEM sources ${tests} ${arg_EXCLUDE})

  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC sandgate_options ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
    target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
    set_target_properties(${name} PROPERTIES OUTPUT_NAME sandgate_${name})
  else()
    add_library(${name} INTERFACE ${headers})
    target_link_libraries(${name} INTERFACE sandgate_options ${arg_DEPS} ${arg_PRIVATE_DEPS})
    target_include_directories(${name} INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
  endif()

  if(SANDGATE_TESTS)
    sandgate_check_headers(${name} HEADERS ${headers} SOURCES ${sources} LINK ${name} ${arg_PRIVATE_DEPS})
    if(tests)
      sandgate_test(${name}_test SOURCES ${tests} DEPS ${name} ${arg_PRIVATE_DEPS} ${arg_TEST_DEPS})
    endif()
  endif()
endfunction()

# sandgate_test(NAME SOURCES file.cc... DEPS target...): a GoogleTest executable; its tests get the label tsan when their library crosses
# threads, and find the tree, the guests and the binary through tests/support/paths.h.
function(sandgate_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  sandgate_sanitizer_options(${name})
  target_link_libraries(${name} PRIVATE sandgate_options ${arg_DEPS} test_paths GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  # GoogleTest's macros do all of these.
  target_compile_options(${name} PRIVATE -Wno-global-constructors -Wno-null-dereference -Wno-unused-member-function)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")

  string(REGEX REPLACE "_test$" "" library ${name})
  add_dependencies(sandgate_tests ${name})
  set(labels)
  if(library IN_LIST SANDGATE_TSAN_LIBRARIES OR name STREQUAL "integration_test")
    set(labels LABELS tsan)
    add_dependencies(tsan_tests ${name})
  endif()
  gtest_discover_tests(${name} TEST_PREFIX "${library}: " WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120 ${labels})
endfunction()

# The sanitizers' options, compiled into a program.
function(sandgate_sanitizer_options target)
  if(SANDGATE_SANITIZE)
    target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/sanitizer_options.cc")
  endif()
endfunction()

# sandgate_check_headers(NAME HEADERS file.h... [ROOT folder] [SOURCES file.cc...] [LINK target...]): each header compiles on its own, twice in
# a row, found from ROOT (src/ by default). Target NAME_headers, part of `all`.
function(sandgate_check_headers name)
  cmake_parse_arguments(arg "" "ROOT" "HEADERS;SOURCES;LINK" ${ARGN})
  if(NOT arg_ROOT)
    set(arg_ROOT "${PROJECT_SOURCE_DIR}/src")
  endif()
  set(units)
  foreach(header IN LISTS arg_HEADERS)
    string(REGEX REPLACE "\\.h$" ".cc" source "${header}")
    if(source IN_LIST arg_SOURCES)
      continue()
    endif()
    file(RELATIVE_PATH include "${arg_ROOT}" "${header}")
    string(REPLACE "/" "_" unit "${include}")
    set(unit "${PROJECT_BINARY_DIR}/generated/headers/${name}/${unit}.cc")
    file(CONFIGURE OUTPUT "${unit}" CONTENT "#include \"${include}\"  // once\n#include \"${include}\"  // and twice\n" @ONLY)
    list(APPEND units "${unit}")
  endforeach()
  if(units)
    add_library(${name}_headers OBJECT ${units})
    target_link_libraries(${name}_headers PRIVATE sandgate_options ${arg_LINK})
    target_include_directories(${name}_headers PRIVATE "${arg_ROOT}")
    target_compile_options(${name}_headers PRIVATE -O0 -U_FORTIFY_SOURCE)
  endif()
endfunction()

if(SANDGATE_TESTS)
  # What `ctest` needs, without the checks of headers and wasm; and the part of it that crosses threads.
  add_custom_target(sandgate_tests)
  add_custom_target(tsan_tests)
endif()
