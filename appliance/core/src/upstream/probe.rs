//! One check under way: a connection to the backend, and for HTTP one question and the first line of its answer.

use keys::bundle::CheckKind;
use net::{CloseReason, FlowId, Net};

use super::status_line::{Reading, StatusLine};
use crate::heard::Heard;
use crate::report::CheckFault;

/// See the module.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) flow: FlowId,
    pub(super) heard: Heard,
    sent: usize,
    line: StatusLine,
}

/// What a check came to.
pub(super) type Verdict = Result<(), CheckFault>;

impl Probe {
    pub(super) fn new(flow: FlowId) -> Self {
        Self { flow, heard: Heard::Nothing, sent: 0, line: StatusLine::default() }
    }

    /// Goes on as far as it can; `None` while there is something to wait for.
    pub(super) fn turn(&mut self, kind: &CheckKind, request: &[u8], net: &mut Net) -> Option<Verdict> {
        match (self.heard, kind) {
            (Heard::Nothing, _) => None,
            (Heard::Gone(reason), _) => Some(Err(reason.into())),
            (Heard::Connected | Heard::Finished, CheckKind::Tcp) => {
                self.ask(request, net);
                Some(Ok(()))
            }
            (Heard::Connected | Heard::Finished, CheckKind::Http { expect, .. }) => {
                self.ask(request, net);
                self.listen(*expect, net)
            }
        }
    }

    fn ask(&mut self, request: &[u8], net: &mut Net) {
        while let Some(rest) = request.get(self.sent..).filter(|rest| !rest.is_empty()) {
            let sent = net.send(self.flow, |space| {
                let len = rest.len().min(space.len());
                if let (Some(from), Some(to)) = (rest.get(..len), space.get_mut(..len)) {
                    to.copy_from_slice(from);
                }
                (len, len)
            });
            match sent {
                Ok(0) | Err(net::FlowGone) => return,
                Ok(len) => self.sent = self.sent.saturating_add(len),
            }
        }
    }

    fn listen(&mut self, (least, most): (u16, u16), net: &mut Net) -> Option<Verdict> {
        let line = &mut self.line;
        loop {
            let read = net.recv(self.flow, |bytes| (bytes.len(), (bytes.len(), line.receive(bytes))));
            match read {
                Ok((_, Reading::Code(code))) if (least..=most).contains(&code) => return Some(Ok(())),
                Ok((_, Reading::Code(code))) => return Some(Err(CheckFault::Status(code))),
                Ok((_, Reading::Malformed)) => return Some(Err(CheckFault::Malformed)),
                Ok((1.., Reading::More)) => {}
                Ok((0, Reading::More)) | Err(net::FlowGone) => break,
            }
        }
        self.heard.is_finished().then_some(Err(CheckFault::Closed))
    }
}

impl From<CloseReason> for CheckFault {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::PeerRefused => Self::Refused,
            CloseReason::ConnectTimeout | CloseReason::Unreachable | CloseReason::PeerSilent | CloseReason::PeerStalled => Self::Silent,
            CloseReason::Done | CloseReason::PeerReset => Self::Closed,
        }
    }
}
