// SPDX-License-Identifier: Apache-2.0
//
// A listening socket on its way from one process to another. Both hold the same open file description then, so either
// may close it without a word to the clients that wait in its queue; the last one to do so resets them.
#pragma once

#include <string>

#include "net/address.h"
#include "platform/descriptor.h"

namespace sandgate::net {

struct ListeningSocket {
  platform::Descriptor descriptor;
  Address address;       // as bound
  std::string listener;  // what the process before used it for, as "main"; empty: it did not say
  std::string asked;     // the address that was asked for when its port was to be chosen, as "127.0.0.1:0"; else empty
  std::string origin;    // for people: where it comes from
};

}  // namespace sandgate::net
