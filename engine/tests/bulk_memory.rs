// SPDX-License-Identifier: Apache-2.0
//! Bulk memory instructions in pieces do what the instructions do, to the last byte and trap; and guests yield within them.

mod support;
use sandgate_engine::budget::Budget;
use sandgate_engine::bulk_memory::{CHUNK_BYTES, rewrite};
use std::borrow::Cow;
use std::time::{Duration, Instant};
use support::*;
use wasmtime::{Instance as CoreInstance, Memory, Module as CoreModule, Store, Trap};

const CHUNK: u32 = 64;

/// A core module twice: as it is, and rewritten.
struct Twins {
    store: Store<()>,
    instances: [(CoreInstance, Memory); 2],
}

impl Twins {
    fn new(wasm: &[u8], chunk_bytes: u32) -> Twins {
        let rewritten = rewrite(wasm, chunk_bytes).unwrap();
        assert!(matches!(rewritten, Cow::Owned(_)), "there is something to rewrite");
        wasmparser::Validator::new_with_features(sandgate_engine::engine::PROPOSALS).validate_all(&rewritten).unwrap();
        let engine = wasmtime::Engine::default();
        let mut store = Store::new(&engine, ());
        let instances = [wasm, &*rewritten].map(|wasm| {
            let module = CoreModule::new(&engine, wasm).unwrap();
            let imports: Vec<_> = module
                .imports()
                .map(|import| Memory::new(&mut store, import.ty().unwrap_memory().clone()).unwrap().into())
                .collect();
            let instance = CoreInstance::new(&mut store, &module, &imports).unwrap();
            let memory = instance.get_memory(&mut store, "memory").unwrap();
            (instance, memory)
        });
        Twins { store, instances }
    }

    /// Calls both; they must end equally and leave equal memories.
    fn call(&mut self, function: &str, args: (u32, u32, u32)) {
        let ends = self.instances.map(|(instance, _)| {
            let function = instance.get_typed_func::<(u32, u32, u32), ()>(&mut self.store, function).unwrap();
            function.call(&mut self.store, args).map_err(|error| *error.downcast_ref::<Trap>().expect("a trap"))
        });
        assert_eq!(ends[0], ends[1], "{function} {args:?}");
        let [first, second] = self.instances.map(|(_, memory)| memory);
        assert!(first.data(&self.store) == second.data(&self.store), "memories differ after {function} {args:?}");
    }

    /// Different bytes everywhere, the same in both.
    fn scramble(&mut self, seed: u32) {
        for (_, memory) in self.instances {
            for (at, byte) in memory.data_mut(&mut self.store).iter_mut().enumerate() {
                *byte = ((at as u32 ^ seed).wrapping_mul(2_654_435_761) >> 24) as u8;
            }
        }
    }
}

const OPERATIONS: &str = r#"
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i32 i32 i32) (memory.init $passive (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init_active") (param i32 i32 i32) (memory.init $active (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop") (param i32 i32 i32) (data.drop $passive))"#;

fn operations(memory: &str, segment_bytes: usize) -> Vec<u8> {
    let passive: String = (0..segment_bytes).map(|at| format!("\\{:02x}", at % 251)).collect();
    wat::parse_str(format!("(module {memory} (data $active (i32.const 8) \"active\") (data $passive \"{passive}\") {OPERATIONS})"))
        .unwrap()
}

/// Borders of pieces, of the memory and of the number space.
fn lengths(chunk: u32, memory: u32) -> Vec<u32> {
    let mut lengths = vec![0, 1, memory - 1, memory, memory + 1, 1 << 31, u32::MAX - 1, u32::MAX];
    for pieces in [1, 2, 3, 5] {
        lengths.extend([pieces * chunk - 1, pieces * chunk, pieces * chunk + 1]);
    }
    lengths
}

fn differential(memory: &str, chunk: u32, memory_bytes: u32, segment_bytes: u32) {
    let mut twins = Twins::new(&operations(memory, segment_bytes as usize), chunk);
    let addresses = [
        0,
        1,
        chunk / 2,
        chunk - 1,
        chunk,
        chunk + 1,
        3 * chunk + 7,
        memory_bytes - 2 * chunk,
        memory_bytes,
        memory_bytes + 1,
        u32::MAX,
    ];
    let mut seed = 0;
    for to in addresses {
        for len in lengths(chunk, memory_bytes) {
            seed += 1;
            twins.scramble(seed);
            twins.call("fill", (to, seed, len));
            for from in addresses {
                twins.call("copy", (to, from, len));
                twins.call("init", (to, from, len));
            }
            twins.call("init_active", (to, 0, len));
        }
        for len in [segment_bytes - 1, segment_bytes, segment_bytes + 1] {
            for from in [0, 1] {
                twins.call("init", (to, from, len));
            }
        }
    }
    twins.call("drop", (0, 0, 0));
    for len in lengths(chunk, memory_bytes) {
        twins.call("init", (0, 0, len));
    }
}

#[test]
fn pieces_do_what_the_whole_does() {
    differential("(memory (export \"memory\") 1)", CHUNK, 65536, 300);
}

#[test]
fn imported_memories_are_served() {
    differential("(import \"env\" \"memory\" (memory 1)) (export \"memory\" (memory 0))", CHUNK, 65536, 300);
}

#[test]
fn the_pieces_of_production_do_too() {
    let mut twins = Twins::new(&operations("(memory (export \"memory\") 12)", 300_000), CHUNK_BYTES);
    twins.scramble(1);
    for (to, from) in
        [(0, 1), (1, 0), (0, CHUNK_BYTES), (CHUNK_BYTES + 5, 3), (3, CHUNK_BYTES + 5), (70_000, 200_000), (200_000, 70_000)]
    {
        for len in [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 500_001, 12 << 16] {
            twins.call("copy", (to, from, len));
            twins.call("fill", (to, len, len));
            twins.call("init", (to, from, len));
        }
    }
}

#[test]
fn memories_of_four_gibibytes_have_no_wrapping_bounds() {
    let wasm = wat::parse_str(format!(
        "(module (memory (export \"memory\") 65536) (data $active (i32.const 8) \"active\") (data $passive \"passive\") {OPERATIONS})"
    ))
    .unwrap();
    let rewritten = rewrite(&wasm, CHUNK).unwrap();
    let engine = wasmtime::Engine::default();
    let mut store = Store::new(&engine, ());
    let instance = CoreInstance::new(&mut store, &CoreModule::new(&engine, &rewritten).unwrap(), &[]).unwrap();
    let mut call = |name: &str, args: (u32, u32, u32)| {
        let function = instance.get_typed_func::<(u32, u32, u32), ()>(&mut store, name).unwrap();
        function.call(&mut store, args).is_ok()
    };
    // To the very last byte and not beyond.
    assert!(call("fill", (u32::MAX - 999, 7, 1000)));
    assert!(!call("fill", (u32::MAX - 999, 7, 1001)));
    assert!(call("copy", (u32::MAX - 1999, u32::MAX - 999, 1000)));
    assert!(!call("copy", (0, u32::MAX - 998, 1000)));
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    assert_eq!((memory.data(&store)[u32::MAX as usize], memory.data(&store)[u32::MAX as usize - 1999]), (7, 7));
    assert_eq!(memory.data(&store)[0], 0, "nothing is written before the trap");
}

#[test]
fn what_has_no_large_bulk_instruction_comes_back_as_it_is() {
    let small = "(func (param i32) (memory.fill (i32.const 0) (local.get 0) (i32.const 64)) (memory.copy (i32.const 0) (i32.const 9) (i32.const 8)))";
    for text in [
        "(module)".to_owned(),
        on_request("(i32.const 1024)"),
        "(component)".to_owned(),
        "(component (core module) (component (core module (func))))".to_owned(),
        // Lengths that are small constants need no loop; a saturating conversion has the same first byte.
        format!("(module (memory 1) {small} (func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0))))"),
    ] {
        let wasm = wat::parse_str(&text).unwrap();
        assert!(matches!(rewrite(&wasm, CHUNK).unwrap(), Cow::Borrowed(same) if same == wasm), "{text}");
    }
    // One byte more than a piece is a loop, as is a negative number, which is a large one.
    for len in [65, -1] {
        let wasm =
            wat::parse_str(format!("(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const {len}))))"))
                .unwrap();
        assert!(matches!(rewrite(&wasm, CHUNK).unwrap(), Cow::Owned(_)));
    }
}

/// Bulk instructions outside of the helpers, which are the last functions, and names of custom sections, over all modules.
fn survey(wasm: &[u8]) -> (usize, Vec<String>) {
    let (mut bulk, mut sections) = (0, Vec::new());
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        match payload.unwrap() {
            wasmparser::Payload::CodeSectionEntry(body) => {
                let calls_itself = body.get_operators_reader().unwrap().into_iter().filter(|operator| {
                    use wasmparser::Operator::*;
                    matches!(operator.as_ref().unwrap(), MemoryFill { .. } | MemoryCopy { .. } | MemoryInit { .. })
                });
                bulk += calls_itself.count();
            }
            wasmparser::Payload::CustomSection(section) => sections.push(section.name().to_owned()),
            _ => {}
        }
    }
    (bulk, sections)
}

#[test]
fn modules_inside_components_inside_components_are_found() {
    let module = r#"(core module (memory 1) (@custom "kept" "x") (@custom "metadata.code.branch_hint" "\00")
        (func $named (param i32) (memory.fill (i32.const 0) (i32.const 0) (local.get 0)) (memory.fill (i32.const 0) (i32.const 0) (local.get 0))
          (memory.fill (i32.const 0) (i32.const 0) (local.get 0))))"#;
    let text = format!("(component (core module (func)) (component {module} (component {module})) {module} (type (func)))");
    let wasm = wat::parse_str(&text).unwrap();
    let rewritten = rewrite(&wasm, CHUNK).unwrap();
    wasmparser::Validator::new_with_features(sandgate_engine::engine::PROPOSALS).validate_all(&rewritten).unwrap();
    // Three modules with three instructions each become three helpers with two each.
    assert_eq!(survey(&wasm).0, 9);
    let (bulk, sections) = survey(&rewritten);
    assert_eq!(bulk, 6);
    assert_eq!(sections.iter().filter(|name| *name == "kept").count(), 3);
    assert_eq!(sections.iter().filter(|name| *name == "name").count(), 3);
    assert!(!sections.iter().any(|name| name.starts_with("metadata.code.")), "{sections:?}");
}

/// A small generator of random numbers, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as u32) % limit
    }

    /// Mostly within 64 KiB, mostly small.
    fn operand(&mut self) -> String {
        match self.below(6) {
            0 => format!("(local.get {})", self.below(3)),
            1 => format!("(i32.const {})", self.below(70_000)),
            2 => format!("(i32.mul (local.get {}) (i32.const {}))", self.below(3), self.below(5)),
            3 => format!("(i32.const -{})", self.below(100)),
            _ => format!("(i32.const {})", self.below(600)),
        }
    }

    fn statement(&mut self, depth: u32, functions: u32) -> String {
        let operands = format!("{} {} {}", self.operand(), self.operand(), self.operand());
        match self.below(if depth == 0 { 7 } else { 11 }) {
            0 | 1 => format!("(memory.fill {operands})"),
            2 | 3 => format!("(memory.copy {operands})"),
            4 => format!("(memory.init $d{} {operands})", self.below(3)),
            5 => format!("(local.set {} {})", self.below(3), self.operand()),
            6 => format!("(i32.store (i32.const {}) (call $get))", self.below(60_000)),
            7 => format!(
                "(if {} (then {}) (else {}))",
                self.operand(),
                self.statement(depth - 1, functions),
                self.statement(depth - 1, functions)
            ),
            8 => format!("(block $b{depth} (br_if $b{depth} {}) {})", self.operand(), self.statement(depth - 1, functions)),
            9 if functions > 0 => format!("(call $f{} {operands})", self.below(functions)),
            _ => format!("(data.drop $d{})", self.below(3)),
        }
    }
}

#[test]
fn random_modules_behave_the_same() {
    let mut random = Random(42);
    for _ in 0..150 {
        let mut functions = String::new();
        for at in 0..4 {
            let statements: String = (0..random.below(8)).map(|_| random.statement(3, at)).collect();
            functions += &format!(
                "(func $f{at} (export \"f{at}\") (param i32 i32 i32) {statements} (memory.fill (local.get 0) (local.get 1) (local.get 2)))"
            );
        }
        let memory = if random.below(2) == 0 {
            "(import \"env\" \"memory\" (memory 1)) (export \"memory\" (memory 0))"
        } else {
            "(memory (export \"memory\") 1)"
        };
        let text = format!(
            "(module {memory} (global $g (mut i32) (i32.const 5)) (table 2 funcref) (elem (i32.const 0) $f0 $f3)
               (data $d0 \"{}\") (data $d1 \"{}\") (data $d2 (i32.const 30) \"active\")
               (func $get (result i32) (global.set $g (i32.add (global.get $g) (i32.const 77))) (global.get $g)) {functions})",
            "passive".repeat(100),
            "x".repeat(64)
        );
        let mut twins = Twins::new(&wat::parse_str(&text).unwrap(), 1 + random.below(200));
        twins.scramble(7);
        for _ in 0..12 {
            let args = (random.below(70_000), random.below(3_000), random.below(1_000));
            twins.call(&format!("f{}", random.below(4)), args);
        }
    }
}

#[test]
fn the_epoch_is_checked_at_each_piece() {
    let pieces = 8;
    let wasm = operations("(memory (export \"memory\") 32)", (pieces * CHUNK_BYTES) as usize);
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    let engine = wasmtime::Engine::new(&config).unwrap();
    let checks = |wasm: &[u8], function: &str, args: (u32, u32, u32)| {
        let mut store = Store::new(&engine, 0u32);
        let instance = CoreInstance::new(&mut store, &CoreModule::new(&engine, wasm).unwrap(), &[]).unwrap();
        // A deadline that is always due: each check comes here.
        store.epoch_deadline_callback(|mut store| {
            *store.data_mut() += 1;
            Ok(wasmtime::UpdateDeadline::Continue(0))
        });
        store.set_epoch_deadline(0);
        instance.get_typed_func::<(u32, u32, u32), ()>(&mut store, function).unwrap().call(&mut store, args).unwrap();
        *store.data()
    };
    let rewritten = rewrite(&wasm, CHUNK_BYTES).unwrap();
    for (function, args) in [
        ("fill", (8, 1, pieces * CHUNK_BYTES)),
        ("copy", (8, 16, pieces * CHUNK_BYTES)),
        ("copy", (16, 8, pieces * CHUNK_BYTES)),
        ("init", (8, 0, pieces * CHUNK_BYTES)),
    ] {
        let (before, after) = (checks(&wasm, function, args), checks(&rewritten, function, args));
        assert!(before < pieces && after >= pieces, "{function} {args:?}: {before} became {after}");
    }
}

#[test]
fn helpers_count_as_functions_of_the_module() {
    // The largest number of functions that is compiled, and one bulk instruction.
    let functions = "(func)".repeat(250_000 - 2);
    let text = on_request("(memory.fill (i32.const 0) (i32.const 0) (local.get $body)) (i32.const 1024)");
    let wasm = wat::parse_str(format!("{} {functions})", text.strip_suffix(')').unwrap())).unwrap();
    let error = Engine::new(COMPILER).compile(&wasm).map(|code| code.len()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("functions"), "{}", error.message);
}

#[test]
fn guests_within_bulk_instructions_end_on_time() {
    let engine = Engine::new(POOLED);
    let large = "(i32.const 65000000)";
    for code in [
        format!("(memory.fill (i32.const 0) (i32.const 1) {large})"),
        format!("(memory.copy (i32.const 1) (i32.const 0) {large})"),
        format!("(memory.copy (i32.const 0) (i32.const 1) {large})"),
    ] {
        let text = on_request(&format!("(drop (memory.grow (i32.const 1000))) (loop $l {code} (br $l)) (unreachable)"));
        let module = engine.module(&text).unwrap();
        let limited = Budget { memory_bytes: 64 * MIB, wall_ns: 80_000_000, ..budget() };
        let start = Instant::now();
        let outcome = engine.ticking(|| module.instance(limited).request(&engine, &Request::new()));
        assert!(start.elapsed() < Duration::from_secs(5), "{code}: {:?}", start.elapsed());
        assert!(outcome.yields > 1, "{code}: {outcome:?}");
        assert_eq!(outcome.error().kind, ErrorKind::Deadline, "{code}");
    }
}

#[test]
fn the_adapter_of_preview_1_is_rewritten_as_well() {
    let adapter = wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
    let rewritten = rewrite(adapter, CHUNK_BYTES).unwrap();
    wasmparser::Validator::new_with_features(sandgate_engine::engine::PROPOSALS).validate_all(&rewritten).unwrap();
    let (before, after) = (survey(adapter).0, survey(&rewritten).0);
    assert!(after <= before.max(6), "{before} became {after}");
}
