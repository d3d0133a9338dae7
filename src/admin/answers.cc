// SPDX-License-Identifier: Apache-2.0
#include "admin/answers.h"

namespace sandgate::admin {

Task<Status> answer_problem(Exchange& exchange, Problem problem) {
  Status done = co_await respond_problem(exchange, problem);
  co_return done;
}

Task<Status> answer_error(Exchange& exchange, Error error) {
  Status done = co_await respond_error(exchange, error);
  co_return done;
}

Task<Status> answer_method(Exchange& exchange, std::string_view allow) {
  return answer_problem(exchange, {.status = 405,
                                   .error = "method_not_allowed",
                                   .detail = "This method is not served here; see Allow",
                                   .allow = allow});
}

}  // namespace sandgate::admin
