// SPDX-License-Identifier: Apache-2.0
//
// Answers that the APIs of this folder share. Texts are static or outlive the Task.
#pragma once

#include <string_view>

#include "exchange/exchange.h"
#include "exchange/problem.h"

namespace sandgate::admin {

// respond_problem() with a problem of its own, for functions that are no coroutines.
Task<Status> answer_problem(Exchange& exchange, Problem problem);

// respond_error() likewise.
Task<Status> answer_error(Exchange& exchange, Error error);

// 405; `allow` names the methods.
Task<Status> answer_method(Exchange& exchange, std::string_view allow);

}  // namespace sandgate::admin
