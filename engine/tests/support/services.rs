// SPDX-License-Identifier: Apache-2.0
//! Guests that import the host interfaces of `wit/host`, and a key-value store in memory behind the C callback.

use super::*;
use sandgate_engine::c_types::{
    Bytes, KEY_VALUE_NO_SUCH_STORE, KEY_VALUE_OTHER, KeyValueEntry, KeyValueOp, KeyValueReply, KeyValueRequest,
};
use sandgate_engine::host::key_value::Completion;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;

const ROUTER: &str = include_str!("../../wit/router_middleware.wit");
const HOST: [&str; 4] = [
    include_str!("../../wit/host/logging.wit"),
    include_str!("../../wit/host/config.wit"),
    include_str!("../../wit/host/keyvalue-draft.wit"),
    include_str!("../../wit/host/keyvalue-draft2.wit"),
];

/// A core module with an embedded world of `interfaces` whose on-request does `code`. `imports` are the core imports. The module has
/// `$body` (address, length: an action that replaces the body) and `$reject` (status) to say what it saw, `$ok` (address of a result:
/// traps unless it is ok).
pub fn importing_guest(interfaces: &[&str], imports: &str, data: &str, code: &str) -> Vec<u8> {
    let functions = format!(
        r#"(data (i32.const 4096) "{data}")
      (func $ok (param $result i32) (if (i32.load8_u (local.get $result)) (then (unreachable))))
      (func $body (param $at i32) (param $len i32) (result i32)
        (i32.store8 (i32.const 1024) (i32.const 2)) (i32.store8 (i32.const 1056) (i32.const 1))
        (i32.store (i32.const 1060) (local.get $at)) (i32.store (i32.const 1064) (local.get $len)) (i32.const 1024))
      (func $reject (param $status i32) (result i32)
        (i32.store8 (i32.const 1024) (i32.const 1)) (i32.store16 (i32.const 1028) (local.get $status)) (i32.const 1024))"#
    );
    let text = on_request(code).replace("(module", &format!("(module {imports}"));
    let mut module = wat::parse_str(format!("{} {functions})", text.strip_suffix(')').unwrap())).expect("wat");
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_str("router.wit", ROUTER).unwrap();
    for wit in HOST {
        let old = interfaces.iter().any(|interface| interface.starts_with("wasi:config/store@0.2.0-draft"));
        resolve
            .push_str("host.wit", &if old { wit.replace("config@0.2.0-rc.1", "config@0.2.0-draft") } else { wit.into() })
            .unwrap();
    }
    let imports: String = interfaces.iter().map(|interface| format!("import {interface};\n")).collect();
    let world = format!("package test:guest;\nworld guest {{ {imports} export sgl:router/middleware-on-request; }}");
    let id = resolve.push_str("guest.wit", &world).unwrap();
    let world = resolve.select_world(&[id], Some("guest")).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    module
}

pub const GRANT_KEY_VALUE: c_types::Grants =
    c_types::Grants { key_value: true, config: false, config_entries: std::ptr::null(), config_len: 0 };

/// When the store answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    Inside,
    Later,
    /// The test does it.
    Never,
}

/// Stores `users` (bucket 7) and `broken` (fails each operation with a text).
pub struct Store {
    pub data: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// The requests in words.
    pub seen: Mutex<Vec<String>>,
    pub when: When,
    /// Completions of a store that never answers.
    pub open: Mutex<Vec<usize>>,
    /// Someone else writes `key` just before the next swap.
    pub race: Mutex<Option<(String, Vec<u8>)>>,
    pub finished: Arc<AtomicUsize>,
}

impl Store {
    pub fn user(when: When) -> Log {
        let store = Store {
            data: Arc::default(),
            seen: Mutex::default(),
            when,
            open: Mutex::default(),
            race: Mutex::default(),
            finished: Arc::default(),
        };
        Log { service: Some(Box::new(store)), ..Log::default() }
    }

    pub fn of(log: &Log) -> &Store {
        log.service.as_ref().unwrap().downcast_ref().unwrap()
    }

    pub fn words(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn text(bytes: Bytes) -> String {
    String::from_utf8(unsafe { bytes.as_slice() }.to_vec()).unwrap()
}

struct Answer {
    reply: KeyValueReply,
    entries: Vec<Option<Vec<u8>>>,
    keys: Vec<String>,
}

impl Answer {
    fn send(self, completion: usize) {
        let entries: Vec<KeyValueEntry> = self
            .entries
            .iter()
            .map(|entry| KeyValueEntry { found: entry.is_some(), value: entry.as_deref().map_or(Bytes::EMPTY, Bytes::of) })
            .collect();
        let keys: Vec<Bytes> = self.keys.iter().map(|key| Bytes::of(key.as_bytes())).collect();
        let reply = KeyValueReply {
            entries: entries.as_ptr(),
            entries_len: entries.len(),
            keys: keys.as_ptr(),
            keys_len: keys.len(),
            ..self.reply
        };
        unsafe { sg_key_value_finish(completion as *mut Completion, &reply) };
    }
}

unsafe impl Send for Answer {}

pub unsafe extern "C" fn on_key_value(user: *mut c_void, request: *const KeyValueRequest, completion: *mut Completion) {
    let store = Store::of(unsafe { &*(user as *const Log) });
    let answer = serve(store, unsafe { &*request });
    let completion = completion as usize;
    match store.when {
        When::Inside => answer.send(completion),
        When::Later => {
            let finished = store.finished.clone();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(5));
                answer.send(completion);
                finished.fetch_add(1, SeqCst);
            });
        }
        When::Never => store.open.lock().unwrap().push(completion),
    }
}

fn serve(store: &Store, request: &KeyValueRequest) -> Answer {
    let mut answer = Answer { reply: KeyValueReply::EMPTY, entries: vec![], keys: vec![] };
    let keys: Vec<String> = unsafe { c_types::slice(request.keys, request.keys_len) }.iter().map(|key| text(*key)).collect();
    let values: Vec<Vec<u8>> = unsafe { c_types::slice(request.values, request.values_len) }
        .iter()
        .map(|value| unsafe { value.as_slice() }.to_vec())
        .collect();
    let expected = request.has_expected.then(|| unsafe { request.expected.as_slice() }.to_vec());
    let cursor = request.has_cursor.then(|| text(request.cursor));
    let mut words = format!("{:?}", request.op);
    if request.op == KeyValueOp::Open {
        words += &format!(" {}", text(request.identifier));
    } else {
        words += &format!(" {} {}", request.bucket, keys.join(","));
    }
    let value_words: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    for (name, value) in [
        ("=", (!values.is_empty()).then(|| value_words.join(","))),
        (" expected ", expected.as_ref().map(|value| String::from_utf8_lossy(value).into_owned())),
        (" delta ", (request.delta != 0).then(|| request.delta.to_string())),
        (" from ", cursor.clone()),
    ] {
        if let Some(value) = value {
            words += &format!("{name}{value}");
        }
    }
    store.seen.lock().unwrap().push(words);
    let mut data = store.data.lock().unwrap();
    let reply = &mut answer.reply;
    match request.op {
        KeyValueOp::Open => match text(request.identifier).as_str() {
            "users" => reply.number = 7,
            "broken" => reply.number = 8,
            _ => reply.status = KEY_VALUE_NO_SUCH_STORE,
        },
        _ if request.bucket == 8 => {
            reply.status = KEY_VALUE_OTHER;
            reply.message = Bytes::of(b"the disk is on fire");
        }
        KeyValueOp::Get | KeyValueOp::GetMany => answer.entries = keys.iter().map(|key| data.get(key).cloned()).collect(),
        KeyValueOp::Set | KeyValueOp::SetMany => data.extend(keys.into_iter().zip(values)),
        KeyValueOp::Delete | KeyValueOp::DeleteMany => data.retain(|key, _| !keys.contains(key)),
        KeyValueOp::Exists => reply.yes = data.contains_key(&keys[0]),
        KeyValueOp::ListKeys => {
            // Pages of two; the cursor is the number of keys before it.
            let at: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
            answer.keys = data.keys().skip(at).take(2).cloned().collect();
            reply.has_cursor = at + 2 < data.len();
            reply.cursor = Bytes::of(if at == 0 { b"2" } else { b"4" });
        }
        KeyValueOp::Increment => {
            let old: i64 = data.get(&keys[0]).map_or(0, |value| String::from_utf8_lossy(value).parse().unwrap());
            reply.number = old + request.delta;
            data.insert(keys[0].clone(), reply.number.to_string().into_bytes());
        }
        KeyValueOp::CompareAndSwap => {
            if let Some((key, value)) = store.race.lock().unwrap().take() {
                data.insert(key, value);
            }
            reply.yes = data.get(&keys[0]) == expected.as_ref();
            if reply.yes {
                data.insert(keys[0].clone(), values[0].clone());
            }
        }
    }
    answer
}
