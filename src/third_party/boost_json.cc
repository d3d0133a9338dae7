// SPDX-License-Identifier: Apache-2.0
//
// Boost.JSON, compiled here once: Debian ships its headers and a shared library; this way the binary needs only the
// headers.
#include <boost/json/src.hpp>
