// SPDX-License-Identifier: Apache-2.0
//! wasi:keyvalue in both drafts: what the guest says reaches C++, what C++ answers reaches the guest, now, later or too late.

mod support;
use sandgate_engine::budget::Budget;
use sandgate_engine::c_types::{KEY_VALUE_BATCH_MAX, KEY_VALUE_KEY_BYTES_MAX, KeyValueReply, Poll};
use sandgate_engine::ffi::sg_key_value_finish;
use sandgate_engine::host::key_value::Completion;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use support::services::*;
use support::*;

const WITH_STORE: Options = Options { key_value: Some(on_key_value), ..POOLED };

/// The names at 4096: users (0), name (5), value (9), other (14), more (19), broken (23).
const DATA: &str = "usersnamevalueothermorebroken";

/// A guest of one draft. `$open` gives the bucket of `users`.
fn guest_of(draft: &str, code: &str) -> Vec<u8> {
    let (cursor, cas) = if draft == "0.2.0-draft" {
        ("i64", "")
    } else {
        (
            "i32 i32",
            r#"(import "wasi:keyvalue/atomics@V" "[static]cas.new" (func $cas_new (param i32 i32 i32 i32)))
               (import "wasi:keyvalue/atomics@V" "[method]cas.current" (func $cas_current (param i32 i32)))
               (import "wasi:keyvalue/atomics@V" "[resource-drop]cas" (func $cas_drop (param i32)))
               (import "wasi:keyvalue/atomics@V" "swap" (func $swap (param i32 i32 i32 i32)))"#,
        )
    };
    let imports = format!(
        r#"(import "wasi:keyvalue/store@V" "open" (func $open_store (param i32 i32 i32)))
           (import "wasi:keyvalue/store@V" "[resource-drop]bucket" (func $close (param i32)))
           (import "wasi:keyvalue/store@V" "[method]bucket.get" (func $get (param i32 i32 i32 i32)))
           (import "wasi:keyvalue/store@V" "[method]bucket.set" (func $set (param i32 i32 i32 i32 i32 i32)))
           (import "wasi:keyvalue/store@V" "[method]bucket.delete" (func $delete (param i32 i32 i32 i32)))
           (import "wasi:keyvalue/store@V" "[method]bucket.exists" (func $exists (param i32 i32 i32 i32)))
           (import "wasi:keyvalue/store@V" "[method]bucket.list-keys" (func $list_keys (param i32 i32 {cursor} i32)))
           (import "wasi:keyvalue/atomics@V" "increment" (func $increment (param i32 i32 i32 i64 i32)))
           (import "wasi:keyvalue/batch@V" "get-many" (func $get_many (param i32 i32 i32 i32)))
           (import "wasi:keyvalue/batch@V" "set-many" (func $set_many (param i32 i32 i32 i32)))
           (import "wasi:keyvalue/batch@V" "delete-many" (func $delete_many (param i32 i32 i32 i32)))
           {cas}
           (func $open (result i32)
             (call $open_store (i32.const 4096) (i32.const 5) (i32.const 5000)) (call $ok (i32.const 5000))
             (i32.load (i32.const 5004)))
           (func $pair (param $at i32) (param $ptr i32) (param $len i32)
             (i32.store (local.get $at) (local.get $ptr)) (i32.store offset=4 (local.get $at) (local.get $len)))"#
    );
    let interfaces: Vec<String> =
        ["store", "atomics", "batch"].iter().map(|interface| format!("wasi:keyvalue/{interface}@{draft}")).collect();
    let interfaces: Vec<&str> = interfaces.iter().map(String::as_str).collect();
    // Imports come before definitions.
    let (imports, helpers) = imports.split_at(imports.find("(func $open (result").unwrap());
    let module = format!("{imports}{helpers}").replace("@V", &format!("@{draft}"));
    importing_guest(&interfaces, &module, DATA, code)
}

fn run(log: &Log, wasm: &[u8]) -> Outcome {
    let engine = Engine::new(WITH_STORE);
    let module = engine.load_granted(&engine.compile(wasm).unwrap(), Some(&GRANT_KEY_VALUE)).unwrap();
    engine.ticking(|| module.instance_with_log(budget(), Some(log)).request(&engine, &Request::new()))
}

/// What both drafts can do, in one go.
const COMMON: &str = "(local.set $i (call $open))
    (call $set (local.get $i) (i32.const 4101) (i32.const 4) (i32.const 4105) (i32.const 5) (i32.const 5000)) (call $ok (i32.const 5000))
    (call $exists (local.get $i) (i32.const 4101) (i32.const 4) (i32.const 5000)) (call $ok (i32.const 5000))
    (if (i32.ne (i32.load8_u (i32.const 5004)) (i32.const 1)) (then (unreachable)))
    (call $exists (local.get $i) (i32.const 4110) (i32.const 5) (i32.const 5000)) (call $ok (i32.const 5000))
    (if (i32.load8_u (i32.const 5004)) (then (unreachable)))
    ;; a missing key is none
    (call $get (local.get $i) (i32.const 4110) (i32.const 5) (i32.const 5000)) (call $ok (i32.const 5000))
    (if (i32.load8_u (i32.const 5004)) (then (unreachable)))
    ;; set-many other=value more=name, get-many name,broken
    (call $pair (i32.const 6000) (i32.const 4110) (i32.const 5)) (call $pair (i32.const 6008) (i32.const 4105) (i32.const 5))
    (call $pair (i32.const 6016) (i32.const 4115) (i32.const 4)) (call $pair (i32.const 6024) (i32.const 4101) (i32.const 4))
    (call $set_many (local.get $i) (i32.const 6000) (i32.const 2) (i32.const 5000)) (call $ok (i32.const 5000))
    (call $pair (i32.const 6000) (i32.const 4101) (i32.const 4)) (call $pair (i32.const 6008) (i32.const 4119) (i32.const 6))
    (call $get_many (local.get $i) (i32.const 6000) (i32.const 2) (i32.const 5000)) (call $ok (i32.const 5000))
    (if (i32.ne (i32.load (i32.const 5008)) (i32.const 2)) (then (unreachable)))
    (if (i32.ne (i32.load8_u (i32.load (i32.const 5004))) (i32.const 1)) (then (unreachable)))
    (if (i32.load8_u offset=20 (i32.load (i32.const 5004))) (then (unreachable)))
    ;; no keys: nothing to ask
    (call $get_many (local.get $i) (i32.const 6000) (i32.const 0) (i32.const 5000)) (call $ok (i32.const 5000))
    (call $increment (local.get $i) (i32.const 4096) (i32.const 5) (i64.const 40) (i32.const 5000)) (call $ok (i32.const 5000))
    (call $increment (local.get $i) (i32.const 4096) (i32.const 5) (i64.const 2) (i32.const 5000)) (call $ok (i32.const 5000))
    (if (i64.ne (i64.load (i32.const 5008)) (i64.const 42)) (then (unreachable)))
    (call $delete (local.get $i) (i32.const 4096) (i32.const 5) (i32.const 5000)) (call $ok (i32.const 5000))";

const COMMON_WORDS: [&str; 10] = [
    "Open users",
    "Set 7 name=value",
    "Exists 7 name",
    "Exists 7 other",
    "Get 7 other",
    "SetMany 7 other,more=value,name",
    "GetMany 7 name,broken",
    "Increment 7 users delta 40",
    "Increment 7 users delta 2",
    "Delete 7 users",
];

const GET_NAME: &str = "(call $get (local.get $i) (i32.const 4101) (i32.const 4) (i32.const 5000)) (call $ok (i32.const 5000))
    (if (i32.eqz (i32.load8_u (i32.const 5004))) (then (return (call $reject (i32.const 404)))))
    (call $body (i32.load (i32.const 5008)) (i32.load (i32.const 5012)))";

#[test]
fn every_operation_of_draft2_reaches_the_store_and_comes_back() {
    for when in [When::Inside, When::Later] {
        let log = Store::user(when);
        let code = format!(
            "{COMMON}
             (call $list_keys (local.get $i) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 5000)) (call $ok (i32.const 5000))
             (if (i32.ne (i32.load (i32.const 5008)) (i32.const 2)) (then (unreachable)))
             (if (i32.ne (i32.load8_u (i32.const 5012)) (i32.const 1)) (then (unreachable)))
             (call $list_keys (local.get $i) (i32.const 1) (i32.load (i32.const 5016)) (i32.load (i32.const 5020)) (i32.const 5000))
             (call $ok (i32.const 5000))
             (if (i32.ne (i32.load (i32.const 5008)) (i32.const 1)) (then (unreachable)))
             (if (i32.load8_u (i32.const 5012)) (then (unreachable)))
             (call $pair (i32.const 6000) (i32.const 4110) (i32.const 5)) (call $pair (i32.const 6008) (i32.const 4115) (i32.const 4))
             (call $delete_many (local.get $i) (i32.const 6000) (i32.const 2) (i32.const 5000)) (call $ok (i32.const 5000))
             {GET_NAME}"
        );
        let outcome = run(&log, &guest_of("0.2.0-draft2", &code));
        assert_eq!(outcome.waits > 0, when == When::Later);
        assert_eq!(outcome.action().body.as_deref(), Some(&b"value"[..]));
        let store = Store::of(&log);
        let mut words = COMMON_WORDS.to_vec();
        words.extend(["ListKeys 7 ", "ListKeys 7  from 2", "DeleteMany 7 other,more", "Get 7 name"]);
        assert_eq!(store.words(), words);
        assert_eq!(store.data.lock().unwrap().keys().collect::<Vec<_>>(), ["name"]);
    }
}

#[test]
fn the_first_draft_has_numbers_as_cursors() {
    let log = Store::user(When::Inside);
    let code = format!(
        "{COMMON}
         (call $list_keys (local.get $i) (i32.const 0) (i64.const 0) (i32.const 5000)) (call $ok (i32.const 5000))
         (if (i32.ne (i32.load (i32.const 5012)) (i32.const 2)) (then (unreachable)))
         (if (i32.ne (i32.load8_u (i32.const 5016)) (i32.const 1)) (then (unreachable)))
         (call $list_keys (local.get $i) (i32.const 1) (i64.load (i32.const 5024)) (i32.const 5000)) (call $ok (i32.const 5000))
         (if (i32.load8_u (i32.const 5016)) (then (unreachable)))
         ;; more than a store can count is the guest's mistake
         (call $increment (local.get $i) (i32.const 4096) (i32.const 5) (i64.const -1) (i32.const 5000))
         (if (i32.ne (i32.load8_u (i32.const 5000)) (i32.const 1)) (then (unreachable)))
         {GET_NAME}"
    );
    let action = run(&log, &guest_of("0.2.0-draft", &code)).action();
    assert_eq!(action.body.as_deref(), Some(&b"value"[..]));
    let mut words = COMMON_WORDS.to_vec();
    words.extend(["ListKeys 7 ", "ListKeys 7  from 2", "Get 7 name"]);
    assert_eq!(Store::of(&log).words(), words);
}

/// Swaps `value` in; on a failed swap returns what the new handle has seen, and swaps again.
const SWAP: &str = "(call $cas_new (call $open) (i32.const 4101) (i32.const 4) (i32.const 5000)) (call $ok (i32.const 5000))
    (call $swap (i32.load (i32.const 5004)) (i32.const 4105) (i32.const 5) (i32.const 5000))
    (if (i32.eqz (i32.load8_u (i32.const 5000))) (then (return (call $reject (i32.const 200)))))
    (if (i32.ne (i32.load8_u (i32.const 5004)) (i32.const 1)) (then (return (call $reject (i32.const 500)))))
    (local.set $i (i32.load (i32.const 5008)))
    (call $cas_current (local.get $i) (i32.const 5100)) (call $ok (i32.const 5100))
    (call $swap (local.get $i) (i32.const 4105) (i32.const 5) (i32.const 5000)) (call $ok (i32.const 5000))
    (call $body (i32.load (i32.const 5108)) (i32.load (i32.const 5112)))";

#[test]
fn a_swap_replaces_only_what_its_handle_has_seen() {
    let wasm = guest_of("0.2.0-draft2", SWAP);
    let log = Store::user(When::Inside);
    assert_eq!(run(&log, &wasm).action().status, Some(200));
    assert_eq!(Store::of(&log).words(), ["Open users", "Get 7 name", "CompareAndSwap 7 name=value"]);

    let log = Store::user(When::Later);
    let store = Store::of(&log);
    *store.race.lock().unwrap() = Some(("name".into(), b"newer".to_vec()));
    assert_eq!(run(&log, &wasm).action().body.as_deref(), Some(&b"newer"[..]));
    assert_eq!(store.data.lock().unwrap()["name"], b"value");
    assert_eq!(
        store.words(),
        ["Open users", "Get 7 name", "CompareAndSwap 7 name=value", "Get 7 name", "CompareAndSwap 7 name=value expected newer"]
    );
}

#[test]
fn what_swap_handles_remember_is_bounded() {
    let log = Store::user(When::Inside);
    Store::of(&log).data.lock().unwrap().insert("name".into(), vec![0; 1 << 20]);
    let new = "(call $cas_new (local.get $i) (i32.const 4101) (i32.const 4) (i32.const 5000))";
    let code = format!(
        "(local.set $i (call $open))
         {} {new} (if (i32.eqz (i32.load8_u (i32.const 5000))) (then (unreachable)))
         ;; a handle given back makes room
         (call $cas_drop (local.get $method)) {new} (call $ok (i32.const 5000)) (i32.const 1024)",
        format!("{new} (call $ok (i32.const 5000)) (local.set $method (i32.load (i32.const 5004)))").repeat(4)
    );
    run(&log, &guest_of("0.2.0-draft2", &code)).action();
}

/// Gives the error of the last result as status: 600 plus the case; its text as body.
const TELL_ERROR: &str = "(if (i32.eqz (i32.load8_u (i32.const 5000))) (then (return (call $reject (i32.const 200)))))
    (if (i32.ne (i32.load8_u (i32.const 5004)) (i32.const 2))
      (then (return (call $reject (i32.add (i32.const 600) (i32.load8_u (i32.const 5004)))))))
    (call $body (i32.load (i32.const 5008)) (i32.load (i32.const 5012)))";

#[test]
fn errors_reach_the_guest_as_the_interface_has_them() {
    let open = |at: u32, len: u32| format!("(call $open_store (i32.const {at}) (i32.const {len}) (i32.const 5000))");
    let log = Store::user(When::Inside);
    let tell = |code: &str| run(&log, &guest_of("0.2.0-draft2", &format!("{code} {TELL_ERROR}"))).action();
    assert_eq!(tell(&open(4101, 4)).status, Some(600), "no such store");
    let broken = format!(
        "{} (call $ok (i32.const 5000)) (call $get (i32.load (i32.const 5004)) (i32.const 4096) (i32.const 5) (i32.const 5000))",
        open(4119, 6)
    );
    assert_eq!(tell(&broken).body.as_deref(), Some(&b"the disk is on fire"[..]));
    // Without a callback there is no store at all.
    let engine = Engine::new(POOLED);
    let wasm = guest_of("0.2.0-draft2", &format!("{} {TELL_ERROR}", open(4096, 5)));
    let module = engine.load_granted(&engine.compile(&wasm).unwrap(), Some(&GRANT_KEY_VALUE)).unwrap();
    let action = module.instance(budget()).request(&engine, &Request::new()).action();
    assert_eq!(action.body.as_deref(), Some(&b"there is no key-value store here"[..]));
}

#[test]
fn what_is_too_large_never_reaches_the_store() {
    let log = Store::user(When::Inside);
    let grow = "(drop (memory.grow (i32.const 64))) (local.set $i (call $open))";
    let key = KEY_VALUE_KEY_BYTES_MAX;
    let batch = KEY_VALUE_BATCH_MAX;
    for (fits, code) in [
        (true, format!("(call $exists (local.get $i) (i32.const 10000) (i32.const {key}) (i32.const 5000))")),
        (false, format!("(call $exists (local.get $i) (i32.const 10000) (i32.const {}) (i32.const 5000))", key + 1)),
        (true, set_of(1 << 20)),
        (false, set_of((1 << 20) + 1)),
        (true, format!("(call $delete_many (local.get $i) (i32.const 10000) (i32.const {batch}) (i32.const 5000))")),
        (false, format!("(call $delete_many (local.get $i) (i32.const 10000) (i32.const {}) (i32.const 5000))", batch + 1)),
    ] {
        let wasm = guest_of("0.2.0-draft2", &format!("{grow} {code} {TELL_ERROR}"));
        let action = run(&log, &wasm).action();
        assert_eq!(action.status == Some(200), fits, "{code}: {action:?}");
        assert_eq!(Store::of(&log).words().len(), if fits { 2 } else { 1 }, "{code}");
    }
}

fn set_of(bytes: u32) -> String {
    format!("(call $set (local.get $i) (i32.const 4101) (i32.const 4) (i32.const 70000) (i32.const {bytes}) (i32.const 5000))")
}

#[test]
fn lists_are_charged_while_they_are_lifted() {
    // A list of 100,000 strings would need 2.4 MB in the host; the budget is 1 MiB and its head room.
    let wasm = guest_of(
        "0.2.0-draft2",
        "(drop (memory.grow (i32.const 64)))
         (call $delete_many (call $open) (i32.const 10000) (i32.const 100000) (i32.const 5000)) (i32.const 1024)",
    );
    let error = run(&Store::user(When::Inside), &wasm).error();
    assert_eq!(error.kind, ErrorKind::TooLarge, "{error:?}");
}

#[test]
fn handles_are_bounded_and_given_back() {
    let log = Store::user(When::Inside);
    let many = |body: &str| {
        format!("(local.set $i (i32.const 1001)) (loop $l {body} (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))")
    };
    let code = format!(
        "{} {} {TELL_ERROR}",
        many("(call $close (call $open))"),
        many("(call $open_store (i32.const 4096) (i32.const 5) (i32.const 5000))")
    );
    let action = run(&log, &guest_of("0.2.0-draft2", &code)).action();
    assert_eq!(action.body.as_deref(), Some(&b"more than 1000 handles are open"[..]));
}

#[test]
fn an_answer_from_another_thread_wakes_the_guest() {
    let log = Store::user(When::Later);
    let engine = Engine::new(WITH_STORE);
    let wasm = guest_of("0.2.0-draft2", "(drop (call $open)) (i32.const 1024)");
    let module = engine.load_granted(&engine.compile(&wasm).unwrap(), Some(&GRANT_KEY_VALUE)).unwrap();
    let mut instance = module.instance_with_log(budget(), Some(&log));
    instance.start_request(&Request::new()).unwrap();
    assert_eq!(instance.poll().0, Poll::Waiting);
    assert_eq!(instance.poll().0, Poll::Waiting, "polled before its time");
    let start = Instant::now();
    while !engine.wakes.0.lock().unwrap().contains(&instance.token) && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(1));
    }
    instance.finish(&engine).action();
    assert_eq!(*engine.wakes.0.lock().unwrap(), [instance.token], "one wait, one wake-up");
}

#[test]
fn an_answer_that_comes_too_late_is_only_freed() {
    let log = Store::user(When::Never);
    let store = Store::of(&log);
    let engine = Engine::new(WITH_STORE);
    let wasm = guest_of("0.2.0-draft2", "(drop (call $open)) (i32.const 1024)");
    let module = engine.load_granted(&engine.compile(&wasm).unwrap(), Some(&GRANT_KEY_VALUE)).unwrap();
    let take = || std::mem::take(&mut *store.open.lock().unwrap());
    let finish = |completion: usize| unsafe { sg_key_value_finish(completion as *mut Completion, &KeyValueReply::EMPTY) };

    // Dropped while it waits.
    let mut instance = module.instance_with_log(budget(), Some(&log));
    instance.start_request(&Request::new()).unwrap();
    assert_eq!(instance.poll().0, Poll::Waiting);
    drop(instance);
    take().into_iter().for_each(finish);

    // Ended by its deadline while it waits.
    let mut instance = module.instance_with_log(Budget { wall_ns: 10_000_000, ..budget() }, Some(&log));
    instance.start_request(&Request::new()).unwrap();
    assert_eq!(instance.poll().0, Poll::Waiting);
    std::thread::sleep(Duration::from_millis(15));
    let (code, error) = instance.poll();
    assert_eq!((code, error.unwrap().kind), (Poll::Failed, ErrorKind::Deadline));
    drop(instance);
    take().into_iter().for_each(finish);
    assert!(engine.wakes.0.lock().unwrap().is_empty(), "nobody is woken for nothing");

    // The engine and everything of it is gone.
    let mut instance = module.instance_with_log(budget(), Some(&log));
    instance.start_request(&Request::new()).unwrap();
    assert_eq!(instance.poll().0, Poll::Waiting);
    drop(instance);
    drop(module);
    drop(engine);
    take().into_iter().for_each(finish);
}

#[test]
fn answers_race_with_drops() {
    let engine = Engine::new(WITH_STORE);
    let wasm = guest_of("0.2.0-draft2", "(drop (call $open)) (drop (call $open)) (i32.const 1024)");
    let module = engine.load_granted(&engine.compile(&wasm).unwrap(), Some(&GRANT_KEY_VALUE)).unwrap();
    for round in 0..100u64 {
        let log = Store::user(When::Later);
        let mut instance = module.instance_with_log(budget(), Some(&log));
        instance.start_request(&Request::new()).unwrap();
        instance.poll();
        std::thread::sleep(Duration::from_micros(4_500 + 10 * round));
        instance.poll();
        drop(instance);
        let begun = Store::of(&log).words().len();
        while Store::of(&log).finished.load(SeqCst) < begun {
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

#[test]
fn answers_that_break_the_contract_are_errors_of_the_store() {
    let log = Store::user(When::Never);
    let store = Store::of(&log);
    let engine = Engine::new(WITH_STORE);
    let wasm =
        guest_of("0.2.0-draft2", &format!("(call $get (call $open) (i32.const 4096) (i32.const 5) (i32.const 5000)) {TELL_ERROR}"));
    let module = engine.load_granted(&engine.compile(&wasm).unwrap(), Some(&GRANT_KEY_VALUE)).unwrap();
    for (reply, text) in [
        (KeyValueReply { status: 99, ..KeyValueReply::EMPTY }, "an unknown status"),
        (KeyValueReply::EMPTY, "not one entry for each key"),
    ] {
        let mut instance = module.instance_with_log(budget(), Some(&log));
        instance.start_request(&Request::new()).unwrap();
        let finish = |reply: &KeyValueReply| {
            let completion = store.open.lock().unwrap().pop().unwrap();
            unsafe { sg_key_value_finish(completion as *mut Completion, reply) };
        };
        assert_eq!(instance.poll().0, Poll::Waiting);
        finish(&KeyValueReply { number: 7, ..KeyValueReply::EMPTY });
        assert_eq!(instance.poll().0, Poll::Waiting);
        finish(&reply);
        let action = instance.finish(&engine).action();
        assert_eq!(String::from_utf8(action.body.unwrap()).unwrap(), format!("the store answered with {text}"));
    }
}
