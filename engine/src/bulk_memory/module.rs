// SPDX-License-Identifier: Apache-2.0
//! One core module: calls in place of bulk instructions, helpers behind everything else, so that no index changes.

use super::helpers::{Helper, Helpers, TYPE};
use super::{Section, emit_section, sections};
use std::ops::Range;
use wasm_encoder::Encode;
use wasmparser::{
    BinaryReader, CodeSectionReader, CustomSectionReader, DataKind, DataSectionReader, FunctionBody, FunctionSectionReader,
    ImportSectionReader, Operator, Result, TypeRef, TypeSectionReader,
};

const CUSTOM: u8 = 0;
const TYPES: u8 = 1;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const CODE: u8 = 10;
const DATA: u8 = 11;

/// Custom sections that speak of offsets in code (branch hints, traces): they would point to the wrong instructions.
const CODE_METADATA: &str = "metadata.code.";
/// What the bulk instructions begin with; the bytes of a body without it need no closer look.
const PREFIX: u8 = 0xfc;
const CALL: u8 = 0x10;

/// The bulk instructions of one function body, as ranges of its bytes, and the ordinals of what is called instead.
type Edits = Vec<(Range<usize>, u32)>;

/// `None`: there is nothing to do.
pub fn rewrite(wasm: &[u8], chunk_bytes: u32) -> Result<Option<Vec<u8>>> {
    let sections = sections(wasm)?;
    let mut helpers = Helpers::default();
    let mut edits: Vec<Edits> = Vec::new();
    for section in sections.iter().filter(|section| section.id == CODE) {
        for body in CodeSectionReader::new(reader(wasm, section))? {
            edits.push(find(body?.as_bytes(), chunk_bytes, &mut helpers)?);
        }
    }
    if helpers.len() == 0 {
        return Ok(None);
    }
    let layout = Layout::of(wasm, &sections)?;
    let mut output = wasm[..super::HEADER_BYTES].to_vec();
    for section in &sections {
        let contents = &wasm[section.contents.clone()];
        match section.id {
            TYPES => emit_section(TYPES, &append(contents, 1, &TYPE)?, &mut output),
            FUNCTIONS => {
                let mut entries = Vec::new();
                (0..helpers.len()).for_each(|_| layout.types.encode(&mut entries));
                emit_section(FUNCTIONS, &append(contents, helpers.len(), &entries)?, &mut output);
            }
            CODE => emit_section(CODE, &code(contents, &edits, &helpers, &layout, chunk_bytes)?, &mut output),
            CUSTOM if CustomSectionReader::new(reader(wasm, section))?.name().starts_with(CODE_METADATA) => {}
            _ => output.extend_from_slice(&wasm[section.whole.clone()]),
        }
    }
    Ok(Some(output))
}

fn reader<'a>(wasm: &'a [u8], section: &Section) -> BinaryReader<'a> {
    BinaryReader::new(&wasm[section.contents.clone()], section.contents.start)
}

/// Where new things go, and what `memory.init` may read.
#[derive(Default)]
struct Layout {
    types: u32,
    /// Imported and defined.
    functions: u32,
    segment_bytes: Vec<u64>,
}

impl Layout {
    fn of(wasm: &[u8], sections: &[Section]) -> Result<Layout> {
        let mut layout = Layout::default();
        for section in sections {
            let reader = reader(wasm, section);
            match section.id {
                TYPES => layout.types = TypeSectionReader::new(reader)?.count(),
                IMPORTS => {
                    for import in ImportSectionReader::new(reader)?.into_imports() {
                        layout.functions += u32::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                    }
                }
                FUNCTIONS => layout.functions += FunctionSectionReader::new(reader)?.count(),
                DATA => {
                    for segment in DataSectionReader::new(reader)? {
                        let segment = segment?;
                        // Active segments are dropped once they are in memory.
                        let readable = if matches!(segment.kind, DataKind::Passive) { segment.data.len() as u64 } else { 0 };
                        layout.segment_bytes.push(readable);
                    }
                }
                _ => {}
            }
        }
        Ok(layout)
    }
}

/// The bulk instructions of a body (locals and code). One whose length is a small constant stays: it needs no loop.
fn find(body: &[u8], chunk_bytes: u32, helpers: &mut Helpers) -> Result<Edits> {
    let mut edits = Edits::new();
    if !body.contains(&PREFIX) {
        return Ok(edits);
    }
    let mut operators = FunctionBody::new(BinaryReader::new(body, 0)).get_operators_reader()?;
    let mut small = false;
    while !operators.eof() {
        let start = operators.original_position();
        let operator = operators.read()?;
        let helper = match operator {
            Operator::MemoryFill { .. } => Some(Helper::Fill),
            Operator::MemoryCopy { .. } => Some(Helper::Copy),
            Operator::MemoryInit { data_index, .. } => Some(Helper::Init(data_index)),
            _ => None,
        };
        if let Some(helper) = helper
            && !small
        {
            edits.push((start..operators.original_position(), helpers.ordinal(helper)));
        }
        small = matches!(operator, Operator::I32Const { value } if value.cast_unsigned() <= chunk_bytes);
    }
    Ok(edits)
}

/// The contents of a section that is a vector, with more entries at its end.
fn append(contents: &[u8], more: u32, entries: &[u8]) -> Result<Vec<u8>> {
    let mut reader = BinaryReader::new(contents, 0);
    let count = reader.read_var_u32()?;
    let mut output = Vec::with_capacity(contents.len() + entries.len() + 1);
    (count + more).encode(&mut output);
    output.extend_from_slice(&contents[reader.original_position()..]);
    output.extend_from_slice(entries);
    Ok(output)
}

fn code(contents: &[u8], edits: &[Edits], helpers: &Helpers, layout: &Layout, chunk_bytes: u32) -> Result<Vec<u8>> {
    let mut output = Vec::with_capacity(contents.len());
    (edits.len() as u32 + helpers.len()).encode(&mut output);
    let bodies = CodeSectionReader::new(BinaryReader::new(contents, 0))?;
    for (body, edits) in bodies.into_iter().zip(edits) {
        splice(body?.as_bytes(), edits, layout.functions).encode(&mut output);
    }
    for helper in helpers.bodies(chunk_bytes, &layout.segment_bytes) {
        helper.encode(&mut output);
    }
    Ok(output)
}

fn splice(body: &[u8], edits: &Edits, first_helper: u32) -> Vec<u8> {
    let mut output = Vec::with_capacity(body.len() + 2 * edits.len());
    let mut copied = 0;
    for (instruction, ordinal) in edits {
        output.extend_from_slice(&body[copied..instruction.start]);
        output.push(CALL);
        (first_helper + ordinal).encode(&mut output);
        copied = instruction.end;
    }
    output.extend_from_slice(&body[copied..]);
    output
}
