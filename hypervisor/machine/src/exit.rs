//! How a guest's turn ends.

use core::fmt;

/// Why the guest stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// It called `wait`.
    Wait,
    /// It called `sealed`, for the first time.
    Sealed,
    /// It called `exit` with this code, see [`abi::hypercall::exit`].
    Exit(u32),
    /// It did what it must not. It can never run again.
    Crash(Crash),
}

/// What a guest did when it was stopped for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// Why.
    pub cause: Cause,
    /// The registers at that moment.
    pub registers: Registers,
    /// Where the image was loaded: `rip - image_base` is what [`Image::symbol`](crate::Image::symbol) takes.
    pub image_base: u64,
}

/// The cause of a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The processor refused an instruction or an access.
    Exception {
        /// 0 to 31, see Intel SDM volume 3, table 7-1.
        vector: u8,
        /// As the processor gave it; 0 where the vector has none.
        error_code: u64,
    },
    /// The guest did not end its turn within its budget.
    Hung,
    /// The guest reached a port that is no hypercall's, or by another instruction than the gate's.
    ForbiddenPort(u16),
    /// `process`: the guest's process got this signal.
    Signal(i32),
    /// A hypercall with a value that it does not take, out of order, or (`process`) a system call that is none: its number.
    BadHypercall(u64),
    /// `kvm`: the guest's exception could not be reported by the stub page, or reached memory that is not there.
    Machine(u32),
}

/// The registers of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names are the processor's")]
pub struct Registers {
    pub rax: u64,
    pub rbx: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub rbp: u64,
    pub rsp: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rip: u64,
    pub rflags: u64,
    /// The address whose access faulted, where the cause is a page fault (vector 14, or SIGSEGV).
    pub cr2: u64,
}

impl Registers {
    /// Names and values, in the order in which a report shows them.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 19] {
        [
            ("rip", self.rip),
            ("rsp", self.rsp),
            ("rflags", self.rflags),
            ("cr2", self.cr2),
            ("rax", self.rax),
            ("rbx", self.rbx),
            ("rcx", self.rcx),
            ("rdx", self.rdx),
            ("rsi", self.rsi),
            ("rdi", self.rdi),
            ("rbp", self.rbp),
            ("r8", self.r8),
            ("r9", self.r9),
            ("r10", self.r10),
            ("r11", self.r11),
            ("r12", self.r12),
            ("r13", self.r13),
            ("r14", self.r14),
            ("r15", self.r15),
        ]
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exception { vector, error_code } => write!(out, "exception {vector} ({}) error={error_code:#x}", exception_name(vector)),
            Self::Hung => write!(out, "hung"),
            Self::ForbiddenPort(port) => write!(out, "forbidden port {port:#x}"),
            Self::Signal(signal) => write!(out, "signal {signal}"),
            Self::BadHypercall(value) => write!(out, "bad hypercall {value:#x}"),
            Self::Machine(reason) => write!(out, "machine exit {reason}"),
        }
    }
}

/// One `name=0x..` for each register, separated by spaces.
impl fmt::Display for Registers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.named().into_iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(out, "{space}{name}={value:#018x}")?;
        }
        Ok(())
    }
}

/// One line: the cause, `base=0x..`, the registers. It holds nothing that the guest could have written as text.
impl fmt::Display for Crash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} base={:#018x} {}", self.cause, self.image_base, self.registers)
    }
}

/// The mnemonic of an exception (Intel SDM volume 3, table 7-1).
fn exception_name(vector: u8) -> &'static str {
    const NAMES: [&str; 22] = [
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "-", "#TS", "#NP", "#SS", "#GP", "#PF", "-", "#MF", "#AC", "#MC",
        "#XM", "#VE", "#CP",
    ];
    NAMES.get(usize::from(vector)).copied().unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crash_reads_the_same_every_time() {
        let registers = Registers { rip: 0x1234, cr2: 0x10, ..Registers::default() };
        let crash = Crash { cause: Cause::Exception { vector: 14, error_code: 7 }, registers, image_base: 0x1000 };
        let text = crash.to_string();
        assert!(text.starts_with("exception 14 (#PF) error=0x7 base=0x0000000000001000 rip=0x0000000000001234 rsp="), "{text}");
        assert!(text.contains(" cr2=0x0000000000000010 "), "{text}");
    }

    #[test]
    fn unknown_vector_has_a_name_too() {
        assert_eq!(Cause::Exception { vector: 255, error_code: 0 }.to_string(), "exception 255 (-) error=0x0");
    }
}
