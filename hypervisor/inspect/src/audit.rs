//! Every instruction of every function.
//!
//! The sweep goes by symbols: a function is decoded from its first byte to its last, and must consist of whole instructions. What lies
//! between functions must be padding (`int3`, `nop`, zero), or the one line of text that the authors of `ring`'s assembly leave behind it.
//! So no byte of a code segment goes unread.
//!
//! A second sweep decodes at every byte offset. It finds what a jump into the middle of an instruction would find: useful to know, and no
//! reason to refuse, as every long program holds some.

use core::fmt;
use std::collections::BTreeMap;

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic};
use serde::Serialize;

use crate::forbidden::is_forbidden;
use crate::limits::FINDINGS_MAX;
use crate::symbols::Symbol;

/// The line that CRYPTOGAMS' assembly ends with, which is not code.
const CREDIT: &[u8] = b"CRYPTOGAMS by <appro@openssl.org>";

/// What is wrong with an instruction, or with bytes that are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It is one of [`forbidden`](crate::forbidden).
    Forbidden,
    /// A function's bytes are no instruction, or one that reaches beyond its end.
    Undecodable,
    /// Between functions there is more than padding.
    Stray,
    /// The segment has code and no symbols to tell where it begins.
    NoSymbols,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong.
    pub cause: Cause,
    /// Where, from the image's base.
    pub address: u64,
    /// The function, or the last one before.
    pub symbol: String,
    /// How far into it, in bytes.
    pub offset: u64,
    /// The instruction's name, where it is one.
    pub mnemonic: String,
}

/// What both sweeps found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Functions swept.
    pub functions: usize,
    /// Instructions decoded in them.
    pub instructions: u64,
    /// Bytes between functions.
    pub padding_len: u64,
    /// Bytes of text between functions.
    pub text_len: u64,
    /// The first findings; an image with any is refused.
    pub findings: Vec<Finding>,
    /// How many there were in all.
    pub findings_count: u64,
    /// Forbidden instructions by name that begin at any byte of a function: for information.
    pub gadgets: BTreeMap<String, u64>,
}

/// A code segment's bytes.
pub(crate) struct Code<'f> {
    pub(crate) address: u64,
    pub(crate) bytes: &'f [u8],
    pub(crate) symbols: Vec<Symbol>,
}

impl Audit {
    pub(crate) fn sweep(&mut self, code: &Code<'_>) {
        let Some(first) = code.symbols.first() else {
            return self.find(Cause::NoSymbols, code.address, None, String::new());
        };
        self.sweep_gap(code, code.address, first.address, first);
        for (index, symbol) in code.symbols.iter().enumerate() {
            let next = code.symbols.get(index.saturating_add(1)).map_or(code.end(), |next| next.address);
            let end = symbol.address.saturating_add(symbol.len).min(code.end());
            if symbol.len == 0 {
                self.sweep_function(code, symbol, code.without_padding(symbol.address, next));
            } else {
                self.sweep_function(code, symbol, end.min(next));
                self.sweep_gap(code, end.min(next), next, symbol);
            }
        }
    }

    fn sweep_function(&mut self, code: &Code<'_>, symbol: &Symbol, end: u64) {
        let bytes = code.slice(symbol.address, end);
        self.functions = self.functions.saturating_add(1);
        let mut decoder = Decoder::with_ip(64, bytes, symbol.address, DecoderOptions::NONE);
        while decoder.can_decode() {
            let instruction = decoder.decode();
            self.instructions = self.instructions.saturating_add(1);
            if instruction.is_invalid() {
                self.find(Cause::Undecodable, instruction.ip(), Some(symbol), String::new());
                break;
            }
            if is_forbidden(&instruction) {
                self.find(Cause::Forbidden, instruction.ip(), Some(symbol), name(&instruction));
            }
        }
        self.count_gadgets(bytes);
    }

    fn count_gadgets(&mut self, bytes: &[u8]) {
        let mut decoder = Decoder::new(64, bytes, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        for position in 0..bytes.len() {
            if decoder.set_position(position).is_err() {
                break;
            }
            decoder.decode_out(&mut instruction);
            if !instruction.is_invalid() && is_forbidden(&instruction) {
                let count = self.gadgets.entry(name(&instruction)).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    fn sweep_gap(&mut self, code: &Code<'_>, start: u64, end: u64, symbol: &Symbol) {
        let bytes = code.slice(start, end);
        let text_len = text_len(bytes);
        let padding = bytes.get(text_len..).unwrap_or_default();
        self.text_len = self.text_len.saturating_add(text_len as u64);
        self.padding_len = self.padding_len.saturating_add(padding.len() as u64);
        if !is_padding(padding) {
            self.find(Cause::Stray, start.saturating_add(text_len as u64), Some(symbol), String::new());
        }
    }

    fn find(&mut self, cause: Cause, address: u64, symbol: Option<&Symbol>, mnemonic: String) {
        self.findings_count = self.findings_count.saturating_add(1);
        if self.findings.len() < FINDINGS_MAX {
            let offset = symbol.map_or(0, |symbol| address.saturating_sub(symbol.address));
            let symbol = symbol.map(|symbol| symbol.name.clone()).unwrap_or_default();
            self.findings.push(Finding { cause, address, symbol, offset, mnemonic });
        }
    }
}

impl Code<'_> {
    fn end(&self) -> u64 {
        self.address.saturating_add(self.bytes.len() as u64)
    }

    fn slice(&self, start: u64, end: u64) -> &[u8] {
        let at = |address: u64| usize::try_from(address.saturating_sub(self.address)).unwrap_or(usize::MAX);
        self.bytes.get(at(start)..at(end)).unwrap_or_default()
    }

    /// The end of what is not `int3` behind the last instruction, for symbols whose length nobody gave.
    fn without_padding(&self, start: u64, end: u64) -> u64 {
        let kept = self.slice(start, end).iter().rposition(|byte| *byte != INT3).map_or(0, |last| last.saturating_add(1));
        start.saturating_add(kept as u64)
    }
}

/// What the linker pads code with.
const INT3: u8 = 0xcc;

/// The length of the credit line at the start of `bytes`, its closing zero included; 0 if there is none.
fn text_len(bytes: &[u8]) -> usize {
    let Some(len) = bytes.iter().position(|byte| *byte == 0) else { return 0 };
    let text = bytes.get(..len).unwrap_or_default();
    let is_credit = text.iter().all(|byte| (b' '..=b'~').contains(byte)) && text.windows(CREDIT.len()).any(|part| part == CREDIT);
    if is_credit { len.saturating_add(1) } else { 0 }
}

/// Whether nothing is there but `int3`, zero and `nop`s of any length.
fn is_padding(bytes: &[u8]) -> bool {
    let mut decoder = Decoder::new(64, bytes, DecoderOptions::NONE);
    while decoder.can_decode() {
        let position = decoder.position();
        if matches!(bytes.get(position), Some(&INT3 | &0)) {
            if decoder.set_position(position.saturating_add(1)).is_err() {
                return false;
            }
        } else if !matches!(decoder.decode().mnemonic(), Mnemonic::Nop | Mnemonic::Xchg) {
            return false;
        }
    }
    true
}

fn name(instruction: &Instruction) -> String {
    format!("{:?}", instruction.mnemonic()).to_lowercase()
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.cause {
            Cause::Forbidden => return write!(out, "{:#010x} {} in {}+{:#x}", self.address, self.mnemonic, self.symbol, self.offset),
            Cause::Undecodable => "no whole instruction",
            Cause::Stray => "neither code nor padding",
            Cause::NoSymbols => return write!(out, "{:#010x} code without symbols", self.address),
        };
        write!(out, "{:#010x} {what} in {}+{:#x}", self.address, self.symbol, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(address: u64, len: u64) -> Symbol {
        Symbol { address, len, name: format!("f{address}") }
    }

    fn sweep(bytes: &[u8], symbols: Vec<Symbol>) -> Audit {
        let mut audit = Audit::default();
        audit.sweep(&Code { address: 0, bytes, symbols });
        audit
    }

    fn causes(audit: &Audit) -> Vec<(Cause, u64)> {
        audit.findings.iter().map(|finding| (finding.cause, finding.address)).collect()
    }

    #[test]
    fn whole_functions_with_padding_between_pass() {
        // ret; int3 x 3; nop word; ret.
        let audit = sweep(&[0xc3, 0xcc, 0xcc, 0xcc, 0x66, 0x90, 0xc3], vec![symbol(0, 1), symbol(6, 1)]);
        assert_eq!((causes(&audit), audit.instructions, audit.padding_len), (Vec::new(), 2, 5));
    }

    #[test]
    fn an_instruction_cut_by_its_functions_end_is_refused() {
        // mov eax, imm32 is five bytes.
        let audit = sweep(&[0xb8, 1, 2, 3, 4], vec![symbol(0, 3), symbol(3, 0)]);
        assert_eq!(causes(&audit)[0], (Cause::Undecodable, 0));
    }

    #[test]
    fn a_constant_that_looks_like_an_instruction_is_a_gadget_and_no_finding() {
        // mov eax, 0x0000050f; ret.
        let audit = sweep(&[0xb8, 0x0f, 0x05, 0, 0, 0xc3], vec![symbol(0, 6)]);
        assert!(audit.findings.is_empty());
        assert_eq!(audit.gadgets.get("syscall"), Some(&1));
    }

    #[test]
    fn a_function_of_unknown_length_reaches_to_the_next_symbol() {
        let audit = sweep(&[0x90, 0xf4, 0xcc, 0xc3], vec![symbol(0, 0), symbol(3, 1)]);
        assert_eq!(causes(&audit), [(Cause::Forbidden, 1)]);
    }

    #[test]
    fn code_before_the_first_symbol_is_stray() {
        assert_eq!(causes(&sweep(&[0xf4, 0xc3], vec![symbol(1, 1)])), [(Cause::Stray, 0)]);
    }

    #[test]
    fn only_the_credit_line_of_the_assembly_may_stand_between_functions() {
        let mut bytes = b"\xc3AES, CRYPTOGAMS by <appro@openssl.org>\0".to_vec();
        let len = bytes.len() as u64;
        assert_eq!(sweep(&bytes, vec![symbol(0, 1)]).text_len, len - 1);
        bytes[1] = b'l';
        bytes[8] = b'c';
        assert_eq!(causes(&sweep(&bytes, vec![symbol(0, 1)])), [(Cause::Stray, 1)]);
    }

    #[test]
    fn findings_are_kept_up_to_a_bound_and_counted_beyond() {
        let audit = sweep(&[0xf4; FINDINGS_MAX + 10], vec![symbol(0, FINDINGS_MAX as u64 + 10)]);
        assert_eq!((audit.findings.len(), audit.findings_count), (FINDINGS_MAX, FINDINGS_MAX as u64 + 10));
    }
}
