// SPDX-License-Identifier: Apache-2.0
//! Results out of a guest's memory, by the canonical ABI (component-model, CanonicalABI.md, "Loading"): every pointer, length,
//! discriminant and byte of text is checked, and what is copied is counted.

use super::call::Fault;
use crate::abi::action::{Action, Edits, Field};

const OUT_OF_BOUNDS: Fault = Fault::BadResult("pointer out of bounds of memory");
const LIST_OUT_OF_BOUNDS: Fault = Fault::BadResult("list pointer/length out of bounds of memory");
const STRING_OUT_OF_BOUNDS: Fault = Fault::BadResult("string pointer/length out of bounds of memory");

/// Pointer and length, each a u32.
const PAIR_BYTES: usize = 8;
/// A record of two strings (or of a string and a list of bytes).
const FIELD_BYTES: usize = 2 * PAIR_BYTES;
/// Of variants, records and lists with pointers in them.
const ALIGNMENT: usize = 4;

/// `variant action`: continue, reject(u16), modify(record). The payload is aligned to 4.
const PAYLOAD: usize = 4;
const CONTINUE: u8 = 0;
const REJECT: u8 = 1;
const MODIFY: u8 = 2;

pub struct Lifter<'a> {
    memory: &'a [u8],
    /// Bytes that may still be copied.
    fuel: usize,
}

impl<'a> Lifter<'a> {
    pub fn new(memory: &'a [u8], fuel: usize) -> Lifter<'a> {
        Lifter { memory, fuel }
    }

    /// The action of the router worlds, whose edits begin with a status.
    pub fn router_action(&mut self, at: u32) -> Result<Action, Fault> {
        let edits = PAYLOAD + 4 + 3 * PAIR_BYTES + 4 + PAIR_BYTES;
        self.action(at, edits, |lifter, edits| {
            let status = lifter.option(&edits[..1])?.then(|| u16_of(&edits[2..]));
            lifter.edits(status, &edits[4..], Lifter::text_bytes)
        })
    }

    /// The action of `vllm:router-middleware`: no status, and field values are bytes.
    pub fn vllm_action(&mut self, at: u32) -> Result<Action, Fault> {
        let edits = PAYLOAD + 3 * PAIR_BYTES + 4 + PAIR_BYTES;
        self.action(at, edits, |lifter, edits| lifter.edits(None, edits, Lifter::bytes))
    }

    fn action(
        &mut self,
        at: u32,
        size: usize,
        modify: impl FnOnce(&mut Lifter<'a>, &'a [u8]) -> Result<Edits, Fault>,
    ) -> Result<Action, Fault> {
        let at = at as usize;
        if !at.is_multiple_of(ALIGNMENT) {
            return Err(Fault::BadResult("return pointer not aligned"));
        }
        let action = self.slice(at, size).ok_or(OUT_OF_BOUNDS)?;
        match action[0] {
            CONTINUE => Ok(Action::Continue),
            REJECT => Ok(Action::Reject(u16_of(&action[PAYLOAD..]))),
            MODIFY => Ok(Action::Modify(modify(self, &action[PAYLOAD..])?)),
            _ => Err(Fault::BadResult("unexpected discriminant of an action")),
        }
    }

    /// Fields to set, fields to add, names to remove, a body.
    fn edits(
        &mut self,
        status: Option<u16>,
        record: &'a [u8],
        value: fn(&mut Lifter<'a>, &[u8]) -> Result<Vec<u8>, Fault>,
    ) -> Result<Edits, Fault> {
        let set = self.fields(record, value)?;
        let add = self.fields(&record[PAIR_BYTES..], value)?;
        let remove = self.list(&record[2 * PAIR_BYTES..], PAIR_BYTES)?;
        let remove = remove.chunks_exact(PAIR_BYTES).map(|pair| self.text(pair)).collect::<Result<_, _>>()?;
        let body = &record[3 * PAIR_BYTES..];
        let body = if self.option(body)? { Some(self.bytes(&body[4..])?) } else { None };
        Ok(Edits { status, set, add, remove, body })
    }

    fn fields(&mut self, pair: &[u8], value: fn(&mut Lifter<'a>, &[u8]) -> Result<Vec<u8>, Fault>) -> Result<Vec<Field>, Fault> {
        let list = self.list(pair, FIELD_BYTES)?;
        list.chunks_exact(FIELD_BYTES)
            .map(|field| Ok(Field { name: self.text(field)?, value: value(self, &field[PAIR_BYTES..])? }))
            .collect()
    }

    /// The elements of a list of records.
    fn list(&mut self, pair: &[u8], element_bytes: usize) -> Result<&'a [u8], Fault> {
        let (at, count) = pair_of(pair);
        let bytes = count.checked_mul(element_bytes).ok_or(LIST_OUT_OF_BOUNDS)?;
        let list = self.slice(at, bytes).ok_or(LIST_OUT_OF_BOUNDS)?;
        if !at.is_multiple_of(ALIGNMENT) {
            return Err(Fault::BadResult("list pointer is not aligned"));
        }
        self.spend(bytes)?;
        Ok(list)
    }

    fn bytes(&mut self, pair: &[u8]) -> Result<Vec<u8>, Fault> {
        let (at, len) = pair_of(pair);
        let bytes = self.slice(at, len).ok_or(LIST_OUT_OF_BOUNDS)?;
        self.spend(len)?;
        Ok(bytes.to_vec())
    }

    fn text(&mut self, pair: &[u8]) -> Result<String, Fault> {
        let (at, len) = pair_of(pair);
        let bytes = self.slice(at, len).ok_or(STRING_OUT_OF_BOUNDS)?;
        self.spend(len)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(Fault::NotText)
    }

    fn text_bytes(&mut self, pair: &[u8]) -> Result<Vec<u8>, Fault> {
        self.text(pair).map(String::into_bytes)
    }

    /// The discriminant of an option.
    fn option(&self, bytes: &[u8]) -> Result<bool, Fault> {
        match bytes[0] {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Fault::BadResult("invalid option discriminant")),
        }
    }

    fn slice(&self, at: usize, len: usize) -> Option<&'a [u8]> {
        self.memory.get(at..)?.get(..len)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        self.fuel = self.fuel.checked_sub(bytes).ok_or(Fault::TooLarge)?;
        Ok(())
    }
}

fn u16_of(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

fn pair_of(bytes: &[u8]) -> (usize, usize) {
    let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
    (word(0), word(4))
}
