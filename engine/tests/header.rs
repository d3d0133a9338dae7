// SPDX-License-Identifier: Apache-2.0
//! The C header and the Rust side cannot drift: every function, struct and constant is compared, by the C compiler where there is one.

use sandgate_engine::budget::Budget;
use sandgate_engine::c_types::*;
use sandgate_engine::engine::Engine;
use sandgate_engine::error::{Error, ErrorKind};
use sandgate_engine::ffi::*;
use sandgate_engine::host::key_value::Completion;
use sandgate_engine::inspection::Inspection;
use sandgate_engine::module::Module;
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::fmt::Write as _;
use std::mem::{align_of, offset_of, size_of};
use std::process::Command;
use std::sync::Arc;

const HEADER: &str = include_str!("../include/sandgate_engine.h");
const BORDER: &str = include_str!("../src/ffi.rs");

/// Each function once: its C declaration, and its Rust type, which the compiler checks against the definition.
macro_rules! functions {
    ($($name:ident: $c:literal, $rust:ty;)*) => {
        fn functions() -> Vec<(&'static str, &'static str)> {
            $(let _: $rust = $name;)*
            vec![$((stringify!($name), $c)),*]
        }
    };
}

functions! {
    sg_error_get_kind: "sg_error_kind sg_error_get_kind(const sg_error*)", unsafe extern "C" fn(*const Error) -> ErrorKind;
    sg_error_message: "sg_bytes sg_error_message(const sg_error*)", unsafe extern "C" fn(*const Error) -> Bytes;
    sg_error_trap: "sg_bytes sg_error_trap(const sg_error*)", unsafe extern "C" fn(*const Error) -> Bytes;
    sg_error_drop: "void sg_error_drop(sg_error*)", unsafe extern "C" fn(*mut Error);
    sg_engine_new: "sg_error* sg_engine_new(const sg_engine_config*, sg_engine**)",
        unsafe extern "C" fn(*const EngineConfig, *mut *mut Arc<Engine>) -> *mut Error;
    sg_engine_drop: "void sg_engine_drop(sg_engine*)", unsafe extern "C" fn(*mut Arc<Engine>);
    sg_engine_tick: "void sg_engine_tick(const sg_engine*)", unsafe extern "C" fn(*const Arc<Engine>);
    sg_engine_thread_init: "void sg_engine_thread_init(void)", extern "C" fn();
    sg_engine_fingerprint: "sg_bytes sg_engine_fingerprint(const sg_engine*)", unsafe extern "C" fn(*const Arc<Engine>) -> Bytes;
    sg_compile: "sg_error* sg_compile(const sg_engine*, sg_bytes, sg_code**)",
        unsafe extern "C" fn(*const Arc<Engine>, Bytes, *mut *mut Vec<u8>) -> *mut Error;
    sg_code_bytes: "sg_bytes sg_code_bytes(const sg_code*)", unsafe extern "C" fn(*const Vec<u8>) -> Bytes;
    sg_code_drop: "void sg_code_drop(sg_code*)", unsafe extern "C" fn(*mut Vec<u8>);
    sg_inspect: "sg_error* sg_inspect(sg_bytes, sg_inspection**)", unsafe extern "C" fn(Bytes, *mut *mut Inspection) -> *mut Error;
    sg_inspection_kind: "sg_bytes sg_inspection_kind(const sg_inspection*)", unsafe extern "C" fn(*const Inspection) -> Bytes;
    sg_inspection_imports: "sg_bytes_list sg_inspection_imports(const sg_inspection*)",
        unsafe extern "C" fn(*const Inspection) -> BytesList;
    sg_inspection_exports: "sg_bytes_list sg_inspection_exports(const sg_inspection*)",
        unsafe extern "C" fn(*const Inspection) -> BytesList;
    sg_inspection_drop: "void sg_inspection_drop(sg_inspection*)", unsafe extern "C" fn(*mut Inspection);
    sg_module_load: "sg_error* sg_module_load(const sg_engine*, sg_bytes, const sg_grants*, sg_module**)",
        unsafe extern "C" fn(*const Arc<Engine>, Bytes, *const Grants, *mut *mut Arc<Module>) -> *mut Error;
    sg_module_drop: "void sg_module_drop(sg_module*)", unsafe extern "C" fn(*mut Arc<Module>);
    sg_module_hooks: "uint32_t sg_module_hooks(const sg_module*)", unsafe extern "C" fn(*const Arc<Module>) -> u32;
    sg_instance_new: "sg_error* sg_instance_new(const sg_module*, const sg_budget*, uint64_t, void*, sg_instance**)",
        unsafe extern "C" fn(*const Arc<Module>, *const Budget, u64, *mut c_void, *mut *mut InstanceHandle) -> *mut Error;
    sg_instance_restore: "bool sg_instance_restore(sg_instance*)", unsafe extern "C" fn(*mut InstanceHandle) -> bool;
    sg_instance_drop: "void sg_instance_drop(sg_instance*)", unsafe extern "C" fn(*mut InstanceHandle);
    sg_instance_memory_peak: "uint64_t sg_instance_memory_peak(const sg_instance*)", unsafe extern "C" fn(*const InstanceHandle) -> u64;
    sg_instance_start_on_request: "sg_error* sg_instance_start_on_request(sg_instance*, const sg_request*)",
        unsafe extern "C" fn(*mut InstanceHandle, *const Request) -> *mut Error;
    sg_instance_start_on_response: "sg_error* sg_instance_start_on_response(sg_instance*, const sg_response*)",
        unsafe extern "C" fn(*mut InstanceHandle, *const Response) -> *mut Error;
    sg_instance_poll: "sg_poll sg_instance_poll(sg_instance*, sg_error**)",
        unsafe extern "C" fn(*mut InstanceHandle, *mut *mut Error) -> Poll;
    sg_instance_busy_ns: "uint64_t sg_instance_busy_ns(const sg_instance*)", unsafe extern "C" fn(*const InstanceHandle) -> u64;
    sg_key_value_finish: "void sg_key_value_finish(sg_key_value_completion*, const sg_key_value_reply*)",
        unsafe extern "C" fn(*mut Completion, *const KeyValueReply);
    sg_instance_action: "const sg_action* sg_instance_action(const sg_instance*)",
        unsafe extern "C" fn(*const InstanceHandle) -> *const Action;
}

macro_rules! structs {
    ($($c:ident = $rust:ty { $($field:ident),* })*) => {
        fn struct_assertions() -> String {
            let mut text = String::new();
            $(
                writeln!(text, "SAME(sizeof({0}), {1}); SAME(_Alignof({0}), {2});", stringify!($c), size_of::<$rust>(), align_of::<$rust>()).unwrap();
                $(
                    writeln!(text, "SAME(offsetof({0}, {1}), {2}); SAME(sizeof((({0}*)0)->{1}), {3});", stringify!($c), stringify!($field),
                        offset_of!($rust, $field), size_of_field(|it: &$rust| &raw const it.$field)).unwrap();
                )*
                // No field that this list does not know: the names between the braces of the C struct.
                assert_eq!(fields_of(stringify!($c)), [$(stringify!($field)),*], stringify!($c));
            )*
            text
        }
    };
}

fn size_of_field<S, F>(_: impl Fn(&S) -> *const F) -> usize {
    size_of::<F>()
}

structs! {
    sg_bytes = Bytes { data, len }
    sg_engine_config = EngineConfig { memory_bytes_max, instances_max, stack_bytes, pooling, pagemap_scan, wake, wake_user, log, key_value }
    sg_bytes_list = BytesList { data, len }
    sg_log_line = LogLine { source, level, context, text }
    sg_key_value_request = KeyValueRequest {
        op, bucket, identifier, keys, keys_len, values, values_len, has_expected, expected, delta, has_cursor, cursor
    }
    sg_key_value_entry = KeyValueEntry { found, value }
    sg_key_value_reply = KeyValueReply { status, message, entries, entries_len, keys, keys_len, has_cursor, cursor, number, yes }
    sg_grants = Grants { key_value, config, config_entries, config_len }
    sg_budget = Budget { memory_bytes, wall_ns, cpu_ns, output_bytes }
    sg_header = Header { name, value }
    sg_headers = Headers { data, len }
    sg_request = Request { method, path, query, headers, body, request_id, now_epoch_ms }
    sg_response = Response { status, headers, body }
    sg_action = Action { tag, has_status, status, headers_set, headers_add, headers_remove, headers_remove_len, has_body, body }
}

/// The field names of a struct of the header, in order.
fn fields_of(name: &str) -> Vec<String> {
    let code = without_comments(HEADER);
    let end = code.find(&format!("}} {name};")).unwrap_or_else(|| panic!("{name} is in the header"));
    let start = code[..end].rfind('{').unwrap() + 1;
    let mut names = Vec::new();
    for declaration in code[start..end].split(';') {
        for part in declaration.split(',') {
            if let Some(word) = part.split(|c: char| !(c.is_alphanumeric() || c == '_')).rfind(|word| !word.is_empty()) {
                names.push(word.to_owned());
            }
        }
    }
    names
}

fn without_comments(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").expect("comments end").1;
    }
    code.push_str(rest);
    code
}

fn constants() -> String {
    let mut text = String::new();
    let mut same = |name: &str, value: u32| writeln!(text, "SAME({name}, {value});").unwrap();
    for (name, kind) in [
        ("INVALID_MODULE", ErrorKind::InvalidModule),
        ("UNSUPPORTED", ErrorKind::Unsupported),
        ("LINK", ErrorKind::Link),
        ("EXPORTS", ErrorKind::Exports),
        ("TRAP", ErrorKind::Trap),
        ("DEADLINE", ErrorKind::Deadline),
        ("CPU", ErrorKind::Cpu),
        ("MEMORY", ErrorKind::Memory),
        ("STACK", ErrorKind::Stack),
        ("EXIT", ErrorKind::Exit),
        ("BAD_RESULT", ErrorKind::BadResult),
        ("TOO_LARGE", ErrorKind::TooLarge),
        ("CAPACITY", ErrorKind::Capacity),
        ("CANCELLED", ErrorKind::Cancelled),
        ("INTERNAL", ErrorKind::Internal),
    ] {
        same(&format!("SG_ERROR_{name}"), kind as u32);
    }
    same("SG_STDOUT", LogSource::Stdout as u32);
    same("SG_STDERR", LogSource::Stderr as u32);
    same("SG_LOGGING", LogSource::Logging as u32);
    for (name, level) in [
        ("TRACE", LogLevel::Trace),
        ("DEBUG", LogLevel::Debug),
        ("INFO", LogLevel::Info),
        ("WARN", LogLevel::Warn),
        ("ERROR", LogLevel::Error),
        ("CRITICAL", LogLevel::Critical),
    ] {
        same(&format!("SG_LEVEL_{name}"), level as u32);
    }
    for (name, op) in [
        ("OPEN", KeyValueOp::Open),
        ("GET", KeyValueOp::Get),
        ("SET", KeyValueOp::Set),
        ("DELETE", KeyValueOp::Delete),
        ("EXISTS", KeyValueOp::Exists),
        ("LIST_KEYS", KeyValueOp::ListKeys),
        ("INCREMENT", KeyValueOp::Increment),
        ("COMPARE_AND_SWAP", KeyValueOp::CompareAndSwap),
        ("GET_MANY", KeyValueOp::GetMany),
        ("SET_MANY", KeyValueOp::SetMany),
        ("DELETE_MANY", KeyValueOp::DeleteMany),
    ] {
        same(&format!("SG_KEY_VALUE_{name}"), op as u32);
    }
    same("SG_KEY_VALUE_OK", KEY_VALUE_OK);
    same("SG_KEY_VALUE_NO_SUCH_STORE", KEY_VALUE_NO_SUCH_STORE);
    same("SG_KEY_VALUE_ACCESS_DENIED", KEY_VALUE_ACCESS_DENIED);
    same("SG_KEY_VALUE_OTHER", KEY_VALUE_OTHER);
    same("SG_KEY_VALUE_KEY_BYTES_MAX", KEY_VALUE_KEY_BYTES_MAX as u32);
    same("SG_KEY_VALUE_VALUE_BYTES_MAX", KEY_VALUE_VALUE_BYTES_MAX as u32);
    same("SG_KEY_VALUE_BATCH_MAX", KEY_VALUE_BATCH_MAX as u32);
    same("SG_KEY_VALUE_REPLY_BYTES_MAX", KEY_VALUE_REPLY_BYTES_MAX as u32);
    same("SG_KEY_VALUE_REPLY_KEYS_MAX", KEY_VALUE_REPLY_KEYS_MAX as u32);
    same("SG_LOG_CONTEXT_BYTES_MAX", LOG_CONTEXT_BYTES_MAX as u32);
    same("SG_HOOK_ON_REQUEST", Hook::OnRequest as u32);
    same("SG_HOOK_ON_RESPONSE", Hook::OnResponse as u32);
    same("SG_POLL_DONE", Poll::Done as u32);
    same("SG_POLL_YIELDED", Poll::Yielded as u32);
    same("SG_POLL_WAITING", Poll::Waiting as u32);
    same("SG_POLL_FAILED", Poll::Failed as u32);
    same("SG_ACTION_CONTINUE", ActionTag::Continue as u32);
    same("SG_ACTION_REJECT", ActionTag::Reject as u32);
    same("SG_ACTION_MODIFY", ActionTag::Modify as u32);
    same("SG_LOG_LINE_BYTES_MAX", LOG_LINE_BYTES_MAX as u32);
    same("SG_LOG_LINES_PER_CALL_MAX", LOG_LINES_PER_CALL_MAX);
    for (name, size) in [
        ("sg_error_kind", size_of::<ErrorKind>()),
        ("sg_log_source", size_of::<LogSource>()),
        ("sg_log_level", size_of::<LogLevel>()),
        ("sg_key_value_op", size_of::<KeyValueOp>()),
        ("sg_key_value_status", size_of::<KeyValueStatus>()),
        ("sg_key_value_fn", size_of::<KeyValueFn>()),
        ("sg_hook", size_of::<Hook>()),
        ("sg_poll", size_of::<Poll>()),
        ("sg_action_tag", size_of::<ActionTag>()),
        ("sg_log_fn", size_of::<LogFn>()),
        ("sg_wake_fn", size_of::<WakeFn>()),
    ] {
        same(&format!("sizeof({name})"), size as u32);
    }
    text
}

/// Every word of `source` that begins with `prefix` and is followed by `(`.
fn called_names(source: &str, prefix: &str) -> BTreeSet<String> {
    source
        .match_indices(prefix)
        .filter_map(|(at, _)| {
            let before = source[..at].chars().next_back().unwrap_or(' ');
            let name: String = source[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let is_word = !(before.is_alphanumeric() || before == '_');
            (is_word && source[at + name.len()..].starts_with('(')).then_some(name)
        })
        .collect()
}

#[test]
fn both_sides_have_the_same_functions() {
    let listed: BTreeSet<_> = functions().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(called_names(&without_comments(HEADER), "sg_"), listed);
    let defined = called_names(BORDER, "sg_").into_iter().filter(|name| BORDER.contains(&format!("extern \"C\" fn {name}(")));
    assert_eq!(defined.collect::<BTreeSet<_>>(), listed);
    assert_eq!(BORDER.matches("#[unsafe(no_mangle)]").count(), listed.len());
}

#[test]
fn the_c_compiler_agrees_on_layouts_and_signatures() {
    let mut source = String::from(
        "#include \"sandgate_engine.h\"\n#define SAME(c, rust) _Static_assert((c) == (rust), #c \" is not \" #rust)\n",
    );
    source.push_str(&struct_assertions());
    source.push_str(&constants());
    // A second declaration must be compatible with the first.
    for (_, declaration) in functions() {
        writeln!(source, "{declaration};").unwrap();
    }
    source.push_str("void log_line(void*, const sg_log_line*); static sg_log_fn log_type __attribute__((unused)) = log_line;\n");
    source.push_str("void wake_up(void*, uint64_t); static sg_wake_fn wake_type __attribute__((unused)) = wake_up;\n");

    let folder = std::env::temp_dir().join(format!("sandgate-header-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("check.c");
    std::fs::write(&file, &source).unwrap();
    let include = concat!(env!("CARGO_MANIFEST_DIR"), "/include");
    let mut checked = false;
    for compiler in ["clang-19", "clang", "cc", "gcc"] {
        let run = Command::new(compiler).args(["-std=c11", "-Werror", "-fsyntax-only", "-I", include]).arg(&file).output();
        let Ok(output) = run else { continue };
        assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
        checked = true;
        break;
    }
    std::fs::remove_dir_all(&folder).unwrap();
    if !checked {
        eprintln!("no C compiler here: layouts were not compared");
    }
}
