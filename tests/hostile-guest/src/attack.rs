//! The attacks, as guest and test both know them.
//!
//! An [`Attack`] is 13 bytes. A test that loads the guest itself makes them the bundle. A test of the whole command, whose bundle is a real one,
//! writes them into the image's file instead, over the [`Slot`].

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
    /// Seal, then at each turn leave a letter of kind `target` that claims as many bytes as the offset says, whether one was asked for or not.
    Letter,
    /// Ask for the prize, seal, then twice: ask for it as often as the target says, leave it at the start of the front link's transmit queue, and wait.
    Prize,
    /// Ask for the prize for ever.
    PrizeForever,
    /// Seal, wait, then leave the page at a place in the front link's transmit queue, and wait.
    Show,
    /// The same, but add one to the byte at the place first.
    AddShow,
    /// Seal, wait, and exit with the [`fold`] of all that a contest gives: flag page, prize, word page.
    Fold,
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
    Inbox,
    InboxEnd,
    Outbox,
    OutboxEnd,
    Flag,
    FlagEnd,
    Word,
    WordEnd,
}

/// All places.
pub(crate) const PLACES: [Place; 39] = [
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
    Place::Inbox,
    Place::InboxEnd,
    Place::Outbox,
    Place::OutboxEnd,
    Place::Flag,
    Place::FlagEnd,
    Place::Word,
    Place::WordEnd,
];

/// All kinds.
pub(crate) const KINDS: [Kind; 27] = [
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
    Kind::Letter,
    Kind::Prize,
    Kind::PrizeForever,
    Kind::Show,
    Kind::AddShow,
    Kind::Fold,
];

/// How the slot's bytes begin; they stand in the file once.
pub(crate) const SLOT_MAGIC: [u8; 16] = *b"bb-hostile-slot\0";

/// Bytes of the image, as the file holds them: [`SLOT_MAGIC`], a [`When`], an [`Attack`].
pub(crate) type Slot = [u8; 30];

/// When the attack comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum When {
    /// The slot was not written: the bundle is the attack, and it comes at once.
    Bundle,
    /// At the guest's start.
    Start,
    /// After `sealed`, when the first frame came over the front link: until then the guest waits as a good one does.
    Frame,
}

/// A slot with these bytes; as the guest is built, with none but the magic.
pub(crate) const fn slot(when: When, attack: [u8; 13]) -> Slot {
    let mut slot = [0; 30];
    let (magic, rest) = slot.split_at_mut(16);
    magic.copy_from_slice(&SLOT_MAGIC);
    rest[0] = when as u8;
    rest.split_at_mut(1).1.copy_from_slice(&attack);
    slot
}

/// The exit code of a guest whose attack had no effect at all.
pub(crate) const SURVIVED: u32 = 77;

/// A number that each of these bytes has its part in. Not 0 and not one of the codes that mean something.
#[must_use]
pub(crate) fn fold(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |sum: u32, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)) | 1 << 31
}

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
