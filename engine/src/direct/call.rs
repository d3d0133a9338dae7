// SPDX-License-Identifier: Apache-2.0
//! The host's side of a driver: says what to allocate, copies the parameters there, and reads the result.

use super::HOST_MODULE;
use super::lift::Lifter;
use crate::abi::action::Action;
use crate::instance::Host;
use std::fmt;
use std::str::Utf8Error;
use wasm_encoder::ValType;
use wasmtime::{Caller, Linker, Memory};

/// A hook of one of the guest ABIs; its parameters are passed flat.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Method, path, query, fields, body, request id: pointer and length each; then the time.
    RouterRequest = 0,
    /// Status; pointer and length of fields and body.
    RouterResponse = 1,
    /// As the first, without the time.
    VllmRequest = 2,
}

impl Shape {
    pub fn of(code: u8) -> Option<Shape> {
        [Shape::RouterRequest, Shape::RouterResponse, Shape::VllmRequest].into_iter().find(|shape| *shape as u8 == code)
    }

    /// The export that is the driver.
    pub fn driver(self) -> &'static str {
        match self {
            Shape::RouterRequest | Shape::VllmRequest => "sandgate:on-request",
            Shape::RouterResponse => "sandgate:on-response",
        }
    }

    /// The import that has the hook's arguments as results.
    pub fn arguments(self) -> &'static str {
        match self {
            Shape::RouterRequest => "request",
            Shape::RouterResponse => "response",
            Shape::VllmRequest => "vllm-request",
        }
    }
}

/// The types of the hook's core parameters.
pub fn flat(shape: Shape) -> &'static [ValType] {
    const REQUEST: [ValType; 13] = {
        let mut types = [ValType::I32; 13];
        types[12] = ValType::I64;
        types
    };
    match shape {
        Shape::RouterRequest => &REQUEST,
        Shape::RouterResponse => &[ValType::I32; 5],
        Shape::VllmRequest => &REQUEST.split_at(12).0,
    }
}

/// What is wrong with what a guest handed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    BadResult(&'static str),
    NotText(Utf8Error),
    TooLarge,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::BadResult(what) => out.write_str(what),
            Fault::NotText(cause) => cause.fmt(out),
            Fault::TooLarge => out.write_str("it would copy more bytes than the call may hand over"),
        }
    }
}

impl std::error::Error for Fault {}

#[derive(Clone, Copy)]
enum Piece {
    Bytes(&'static [u8]),
    /// A list of so many fields. The names and values follow.
    Fields(u32),
}

/// The parameters of a call in the order of the record: borrowed, each to be allocated and copied.
#[derive(Default)]
pub struct Arguments {
    pieces: Vec<Piece>,
    /// What is passed by value: the time, or the status.
    pub number: u64,
}

impl Arguments {
    pub fn bytes(&mut self, bytes: &'static [u8]) {
        self.pieces.push(Piece::Bytes(bytes));
    }

    /// Twice so many pieces of bytes must follow.
    pub fn fields(&mut self, count: usize) {
        self.pieces.push(Piece::Fields(u32::try_from(count).unwrap_or(u32::MAX)));
    }

    pub fn clear(&mut self) {
        self.pieces.clear();
        self.number = 0;
    }
}

/// Pointer and length of one field's name and value, each a u32.
const FIELD_BYTES: u32 = 16;
const FIELD_ALIGNMENT: u32 = 4;
/// `next` has nothing more to allocate.
const NOTHING: i64 = -1;
/// Pointers and lengths among the parameters of the hook that has most of them.
const FLAT_MAX: usize = 12;

/// The call in an instance, in its store. Its vectors are kept for the next one.
#[derive(Default)]
pub struct State {
    pub memory: Option<Memory>,
    pub arguments: Arguments,
    shape: Option<Shape>,
    /// Where the pieces went, in their order.
    pointers: Vec<u32>,
    asked: bool,
    fuel: usize,
    result: Option<Action>,
}

impl State {
    pub fn begin(&mut self, memory: Memory, shape: Shape, fuel: usize) {
        self.memory = Some(memory);
        self.shape = Some(shape);
        self.fuel = fuel;
        self.pointers.clear();
        self.asked = false;
        self.result = None;
    }

    /// What the guest decided, once its driver has returned. What was borrowed for the call is forgotten.
    pub fn end(&mut self) -> Option<Action> {
        self.arguments.clear();
        self.result.take()
    }

    /// Alignment and size of the next piece. `previous` is where the one before went.
    fn next(&mut self, previous: u32) -> i64 {
        if std::mem::replace(&mut self.asked, true) {
            self.pointers.push(previous);
        }
        let (alignment, size) = match self.arguments.pieces.get(self.pointers.len()) {
            None => return NOTHING,
            Some(Piece::Bytes(bytes)) => (1, bytes.len() as u64),
            Some(Piece::Fields(count)) => (FIELD_ALIGNMENT, u64::from(*count) * u64::from(FIELD_BYTES)),
        };
        // A size beyond 31 bits is more than any memory has: the guest's allocator refuses what it is told instead.
        i64::from(alignment) << 32 | size.min(i32::MAX as u64).cast_signed()
    }

    /// Copies all pieces to where the guest wants them; the flat parameters that point to them.
    fn copy(&self, memory: &mut [u8]) -> Result<[u32; FLAT_MAX], Fault> {
        let mut flat = [0; FLAT_MAX];
        let mut used = 0;
        let mut at = 0;
        while let Some(piece) = self.arguments.pieces.get(at) {
            let (place, len) = match piece {
                Piece::Bytes(bytes) => (self.put(memory, at, bytes)?, bytes.len() as u32),
                Piece::Fields(count) => {
                    let place = self.place(memory, at, *count as usize * FIELD_BYTES as usize, FIELD_ALIGNMENT)?;
                    at = self.copy_fields(memory, at, place, *count)?;
                    (place as u32, *count)
                }
            };
            flat[used] = place as u32;
            flat[used + 1] = len;
            used += 2;
            at += 1;
        }
        Ok(flat)
    }

    /// The names and values behind piece `at`, and the list at `list` that points to them. Comes back with the last piece of the list.
    fn copy_fields(&self, memory: &mut [u8], at: usize, list: u32, count: u32) -> Result<usize, Fault> {
        let texts = 2 * count as usize;
        for i in 0..texts {
            let Some(Piece::Bytes(bytes)) = self.arguments.pieces.get(at + 1 + i) else {
                return Err(Fault::BadResult("a field of the call is missing"));
            };
            let place = self.put(memory, at + 1 + i, bytes)?;
            let entry = list as usize + i * (FIELD_BYTES / 2) as usize;
            memory[entry..entry + 4].copy_from_slice(&place.to_le_bytes());
            memory[entry + 4..entry + 8].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
        }
        Ok(at + texts)
    }

    fn put(&self, memory: &mut [u8], piece: usize, bytes: &[u8]) -> Result<u32, Fault> {
        let place = self.place(memory, piece, bytes.len(), 1)?;
        memory[place as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(place)
    }

    /// Where a piece goes, once it is sure that it fits there.
    fn place(&self, memory: &[u8], piece: usize, len: usize, alignment: u32) -> Result<u32, Fault> {
        let place = self.pointers.get(piece).copied().ok_or(Fault::BadResult("the call was not prepared"))?;
        if !place.is_multiple_of(alignment) {
            return Err(Fault::BadResult("realloc return: result not aligned"));
        }
        if memory.get(place as usize..).and_then(|rest| rest.get(..len)).is_none() {
            return Err(Fault::BadResult("realloc return: beyond end of memory"));
        }
        Ok(place)
    }

    fn lift(&mut self, memory: &[u8], result: u32) -> Result<(), Fault> {
        let mut lifter = Lifter::new(memory, self.fuel);
        self.result = Some(match self.shape {
            Some(Shape::VllmRequest) => lifter.vllm_action(result)?,
            _ => lifter.router_action(result)?,
        });
        Ok(())
    }
}

/// Memory and state of the instance that calls.
fn parts<'a>(caller: &'a mut Caller<'_, Host>) -> wasmtime::Result<(&'a mut [u8], &'a mut State)> {
    let memory = caller.data().direct.memory.ok_or_else(|| wasmtime::format_err!("no call was begun"))?;
    let (memory, host) = memory.data_and_store_mut(caller);
    Ok((memory, &mut host.direct))
}

fn arguments(caller: &mut Caller<'_, Host>) -> wasmtime::Result<([u32; FLAT_MAX], u64)> {
    let (memory, state) = parts(caller)?;
    Ok((state.copy(memory)?, state.arguments.number))
}

type Request = (u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32);
type TimedRequest = (u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u64);

/// Makes the functions known that drivers import.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(HOST_MODULE, "next", |mut caller: Caller<'_, Host>, previous: u32| caller.data_mut().direct.next(previous))?;
    linker.func_wrap(HOST_MODULE, "done", |mut caller: Caller<'_, Host>, result: u32| {
        let (memory, state) = parts(&mut caller)?;
        Ok(state.lift(memory, result)?)
    })?;
    linker.func_wrap(HOST_MODULE, Shape::RouterRequest.arguments(), |mut caller: Caller<'_, Host>| {
        let ([a, b, c, d, e, f, g, h, i, j, k, l], now) = arguments(&mut caller)?;
        wasmtime::Result::<TimedRequest>::Ok((a, b, c, d, e, f, g, h, i, j, k, l, now))
    })?;
    linker.func_wrap(HOST_MODULE, Shape::VllmRequest.arguments(), |mut caller: Caller<'_, Host>| {
        let ([a, b, c, d, e, f, g, h, i, j, k, l], _) = arguments(&mut caller)?;
        wasmtime::Result::<Request>::Ok((a, b, c, d, e, f, g, h, i, j, k, l))
    })?;
    linker.func_wrap(HOST_MODULE, Shape::RouterResponse.arguments(), |mut caller: Caller<'_, Host>| {
        let ([a, b, c, d, ..], status) = arguments(&mut caller)?;
        wasmtime::Result::<(u32, u32, u32, u32, u32)>::Ok((status as u32, a, b, c, d))
    })?;
    Ok(())
}
