// SPDX-License-Identifier: Apache-2.0
//
// An action with a case that does not exist. The query picks one: ?status (option of the status is 2), ?body (option of
// the body is 2); without one, and on responses, the action itself is case 3.
#include "raw_hook.h"

using namespace sandgate::guest;

static canonical::Action action;

RAW_ON_REQUEST(query) {
  action = {.tag = canonical::Tag::modify, .modify = {}};
  if (query == "status") {
    action.modify.has_status = 2;
  } else if (query == "body") {
    action.modify.has_body = 2;
  } else {
    action.tag = static_cast<canonical::Tag>(3);
  }
  return address_of(&action);
}
RAW_ON_RESPONSE() {
  action = {.tag = static_cast<canonical::Tag>(255), .modify = {}};
  return address_of(&action);
}
