# SPDX-License-Identifier: Apache-2.0
#
# The engine crate as a static library, target `engine`. tools/build_engine builds it (minutes, once per user: it keeps what it built in
# the user's cache) into build/engine, which all presets share. -DSANDGATE_ENGINE_DIR=DIR takes one that is already built.
set(SANDGATE_ENGINE_DIR "" CACHE PATH "Folder with libsandgate_engine.a; empty: build it with tools/build_engine")

if(SANDGATE_ENGINE_DIR)
  set(engine_dir "${SANDGATE_ENGINE_DIR}")
else()
  set(engine_dir "${PROJECT_SOURCE_DIR}/build/engine")
  file(GLOB_RECURSE engine_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/engine/src/*.rs")
  add_custom_command(
    OUTPUT "${engine_dir}/libsandgate_engine.a"
    COMMAND "${PROJECT_SOURCE_DIR}/tools/build_engine" "${engine_dir}"
    COMMAND "${CMAKE_COMMAND}" -E touch "${engine_dir}/libsandgate_engine.a"
    DEPENDS ${engine_sources} "${PROJECT_SOURCE_DIR}/engine/Cargo.toml" "${PROJECT_SOURCE_DIR}/engine/Cargo.lock"
            "${PROJECT_SOURCE_DIR}/engine/include/sandgate_engine.h"
    COMMENT "Building the engine crate (the first time takes minutes)"
    USES_TERMINAL VERBATIM)
  add_custom_target(engine_build DEPENDS "${engine_dir}/libsandgate_engine.a")
endif()

# Linked once, into executables; the order matters, the engine's own needs follow it. Nothing but the link waits for the file: the header is
# in the tree, so our sources compile while the crate does.
add_library(engine INTERFACE)
target_include_directories(engine INTERFACE "${PROJECT_SOURCE_DIR}/engine/include")
target_link_libraries(engine INTERFACE "${engine_dir}/libsandgate_engine.a" -lpthread -ldl -lm -lgcc_s)
