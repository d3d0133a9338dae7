# SPDX-License-Identifier: Apache-2.0
#
# sandgate_guest(NAME SOURCES a.cc... | NAME SOURCES a.wat)
#
# A guest from source: build/<preset>/guests/NAME.wasm. C++ is compiled for wasm32 without exceptions and RTTI against sdk/cpp/include and
# Debian's libc++ 19 for wasm, and linked without start files; of libc and libc++ only what is used comes in. .wat goes through wat2wasm.
# All guests together: target `guests`.
find_program(SANDGATE_WASM_LD wasm-ld-19)
find_program(SANDGATE_WAT2WASM wat2wasm)
find_path(SANDGATE_WASM_LIBCXX expected PATHS /usr/include/wasm32-wasi/c++/v1 NO_DEFAULT_PATH)
mark_as_advanced(SANDGATE_WASM_LD SANDGATE_WAT2WASM SANDGATE_WASM_LIBCXX)

set(SANDGATE_GUEST_DIR "${PROJECT_BINARY_DIR}/guests")
set(SANDGATE_WASM_FLAGS --target=wasm32-wasi -std=c++23 -O2 -fno-exceptions -fno-rtti -fvisibility=hidden -ffunction-sections -fdata-sections
    -mbulk-memory -msign-ext -mnontrapping-fptoint -Wall -Wextra -Wconversion -Wshadow "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
if(SANDGATE_WERROR)
  list(APPEND SANDGATE_WASM_FLAGS -Werror)
endif()
add_custom_target(guests)

function(sandgate_guest name)
  cmake_parse_arguments(arg "" "" "SOURCES" ${ARGN})
  set(wasm "${SANDGATE_GUEST_DIR}/${name}.wasm")
  list(TRANSFORM arg_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")

  if(arg_SOURCES MATCHES "\\.wat$")
    if(NOT SANDGATE_WAT2WASM)
      message(FATAL_ERROR "wat2wasm is missing. ${SANDGATE_SETUP_HINT} wabt")
    endif()
    add_custom_command(OUTPUT "${wasm}" COMMAND "${SANDGATE_WAT2WASM}" --enable-all --output "${wasm}" ${arg_SOURCES}
      DEPENDS ${arg_SOURCES} COMMENT "Guest ${name}.wasm" VERBATIM)
  else()
    if(NOT SANDGATE_WASM_LIBCXX OR NOT SANDGATE_WASM_LD)
      message(FATAL_ERROR "The wasm32 C++ library or linker is missing. ${SANDGATE_SETUP_HINT} lld-19 libc++-19-dev-wasm32 wasi-libc")
    endif()
    set(objects)
    foreach(source IN LISTS arg_SOURCES)
      cmake_path(GET source STEM stem)
      set(object "${SANDGATE_GUEST_DIR}/${name}.${stem}.o")
      add_custom_command(OUTPUT "${object}"
        COMMAND ${SANDGATE_LAUNCHER} "${CMAKE_CXX_COMPILER}" ${SANDGATE_WASM_FLAGS} "-I${PROJECT_SOURCE_DIR}/sdk/cpp/include"
                "-I${PROJECT_SOURCE_DIR}/src" -MD -MF "${object}.d" -c "${source}" -o "${object}"
        DEPENDS "${source}" DEPFILE "${object}.d" COMMENT "Guest ${name}: ${stem}" VERBATIM)
      list(APPEND objects "${object}")
    endforeach()
    add_custom_command(OUTPUT "${wasm}"
      COMMAND "${CMAKE_CXX_COMPILER}" --target=wasm32-wasi "--ld-path=${SANDGATE_WASM_LD}" -nostdlib ${objects}
              -Wl,--no-entry -Wl,--stack-first -Wl,-z,stack-size=65536 -Wl,--gc-sections -Wl,--strip-debug
              -lc++ -lc++abi -lc -o "${wasm}"
      DEPENDS ${objects} COMMENT "Guest ${name}.wasm" VERBATIM)
  endif()
  add_custom_target(guest_${name} DEPENDS "${wasm}")
  add_dependencies(guests guest_${name})
endfunction()

file(MAKE_DIRECTORY "${SANDGATE_GUEST_DIR}")
