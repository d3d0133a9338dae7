// SPDX-License-Identifier: Apache-2.0
//
// std::string for guests. libc++ expects its members in a library that guests do not link; here they are made in place
// and the linker keeps those that are used. Strings live in the memory of the call (see guest/runtime.h).
#pragma once

#include <string>

#include <sandgate/guest/runtime.h>

#if defined(__wasm__)
template class std::basic_string<char>;
#endif
