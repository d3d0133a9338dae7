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
typedef struct { const sg_bytes* data; size_t len; } sg_bytes_list;

/* UTF-8; but the values in an action of a vllm:router-middleware guest may be any bytes. */
typedef struct { sg_bytes name; sg_bytes value; } sg_header;
typedef struct { const sg_header* data; size_t len; } sg_headers;

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

/* Callbacks of an instance. `user` is what sg_instance_new was given. They are called on the polling thread, on a fiber's stack (1 MiB free);
 * they must not block, unwind or call back into the engine (but sg_instance_drop of this instance, and sg_key_value_finish). What they are
 * handed is borrowed until they return. */

/* A line of guest output. `text` has no newline and at most SG_LOG_LINE_BYTES_MAX bytes, unescaped; what is longer, or has several lines, comes
 * as several. After SG_LOG_LINES_PER_CALL_MAX lines one more says "(output limit reached)" and the rest of the call's output is dropped. What a
 * stream has without a newline comes when the call ends. wasi:cli stdout is SG_LEVEL_INFO, stderr SG_LEVEL_WARN, wasi:logging as the guest says.
 * `context` is wasi:logging's: at most SG_LOG_CONTEXT_BYTES_MAX bytes of UTF-8, cut at a character; empty for the streams. */
#define SG_LOG_LINE_BYTES_MAX 4096
#define SG_LOG_LINES_PER_CALL_MAX 64
#define SG_LOG_CONTEXT_BYTES_MAX 64
typedef enum { SG_STDOUT = 1, SG_STDERR = 2, SG_LOGGING = 3 } sg_log_source;
typedef enum {
  SG_LEVEL_TRACE = 0,
  SG_LEVEL_DEBUG = 1,
  SG_LEVEL_INFO = 2,
  SG_LEVEL_WARN = 3,
  SG_LEVEL_ERROR = 4,
  SG_LEVEL_CRITICAL = 5
} sg_log_level;
typedef struct {
  sg_log_source source;
  sg_log_level level;
  sg_bytes context;
  sg_bytes text;
} sg_log_line;
typedef void (*sg_log_fn)(void* user, const sg_log_line* line);

/* Key-value stores: wasi:keyvalue store, atomics and batch, 0.2.0-draft and 0.2.0-draft2, for modules loaded with sg_grants.key_value.
 *
 * The engine has checked the request: keys are UTF-8 of at most SG_KEY_VALUE_KEY_BYTES_MAX bytes, values have at most
 * SG_KEY_VALUE_VALUE_BYTES_MAX, at most SG_KEY_VALUE_BATCH_MAX of each; identifier and cursor are bounded like keys. Which stores a module may
 * open is the callback's to decide. A bucket is a number of its choice (the reply to OPEN); there is no close: guests drop handles unseen. */
#define SG_KEY_VALUE_KEY_BYTES_MAX 1024
#define SG_KEY_VALUE_VALUE_BYTES_MAX 1048576
#define SG_KEY_VALUE_BATCH_MAX 128
typedef enum {
  SG_KEY_VALUE_OPEN = 1,             /* identifier -> number */
  SG_KEY_VALUE_GET = 2,              /* keys[0] -> entries[0] */
  SG_KEY_VALUE_SET = 3,              /* keys[0], values[0] */
  SG_KEY_VALUE_DELETE = 4,           /* keys[0]; a key that is not there is no error */
  SG_KEY_VALUE_EXISTS = 5,           /* keys[0] -> yes */
  SG_KEY_VALUE_LIST_KEYS = 6,        /* cursor, unless it is the first page -> keys, and a cursor if there are more */
  SG_KEY_VALUE_INCREMENT = 7,        /* keys[0], delta -> number, the new value; a key that is not there counts as 0 */
  SG_KEY_VALUE_COMPARE_AND_SWAP = 8, /* keys[0], values[0], expected (absent: the key must not be there) -> yes: was it swapped */
  SG_KEY_VALUE_GET_MANY = 9,         /* keys -> entries, one for each key in their order */
  SG_KEY_VALUE_SET_MANY = 10,        /* keys and values of the same length */
  SG_KEY_VALUE_DELETE_MANY = 11      /* keys */
} sg_key_value_op;
/* Fields that the operation does not name are empty, 0 or false. */
typedef struct {
  sg_key_value_op op;
  uint64_t bucket; /* all but OPEN */
  sg_bytes identifier;
  const sg_bytes* keys;
  size_t keys_len;
  const sg_bytes* values;
  size_t values_len;
  bool has_expected;
  sg_bytes expected;
  int64_t delta;
  bool has_cursor;
  sg_bytes cursor; /* draft: decimal digits, for its cursors are u64 */
} sg_key_value_request;

typedef enum {
  SG_KEY_VALUE_OK = 0,
  SG_KEY_VALUE_NO_SUCH_STORE = 1,
  SG_KEY_VALUE_ACCESS_DENIED = 2,
  SG_KEY_VALUE_OTHER = 3 /* `message` goes to the guest */
} sg_key_value_status;
typedef struct { bool found; sg_bytes value; } sg_key_value_entry;
/* Only what the operation answers is read. At most SG_KEY_VALUE_REPLY_BYTES_MAX bytes of keys and values and SG_KEY_VALUE_REPLY_KEYS_MAX keys;
 * text is UTF-8. A reply that breaks this, or lacks what the operation answers, becomes SG_KEY_VALUE_OTHER. A cursor for a guest of the draft
 * must be decimal digits of a u64 (a guest of draft2 takes any text). */
#define SG_KEY_VALUE_REPLY_BYTES_MAX 8388608
#define SG_KEY_VALUE_REPLY_KEYS_MAX 1000
typedef struct {
  sg_key_value_status status;
  sg_bytes message;
  const sg_key_value_entry* entries;
  size_t entries_len;
  const sg_bytes* keys;
  size_t keys_len;
  bool has_cursor;
  sg_bytes cursor;
  int64_t number;
  bool yes;
} sg_key_value_reply;
/* Ends an operation: exactly once for each completion, from any thread, inside the callback or later. Copies the reply and frees the completion.
 * When the call or the instance is gone meanwhile it only frees. May call the engine's `wake` before it returns. It needs the engine's
 * `wake_user` to be valid, not the instance's `user`. */
typedef struct sg_key_value_completion sg_key_value_completion;
void sg_key_value_finish(sg_key_value_completion*, const sg_key_value_reply*);
/* While an operation is not finished the guest waits (SG_POLL_WAITING); finishing it wakes the instance. One at a time in an instance. */
typedef void (*sg_key_value_fn)(void* user, const sg_key_value_request* request, sg_key_value_completion* completion);

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
  sg_log_fn log;                /* NULL: output is dropped */
  sg_key_value_fn key_value;    /* NULL: opening a store fails with `other` */
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
 * Bulk memory instructions are rewritten to work in pieces, so that guests yield within them and end on time. Known limit: one table
 * instruction (at most 131,072 elements), and one copy between the memories of composed components, still run to their end. */
sg_error* sg_compile(const sg_engine*, sg_bytes wasm, sg_code** out);
sg_bytes sg_code_bytes(const sg_code*);
void sg_code_drop(sg_code*);

/* What a WebAssembly binary is, wants and offers, without compiling it. Needs no engine, bounded in time and memory, safe on hostile bytes; the
 * binary is parsed, not validated. SG_ERROR_INVALID_MODULE, SG_ERROR_UNSUPPORTED (more than 10,000 names or 4 MiB of them,
 * or larger than sg_compile takes). */
typedef struct sg_inspection sg_inspection; /* owns its texts */
sg_error* sg_inspect(sg_bytes wasm, sg_inspection** out);
/* "component" or "core module". This and the lists are borrowed from the inspection. */
sg_bytes sg_inspection_kind(const sg_inspection*);
/* As written, in order: for components `wasi:http/types@0.2.0`, for core modules `module.field`. */
sg_bytes_list sg_inspection_imports(const sg_inspection*);
sg_bytes_list sg_inspection_exports(const sg_inspection*);
void sg_inspection_drop(sg_inspection*);

/* What a module may use beyond the powerless world that is always linked (WASI 0.2 command world, wasi:http/outgoing-handler that denies,
 * wasi:logging/logging@0.1.0-draft). What is not granted is not linked. Copied by sg_module_load. */
typedef struct {
  bool key_value;                  /* wasi:keyvalue {store, atomics, batch} @0.2.0-draft and @0.2.0-draft2 */
  bool config;                     /* wasi:config/store @0.2.0-rc.1 and @0.2.0-draft, served from the entries */
  const sg_header* config_entries; /* in the order of get-all; of equal names the first counts */
  size_t config_len;
} sg_grants;

/* Loads code that sg_compile made: links imports, finds and type-checks the exports. The bytes are native code: only from our own
 * cache or child. Copied. `grants` may be NULL: nothing is granted.
 * SG_ERROR_INVALID_MODULE (not our code), SG_ERROR_UNSUPPORTED (another build's, or beyond the pool's limits), SG_ERROR_LINK (an import that
 * is not granted: the text names it and the line of the deploy request that would grant it), SG_ERROR_EXPORTS.
 * A component that imports WASI starts the engine's one timer thread. */
sg_error* sg_module_load(const sg_engine*, sg_bytes code, const sg_grants* grants, sg_module** out);
void sg_module_drop(sg_module*);
/* What a module serves, from its exports. Guests of vllm:router-middleware have SG_HOOK_ON_REQUEST only. */
typedef enum { SG_HOOK_ON_REQUEST = 1, SG_HOOK_ON_RESPONSE = 2 } sg_hook;
uint32_t sg_module_hooks(const sg_module*); /* bits of sg_hook */

typedef struct {
  uint64_t memory_bytes;   /* over all memories of the instance */
  uint64_t wall_ns;        /* from the first poll of a call */
  uint64_t cpu_ns;         /* 0: no limit; counted around polls, so waiting is free */
  uint64_t output_bytes;   /* hostcall fuel: bytes lifted out of the guest in one call */
} sg_budget;

/* A fresh store. Nothing of the guest runs until the first poll. `token` is for the wake callback, `user` for the other callbacks; what it
 * points to must outlive the instance. */
sg_error* sg_instance_new(const sg_module*, const sg_budget* budget, uint64_t token, void* user, sg_instance** out);
/* Ends what runs and frees the store. From within a callback of this instance it takes effect when the poll returns. NULL is allowed. */
void sg_instance_drop(sg_instance*);
/* After a call that is done: puts the guest back to what it was before its first call, so that the next one finds nothing of those before,
 * as in a new instance but for less. What sg_instance_action gave is gone. False when the module keeps more than memory and globals, the
 * memory has grown or much of it was written: then drop the instance. Not within a callback. */
bool sg_instance_restore(sg_instance*);
/* Highest number of bytes of linear memory so far. */
uint64_t sg_instance_memory_peak(const sg_instance*);

/* Record `request` of the router worlds. All text must be UTF-8 (for guests of vllm:router-middleware field values may be any bytes; they
 * are not told the time). */
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
