// SPDX-License-Identifier: Apache-2.0
//! What a binary is, wants and offers: its outermost imports and exports, read without compiling or even validating it.

use crate::c_types::{Bytes, BytesList};
use crate::compile::WASM_BYTES_MAX;
use crate::error::{Error, ErrorKind, Result};
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};

/// Imports and exports together; a JavaScript engine has 200, a dynamically linked program some thousands.
const NAMES_MAX: usize = 10_000;
/// Of all names: compact import sections name a module once for many fields, so the texts can be larger than the file.
const NAME_BYTES_MAX: usize = 4 << 20;

/// `sg_inspection`.
pub struct Inspection {
    is_component: bool,
    imports: Names,
    exports: Names,
}

/// Texts and their C view, which points into them.
#[derive(Default)]
struct Names {
    _texts: Vec<String>,
    views: Vec<Bytes>,
}

impl Inspection {
    pub fn new(wasm: &[u8]) -> Result<Inspection> {
        if wasm.len() > WASM_BYTES_MAX {
            return Err(unsupported(format!("the file has {} bytes, the limit is {WASM_BYTES_MAX}", wasm.len())));
        }
        let mut survey = Survey::default();
        survey.read(wasm)?;
        let Some(encoding) = survey.encoding else {
            return Err(malformed("there is no WebAssembly header"));
        };
        Ok(Inspection {
            is_component: encoding == Encoding::Component,
            imports: Names::of(survey.imports),
            exports: Names::of(survey.exports),
        })
    }

    pub fn kind(&self) -> &'static str {
        if self.is_component { "component" } else { "core module" }
    }

    pub fn imports(&self) -> BytesList {
        BytesList::of(&self.imports.views)
    }

    pub fn exports(&self) -> BytesList {
        BytesList::of(&self.exports.views)
    }
}

impl Names {
    fn of(texts: Vec<String>) -> Names {
        let views = texts.iter().map(|text| Bytes::of(text.as_bytes())).collect();
        Names { _texts: texts, views }
    }
}

#[derive(Default)]
struct Survey {
    encoding: Option<Encoding>,
    imports: Vec<String>,
    exports: Vec<String>,
    bytes: usize,
}

impl Survey {
    fn read(&mut self, wasm: &[u8]) -> Result<()> {
        // How many modules and components the payload is inside of.
        let mut depth = 0u32;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.map_err(from_parser)? {
                Payload::Version { encoding, .. } if self.encoding.is_none() => self.encoding = Some(encoding),
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ImportSection(section) if depth == 0 => {
                    for import in section.into_imports() {
                        let import = import.map_err(from_parser)?;
                        self.bound(import.module.len() + 1 + import.name.len())?;
                        self.imports.push(format!("{}.{}", import.module, import.name));
                    }
                }
                Payload::ExportSection(section) if depth == 0 => {
                    for export in section {
                        let name = export.map_err(from_parser)?.name;
                        self.bound(name.len())?;
                        self.exports.push(name.to_owned());
                    }
                }
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        let name = import.map_err(from_parser)?.name.name;
                        self.bound(name.len())?;
                        self.imports.push(name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        let name = export.map_err(from_parser)?.name.name;
                        self.bound(name.len())?;
                        self.exports.push(name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// One name more, of so many bytes.
    fn bound(&mut self, bytes: usize) -> Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.imports.len() + self.exports.len() >= NAMES_MAX || self.bytes > NAME_BYTES_MAX {
            return Err(unsupported(format!(
                "there are more than {NAMES_MAX} imports and exports, or {NAME_BYTES_MAX} bytes of names"
            )));
        }
        Ok(())
    }
}

fn from_parser(cause: BinaryReaderError) -> Error {
    malformed(&cause.to_string())
}

fn malformed(text: &str) -> Error {
    Error::new(ErrorKind::InvalidModule, format!("the binary is malformed: {text}"))
}

fn unsupported(text: String) -> Error {
    Error::new(ErrorKind::Unsupported, text)
}
