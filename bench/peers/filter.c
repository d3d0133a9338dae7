// SPDX-License-Identifier: Apache-2.0
//
// What tag.cc does, as a proxy-wasm filter (ABI 0.2.1) without a library: one more field on the request (REQUEST), one more on the response
// (RESPONSE). The host asks for memory only to answer calls that hand out values; none of these does.
#include <stdint.h>

#define HOST(name) __attribute__((import_module("env"), import_name(#name)))
#define GUEST(name) __attribute__((export_name(#name)))

enum fields { kRequestFields = 0, kResponseFields = 2 };
enum verdict { kContinue = 0 };

HOST(proxy_add_header_map_value)
uint32_t add_field(uint32_t fields, const char* name, uint32_t name_size, const char* value, uint32_t value_size);

#define ADD(fields, name, value) add_field(fields, name, sizeof(name) - 1, value, sizeof(value) - 1)

static char arena[4096] __attribute__((aligned(8)));

GUEST(proxy_abi_version_0_2_1) void abi_version(void) {}
GUEST(proxy_on_memory_allocate) void* allocate(uint32_t size) { return size <= sizeof(arena) ? arena : 0; }
GUEST(proxy_on_vm_start) uint32_t vm_start(uint32_t root, uint32_t size) { return (void)root, (void)size, 1; }
GUEST(proxy_on_configure) uint32_t configure(uint32_t root, uint32_t size) { return (void)root, (void)size, 1; }
GUEST(proxy_on_context_create) void begin(uint32_t exchange, uint32_t root) { (void)exchange, (void)root; }

#ifdef REQUEST
GUEST(proxy_on_request_headers) uint32_t on_request(uint32_t exchange, uint32_t count, uint32_t last) {
  (void)exchange, (void)count, (void)last;
  ADD(kRequestFields, "x-request-id-bench", "request");
  return kContinue;
}
#endif

#ifdef RESPONSE
GUEST(proxy_on_response_headers) uint32_t on_response(uint32_t exchange, uint32_t count, uint32_t last) {
  (void)exchange, (void)count, (void)last;
  ADD(kResponseFields, "x-bench", "response");
  return kContinue;
}
#endif
