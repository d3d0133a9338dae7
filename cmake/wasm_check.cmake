# SPDX-License-Identifier: Apache-2.0
#
# sandgate_wasm_check(FOLDER...): every source of these folders of src/ (no tests) and every header compiles for wasm32 with libc++, without
# exceptions and RTTI. That keeps them free of I/O, threads and the host's library: the HTTP codec serves guests too. Target `wasm_check`,
# part of `all`.
function(sandgate_wasm_check)
  sandgate_require_wasm()
  set(flags --target=wasm32-wasi -std=c++23 -O1 -fno-exceptions -fno-rtti -Wall -Wextra -Wno-unused-command-line-argument
      "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=" "-I${PROJECT_SOURCE_DIR}/src")
  if(SANDGATE_WERROR)
    list(APPEND flags -Werror)
  endif()
  set(objects)
  foreach(folder IN LISTS ARGN)
    file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${folder}/*.cc")
    list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
    file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${folder}/*.h")
    # One more unit with the headers that no source includes first.
    set(lines "")
    foreach(header IN LISTS headers)
      file(RELATIVE_PATH include "${PROJECT_SOURCE_DIR}/src" "${header}")
      string(APPEND lines "#include \"${include}\"\n")
    endforeach()
    set(all_headers "${PROJECT_BINARY_DIR}/generated/wasm/${folder}_headers.cc")
    file(CONFIGURE OUTPUT "${all_headers}" CONTENT "${lines}" @ONLY)
    foreach(source IN LISTS sources all_headers)
      cmake_path(GET source STEM stem)
      set(object "${PROJECT_BINARY_DIR}/wasm_check/${folder}_${stem}.o")
      add_custom_command(OUTPUT "${object}"
        COMMAND ${SANDGATE_LAUNCHER} "${CMAKE_CXX_COMPILER}" ${flags} -MMD -MF "${object}.d" -c "${source}" -o "${object}"
        DEPENDS "${source}" DEPFILE "${object}.d" COMMENT "wasm32: ${folder}/${stem}.cc" VERBATIM)
      list(APPEND objects "${object}")
    endforeach()
  endforeach()
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/wasm_check")
  add_custom_target(wasm_check ALL DEPENDS ${objects})
endfunction()
