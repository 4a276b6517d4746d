//! An attacker's connection to the box, and what must come back.

use core::ops::{Deref, DerefMut};
use std::net::TcpStream;

use e2e::{Outcome, ensure};

use super::alert::{CLOSE_NOTIFY, FATAL};
use crate::target::Target;

pub(crate) use misbehave::wire::peer::{Came, record};
pub(crate) use misbehave::wire::registry::content::{ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE};

/// See the module.
#[derive(Debug)]
pub(crate) struct Peer(misbehave::wire::peer::Peer);

impl Deref for Peer {
    type Target = misbehave::wire::peer::Peer;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Peer {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Peer {
    /// Connects.
    pub(crate) fn connect(target: &Target) -> Outcome<Self> {
        let tcp = TcpStream::connect_timeout(&target.address(), target.patience())?;
        Ok(Self(misbehave::wire::peer::Peer::over(tcp, target.patience())?))
    }

    /// Writes one record, sealed if there are keys.
    pub(crate) fn send(&mut self, kind: u8, content: &[u8]) -> Outcome {
        Ok(self.0.send(kind, content)?)
    }

    /// Reads to the end, which must be one of these alerts, fatal, and behind it an orderly end: no reset that could have destroyed it.
    pub(crate) fn is_told(&mut self, wanted: &[u8]) -> Outcome {
        loop {
            match self.hear()? {
                Came::Record(ALERT, content) => {
                    ensure(matches!(*content, [FATAL, told] if wanted.contains(&told)), format!("told {content:?}, not {wanted:?}"))?;
                    break;
                }
                Came::Record(HANDSHAKE | CHANGE_CIPHER_SPEC, _) => {}
                other => return Err(format!("{other:?} instead of an alert of {wanted:?}").into()),
            }
        }
        let end = self.hear()?;
        ensure(end == Came::End, format!("{end:?} behind the alert instead of the end"))
    }

    /// Reads to the end, which must come without an alert of a fault, and in order.
    pub(crate) fn is_left(&mut self) -> Outcome {
        loop {
            match self.hear()? {
                Came::Record(HANDSHAKE | CHANGE_CIPHER_SPEC, _) => {}
                Came::Record(ALERT, content) if content.last() == Some(&CLOSE_NOTIFY) => {}
                Came::End => return Ok(()),
                other => return Err(format!("{other:?} instead of the end").into()),
            }
        }
    }
}
