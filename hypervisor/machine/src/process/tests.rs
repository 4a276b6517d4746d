//! The process machine under honest, broken and hostile guests. Each guest is a few instructions in an image of its own.

mod guest;
mod hostile;
mod jail;
mod measure;
mod walls;

use super::*;
use crate::cell::{Cell, Course, Kind};
use crate::exit::Exit;
use abi::hypercall::{EXIT, SEALED, WAIT};
use guest::{Guest, guest};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

const BUDGET: Duration = Duration::from_secs(5);
const WAITS: Stop = Stop::Hypercall { number: WAIT, value: 0 };
const SEALS: Stop = Stop::Hypercall { number: SEALED, value: 0 };

fn exits(value: u32) -> Stop {
    Stop::Hypercall { number: EXIT, value }
}

fn load(guest: Guest) -> Process {
    Process::load(&guest::image(guest), &guest::parcel(), &Course::Forward).unwrap()
}

/// What the first run of `guest` ends with.
fn run_once(guest: Guest) -> (Process, Stop) {
    let mut process = load(guest);
    let stop = process.run(BUDGET).unwrap();
    (process, stop)
}

guest!(
    three_waits,
    "mov ebx, 3; 2: mov edi, WAIT; xor esi, esi; call [r15 + GATE]; dec ebx; jnz 2b; mov edi, EXIT; mov esi, 42; call [r15 + GATE]"
);

#[test]
fn guest_waits_goes_on_and_exits() {
    let (mut process, stop) = run_once(three_waits());
    assert_eq!(stop, WAITS);
    assert_eq!(process.run(BUDGET), Ok(WAITS));
    assert_eq!(process.run(BUDGET), Ok(WAITS));
    assert_eq!(process.run(BUDGET), Ok(exits(42)));
}

// Fills the callee-saved registers, waits, and exits with their sum.
guest!(
    keeps_registers,
    "mov ebx, 1; mov ebp, 2; mov r12d, 4; mov r13d, 8; mov r14d, 16; mov edi, WAIT; xor esi, esi; call [r15 + GATE]",
    "mov esi, ebx; add esi, ebp; add esi, r12d; add esi, r13d; add esi, r14d; mov edi, EXIT; call [r15 + GATE]"
);

#[test]
fn gate_keeps_the_callee_saved_registers() {
    let (mut process, _) = run_once(keeps_registers());
    assert_eq!(process.run(BUDGET), Ok(exits(31)));
}

// Exits with 0 if all that is said of the entry is true.
guest!(
    checks_entry,
    "mov eax, esp; and eax, 15; cmp eax, 8; jne 9f; cmp qword ptr [rsp], 0; jne 9f",
    "mov rax, 0x584259544e554f42; cmp [r15], rax; jne 9f; cmp dword ptr [r15 + MACHINE], 2; jne 9f",
    "mov rax, [r15 + HEAP]; cmp qword ptr [rax], 0; jne 9f; mov qword ptr [rax], 1",
    "mov rax, [r15 + SEED]; cmp byte ptr [rax], 7; jne 9f; mov rax, [r15 + BUNDLE]; cmp byte ptr [rax], 0x62; jne 9f",
    "mov edi, EXIT; xor esi, esi; call [r15 + GATE]; 9: mov edi, EXIT; mov esi, 1; call [r15 + GATE]"
);

#[test]
fn guest_finds_stack_boot_info_heap_seed_and_bundle() {
    assert_eq!(run_once(checks_entry()).1, exits(0));
}

// Copies the front link's first received byte, plus one, to its transmit window, each turn.
guest!(
    copies,
    "2: mov rax, [r15 + RX]; mov cl, [rax]; inc cl; mov rax, [r15 + TX]; mov [rax], cl",
    "mov edi, WAIT; xor esi, esi; call [r15 + GATE]; jmp 2b"
);

#[test]
fn windows_carry_bytes_both_ways_each_turn() {
    let mut process = load(copies());
    for byte in [0, 5, 250] {
        process.space_mut().window_mut(Part::Rx(0)).unwrap()[0] = byte;
        assert_eq!(process.run(BUDGET), Ok(WAITS));
        assert_eq!(process.space().window(Part::Tx(0)).unwrap()[0], byte + 1);
    }
}

guest!(hangs, "mov ebx, 7; 2: jmp 2b");

#[test]
fn guest_that_does_not_end_its_turn_is_hung() {
    let mut process = load(hangs());
    let start = std::time::Instant::now();
    assert_eq!(process.run(Duration::from_millis(100)), Ok(Stop::Crash(Cause::Hung)));
    assert!(start.elapsed() >= Duration::from_millis(80), "{:?}", start.elapsed());
    let registers = process.registers().unwrap();
    let text = process.space().entry()..process.space().entry() + 64;
    assert!(registers.rbx == 7 && text.contains(&registers.rip), "{registers}");
}

guest!(waits_for_ever, "2: mov edi, WAIT; xor esi, esi; call [r15 + GATE]; jmp 2b");

#[test]
fn budget_counts_each_turn_anew() {
    let mut process = load(waits_for_ever());
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_millis(300) {
        assert_eq!(process.run(TICK), Ok(WAITS));
    }
}

#[test]
fn signals_from_outside_do_not_touch_the_guest() {
    let mut process = load(waits_for_ever());
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1, Signal::SEGV, Signal::TRAP, Signal::STOP, Signal::CONT] {
        kill_process(process.tracee.pid(), signal).unwrap();
        assert_eq!(process.run(BUDGET), Ok(WAITS), "{signal:?}");
    }
}

#[test]
fn guest_killed_from_outside_is_a_crash_and_then_over() {
    let mut process = load(waits_for_ever());
    kill_process(process.tracee.pid(), Signal::KILL).unwrap();
    assert_eq!(process.run(BUDGET), Ok(Stop::Crash(Cause::Signal(libc::SIGKILL))));
    assert_eq!(process.registers(), Ok(Registers::default()));
    assert!(process.run(BUDGET).is_err());
}

#[test]
fn dropped_machine_leaves_no_process_and_no_zombie() {
    let process = load(waits_for_ever());
    let pid = process.tracee.pid();
    drop(process);
    assert_eq!(waitpid(Some(pid), WaitOptions::NOHANG).err(), Some(Errno::CHILD));
}

#[test]
fn guest_dies_with_its_tender() {
    // The tender's thread ends without dropping the machine, as a killed tender would.
    let leak = || core::mem::ManuallyDrop::new(load(waits_for_ever())).tracee.pid().as_raw_nonzero();
    let pid = Pid::from_raw(std::thread::spawn(leak).join().unwrap().get()).unwrap();
    let (_, status) = waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap();
    assert_eq!(status.terminating_signal(), Some(libc::SIGKILL));
}

guest!(divides_by_zero, "xor ecx, ecx; mov eax, 1; div ecx");

#[test]
fn fresh_cell_runs_after_a_crash() {
    let run = |guest| {
        let cell = Cell::load(Kind::Process, &guest::image(guest), guest::parcel()).unwrap();
        cell.jailed(|| Ok::<_, ()>(())).unwrap().run(BUDGET).unwrap()
    };
    assert!(matches!(run(divides_by_zero()), Exit::Crash(crash) if crash.cause == Cause::Exception { vector: 0, error_code: 0 }));
    assert_eq!(run(three_waits()), Exit::Wait);
}

#[test]
fn only_a_64_bit_call_at_the_gate_with_32_bit_words_is_a_hypercall() {
    let gate = Gate::new(0x7000);
    let mut call = SystemCall::default();
    (call.kind, call.architecture, call.rip, call.number) = (1, 0xc000_003e, gate.behind_syscall(), u64::from(WAIT));
    assert_eq!(hypercall(gate, &call), WAITS);
    let spoil: [fn(&mut SystemCall); 8] = [
        |call| call.kind = 2,
        |call| call.kind = 0,
        |call| call.architecture = 0x4000_0003,
        |call| call.rip -= 1,
        |call| call.rip += 1,
        |call| call.args[0] = 1 << 32,
        |call| call.number |= 1 << 32,
        |call| call.number = u64::MAX,
    ];
    for spoil in spoil {
        let mut spoilt = call;
        spoil(&mut spoilt);
        assert_eq!(hypercall(gate, &spoilt), Stop::Crash(Cause::BadHypercall(spoilt.number)), "{spoilt:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_call_from_elsewhere_is_a_hypercall(kind: u8, architecture: u32, rip: u64, number: u64, args: [u64; 6]) {
        let gate = Gate::new(0x7000);
        let mut call = SystemCall::default();
        (call.kind, call.architecture, call.rip, call.number, call.args) = (kind, architecture, rip, number, args);
        let from_elsewhere = rip != gate.behind_syscall() || architecture != 0xc000_003e || kind != 1;
        proptest::prop_assert!(!from_elsewhere || hypercall(gate, &call) == Stop::Crash(Cause::BadHypercall(number)));
    }

    #[test]
    fn budget_is_never_cut_short_by_a_whole_tick(milliseconds in 0u64..100_000) {
        let budget = Duration::from_millis(milliseconds);
        let mut ticks = Ticks::new(budget);
        let mut granted = 0;
        while ticks.count().is_none() {
            granted += 1;
        }
        // The first tick of a turn may come at once; from there on each is a whole one.
        proptest::prop_assert!(TICK * granted >= budget);
        proptest::prop_assert!(TICK * granted < budget + TICK);
    }
}
