// SPDX-License-Identifier: Apache-2.0
//
// A guest in C: wants an API key of requests, tags them, and turns a worker's 500 into a 503. The gateway's texts are
// copies that belong to the hook, and what the answer points to is freed when the gateway has read it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sgl_router.h"

typedef sgl_router_middleware_types_header_t header;
typedef sgl_router_middleware_types_action_t action;

static bool has_field(const sgl_router_middleware_types_list_header_t* fields, const char* name) {
  for (size_t i = 0; i < fields->len; ++i) {
    const sgl_router_string_t* found = &fields->ptr[i].name;
    if (found->len == strlen(name) && memcmp(found->ptr, name, found->len) == 0) return true;
  }
  return false;
}

void exports_sgl_router_middleware_on_request_on_request(exports_sgl_router_middleware_on_request_request_t* request,
                                                         exports_sgl_router_middleware_on_request_action_t* result) {
  memset(result, 0, sizeof *result);
  if (!has_field(&request->headers, "x-api-key")) {
    result->tag = SGL_ROUTER_MIDDLEWARE_TYPES_ACTION_REJECT;
    result->val.reject = 401;
    exports_sgl_router_middleware_on_request_request_free(request);
    return;
  }
  result->tag = SGL_ROUTER_MIDDLEWARE_TYPES_ACTION_MODIFY;
  sgl_router_middleware_types_modify_action_t* edits = &result->val.modify;

  edits->headers_set.ptr = calloc(3, sizeof(header));
  edits->headers_set.len = 3;
  header* fields = edits->headers_set.ptr;
  sgl_router_string_dup(&fields[0].name, "x-guest");
  sgl_router_string_dup(&fields[0].value, "c");
  sgl_router_string_dup(&fields[1].name, "x-seen");
  sgl_router_string_dup_n(&fields[1].value, (const char*)request->request_id.ptr, request->request_id.len);
  char body_bytes[24];
  snprintf(body_bytes, sizeof body_bytes, "%zu", request->body.len);
  sgl_router_string_dup(&fields[2].name, "x-body-bytes");
  sgl_router_string_dup(&fields[2].value, body_bytes);

  edits->headers_remove.ptr = calloc(1, sizeof(sgl_router_string_t));
  edits->headers_remove.len = 1;
  sgl_router_string_dup(&edits->headers_remove.ptr[0], "x-api-key");
  exports_sgl_router_middleware_on_request_request_free(request);
}

void exports_sgl_router_middleware_on_response_on_response(
    exports_sgl_router_middleware_on_response_response_t* response,
    exports_sgl_router_middleware_on_response_action_t* result) {
  memset(result, 0, sizeof *result);
  if (response->status == 500) {
    result->tag = SGL_ROUTER_MIDDLEWARE_TYPES_ACTION_MODIFY;
    result->val.modify.status = (sgl_router_option_u16_t){.is_some = true, .val = 503};
  }
  exports_sgl_router_middleware_on_response_response_free(response);
}
