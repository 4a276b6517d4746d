//! Checks begin, are heard of, and end.

use core::time::Duration;

use net::{FlowId, Net};

use super::Pools;
use crate::flows::{Flows, Owner};
use crate::heard::Heard;
use crate::report::{Change, CheckFault};
use crate::upstream::backend::BackendId;
use crate::upstream::health::Turned;
use crate::upstream::probe::{Probe, Verdict};

impl Pools {
    /// Notes which backends' time has come: for a check, or for one that took too long.
    pub(crate) fn expire(&mut self, net: &mut Net, now: Duration) {
        while let Some(id) = self.schedule.expired(now) {
            let Some(check) = self.backends.get_mut(&id).and_then(|backend| backend.check.as_mut()) else { continue };
            if check.probe.is_some() {
                self.conclude(id, Err(CheckFault::Silent), net, now);
            } else {
                self.schedule.queue(id);
            }
        }
        self.sweep_sometimes(net, now);
    }

    /// Begins the checks whose turn it is.
    pub(crate) fn check(&mut self, net: &mut Net, flows: &mut Flows, now: Duration) {
        while let Some(id) = self.schedule.next() {
            let Some(backend) = self.backends.get_mut(&id) else { continue };
            let Some(check) = &mut backend.check else { continue };
            match net.connect(backend.address, None, now) {
                Ok(flow) => {
                    flows.give(flow, Owner::Check(id));
                    self.schedule.began(id, check, Probe::new(flow), now);
                }
                // The link has no room for it, or no way there: that says nothing of the backend.
                Err(_) => self.schedule.arm_next(id, check, now),
            }
        }
    }

    /// News of a check's flow.
    pub(crate) fn hear(&mut self, id: BackendId, flow: FlowId, heard: Heard, net: &mut Net, now: Duration) {
        let Some(check) = self.backends.get_mut(&id).and_then(|backend| backend.check.as_mut()) else { return };
        let Some(probe) = check.probe.as_mut().filter(|probe| probe.flow == flow) else { return };
        probe.heard.note(heard);
        if let Some(verdict) = probe.turn(&check.rule.kind, &check.request, net) {
            self.conclude(id, verdict, net, now);
        }
    }

    fn conclude(&mut self, id: BackendId, verdict: Verdict, net: &mut Net, now: Duration) {
        let Some(backend) = self.backends.get_mut(&id) else { return };
        let Some(check) = &mut backend.check else { return };
        if let Some(probe) = self.schedule.ended(check) {
            net.close(probe.flow, now);
        }
        self.schedule.arm_next(id, check, now);
        let turned = match verdict {
            Ok(()) => {
                backend.tally.checks_passed = backend.tally.checks_passed.saturating_add(1);
                backend.health.passed(check.rule.rise)
            }
            Err(_) => {
                backend.tally.checks_failed = backend.tally.checks_failed.saturating_add(1);
                backend.health.failed(check.rule.fall)
            }
        };
        match (turned, verdict) {
            (Turned::Up, _) => self.change(id, Change::Up),
            (Turned::Down, Err(fault)) => self.change(id, Change::Down(fault)),
            (Turned::Down, Ok(())) | (Turned::No, _) => {}
        }
    }
}
