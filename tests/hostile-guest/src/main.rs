//! A guest that attacks its machine. It does the one [`Attack`] that its bundle names, then exits with [`SURVIVED`].
//!
//! It is a guest as the appliance is, built the same way, but for one thing: it is full of what the appliance's image must not hold.
#![no_std]
#![no_main]
#![expect(dead_code, reason = "the test's half of what both share")]

mod attack;
mod instruction;
mod runtime;

use core::hint::black_box;
use core::ptr;

use abi::boot::{BootInfo, MAGIC, Region, VERSION};
use abi::hypercall::{EXIT, SEALED, WAIT, exit};
use attack::{Attack, Kind, PLACES, Place, SURVIVED, When};

/// A constant in read-only memory.
static CONSTANT: [u8; 16] = [0xc3; 16];
/// Pointers, which the tender relocates and then protects.
static RELOCATED: [&[u8; 16]; 1] = [&CONSTANT];
/// Writable memory.
static mut DATA: [u8; 16] = [0xc3; 16];

/// What a test of the whole command writes into the file.
#[used]
static SLOT: attack::Slot = attack::slot(When::Bundle, [0; 13]);

/// Where the tender starts the guest.
#[unsafe(no_mangle)]
extern "sysv64" fn _start(boot: *const BootInfo) {
    // SAFETY: the boot info is a readable page for the guest's whole life.
    let boot = unsafe { &*boot };
    let gate = Gate(boot.gate);
    if boot.magic != MAGIC || boot.version != VERSION {
        gate.call(EXIT, exit::BAD_BOOT);
    }
    let Some(attack) = chosen(boot, gate) else { return gate.call(EXIT, exit::BAD_BOOT) };
    if attack.kind == Kind::Return {
        return;
    }
    run(boot, gate, attack);
    gate.call(EXIT, SURVIVED);
}

/// The attack of the slot, when its time has come; of the bundle, where the slot was not written.
fn chosen(boot: &BootInfo, gate: Gate) -> Option<Attack> {
    // SAFETY: a static, which the test may have changed in the file: hence volatile.
    let [.., when, a, b, c, d, e, f, g, h, i, j, k, l, m] = unsafe { ptr::read_volatile(&raw const SLOT) };
    let slot = Attack::decode([a, b, c, d, e, f, g, h, i, j, k, l, m]);
    match when {
        0 => {
            // SAFETY: the bundle is readable and at least as long as an attack: the test made it so.
            Attack::decode(unsafe { ptr::read_volatile(boot.bundle.base as *const [u8; 13]) })
        }
        1 => slot,
        _ => {
            await_frame(boot, gate);
            slot
        }
    }
}

/// Behaves until the first frame comes over the front link.
fn await_frame(boot: &BootInfo, gate: Gate) {
    gate.call(SEALED, 0);
    loop {
        let deadline = boot.control.base + abi::control::offset::DEADLINE_NS as u64;
        // SAFETY: the control page is writable and longer than that.
        unsafe { ptr::write_volatile(deadline as *mut u64, abi::control::NEVER) };
        gate.call(WAIT, 0);
        // SAFETY: the receive window is readable, and its first field is the count of frames.
        if unsafe { ptr::read_volatile(boot.links[0].rx.base as *const u32) } != 0 {
            return;
        }
    }
}

/// The gate's address.
#[derive(Clone, Copy)]
struct Gate(u64);

impl Gate {
    fn call(self, number: u32, value: u32) {
        // SAFETY: the boot info says that this is the gate's address.
        let gate: extern "sysv64" fn(u32, u32) = unsafe { core::mem::transmute(self.0) };
        gate(number, value);
    }
}

fn run(boot: &BootInfo, gate: Gate, attack: Attack) {
    let Attack { kind, target, offset } = attack;
    let place = || PLACES.get(target as usize).map_or(0, |place| address(boot, *place)).wrapping_add_signed(offset);
    match kind {
        Kind::Behave => behave(gate),
        Kind::Read => read(place()),
        Kind::Write => write(place(), 0xc3),
        Kind::Execute => jump(place()),
        Kind::WriteExecute => {
            write(place(), 0xc3);
            jump(place());
        }
        Kind::Instruction => instruction::TRIES.get(target as usize).map_or((), |attempt| attempt()),
        Kind::Out => runtime::out(target as u16, offset as u32),
        Kind::In => runtime::input(target as u16),
        Kind::Hang => hang(),
        Kind::HangAfterSeal => {
            gate.call(SEALED, 0);
            gate.call(WAIT, 0);
            hang();
        }
        Kind::Overflow => drop(black_box(overflow(1))),
        Kind::Hypercall => gate.call(target, offset as u32),
        Kind::ReadAfterSeal => {
            gate.call(SEALED, 0);
            gate.call(WAIT, 0);
            read(place());
        }
        Kind::Queue => wild_queue(boot, gate, target as usize, offset as u32),
        Kind::Return => {}
        Kind::Wait => loop {
            gate.call(WAIT, 0);
        },
        Kind::Inspect => gate.call(EXIT, inspect(boot)),
        Kind::Vector => gate.call(EXIT, runtime::vector()),
        Kind::SealTwice => {
            gate.call(SEALED, 0);
            gate.call(SEALED, 0);
        }
        Kind::Told => {
            gate.call(WAIT, 0);
            told(boot, target);
        }
        Kind::Letter => wild_letters(boot, gate, target, offset as u32),
        Kind::Cpuid => gate.call(EXIT, runtime::cpuid()),
        Kind::Prize => prize(boot, gate, target),
        Kind::PrizeForever => loop {
            black_box(runtime::prize(gate.0));
        },
        Kind::Show => show(boot, gate, place(), 0),
        Kind::Fold => fold(boot, gate),
        Kind::AddShow => show(boot, gate, place(), 1),
    }
}

fn behave(gate: Gate) {
    gate.call(SEALED, 0);
    for _ in 0..3 {
        gate.call(WAIT, 0);
    }
    gate.call(EXIT, exit::DONE);
}

/// Bits of what is wrong: 1 heap not zero, 2 seed not as the test has it, 4 heap or stack not writable to their ends, 8 relocation wrong.
fn inspect(boot: &BootInfo) -> u32 {
    let byte = |address: u64| {
        // SAFETY: the caller names addresses inside regions of the boot info.
        unsafe { ptr::read_volatile(address as *const u8) }
    };
    let heap_zero = [0, 1, 4096, boot.heap.len - 1].iter().all(|at| byte(boot.heap.base + at) == 0);
    let seed_right = (0..32).all(|at| byte(boot.seed.base + at) == 0x5e);
    write(boot.heap.base, 1);
    write(boot.heap.base + boot.heap.len - 1, 1);
    write(boot.stack.base, 1);
    let writable = byte(boot.heap.base) == 1 && byte(boot.heap.base + boot.heap.len - 1) == 1 && byte(boot.stack.base) == 1;
    let relocated = ptr::eq(black_box(&RELOCATED)[0], black_box(&CONSTANT));
    u32::from(!heap_zero) | u32::from(!seed_right) << 1 | u32::from(!writable) << 2 | u32::from(!relocated) << 3
}

fn wild_queue(boot: &BootInfo, gate: Gate, link: usize, count: u32) {
    let tx = boot.links.get(link).map_or(0, |link| link.tx.base);
    for at in (8..4096).step_by(4) {
        // SAFETY: the transmit window is writable and longer than that.
        unsafe { ptr::write_volatile((tx + at) as *mut u32, u32::MAX) };
    }
    // SAFETY: as above.
    unsafe { ptr::write_volatile(tx as *mut u32, count) };
    gate.call(WAIT, 0);
}

fn wild_letters(boot: &BootInfo, gate: Gate, kind: u32, len: u32) -> ! {
    gate.call(SEALED, 0);
    loop {
        for at in (8..4096).step_by(4) {
            // SAFETY: the outbox is writable and longer than that.
            unsafe { ptr::write_volatile((boot.outbox.base + at) as *mut u32, 0x1b5d_3b1b) };
        }
        // SAFETY: as above.
        unsafe { ptr::write_volatile(boot.outbox.base as *mut [u32; 2], [kind, len]) };
        gate.call(WAIT, 0);
    }
}

fn told(boot: &BootInfo, access: u32) {
    let time = boot.control.base + abi::control::offset::NOW_NS as u64;
    // SAFETY: the control page is readable and longer than that.
    let address = unsafe { ptr::read_volatile(time as *const u64) };
    match access {
        0 => read(address),
        1 => write(address, 0),
        _ => jump(address),
    }
}

fn prize(boot: &BootInfo, gate: Gate, times: u32) {
    let mut words = runtime::prize(gate.0);
    gate.call(SEALED, 0);
    for _ in 0..2 {
        for _ in 0..times {
            words = runtime::prize(gate.0);
        }
        // SAFETY: the transmit window is writable and longer than that.
        unsafe { ptr::write_volatile(boot.links[0].tx.base as *mut [u64; 4], words) };
        gate.call(WAIT, 0);
    }
}

fn show(boot: &BootInfo, gate: Gate, page: u64, more: u8) {
    gate.call(SEALED, 0);
    gate.call(WAIT, 0);
    if more > 0 {
        // SAFETY: none: whether the page can be read is the question.
        write(page, unsafe { ptr::read_volatile(page as *const u8) } + more);
    }
    for at in (0..4096).step_by(8) {
        // SAFETY: none: whether the page can be read is the question. The transmit window is writable and longer than a page.
        unsafe { ptr::write_volatile((boot.links[0].tx.base + at) as *mut u64, ptr::read_volatile((page + at) as *const u64)) };
    }
    gate.call(WAIT, 0);
}

fn fold(boot: &BootInfo, gate: Gate) {
    gate.call(SEALED, 0);
    gate.call(WAIT, 0);
    let prize = runtime::prize(gate.0).into_iter().flat_map(u64::to_le_bytes);
    let page = |base: u64| {
        // SAFETY: both pages are readable.
        (0..4096).map(move |at| unsafe { ptr::read_volatile((base + at) as *const u8) })
    };
    gate.call(EXIT, attack::fold(page(boot.flag.base).chain(prize).chain(page(boot.word.base))));
}

fn hang() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

fn read(address: u64) {
    // SAFETY: none: whether this faults is the question.
    black_box(unsafe { ptr::read_volatile(address as *const u8) });
}

fn write(address: u64, byte: u8) {
    // SAFETY: none: whether this faults is the question.
    unsafe { ptr::write_volatile(address as *mut u8, byte) };
}

fn jump(address: u64) {
    // SAFETY: none: whether this faults is the question.
    let code: extern "sysv64" fn() = unsafe { core::mem::transmute(address) };
    code();
}

#[expect(unconditional_recursion, reason = "the attack")]
fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    overflow(black_box(depth + 1)) + frame[0]
}

fn address(boot: &BootInfo, place: Place) -> u64 {
    let end = |region: Region| region.base + region.len.next_multiple_of(4096);
    let [front, back] = &boot.links;
    match place {
        Place::Absolute => 0,
        Place::Image => runtime::image().0,
        Place::ImageEnd => runtime::image().1.next_multiple_of(4096),
        Place::Text => _start as *const () as u64,
        Place::Constants => (&raw const CONSTANT) as u64,
        Place::Relocated => (&raw const RELOCATED) as u64,
        Place::Data => (&raw const DATA) as u64,
        Place::Gate => boot.gate,
        Place::GateEnd => boot.gate + 4096,
        Place::Boot => ptr::from_ref(boot) as u64,
        Place::BootEnd => ptr::from_ref(boot) as u64 + 4096,
        Place::Heap => boot.heap.base,
        Place::HeapEnd => end(boot.heap),
        Place::Stack => boot.stack.base,
        Place::StackEnd => end(boot.stack),
        Place::Control => boot.control.base,
        Place::ControlEnd => end(boot.control),
        Place::Log => boot.log.base,
        Place::LogEnd => end(boot.log),
        Place::Seed => boot.seed.base,
        Place::SeedEnd => end(boot.seed),
        Place::Bundle => boot.bundle.base,
        Place::BundleEnd => end(boot.bundle),
        Place::Rx0 => front.rx.base,
        Place::Rx0End => end(front.rx),
        Place::Tx0 => front.tx.base,
        Place::Tx0End => end(front.tx),
        Place::Rx1 => back.rx.base,
        Place::Rx1End => end(back.rx),
        Place::Tx1 => back.tx.base,
        Place::Tx1End => end(back.tx),
        Place::Inbox => boot.inbox.base,
        Place::InboxEnd => end(boot.inbox),
        Place::Outbox => boot.outbox.base,
        Place::OutboxEnd => end(boot.outbox),
        Place::Flag => boot.flag.base,
        Place::FlagEnd => end(boot.flag),
        Place::Word => boot.word.base,
        Place::WordEnd => end(boot.word),
    }
}
