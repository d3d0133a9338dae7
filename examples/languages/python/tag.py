# SPDX-License-Identifier: Apache-2.0
"""A guest in Python: wants an API key of requests, tags them, and turns a worker's 500 into a 503."""
from wit_world import exports
from wit_world.imports.middleware_types import Action_Continue, Action_Modify, Action_Reject, Header, ModifyAction


def edits(status=None, headers_set=(), headers_remove=()):
    return Action_Modify(ModifyAction(status, list(headers_set), [], list(headers_remove), None))


class MiddlewareOnRequest(exports.MiddlewareOnRequest):
    def on_request(self, req):
        if not any(header.name == "x-api-key" for header in req.headers):
            return Action_Reject(401)
        return edits(
            headers_set=[
                Header("x-guest", "python"),
                Header("x-seen", req.request_id),
                Header("x-body-bytes", str(len(req.body))),
            ],
            headers_remove=["x-api-key"],
        )


class MiddlewareOnResponse(exports.MiddlewareOnResponse):
    def on_response(self, resp):
        return edits(status=503) if resp.status == 500 else Action_Continue()
