// SPDX-License-Identifier: Apache-2.0
//
// Boost.URL, compiled here once: Debian ships its headers and a shared library; this way the binary needs only the headers.
#include <boost/url/src.hpp>
