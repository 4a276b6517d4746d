//! Start-up and the event loop.

use abi::hypercall::exit;
use appliance::{Appliance, Deadline, Now};
use defmt::Debug2Format;
use keys::bundle::Bundle;
use platform::{Platform, Request, Start, Until};

use crate::record;
use crate::wires::QueueWires;

/// Runs the appliance until it has drained. Returns the guest's exit code.
pub(crate) fn serve(mut start: Start) -> u32 {
    let Some(appliance) = begin(&mut start) else { return exit::BAD_BOOT };
    let first = now(start.now());
    defmt::info!("serving; image built for abi {=u32}", abi::boot::VERSION);
    turns(appliance, start.seal(), first);
    defmt::info!("drained");
    exit::DONE
}

fn begin(start: &mut Start) -> Option<Appliance> {
    let bundle = match Bundle::decode(start.bundle()) {
        Ok(bundle) => bundle,
        Err(fault) => {
            defmt::error!("the bundle was refused: {}", Debug2Format(&fault));
            return None;
        }
    };
    match Appliance::new(bundle, start.seed(), now(start.now())) {
        Ok(appliance) => Some(appliance),
        Err(fault) => {
            defmt::error!("no appliance from this bundle: {}", Debug2Format(&fault));
            None
        }
    }
}

/// One turn after the other, until nothing is left to do after a drain.
fn turns(mut appliance: Appliance, mut platform: Platform, first: Now) {
    let mut now_is = first;
    while !appliance.drained() {
        let deadline = appliance.step(now_is, &mut QueueWires::new(platform.links()));
        while let Some(report) = appliance.poll_report() {
            record::log(&report);
        }
        let turn = platform.wait(until(deadline));
        now_is = now(turn.now);
        if turn.request == Request::Drain {
            appliance.drain(now_is);
        }
    }
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
