// SPDX-License-Identifier: Apache-2.0
//! A core module with drivers. Function imports come first in a module's index space, so every function index moves up.

use super::call::{self, Shape};
use super::{HOST_MODULE, MEMORY_EXPORT};
use std::convert::Infallible;
use std::ops::Range;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, ImportSection, Instruction as I, RawSection, TableSection, TypeSection, ValType,
};
use wasmparser::{CustomSectionReader, FunctionSectionReader, GlobalSectionReader, KnownCustom, Operator, Parser, Payload};

type Result<T> = std::result::Result<T, reencode::Error<Infallible>>;

/// What the drivers call; function indices of the module as it is.
pub struct Wiring {
    pub realloc: u32,
    pub hooks: Vec<Hook>,
}

#[derive(Clone, Copy)]
pub struct Hook {
    pub function: u32,
    pub post_return: Option<u32>,
    pub shape: Shape,
}

pub struct Rewritten {
    pub wasm: Vec<u8>,
    /// Memory and globals are all that calls can change.
    pub restorable: bool,
}

/// `None`: the module is not of the kind that has drivers. It must have been validated.
pub fn rewrite(wasm: &[u8], wiring: &Wiring) -> Option<Rewritten> {
    let survey = Survey::of(wasm).ok()?;
    if survey.imports != 0 || survey.memories != 1 {
        return None;
    }
    let wasm = Writer { wiring, survey: &survey }.module(wasm).ok()?;
    Some(Rewritten { wasm, restorable: !survey.keeps_more })
}

#[derive(Default)]
struct Survey {
    types: u32,
    imports: u32,
    functions: u32,
    memories: u32,
    /// Something runs at the start, or an instruction changes a table or drops a segment.
    keeps_more: bool,
}

impl Survey {
    fn of(wasm: &[u8]) -> wasmparser::Result<Survey> {
        let mut survey = Survey::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        survey.types += group?.types().len() as u32;
                    }
                }
                Payload::ImportSection(section) => survey.imports += section.count(),
                Payload::FunctionSection(section) => {
                    survey.functions = section.count();
                }
                Payload::MemorySection(section) => survey.memories += section.count(),
                Payload::StartSection { .. } => survey.keeps_more = true,
                Payload::CodeSectionEntry(body) => {
                    let mut operators = body.get_operators_reader()?;
                    while !operators.eof() {
                        survey.keeps_more |= keeps_state(&operators.read()?);
                    }
                }
                _ => {}
            }
        }
        Ok(survey)
    }
}

/// Whether an instruction changes what is neither memory nor a global.
fn keeps_state(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::DataDrop { .. }
    )
}

/// The host functions, in the order of their indices: `next`, `done`, and one for each hook's arguments.
const NEXT: u32 = 0;
const DONE: u32 = 1;
const FIRST_ARGUMENTS: u32 = 2;

const MEMORIES: u8 = 5;
const DATA: u8 = 11;

struct Writer<'a> {
    wiring: &'a Wiring,
    survey: &'a Survey,
}

impl Reencode for Writer<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32> {
        Ok(function + self.imported())
    }
}

impl Writer<'_> {
    fn imported(&self) -> u32 {
        FIRST_ARGUMENTS + self.wiring.hooks.len() as u32
    }

    fn module(mut self, wasm: &[u8]) -> Result<Vec<u8>> {
        let mut module = wasm_encoder::Module::new();
        // Each mutable global with the expression that it begins with.
        let mut globals: Vec<(u32, ConstExpr)> = Vec::new();
        let mut code = CodeSection::new();
        let as_it_is = |module: &mut wasm_encoder::Module, id: u8, range: Range<usize>| {
            module.section(&RawSection { id, data: &wasm[range] });
        };
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    let mut types = TypeSection::new();
                    self.parse_type_section(&mut types, section)?;
                    self.add_types(&mut types);
                    module.section(&types);
                    module.section(&self.imports());
                }
                Payload::FunctionSection(section) => {
                    module.section(&self.functions(section)?);
                }
                Payload::TableSection(section) => {
                    let mut tables = TableSection::new();
                    self.parse_table_section(&mut tables, section)?;
                    module.section(&tables);
                }
                Payload::MemorySection(section) => as_it_is(&mut module, MEMORIES, section.range()),
                Payload::GlobalSection(section) => {
                    globals = self.mutable_globals(section.clone())?;
                    let mut section_out = GlobalSection::new();
                    self.parse_global_section(&mut section_out, section)?;
                    module.section(&section_out);
                }
                Payload::ExportSection(section) => {
                    let mut exports = ExportSection::new();
                    self.parse_export_section(&mut exports, section)?;
                    self.add_exports(&mut exports);
                    module.section(&exports);
                }
                Payload::StartSection { func, .. } => {
                    module.section(&wasm_encoder::StartSection { function_index: self.function_index(func)? });
                }
                Payload::ElementSection(section) => {
                    let mut elements = ElementSection::new();
                    self.parse_element_section(&mut elements, section)?;
                    module.section(&elements);
                }
                Payload::DataCountSection { count, .. } => {
                    module.section(&wasm_encoder::DataCountSection { count });
                }
                Payload::CodeSectionEntry(body) => {
                    self.parse_function_body(&mut code, body)?;
                    if code.len() == self.survey.functions {
                        self.wiring.hooks.iter().enumerate().for_each(|(i, hook)| {
                            code.function(&self.driver(i as u32, hook, &globals));
                        });
                        module.section(&code);
                    }
                }
                Payload::DataSection(section) => as_it_is(&mut module, DATA, section.range()),
                // Names of functions, for backtraces. Other sections may speak of offsets in code.
                Payload::CustomSection(section) if is_names(&section) => {
                    self.parse_custom_section(&mut module, section)?;
                }
                _ => {}
            }
        }
        Ok(module.finish())
    }

    /// Behind the module's own: of `next`, `done`, the drivers, and each hook's arguments.
    fn add_types(&self, types: &mut TypeSection) {
        types.ty().function([ValType::I32], [ValType::I64]);
        types.ty().function([ValType::I32], []);
        for hook in &self.wiring.hooks {
            types.ty().function([], call::flat(hook.shape).iter().copied());
        }
    }

    fn imports(&self) -> ImportSection {
        let mut imports = ImportSection::new();
        let names = ["next", "done"].into_iter().chain(self.wiring.hooks.iter().map(|hook| hook.shape.arguments()));
        for (i, name) in names.enumerate() {
            imports.import(HOST_MODULE, name, EntityType::Function(self.survey.types + i as u32));
        }
        imports
    }

    fn functions(&mut self, section: FunctionSectionReader) -> Result<FunctionSection> {
        let mut functions = FunctionSection::new();
        self.parse_function_section(&mut functions, section)?;
        for _ in &self.wiring.hooks {
            functions.function(self.survey.types + DONE);
        }
        Ok(functions)
    }

    fn mutable_globals(&mut self, section: GlobalSectionReader) -> Result<Vec<(u32, ConstExpr)>> {
        let mut globals = Vec::new();
        for (i, global) in section.into_iter().enumerate() {
            let global = global?;
            if global.ty.mutable {
                globals.push((i as u32, self.const_expr(global.init_expr)?));
            }
        }
        Ok(globals)
    }

    fn add_exports(&self, exports: &mut ExportSection) {
        exports.export(MEMORY_EXPORT, ExportKind::Memory, 0);
        for (i, hook) in self.wiring.hooks.iter().enumerate() {
            exports.export(hook.shape.driver(), ExportKind::Func, self.imported() + self.survey.functions + i as u32);
        }
    }

    /// `(stale: i32) -> ()`: puts the globals back if asked to, allocates what the host wants, calls the hook with the host's arguments,
    /// shows the host the result, calls post-return.
    fn driver(&self, ordinal: u32, hook: &Hook, globals: &[(u32, ConstExpr)]) -> Function {
        const STALE: u32 = 0;
        const RESULT: u32 = 1;
        const WANTED: u32 = 2;
        let guest = |function: u32| I::Call(self.imported() + function);
        let mut body = Function::new([(1, ValType::I32), (1, ValType::I64)]);
        let emit = |body: &mut Function, instructions: &[I]| {
            for instruction in instructions {
                body.instruction(instruction);
            }
        };
        emit(&mut body, &[I::LocalGet(STALE), I::If(BlockType::Empty)]);
        for (index, initial) in globals {
            body.raw(bytes_of(initial));
            body.instruction(&I::GlobalSet(*index));
        }
        emit(&mut body, &[I::End, I::Block(BlockType::Empty), I::Loop(BlockType::Empty)]);
        // `next` says alignment and size, in the upper and the lower half, or -1.
        emit(&mut body, &[I::LocalGet(RESULT), I::Call(NEXT), I::LocalTee(WANTED), I::I64Const(-1), I::I64Eq, I::BrIf(1)]);
        emit(&mut body, &[I::I32Const(0), I::I32Const(0), I::LocalGet(WANTED), I::I64Const(32), I::I64ShrU, I::I32WrapI64]);
        emit(
            &mut body,
            &[I::LocalGet(WANTED), I::I32WrapI64, guest(self.wiring.realloc), I::LocalSet(RESULT), I::Br(0), I::End, I::End],
        );
        emit(&mut body, &[I::Call(FIRST_ARGUMENTS + ordinal), guest(hook.function), I::LocalTee(RESULT), I::Call(DONE)]);
        if let Some(post_return) = hook.post_return {
            emit(&mut body, &[I::LocalGet(RESULT), guest(post_return)]);
        }
        emit(&mut body, &[I::End]);
        body
    }
}

/// The instructions of a constant expression, without its end.
fn bytes_of(expression: &ConstExpr) -> Vec<u8> {
    let mut bytes = Vec::new();
    wasm_encoder::Encode::encode(expression, &mut bytes);
    bytes.pop();
    bytes
}

fn is_names(section: &CustomSectionReader) -> bool {
    matches!(section.as_known(), KnownCustom::Name(_))
}
