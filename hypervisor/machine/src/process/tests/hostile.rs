//! Guests that try to get out, or to lie.

use super::*;

fn exception(vector: u8) -> Stop {
    Stop::Crash(Cause::Exception { vector, error_code: 0 })
}

fn bad(number: u64) -> Stop {
    Stop::Crash(Cause::BadHypercall(number))
}

// Makes every system call by an instruction of its own, and exits with 1 should any return anything but ENOSYS.
guest!(
    every_number,
    "xor ebx, ebx; 2: mov eax, ebx; xor edi, edi; xor esi, esi; xor edx, edx; syscall",
    "cmp rax, -38; jne 9f; inc ebx; cmp ebx, 600; jne 2b; mov edi, EXIT; xor esi, esi; call [r15 + GATE]",
    "9: mov edi, EXIT; mov esi, 1; call [r15 + GATE]"
);

#[test]
fn no_system_call_reaches_the_kernel() {
    let mut process = load(every_number());
    for number in 0..600 {
        // A cell would be over at the first; the machine beneath it can be let on, to see that nothing has happened.
        assert_eq!(process.run(BUDGET), Ok(bad(number)));
    }
    assert_eq!(process.run(BUDGET), Ok(exits(0)));
}

// The same through the old 32-bit gate, whose numbers are others: 1 would be exit, 2 fork.
guest!(every_number_32, "xor ebx, ebx; 2: mov eax, ebx; push rbx; xor ebx, ebx; int 0x80; pop rbx; inc ebx; cmp ebx, 600; jne 2b; ud2");

#[test]
fn no_32_bit_system_call_reaches_the_kernel() {
    let mut process = load(every_number_32());
    let (mut stopped, mut last) = (0, Stop::Crash(Cause::Hung));
    for _ in 0..600 {
        last = process.run(BUDGET).unwrap();
        match last {
            Stop::Crash(Cause::BadHypercall(number)) => assert_eq!(number, stopped),
            _ => break,
        }
        stopped += 1;
    }
    // A kernel without 32-bit support raises a protection fault at the first; else all 600 are seen.
    assert!(stopped == 600 || (stopped == 0 && matches!(last, Stop::Crash(Cause::Exception { .. }))), "{stopped} {last:?}");
}

guest!(wait_from_elsewhere, "mov eax, WAIT; xor edi, edi; syscall");
guest!(unknown_number_by_the_gate, "mov edi, 39; xor esi, esi; call [r15 + GATE]");
guest!(high_bits_at_the_gate, "mov rax, [r15 + GATE]; add rax, 4; mov rcx, rax; mov eax, WAIT; mov rdi, -1; push rcx; ret");

#[test]
fn hypercall_from_elsewhere_is_refused() {
    assert_eq!(run_once(wait_from_elsewhere()).1, bad(u64::from(WAIT)));
}

#[test]
fn gate_passes_any_number_on_to_be_judged() {
    assert_eq!(run_once(unknown_number_by_the_gate()).1, Stop::Hypercall { number: 39, value: 0 });
    let cell = Cell::load(Kind::Process, &guest::image(unknown_number_by_the_gate()), guest::parcel()).unwrap();
    let exit = cell.jailed(|| Ok::<_, ()>(())).unwrap().run(BUDGET).unwrap();
    assert!(matches!(exit, Exit::Crash(crash) if crash.cause == Cause::BadHypercall(39)));
}

#[test]
fn value_of_more_than_32_bits_is_refused() {
    assert_eq!(run_once(high_bits_at_the_gate()).1, bad(u64::from(WAIT)));
}

// `time` in the legacy vsyscall page, which the kernel serves from a page fault, past ptrace: the filter's business.
guest!(vsyscall, "xor edi, edi; mov rax, 0xffffffffff600400; call rax; ud2");
guest!(sealed_vsyscall, "mov edi, SEALED; xor esi, esi; call [r15 + GATE]; xor edi, edi; mov rax, 0xffffffffff600400; call rax; ud2");

/// Whether `stop` is how a call to the vsyscall page must end: this kernel has one, and the filter refuses it; or has none.
fn is_refused_vsyscall(stop: Stop) -> bool {
    let has_page = std::fs::read_to_string("/proc/self/maps").unwrap().contains("[vsyscall]");
    if has_page { stop == bad(201) } else { matches!(stop, Stop::Crash(Cause::Exception { vector: 14, .. })) }
}

#[test]
fn vsyscall_page_is_closed() {
    let (_, stop) = run_once(vsyscall());
    assert!(is_refused_vsyscall(stop), "{stop:?}");
}

#[test]
fn vsyscall_page_stays_closed_when_sealed() {
    let (mut process, stop) = run_once(sealed_vsyscall());
    assert_eq!(stop, SEALS);
    process.seal().unwrap();
    let stop = process.run(BUDGET).unwrap();
    assert!(is_refused_vsyscall(stop), "{stop:?}");
}

#[test]
fn guest_has_no_clock() {
    guest!(reads_tsc, "rdtsc");
    guest!(reads_tscp, "rdtscp");
    assert_eq!(run_once(reads_tsc()).1, exception(13));
    assert!(matches!(run_once(reads_tscp()).1, Stop::Crash(Cause::Exception { vector: 6 | 13, .. })));
}

#[test]
fn privileged_instructions_are_protection_faults() {
    guest!(halts, "hlt");
    guest!(clears_interrupts, "cli");
    guest!(reads_port, "in al, dx");
    guest!(writes_port, "mov dx, WAIT; out dx, eax");
    guest!(writes_cr3, "mov cr3, rax");
    guest!(writes_msr, "wrmsr");
    guest!(loads_gdt, "lgdt [rsp]");
    guest!(soft_interrupt, "int 0x20");
    for guest in [halts(), clears_interrupts(), reads_port(), writes_port(), writes_cr3(), writes_msr(), loads_gdt(), soft_interrupt()] {
        assert_eq!(run_once(guest).1, exception(13));
    }
}

#[test]
fn exceptions_keep_their_vector() {
    guest!(undefined, "ud2");
    guest!(breakpoint, "int3");
    guest!(single_step, "pushfq; or qword ptr [rsp], 0x100; popfq; nop; nop");
    guest!(not_canonical, "mov rax, 0x8000000000000000; mov al, [rax]");
    guest!(stack_not_canonical, "mov rsp, 0x8000000000000000; push rax");
    let cases = [(undefined(), 6), (breakpoint(), 3), (single_step(), 1), (not_canonical(), 13), (stack_not_canonical(), 12)];
    for (guest, vector) in cases {
        assert_eq!(run_once(guest).1, exception(vector));
    }
    assert_eq!(run_once(divides_by_zero()).1, exception(0));
}

// Takes an address from the front link's window, and reads, writes or calls it.
guest!(reads, "mov rax, [r15 + RX]; mov rax, [rax]; mov al, [rax]; ud2");
guest!(writes, "mov rax, [r15 + RX]; mov rax, [rax]; mov byte ptr [rax], 1; ud2");
guest!(calls, "mov rax, [r15 + RX]; mov rax, [rax]; call rax; ud2");

/// The error code and address of the page fault that `guest` ends in when it is given the address that `pick` chooses.
fn page_fault(guest: Guest, pick: impl Fn(&Space) -> u64) -> (u64, u64, u64) {
    let mut process = load(guest);
    let address = pick(process.space());
    process.space_mut().window_mut(Part::Rx(0)).unwrap()[..8].copy_from_slice(&address.to_le_bytes());
    match process.run(BUDGET).unwrap() {
        Stop::Crash(Cause::Exception { vector: 14, error_code }) => (error_code, process.registers().unwrap().cr2, address),
        other => panic!("{address:#x}: {other:?}"),
    }
}

/// Every mapping's index, in the layouts of this machine.
fn mappings(access: impl Fn(crate::image::Access) -> bool) -> Vec<usize> {
    let process = load(reads());
    let mappings = process.space().layout().mappings();
    mappings.iter().enumerate().filter(|(_, mapping)| access(mapping.access)).map(|(index, _)| index).collect()
}

#[test]
fn guards_on_both_sides_of_every_region_are_unmapped() {
    for index in mappings(|_| true) {
        for (guest, low) in [(reads(), true), (writes(), false)] {
            let beside = |space: &Space| {
                let place = space.layout().mappings()[index];
                let image = space.layout().place(Part::Image);
                let (start, end) = if place.part == Part::Image {
                    (image.address, image.address + image.len)
                } else {
                    (place.address, place.address + place.len)
                };
                if low { start - 1 } else { end }
            };
            let (error_code, cr2, address) = page_fault(guest, beside);
            assert_eq!((error_code, cr2), (4, address));
        }
    }
}

#[test]
fn what_is_not_writable_cannot_be_written() {
    use crate::image::Access;
    for index in mappings(|access| access != Access::Write) {
        let (error_code, cr2, address) = page_fault(writes(), |space| space.layout().mappings()[index].address);
        assert_eq!((error_code, cr2), (5, address));
    }
}

#[test]
fn what_is_not_executable_cannot_be_executed() {
    use crate::image::Access;
    for index in mappings(|access| access != Access::Execute) {
        let (error_code, cr2, address) = page_fault(calls(), |space| space.layout().mappings()[index].address);
        assert_eq!((error_code, cr2), (0x15, address));
    }
}

#[test]
fn lowest_pages_and_the_tenders_memory_are_not_there() {
    let of_the_tender = Box::new(7u8);
    for address in [0, 4096, 65536, (&raw const *of_the_tender).addr() as u64, load as fn(Guest) -> Process as usize as u64] {
        assert_eq!(page_fault(reads(), |_| address), (4, address, address));
    }
}

#[test]
fn sealed_guest_has_neither_seed_nor_bundle() {
    guest!(reads_seed_again, "mov rbx, [r15 + SEED]; mov al, [rbx]; mov edi, SEALED; xor esi, esi; call [r15 + GATE]; mov al, [rbx]");
    guest!(reads_bundle_again, "mov rbx, [r15 + BUNDLE]; mov al, [rbx]; mov edi, SEALED; xor esi, esi; call [r15 + GATE]; mov al, [rbx]");
    for (guest, part) in [(reads_seed_again(), Part::Seed), (reads_bundle_again(), Part::Bundle)] {
        let (mut process, stop) = run_once(guest);
        assert_eq!(stop, SEALS);
        process.seal().unwrap();
        assert!(process.space().window(part).is_none());
        assert_eq!(process.run(BUDGET), Ok(Stop::Crash(Cause::Exception { vector: 14, error_code: 4 })));
        assert_eq!(process.registers().unwrap().cr2, process.space().layout().place(part).address);
    }
}

#[test]
fn sealing_keeps_the_guests_registers() {
    guest!(
        seals_then_adds,
        "mov ebx, 3; mov r12d, 4; mov edi, SEALED; xor esi, esi; call [r15 + GATE]; lea esi, [rbx + r12]; mov edi, EXIT; call [r15 + GATE]"
    );
    let (mut process, stop) = run_once(seals_then_adds());
    assert_eq!(stop, SEALS);
    process.seal().unwrap();
    assert_eq!(process.run(BUDGET), Ok(exits(7)));
}

#[test]
fn second_seal_is_refused() {
    let (mut process, _) = run_once(waits_for_ever());
    assert_eq!(process.seal(), Ok(()));
    assert!(process.seal().is_err());
}
