/* SPDX-License-Identifier: Apache-2.0
 *
 * The C interface of the engine crate: Wasmtime behind opaque handles. Only src/sandbox and src/abi include this.
 *
 * Threads: an engine and a module may be used from any thread. An instance belongs to one thread at a time (it may move while no
 * function is inside it). Every pointer handed in is borrowed for the call unless it says otherwise. Every `sg_error*` that comes out is
 * owned by the caller: sg_error_drop. No function unwinds; a panic inside becomes SG_ERROR_INTERNAL.
 */
#ifndef SANDGATE_ENGINE_H
#define SANDGATE_ENGINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct sg_engine sg_engine;     /* one per process: pool of memories, fibers and code */
typedef struct sg_module sg_module;     /* compiled code, linked; reference counted inside; Send + Sync */
typedef struct sg_instance sg_instance; /* one store; at most one call in it at a time */
typedef struct sg_error sg_error;
typedef struct sg_code sg_code;         /* output of sg_compile: owned bytes */

/* Bytes somebody else owns. `data` may be NULL when `len` is 0. */
typedef struct { const uint8_t* data; size_t len; } sg_bytes;

typedef enum {
  SG_ERROR_INVALID_MODULE = 1, /* not WebAssembly, truncated, or refused by validation */
  SG_ERROR_UNSUPPORTED = 2,    /* needs a proposal that is off, or a limit of the engine */
  SG_ERROR_LINK = 3,           /* an import that is not granted; the text names it */
  SG_ERROR_EXPORTS = 4,        /* no guest ABI recognised, or an export has the wrong type; the text says what it should be */
  SG_ERROR_TRAP = 5,           /* the guest trapped; sg_error_trap names the kind */
  SG_ERROR_DEADLINE = 6,       /* wall time used up */
  SG_ERROR_CPU = 7,            /* CPU time used up */
  SG_ERROR_MEMORY = 8,         /* the guest wanted more than its budget and then failed */
  SG_ERROR_STACK = 9,          /* stack exhausted */
  SG_ERROR_EXIT = 10,          /* the guest called exit */
  SG_ERROR_BAD_RESULT = 11,    /* the result breaks the canonical ABI (pointer, length, UTF-8, discriminant) */
  SG_ERROR_TOO_LARGE = 12,     /* the result is larger than the budget allows */
  SG_ERROR_CAPACITY = 13,      /* all instances of the pool are in use */
  SG_ERROR_CANCELLED = 14,
  SG_ERROR_INTERNAL = 15       /* a bug of ours, or the operating system refused memory */
} sg_error_kind;

sg_error_kind sg_error_get_kind(const sg_error*);
/* English text for the log. Borrowed from the error. Never shown to clients as it is. */
sg_bytes sg_error_message(const sg_error*);
/* Short name of the trap ("unreachable", "out of bounds memory access"; "host call failed" when an import refused its arguments); empty
 * unless the kind is SG_ERROR_TRAP. */
sg_bytes sg_error_trap(const sg_error*);
void sg_error_drop(sg_error*);

/* A line of guest output (wasi:cli stdout or stderr). `user` is the instance's `log_user`. Called on the polling thread, on a fiber's stack
 * (1 MiB free); must not block, throw or call back into the engine (but sg_instance_drop of this instance). `line` has no newline and at most
 * SG_LOG_LINE_BYTES_MAX bytes, unescaped; longer lines are split. After SG_LOG_LINES_PER_CALL_MAX lines one more says
 * "(output limit reached)" and the rest of the call's output is dropped. What has no newline comes when the call ends. */
#define SG_LOG_LINE_BYTES_MAX 4096
#define SG_LOG_LINES_PER_CALL_MAX 64
typedef enum { SG_STDOUT = 1, SG_STDERR = 2 } sg_stream;
typedef void (*sg_log_fn)(void* user, sg_stream stream, sg_bytes line);

/* Called from any thread when a waiting instance should be polled again. `user` is the engine's `wake_user`, `token` the instance's.
 * It may come late: after the call ended or the instance was dropped. Must be cheap and must not call back into the engine. */
typedef void (*sg_wake_fn)(void* user, uint64_t token);

typedef struct {
  uint64_t memory_bytes_max;  /* largest linear memory of the process; a multiple of 64 KiB */
  uint32_t instances_max;     /* live instances in the pool */
  uint64_t stack_bytes;       /* guest stack; the fiber gets 1 MiB more */
  bool pooling;               /* false in the compiler process: reserves no address space */
  bool pagemap_scan;          /* true only when no swap can be used (architecture D4) */
  sg_wake_fn wake;
  void* wake_user;
  sg_log_fn log;
} sg_engine_config;

/* SG_ERROR_UNSUPPORTED names the number that is out of range (at most 4 GiB, 16,256 instances, 64 KiB to 64 MiB of stack);
 * SG_ERROR_INTERNAL: the system refused the address space. */
sg_error* sg_engine_new(const sg_engine_config* config, sg_engine** out);
/* Frees the engine when its last module and instance are gone: until then wake-ups may come. */
void sg_engine_drop(sg_engine*);
/* Advances the epoch: running guests yield at their next check. From the ticker thread, each millisecond while guests run. Async-signal-unsafe. */
void sg_engine_tick(const sg_engine*);
/* Once on each thread that polls (signal stacks). */
void sg_engine_thread_init(void);
/* A text that changes when compiled code of another build or configuration must not be loaded (version, target, CPU features, tunables).
 * The numbers of sg_engine_config do not matter to compiled code: the compiler process has the same text without a pool. Borrowed. */
sg_bytes sg_engine_fingerprint(const sg_engine*);

/* Compiles a component, or a core module with the canonical export names or an embedded component-type section (made into a component
 * first; preview 1 imports served by the adapter). Slow, unbounded: only in the compiler process.
 * SG_ERROR_INVALID_MODULE, SG_ERROR_UNSUPPORTED, SG_ERROR_LINK (core modules), SG_ERROR_EXPORTS (core modules).
 * Known limit: one bulk instruction of the guest is not pre-empted (memory.fill of 64 MiB: 158 ms). */
sg_error* sg_compile(const sg_engine*, sg_bytes wasm, sg_code** out);
sg_bytes sg_code_bytes(const sg_code*);
void sg_code_drop(sg_code*);

/* Loads code that sg_compile made: links imports, finds and type-checks the exports. The bytes are native code: only from our own
 * cache or child. Copied.
 * SG_ERROR_INVALID_MODULE (not our code), SG_ERROR_UNSUPPORTED (another build's, or beyond the pool's limits), SG_ERROR_LINK, SG_ERROR_EXPORTS.
 * A component that imports WASI starts the engine's one timer thread. */
sg_error* sg_module_load(const sg_engine*, sg_bytes code, sg_module** out);
void sg_module_drop(sg_module*);
/* What a module serves, from its exports. */
typedef enum { SG_HOOK_ON_REQUEST = 1, SG_HOOK_ON_RESPONSE = 2 } sg_hook;
uint32_t sg_module_hooks(const sg_module*); /* bits of sg_hook */

typedef struct {
  uint64_t memory_bytes;   /* over all memories of the instance */
  uint64_t wall_ns;        /* from the first poll of a call */
  uint64_t cpu_ns;         /* 0: no limit; counted around polls, so waiting is free */
  uint64_t output_bytes;   /* hostcall fuel: bytes lifted out of the guest in one call */
} sg_budget;

/* A fresh store. Nothing of the guest runs until the first poll. */
sg_error* sg_instance_new(const sg_module*, const sg_budget* budget, uint64_t token, void* log_user, sg_instance** out);
/* Ends what runs and frees the store. From within a callback of this instance it takes effect when the poll returns. NULL is allowed. */
void sg_instance_drop(sg_instance*);
/* Highest number of bytes of linear memory so far. */
uint64_t sg_instance_memory_peak(const sg_instance*);

typedef struct { sg_bytes name; sg_bytes value; } sg_header; /* UTF-8 */
typedef struct { const sg_header* data; size_t len; } sg_headers;

/* Record `request` of the router worlds. All text must be UTF-8. */
typedef struct {
  sg_bytes method, path, query;
  sg_headers headers;
  sg_bytes body;
  sg_bytes request_id;
  uint64_t now_epoch_ms;
} sg_request;

typedef struct {
  uint16_t status;
  sg_headers headers;
  sg_bytes body;
} sg_response;

/* Begin a call. The record and what it points to must stay alive until the call has ended or the instance is dropped.
 * SG_ERROR_EXPORTS when the module lacks the hook; SG_ERROR_INTERNAL when a call is in the instance already. */
sg_error* sg_instance_start_on_request(sg_instance*, const sg_request*);
sg_error* sg_instance_start_on_response(sg_instance*, const sg_response*);

typedef enum {
  SG_POLL_DONE = 1,    /* sg_instance_action is valid */
  SG_POLL_YIELDED = 2, /* used its slice; poll again when others had their turn */
  SG_POLL_WAITING = 3, /* in a host call; the wake callback tells when */
  SG_POLL_FAILED = 4   /* *error is set; the instance is spent */
} sg_poll;
sg_poll sg_instance_poll(sg_instance*, sg_error** error);
/* What the call used so far: CPU nanoseconds once it has a CPU budget and has seen a tick (exact from then on), else wall nanoseconds
 * inside the polls that have ended. */
uint64_t sg_instance_busy_ns(const sg_instance*);

typedef enum { SG_ACTION_CONTINUE = 0, SG_ACTION_REJECT = 1, SG_ACTION_MODIFY = 2 } sg_action_tag;
typedef struct {
  sg_action_tag tag;
  bool has_status;          /* REJECT: true. MODIFY: option */
  uint16_t status;
  sg_headers headers_set, headers_add;
  const sg_bytes* headers_remove; size_t headers_remove_len;
  bool has_body;
  sg_bytes body;
} sg_action;
/* The result of the last call. Everything in it lives until the next start or the drop. NULL unless the last poll said SG_POLL_DONE. */
const sg_action* sg_instance_action(const sg_instance*);

#ifdef __cplusplus
}
#endif
#endif
