# SPDX-License-Identifier: Apache-2.0
#
# sandgate_guest(NAME SOURCES a.cc... | SOURCES a.wat | SOURCES make_a.py ARGUMENTS argument... [INPUTS file...])
#
# A guest from source: build/<preset>/guests/NAME.wasm. C++ is compiled as a user of the SDK would do it, with sdk/cpp/guest.cfg; .wat goes
# through wat2wasm, a Python program is called with the output file and ARGUMENTS (again when one of INPUTS changes). All guests together:
# target `guests`.
find_program(SANDGATE_WASM_LD wasm-ld-19)
find_program(SANDGATE_WAT2WASM wat2wasm)
find_path(SANDGATE_WASM_LIBCXX expected PATHS /usr/include/wasm32-wasi/c++/v1 NO_DEFAULT_PATH)
mark_as_advanced(SANDGATE_WASM_LD SANDGATE_WAT2WASM SANDGATE_WASM_LIBCXX)

set(SANDGATE_GUEST_DIR "${PROJECT_BINARY_DIR}/guests")
set(SANDGATE_GUEST_CONFIG "${PROJECT_SOURCE_DIR}/sdk/cpp/guest.cfg")
file(MAKE_DIRECTORY "${SANDGATE_GUEST_DIR}")
add_custom_target(guests)

function(sandgate_require_wasm)
  if(NOT SANDGATE_WASM_LIBCXX OR NOT SANDGATE_WASM_LD)
    message(FATAL_ERROR "The C++ library or the linker for wasm32 is missing. ${SANDGATE_SETUP_HINT} lld-19 libc++-19-dev-wasm32 wasi-libc")
  endif()
endfunction()

function(sandgate_guest name)
  cmake_parse_arguments(arg "" "" "SOURCES;ARGUMENTS;INPUTS" ${ARGN})
  set(wasm "${SANDGATE_GUEST_DIR}/${name}.wasm")
  list(TRANSFORM arg_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")

  if(arg_SOURCES MATCHES "\\.wat$")
    if(NOT SANDGATE_WAT2WASM)
      message(FATAL_ERROR "wat2wasm is missing. ${SANDGATE_SETUP_HINT} wabt")
    endif()
    add_custom_command(OUTPUT "${wasm}" COMMAND "${SANDGATE_WAT2WASM}" --enable-all --output "${wasm}" ${arg_SOURCES}
      DEPENDS ${arg_SOURCES} COMMENT "Guest ${name}.wasm" VERBATIM)
  elseif(arg_SOURCES MATCHES "\\.py$")
    add_custom_command(OUTPUT "${wasm}" COMMAND Python3::Interpreter ${arg_SOURCES} "${wasm}" ${arg_ARGUMENTS}
      DEPENDS ${arg_SOURCES} ${arg_INPUTS} COMMENT "Guest ${name}.wasm" VERBATIM)
  else()
    sandgate_require_wasm()
    add_custom_command(OUTPUT "${wasm}"
      COMMAND "${CMAKE_CXX_COMPILER}" "--config=${SANDGATE_GUEST_CONFIG}" $<$<BOOL:${SANDGATE_WERROR}>:-Werror>
              -MMD -MT "${wasm}" -MF "${wasm}.d" ${arg_SOURCES} -o "${wasm}"
      DEPENDS ${arg_SOURCES} "${SANDGATE_GUEST_CONFIG}" DEPFILE "${wasm}.d" COMMENT "Guest ${name}.wasm"
      VERBATIM COMMAND_EXPAND_LISTS)
  endif()
  add_custom_target(guest_${name} DEPENDS "${wasm}")
  add_dependencies(guests guest_${name})
endfunction()
