# SPDX-License-Identifier: Apache-2.0
#
# cmake -DROOT=sdk/cpp -DOUT=file -P pack_sdk.cmake: the files of the guest SDK in one text, each after a line "==> path" (relative to ROOT).
# `sandgate new` carries it and writes the files out again.
file(GLOB_RECURSE headers RELATIVE "${ROOT}" "${ROOT}/include/*.h")
list(SORT headers)
set(packed "")
foreach(path IN LISTS headers ITEMS guest.cfg)
  file(READ "${ROOT}/${path}" text)
  string(APPEND packed "==> ${path}\n${text}")
endforeach()
file(WRITE "${OUT}" "${packed}")
