//! What a signal says about the guest: the exception that the processor raised, as far as the kernel tells.

use super::tracee::SignalInfo;
use crate::exit::Cause;

/// Exceptions, see Intel SDM volume 3, table 7-1.
mod vector {
    pub(super) const DIVIDE: u8 = 0;
    pub(super) const DEBUG: u8 = 1;
    pub(super) const BREAKPOINT: u8 = 3;
    pub(super) const INVALID_OPCODE: u8 = 6;
    pub(super) const STACK: u8 = 12;
    pub(super) const PROTECTION: u8 = 13;
    pub(super) const PAGE_FAULT: u8 = 14;
    pub(super) const ALIGNMENT: u8 = 17;
}

/// Bits of a page fault's error code.
mod page_fault {
    pub(super) const PRESENT: u64 = 1;
    pub(super) const USER: u64 = 4;
    pub(super) const FETCH: u64 = 16;
}

/// `si_code` where the kernel names no reason.
const SI_KERNEL: i32 = 0x80;
const SEGV_MAPERR: i32 = 1;
const BUS_ADRALN: i32 = 1;
const FPE_INTDIV: i32 = 1;

/// Why the guest is to be stopped for good; `None` where another process sent the signal, which is no fault of the guest's.
pub(super) fn cause(info: &SignalInfo, rip: u64) -> Option<Cause> {
    if info.code <= 0 {
        return None;
    }
    let exception = |vector| Cause::Exception { vector, error_code: 0 };
    Some(match (info.signal, info.code) {
        (libc::SIGSEGV, SI_KERNEL) => exception(vector::PROTECTION),
        (libc::SIGSEGV, _) => Cause::Exception { vector: vector::PAGE_FAULT, error_code: page_fault_code(info, rip) },
        (libc::SIGBUS, SI_KERNEL) => exception(vector::STACK),
        (libc::SIGBUS, BUS_ADRALN) => exception(vector::ALIGNMENT),
        (libc::SIGILL, _) => exception(vector::INVALID_OPCODE),
        (libc::SIGFPE, FPE_INTDIV) => exception(vector::DIVIDE),
        (libc::SIGTRAP, SI_KERNEL) => exception(vector::BREAKPOINT),
        (libc::SIGTRAP, _) => exception(vector::DEBUG),
        (libc::SIGSYS, _) => Cause::BadHypercall(u64::from(info.call.cast_unsigned())),
        (signal, _) => Cause::Signal(signal),
    })
}

/// The address that a page fault was about, or 0.
pub(super) fn fault_address(info: &SignalInfo) -> u64 {
    if info.signal == libc::SIGSEGV && info.code != SI_KERNEL { info.address } else { 0 }
}

/// The error code as far as it can be told: the kernel does not say whether the access was a write.
fn page_fault_code(info: &SignalInfo, rip: u64) -> u64 {
    let present = if info.code == SEGV_MAPERR { 0 } else { page_fault::PRESENT };
    let fetch = if info.address == rip { page_fault::FETCH } else { 0 };
    page_fault::USER | present | fetch
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGV_ACCERR: i32 = 2;

    fn info(signal: i32, code: i32) -> SignalInfo {
        let mut info = SignalInfo::default();
        (info.signal, info.code, info.address, info.call) = (signal, code, 0x1000, 96);
        info
    }

    fn exception(signal: i32, code: i32) -> (u8, u64) {
        match cause(&info(signal, code), 0x2000) {
            Some(Cause::Exception { vector, error_code }) => (vector, error_code),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn processor_exceptions_are_told_apart() {
        assert_eq!(exception(libc::SIGSEGV, SEGV_MAPERR), (14, 4));
        assert_eq!(exception(libc::SIGSEGV, SEGV_ACCERR), (14, 5));
        assert_eq!(exception(libc::SIGSEGV, SI_KERNEL), (13, 0));
        assert_eq!(exception(libc::SIGBUS, SI_KERNEL), (12, 0));
        assert_eq!(exception(libc::SIGBUS, BUS_ADRALN), (17, 0));
        assert_eq!(exception(libc::SIGILL, 2), (6, 0));
        assert_eq!(exception(libc::SIGFPE, FPE_INTDIV), (0, 0));
        assert_eq!(exception(libc::SIGTRAP, SI_KERNEL), (3, 0));
        assert_eq!(exception(libc::SIGTRAP, 2), (1, 0));
    }

    #[test]
    fn fetch_from_where_nothing_may_run_has_the_fetch_bit() {
        let at_rip = cause(&info(libc::SIGSEGV, SEGV_ACCERR), 0x1000);
        assert_eq!(at_rip, Some(Cause::Exception { vector: 14, error_code: 0x15 }));
    }

    #[test]
    fn only_page_faults_have_an_address() {
        assert_eq!(fault_address(&info(libc::SIGSEGV, SEGV_ACCERR)), 0x1000);
        assert_eq!(fault_address(&info(libc::SIGSEGV, SI_KERNEL)), 0);
        assert_eq!(fault_address(&info(libc::SIGILL, 2)), 0);
    }

    #[test]
    fn what_another_process_sends_is_not_the_guests_fault() {
        assert!([0, -1, -6].into_iter().all(|code| cause(&info(libc::SIGSEGV, code), 0).is_none()));
    }

    #[test]
    fn what_has_no_vector_keeps_its_signal() {
        assert_eq!(cause(&info(libc::SIGBUS, 2), 0), Some(Cause::Signal(libc::SIGBUS)));
        assert_eq!(cause(&info(libc::SIGSYS, 1), 0), Some(Cause::BadHypercall(96)));
    }
}
