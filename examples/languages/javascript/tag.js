// SPDX-License-Identifier: Apache-2.0
//
// A guest in JavaScript: wants an API key of requests, tags them, and turns a worker's 500 into a 503.

const edits = { headersSet: [], headersAdd: [], headersRemove: [] };

export const middlewareOnRequest = {
  onRequest(request) {
    if (!request.headers.some(({ name }) => name === "x-api-key")) return { tag: "reject", val: 401 };
    return {
      tag: "modify",
      val: {
        ...edits,
        headersSet: [
          { name: "x-guest", value: "javascript" },
          { name: "x-seen", value: request.requestId },
          { name: "x-body-bytes", value: String(request.body.length) },
        ],
        headersRemove: ["x-api-key"],
      },
    };
  },
};

export const middlewareOnResponse = {
  onResponse(response) {
    if (response.status !== 500) return { tag: "continue" };
    return { tag: "modify", val: { ...edits, status: 503 } };
  },
};
