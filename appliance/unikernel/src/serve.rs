//! Start-up and the event loop.

use abi::hypercall::exit;
use appliance::{Appliance, Deadline, Now};
use defmt::Debug2Format;
use flags::Flags;
use keys::bundle::Bundle;
use platform::{Platform, Request, Start, Until};

use crate::mailbox::{self, Contest};
use crate::record;
#[cfg(feature = "keylog")]
use crate::secrets;
use crate::status::Own;
use crate::wires::QueueWires;

/// Runs the appliance until it has drained. Returns the guest's exit code.
pub(crate) fn serve(mut start: Start) -> u32 {
    let Some((appliance, flags)) = begin(&mut start) else { return exit::BAD_BOOT };
    let first = now(start.now());
    defmt::info!("serving; image built for abi {=u32}", abi::boot::VERSION);
    turns(appliance, flags.as_ref(), start.seal(), first);
    defmt::info!("drained");
    exit::DONE
}

/// The appliance, and the flags of a contest's box.
fn begin(start: &mut Start) -> Option<(Appliance, Option<Flags>)> {
    let bundle = match Bundle::decode(start.bundle()) {
        Ok(bundle) => bundle,
        Err(fault) => {
            defmt::error!("the bundle was refused: {}", Debug2Format(&fault));
            return None;
        }
    };
    let flags = match bundle.contest.as_ref().map(Flags::new).transpose() {
        Ok(flags) => flags,
        Err(fault) => {
            defmt::error!("no flags from this bundle: {}", Debug2Format(&fault));
            return None;
        }
    };
    match Appliance::new(bundle, start.seed(), now(start.now())) {
        Ok(appliance) => Some((appliance, flags)),
        Err(fault) => {
            defmt::error!("no appliance from this bundle: {}", Debug2Format(&fault));
            None
        }
    }
}

/// One turn after the other, until nothing is left to do after a drain.
fn turns(mut appliance: Appliance, flags: Option<&Flags>, mut platform: Platform, first: Now) {
    let mut now_is = first;
    let mut malformed = 0;
    let mut told = Told::All;
    while told == Told::Some || !appliance.drained() {
        let mut wires = QueueWires::new(platform.links());
        let deadline = appliance.step(now_is, &mut wires);
        malformed = tell_malformed(malformed, wires.malformed());
        told = tell(&mut appliance);
        secrets::tell();
        let turn = platform.wait(if told == Told::All { until(deadline) } else { Until::Flush });
        now_is = now(turn.now);
        let contest = flags.map(|flags| Contest { flags, read: platform.flag().copied(), words: platform.words() });
        mailbox::answer(&mut appliance, contest, platform.mailbox(), Own { batches_malformed: malformed }, now_is);
        if turn.request == Request::Drain {
            appliance.drain(now_is);
        }
    }
}

/// This image gives none away.
#[cfg(not(feature = "keylog"))]
mod secrets {
    pub(super) fn tell() {}
}

/// Whether a turn's log had room for all reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    All,
    Some,
}

/// Logs what happened, as far as the log has room for it: the rest has the next turn.
fn tell(appliance: &mut Appliance) -> Told {
    while platform::log_room() >= REPORT_LEN_MAX {
        match appliance.poll_report() {
            Some(report) => record::log(&report),
            None => return Told::All,
        }
    }
    Told::Some
}

/// With less room than this in the log, in bytes, a report waits for the next turn: the longest access record, stuffed.
const REPORT_LEN_MAX: usize = 2 * status::limits::ACCESS_LEN_MAX;
const _: () = assert!(REPORT_LEN_MAX <= abi::limits::LOG_WINDOW_LEN / 2, "an empty log has room for reports");

/// Counts malformed batches, and says so for the 1st, 2nd, 4th, 8th and so on: a tender that is wrong each turn does not fill the log.
fn tell_malformed(before: u64, more: u64) -> u64 {
    let count = before.saturating_add(more);
    if count.checked_ilog2() != before.checked_ilog2() {
        defmt::warn!("the tender left malformed receive batches: {=u64} so far", count);
    }
    count
}

fn until(deadline: Deadline) -> Until {
    match deadline {
        Deadline::Flush => Until::Flush,
        Deadline::At(mono) => Until::At(mono),
        Deadline::Never => Until::Never,
    }
}

fn now(platform::Now { mono, unix }: platform::Now) -> Now {
    Now { mono, unix }
}
