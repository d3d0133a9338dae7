// SPDX-License-Identifier: Apache-2.0
//! Guest output as log lines: wasi:cli stdout and stderr and wasi:logging are cut at newlines and handed to C++, bounded per line and
//! per call, all three together.
//!
//! Guests that never flush are served too: every write is looked at, and what has no newline yet is handed over when the call ends.

use crate::c_types::{
    Bytes, LOG_CONTEXT_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_LINES_PER_CALL_MAX, LogFn, LogLevel, LogLine, LogSource,
};
use crate::instance::Shared;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

const LIMIT_NOTICE: &[u8] = b"(output limit reached)";

/// What a guest may write before it must come back. Bounds the copy Wasmtime makes of each write.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// All output of one instance.
pub struct LogSink {
    log: Option<LogFn>,
    user: *mut c_void,
    lines: Mutex<Lines>,
}

// SAFETY: `user` is only handed back to `log`, on the thread that polls.
unsafe impl Send for LogSink {}
unsafe impl Sync for LogSink {}

#[derive(Default)]
struct Lines {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    count: u32,
}

impl LogSink {
    pub fn new(log: Option<LogFn>, user: *mut c_void) -> LogSink {
        LogSink { log, user, lines: Mutex::default() }
    }

    fn write(&self, stream: LogSource, mut bytes: &[u8]) {
        let lines = &mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Lines { stdout, stderr, count } = lines;
        let partial = if stream == LogSource::Stdout { stdout } else { stderr };
        while !bytes.is_empty() && *count <= LOG_LINES_PER_CALL_MAX {
            let room = LOG_LINE_BYTES_MAX - partial.len();
            let newline = bytes[..bytes.len().min(room + 1)].iter().position(|byte| *byte == b'\n');
            if newline.is_none() && bytes.len() <= room {
                partial.extend_from_slice(bytes);
                return;
            }
            let (line, rest) = match newline {
                Some(at) => (&bytes[..at], &bytes[at + 1..]),
                None => bytes.split_at(room),
            };
            if partial.is_empty() {
                self.emit(&LogLine::of_stream(stream, line), count);
            } else {
                partial.extend_from_slice(line);
                self.emit(&LogLine::of_stream(stream, partial), count);
                partial.clear();
            }
            bytes = rest;
        }
    }

    /// The call is over: hands over what has no newline, and lets the next call print again.
    pub fn end_call(&self) {
        let lines = &mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Lines { stdout, stderr, count } = lines;
        for (stream, partial) in [(LogSource::Stdout, stdout), (LogSource::Stderr, stderr)] {
            if !partial.is_empty() {
                self.emit(&LogLine::of_stream(stream, partial), count);
                partial.clear();
            }
        }
        *count = 0;
    }

    /// A message of wasi:logging: complete, so it is handed over at once, as one line or several.
    pub fn message(&self, level: LogLevel, context: &str, message: &str) {
        let lines = &mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let context = prefix(context, LOG_CONTEXT_BYTES_MAX);
        let mut rest = message.strip_suffix('\n').unwrap_or(message);
        loop {
            let line = prefix(rest.split('\n').next().unwrap_or(""), LOG_LINE_BYTES_MAX);
            let line_view = LogLine {
                source: LogSource::Logging,
                level,
                context: Bytes::of(context.as_bytes()),
                text: Bytes::of(line.as_bytes()),
            };
            self.emit(&line_view, &mut lines.count);
            if line.len() == rest.len() || lines.count > LOG_LINES_PER_CALL_MAX {
                return;
            }
            rest = &rest[line.len()..];
            rest = rest.strip_prefix('\n').unwrap_or(rest);
        }
    }

    fn emit(&self, line: &LogLine, count: &mut u32) {
        *count = count.saturating_add(1);
        let line = match *count {
            1..=LOG_LINES_PER_CALL_MAX => *line,
            count if count == LOG_LINES_PER_CALL_MAX + 1 => {
                LogLine { text: Bytes::of(LIMIT_NOTICE), context: Bytes::EMPTY, ..*line }
            }
            _ => return,
        };
        if let Some(log) = self.log {
            // SAFETY: function and argument come from C++, which keeps them valid while the instance lives.
            unsafe { log(self.user, &line) }
        }
    }
}

impl LogLine {
    fn of_stream(source: LogSource, text: &[u8]) -> LogLine {
        let level = if source == LogSource::Stderr { LogLevel::Warn } else { LogLevel::Info };
        LogLine { source, level, context: Bytes::EMPTY, text: Bytes::of(text) }
    }
}

/// As much of the text as fits, cut at a character.
fn prefix(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// One end of a [`LogSink`] as the WASI crates want it.
#[derive(Clone)]
pub struct LogStream {
    shared: Arc<Shared>,
    stream: LogSource,
}

impl LogStream {
    pub fn new(shared: Arc<Shared>, stream: LogSource) -> LogStream {
        LogStream { shared, stream }
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    /// Only WASI 0.3 asks for this one, and it is not linked.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.shared.log.write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}
