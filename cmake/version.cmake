# SPDX-License-Identifier: Apache-2.0
#
# generated/version.h: the version of project() and the revision at configure time. Link `sandgate_version` to include "version.h".
execute_process(COMMAND git describe --always --dirty --abbrev=12 WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  OUTPUT_VARIABLE SANDGATE_REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE revision_result)
if(NOT revision_result EQUAL 0)
  set(SANDGATE_REVISION "unknown")
endif()
configure_file("${CMAKE_CURRENT_LIST_DIR}/version.h.in" "${PROJECT_BINARY_DIR}/generated/version.h" @ONLY)
add_library(sandgate_version INTERFACE)
target_include_directories(sandgate_version INTERFACE "${PROJECT_BINARY_DIR}/generated")
