// SPDX-License-Identifier: Apache-2.0
//! The functions that stand for bulk instructions: `(i32, i32, i32) -> ()`, with the operands in the instruction's order.
//!
//! All have one form. A small range, and one that is not wholly inside the memory (or the data segment), goes to the instruction itself,
//! which then traps before it writes, as the specification says. What remains is in bounds: the loop takes pieces off until one is left
//! for that same last instruction. Nothing else runs in the instance meanwhile, so bounds cannot change under the loop.

use std::collections::HashMap;
use wasm_encoder::{BlockType, Function, Instruction as I};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Helper {
    Fill,
    Copy,
    /// Of this data segment.
    Init(u32),
}

/// The type of all helpers, as an entry of a type section.
pub const TYPE: [u8; 6] = [0x60, 3, 0x7f, 0x7f, 0x7f, 0];

/// Parameters.
const TO: u32 = 0;
/// The value of `fill`.
const FROM: u32 = 1;
const LEN: u32 = 2;

/// The helpers that a module needs, in the order of their function indices.
#[derive(Default)]
pub struct Helpers {
    list: Vec<Helper>,
    ordinals: HashMap<Helper, u32>,
}

impl Helpers {
    /// The index among the helpers.
    pub fn ordinal(&mut self, helper: Helper) -> u32 {
        *self.ordinals.entry(helper).or_insert_with(|| {
            self.list.push(helper);
            self.list.len() as u32 - 1
        })
    }

    pub fn len(&self) -> u32 {
        self.list.len() as u32
    }

    /// `segment_bytes` tells how much of a data segment an instruction may read: nothing of one that is not passive.
    pub fn bodies(&self, chunk_bytes: u32, segment_bytes: &[u64]) -> impl Iterator<Item = Function> {
        self.list.iter().map(move |helper| match helper {
            Helper::Fill => fill(chunk_bytes),
            Helper::Copy => copy(chunk_bytes),
            Helper::Init(segment) => {
                let readable = segment_bytes.get(*segment as usize).copied().unwrap_or(0);
                init(*segment, readable, chunk_bytes)
            }
        })
    }
}

struct Body {
    function: Function,
    chunk: I<'static>,
}

impl Body {
    fn new(chunk_bytes: u32) -> Body {
        let mut body = Body { function: Function::new([]), chunk: I::I32Const(chunk_bytes.cast_signed()) };
        // A branch to depth 0 means: by the instruction itself, at once.
        body.emit(&[I::Block(BlockType::Empty), I::LocalGet(LEN), body.chunk.clone(), I::I32LeU, I::BrIf(0)]);
        body
    }

    fn emit(&mut self, instructions: &[I<'static>]) {
        for instruction in instructions {
            self.function.instruction(instruction);
        }
    }

    /// Leaves the block when `local + LEN` is beyond what `limit` computes, in 64 bits, so that nothing wraps around.
    fn check(&mut self, local: u32, limit: &[I<'static>]) {
        self.emit(&[I::LocalGet(local), I::I64ExtendI32U, I::LocalGet(LEN), I::I64ExtendI32U, I::I64Add]);
        self.emit(limit);
        self.emit(&[I::I64GtU, I::BrIf(0)]);
    }

    fn check_memory(&mut self, local: u32) {
        self.check(local, &[I::MemorySize(0), I::I64ExtendI32U, I::I64Const(16), I::I64Shl]);
    }

    /// Pieces from the front; `advances` are the parameters that move along.
    fn forward(&mut self, instruction: I<'static>, advances: &[u32]) {
        let chunk = self.chunk.clone();
        self.emit(&[I::Loop(BlockType::Empty), I::LocalGet(TO), I::LocalGet(FROM), chunk.clone(), instruction]);
        for local in advances {
            self.emit(&[I::LocalGet(*local), chunk.clone(), I::I32Add, I::LocalSet(*local)]);
        }
        self.emit(&[I::LocalGet(LEN), chunk.clone(), I::I32Sub, I::LocalTee(LEN), chunk, I::I32GtU, I::BrIf(0), I::End]);
    }

    /// Pieces from the back, for a destination that overlaps the end of its source.
    fn backward(&mut self, instruction: I<'static>) {
        let chunk = self.chunk.clone();
        self.emit(&[I::Loop(BlockType::Empty)]);
        self.emit(&[I::LocalGet(TO), I::LocalGet(LEN), chunk.clone(), I::I32Sub, I::LocalTee(LEN), I::I32Add]);
        self.emit(&[I::LocalGet(FROM), I::LocalGet(LEN), I::I32Add, chunk.clone(), instruction]);
        self.emit(&[I::LocalGet(LEN), chunk, I::I32GtU, I::BrIf(0), I::End]);
    }

    fn finish(mut self, instruction: I<'static>) -> Function {
        self.emit(&[I::End, I::LocalGet(TO), I::LocalGet(FROM), I::LocalGet(LEN), instruction, I::End]);
        self.function
    }
}

fn fill(chunk_bytes: u32) -> Function {
    let mut body = Body::new(chunk_bytes);
    body.check_memory(TO);
    body.forward(I::MemoryFill(0), &[TO]);
    body.finish(I::MemoryFill(0))
}

fn copy(chunk_bytes: u32) -> Function {
    let instruction = I::MemoryCopy { src_mem: 0, dst_mem: 0 };
    let mut body = Body::new(chunk_bytes);
    body.check_memory(TO);
    body.check_memory(FROM);
    body.emit(&[I::LocalGet(TO), I::LocalGet(FROM), I::I32LeU, I::If(BlockType::Empty)]);
    body.forward(instruction.clone(), &[TO, FROM]);
    body.emit(&[I::Else]);
    body.backward(instruction.clone());
    body.emit(&[I::End]);
    body.finish(instruction)
}

/// Whether the segment was dropped cannot be asked; then the first piece traps, before anything is written.
fn init(segment: u32, readable: u64, chunk_bytes: u32) -> Function {
    let instruction = I::MemoryInit { mem: 0, data_index: segment };
    let mut body = Body::new(chunk_bytes);
    body.check_memory(TO);
    body.check(FROM, &[I::I64Const(readable.cast_signed())]);
    body.forward(instruction.clone(), &[TO, FROM]);
    body.finish(instruction)
}
