//! The attacks, as guest and test both know them. The bundle is one [`Attack`] in 13 bytes.

/// What the guest is to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attack {
    /// The kind of attack.
    pub(crate) kind: Kind,
    /// Its target, by number: a [`Place`], an instruction, or nothing.
    pub(crate) target: u32,
    /// An offset from the place, or a value.
    pub(crate) offset: i64,
}

/// The kinds of attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// None: `sealed`, three times `wait`, `exit` 0.
    Behave,
    /// Read a byte at a place.
    Read,
    /// Write a byte at a place.
    Write,
    /// Jump to a place.
    Execute,
    /// Write an instruction (`ret`) to a place, then jump there.
    WriteExecute,
    /// Execute the instruction of this number.
    Instruction,
    /// One 32-bit `out` to this port, with the offset as value.
    Out,
    /// One `in` of a byte from this port.
    In,
    /// Loop for ever.
    Hang,
    /// Recurse until the stack is used up.
    Overflow,
    /// Call this hypercall with the offset as value.
    Hypercall,
    /// Seal, wait, then read a byte at a place.
    ReadAfterSeal,
    /// Write the offset into the count of a link's transmit queue, and lengths all ones, and wait.
    Queue,
    /// Return from the entry.
    Return,
    /// Wait for ever, to be measured.
    Wait,
    /// Report a bit for each of the things that were not as they must be at the start.
    Inspect,
    /// Add by AVX, and exit with the sum.
    Vector,
    /// Exit with a bit for each thing that CPUID and XGETBV must not show.
    Cpuid,
    /// Wait, then read (target 0), write (1) or execute (2) at the address that the tender has given as the time.
    Told,
    /// Seal, wait, then loop for ever.
    HangAfterSeal,
    /// Call `sealed` twice.
    SealTwice,
}

/// Places of the guest, named as in the boot info.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Place {
    Absolute,
    Image,
    ImageEnd,
    Text,
    Constants,
    Relocated,
    Data,
    Gate,
    GateEnd,
    Boot,
    BootEnd,
    Heap,
    HeapEnd,
    Stack,
    StackEnd,
    Control,
    ControlEnd,
    Log,
    LogEnd,
    Seed,
    SeedEnd,
    Bundle,
    BundleEnd,
    Rx0,
    Rx0End,
    Tx0,
    Tx0End,
    Rx1,
    Rx1End,
    Tx1,
    Tx1End,
}

/// All places.
pub(crate) const PLACES: [Place; 31] = [
    Place::Absolute,
    Place::Image,
    Place::ImageEnd,
    Place::Text,
    Place::Constants,
    Place::Relocated,
    Place::Data,
    Place::Gate,
    Place::GateEnd,
    Place::Boot,
    Place::BootEnd,
    Place::Heap,
    Place::HeapEnd,
    Place::Stack,
    Place::StackEnd,
    Place::Control,
    Place::ControlEnd,
    Place::Log,
    Place::LogEnd,
    Place::Seed,
    Place::SeedEnd,
    Place::Bundle,
    Place::BundleEnd,
    Place::Rx0,
    Place::Rx0End,
    Place::Tx0,
    Place::Tx0End,
    Place::Rx1,
    Place::Rx1End,
    Place::Tx1,
    Place::Tx1End,
];

/// All kinds.
pub(crate) const KINDS: [Kind; 21] = [
    Kind::Behave,
    Kind::Read,
    Kind::Write,
    Kind::Execute,
    Kind::WriteExecute,
    Kind::Instruction,
    Kind::Out,
    Kind::In,
    Kind::Hang,
    Kind::Overflow,
    Kind::Hypercall,
    Kind::ReadAfterSeal,
    Kind::Queue,
    Kind::Return,
    Kind::Wait,
    Kind::Inspect,
    Kind::Vector,
    Kind::Cpuid,
    Kind::Told,
    Kind::HangAfterSeal,
    Kind::SealTwice,
];

/// The exit code of a guest whose attack had no effect at all.
pub(crate) const SURVIVED: u32 = 77;

impl Attack {
    /// As it stands in the bundle.
    #[must_use]
    pub(crate) fn encode(&self) -> [u8; 13] {
        let mut bytes = [0; 13];
        bytes[0] = self.kind as u8;
        bytes[1..5].copy_from_slice(&self.target.to_le_bytes());
        bytes[5..].copy_from_slice(&self.offset.to_le_bytes());
        bytes
    }

    /// Reads a bundle.
    #[must_use]
    pub(crate) fn decode(bytes: [u8; 13]) -> Option<Self> {
        let [kind, t0, t1, t2, t3, o0, o1, o2, o3, o4, o5, o6, o7] = bytes;
        Some(Self {
            kind: *KINDS.get(usize::from(kind))?,
            target: u32::from_le_bytes([t0, t1, t2, t3]),
            offset: i64::from_le_bytes([o0, o1, o2, o3, o4, o5, o6, o7]),
        })
    }
}
