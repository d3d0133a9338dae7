#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./build.sh [OUT]
#
# Builds ratelimit.wasm beside this script, or OUT. Needs clang and lld 19 and the wasm headers of libc++ 19; says what is missing.
# CXX names another clang++ of version 18 or later.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/ratelimit.wasm}
cxx=${CXX:-clang++-19}

missing=()
command -v "$cxx" >/dev/null || missing+=(clang-19)
command -v wasm-ld-19 >/dev/null || command -v wasm-ld >/dev/null || missing+=(lld-19)
[[ -n ${CXX:-} || -e /usr/include/wasm32-wasi/c++/v1/expected ]] || missing+=(libc++-19-dev-wasm32 wasi-libc)
if ((${#missing[@]})); then
  echo "build.sh: missing: ${missing[*]}" >&2
  echo "build.sh: on Debian or Ubuntu: apt-get install ${missing[*]}   (tools/setup of this repository installs them, too)" >&2
  exit 1
fi

"$cxx" --config="$here/../../sdk/cpp/guest.cfg" "$here/middleware.cc" -o "$out"
echo "$out: $(stat --format=%s "$out") bytes"
