// SPDX-License-Identifier: Apache-2.0
//! What `sg_compile` hands out: the code of the component, and behind it, for some, the code of its core module.
//!
//! Code of a component alone is Wasmtime's own format. With both it is: magic, length of the first (8 bytes, little endian), the first,
//! one byte for each of the two hooks and one of flags, the second.

use super::call::Shape;

const MAGIC: &[u8; 8] = b"sgdirect";
const LEN_BYTES: usize = 8;
const HEADER_BYTES: usize = MAGIC.len() + LEN_BYTES;
const FACTS: usize = 3;
const NO_HOOK: u8 = 0xff;

/// Code of a core module with drivers, and what is known of it.
#[derive(Clone, Copy)]
pub struct Direct<'a> {
    pub on_request: Option<Shape>,
    pub on_response: Option<Shape>,
    pub restorable: bool,
    pub code: &'a [u8],
}

pub fn join(component: Vec<u8>, direct: &Direct) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + component.len() + FACTS + direct.code.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(component.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&component);
    let hook = |shape: Option<Shape>| shape.map_or(NO_HOOK, |shape| shape as u8);
    bytes.extend_from_slice(&[hook(direct.on_request), hook(direct.on_response), u8::from(direct.restorable)]);
    bytes.extend_from_slice(direct.code);
    bytes
}

/// The parts of [`join`]; what is not its work is taken for a component's code alone.
pub fn split(bytes: &[u8]) -> (&[u8], Option<Direct<'_>>) {
    parts(bytes).map_or((bytes, None), |(component, direct)| (component, Some(direct)))
}

fn parts(bytes: &[u8]) -> Option<(&[u8], Direct<'_>)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (len, rest) = rest.split_first_chunk::<LEN_BYTES>()?;
    let (component, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    let (facts, code) = rest.split_first_chunk::<FACTS>()?;
    let direct = Direct { on_request: Shape::of(facts[0]), on_response: Shape::of(facts[1]), restorable: facts[2] != 0, code };
    Some((component, direct))
}
