// SPDX-License-Identifier: Apache-2.0
//! Bulk memory instructions in pieces: a guest that fills 64 MiB holds its thread for as long as that takes (up to 158 ms), because
//! compiled code looks at the epoch at loops and function heads only. So `memory.fill`, `memory.copy` and `memory.init` of all core
//! modules become calls of helper functions, which work through large ranges in a loop.
//!
//! This file walks components, `module.rs` rewrites one core module, `helpers.rs` has the functions. What has no such instruction comes
//! back as it is, byte for byte. The input must have been validated.
//!
//! Not rewritten: the copies that Wasmtime itself makes between the memories of composed components, and table instructions (a table
//! has at most 128 Ki elements).

mod helpers;
mod module;

use crate::error::{Error, ErrorKind, Result};
use std::borrow::Cow;
use std::ops::Range;
use wasm_encoder::Encode;
use wasmparser::{BinaryReader, BinaryReaderError};

/// A piece: 10 us of work on memory that is there, 0.3 ms when each page must be faulted in, so that the tick of 1 ms is met either way;
/// and nothing is lost, for a loop round costs nanoseconds.
pub const CHUNK_BYTES: u32 = 128 << 10;

/// Components inside components. The validator allows far less than the stack does.
const DEPTH_MAX: u32 = 100;

const HEADER_BYTES: usize = 8;
/// The layer in the header of a component; a core module has 0 there.
const COMPONENT_LAYER: [u8; 2] = [1, 0];
const CORE_MODULE_SECTION: u8 = 1;
const COMPONENT_SECTION: u8 = 4;

/// Rewrites a component or a core module; `chunk_bytes` is [`CHUNK_BYTES`] but in tests.
pub fn rewrite(wasm: &[u8], chunk_bytes: u32) -> Result<Cow<'_, [u8]>> {
    let rewritten = binary(wasm, chunk_bytes, 0)?;
    Ok(rewritten.map_or(Cow::Borrowed(wasm), Cow::Owned))
}

/// `None`: nothing to do.
fn binary(wasm: &[u8], chunk_bytes: u32, depth: u32) -> Result<Option<Vec<u8>>> {
    if depth > DEPTH_MAX {
        return Err(Error::new(ErrorKind::Unsupported, format!("the component has more than {DEPTH_MAX} levels")));
    }
    if wasm.get(HEADER_BYTES - 2..HEADER_BYTES) != Some(&COMPONENT_LAYER) {
        return module::rewrite(wasm, chunk_bytes).map_err(broken);
    }
    let mut output = Vec::new();
    // Everything before this is in the output; nothing is copied until something changes.
    let mut copied = 0;
    for section in sections(wasm).map_err(broken)? {
        if section.id != CORE_MODULE_SECTION && section.id != COMPONENT_SECTION {
            continue;
        }
        if let Some(contents) = binary(&wasm[section.contents.clone()], chunk_bytes, depth + 1)? {
            output.extend_from_slice(&wasm[copied..section.whole.start]);
            emit_section(section.id, &contents, &mut output);
            copied = section.whole.end;
        }
    }
    if copied == 0 {
        return Ok(None);
    }
    output.extend_from_slice(&wasm[copied..]);
    Ok(Some(output))
}

struct Section {
    id: u8,
    /// With identifier and length.
    whole: Range<usize>,
    contents: Range<usize>,
}

/// The sections of a core module or a component, which have the same form.
fn sections(wasm: &[u8]) -> std::result::Result<Vec<Section>, BinaryReaderError> {
    let mut reader = BinaryReader::new(wasm, 0);
    reader.read_bytes(HEADER_BYTES)?;
    let mut sections = Vec::new();
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8()?;
        let len = reader.read_var_u32()? as usize;
        let contents = reader.original_position()..reader.original_position() + len;
        reader.read_bytes(len)?;
        sections.push(Section { id, whole: start..contents.end, contents });
    }
    Ok(sections)
}

fn emit_section(id: u8, contents: &[u8], output: &mut Vec<u8>) {
    output.push(id);
    contents.encode(output);
}

/// Validation has passed: what does not parse now is our mistake.
fn broken(cause: BinaryReaderError) -> Error {
    Error::internal(format!("the bulk memory instructions cannot be rewritten: {cause}"))
}
