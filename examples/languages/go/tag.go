// SPDX-License-Identifier: Apache-2.0

// A guest in Go: wants an API key of requests, tags them, and turns a worker's 500 into a 503.
package main

import "strconv"

func onRequest(request request) action {
	for _, field := range request.headers {
		if field.name == "x-api-key" {
			return action{kind: modify,
				set: []header{
					{"x-guest", "go"},
					{"x-seen", request.id},
					{"x-body-bytes", strconv.Itoa(len(request.body))},
				},
				remove: []string{"x-api-key"}}
		}
	}
	return action{kind: reject, status: 401}
}

func onResponse(response response) action {
	if response.status != 500 {
		return action{}
	}
	return action{kind: modify, status: 503}
}

func main() {}
