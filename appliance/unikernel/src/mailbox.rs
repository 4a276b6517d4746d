//! The tender's letters, each answered in the turn that brings it.
//!
//! A bundle is decoded straight from the inbox, which the guest cannot write and the tender wipes after the turn. A letter that makes no sense
//! changes nothing.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use abi::limits::REASON_LEN_MAX;
use abi::mailbox::{DONE, NONCE_LEN, PROVE, REFUSED, RELOAD, SIGN, STATUS};
use appliance::{Appliance, Now};
use flags::Flags;
use keys::bundle::Bundle;
use platform::MailboxWindows;

use crate::status::{self, Own};

/// What a contest's box can be asked: its flags, the one that lies in a window of its own, and the words that nobody should be able to write.
pub(crate) struct Contest<'f> {
    pub(crate) flags: &'f Flags,
    pub(crate) read: Option<[u8; 32]>,
    pub(crate) words: Option<[u64; 2]>,
}

/// Answers the letter of this turn, if there is one.
pub(crate) fn answer(appliance: &mut Appliance, contest: Option<Contest<'_>>, mailbox: MailboxWindows<'_>, own: Own, now: Now) {
    let MailboxWindows { inbox, outbox } = mailbox;
    let answered = match queue::letter(inbox) {
        Ok(None) => return,
        Ok(Some(letter)) => match letter.kind {
            RELOAD => reload(appliance, letter.bytes, now).map(|()| done(outbox, |_| 0)),
            STATUS => return done(outbox, |space| status::write(appliance, own, space)),
            PROVE => prove(contest, letter.bytes, now).map(|proofs| done(outbox, |space| fill(space, &proofs))),
            SIGN => sign(contest, letter.bytes).map(|signature| done(outbox, |space| fill(space, &signature))),
            _ => Err(Reason::new(format_args!("a letter that makes no sense"))),
        },
        Err(_) => Err(Reason::new(format_args!("a letter beyond its window"))),
    };
    if let Err(why) = answered {
        refused(outbox, &why);
    }
}

/// One proof of possession for each flag, to this nonce.
fn prove(contest: Option<Contest<'_>>, nonce: &[u8], now: Now) -> Result<Vec<u8>, Box<Reason>> {
    let contest = contest.ok_or_else(no_contest)?;
    let nonce: &[u8; NONCE_LEN] = nonce.try_into().map_err(|_| Reason::new(format_args!("a nonce has {NONCE_LEN} bytes")))?;
    Ok(contest.flags.prove(*nonce, now.unix.as_secs(), contest.read.as_ref()))
}

/// The signature of `write`, for whoever has written.
fn sign(contest: Option<Contest<'_>>, message: &[u8]) -> Result<Vec<u8>, Box<Reason>> {
    let contest = contest.ok_or_else(no_contest)?;
    contest.flags.sign(message, contest.words).map_err(|why| Reason::new(format_args!("{why}")))
}

fn no_contest() -> Box<Reason> {
    Reason::new(format_args!("this box has no contest"))
}

/// Copies an answer to the front of its window.
fn fill(space: &mut [u8], bytes: &[u8]) -> usize {
    let Some(place) = space.get_mut(..bytes.len()) else { return 0 };
    place.copy_from_slice(bytes);
    bytes.len()
}

fn reload(appliance: &mut Appliance, bytes: &[u8], now: Now) -> Result<(), Box<Reason>> {
    let bundle = Bundle::decode(bytes).map_err(|fault| Reason::new(format_args!("the bundle was refused: {fault:?}")))?;
    appliance.reload(&bundle, now).map_err(|fault| Reason::new(format_args!("no service by this bundle: {fault:?}")))?;
    defmt::info!("reloaded");
    Ok(())
}

fn done(outbox: &mut [u8], fill: impl FnOnce(&mut [u8]) -> usize) {
    // A window of the abi's length has room for an answer; without one the tender takes note that there is none.
    let _posted = queue::post(outbox, DONE, fill);
}

fn refused(outbox: &mut [u8], why: &Reason) {
    let bytes = why.bytes();
    let _posted = queue::post(outbox, REFUSED, |space| {
        let len = bytes.len().min(space.len());
        space.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        len
    });
}

/// Text, cut to what a refusal may hold.
struct Reason {
    text: [u8; REASON_LEN_MAX],
    len: usize,
}

impl Reason {
    fn new(text: fmt::Arguments<'_>) -> Box<Self> {
        let mut reason = Box::new(Self { text: [0; REASON_LEN_MAX], len: 0 });
        // What does not fit is cut.
        let _cut = reason.write_fmt(text);
        reason
    }

    fn bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Write for Reason {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let rest = self.text.get_mut(self.len..).unwrap_or_default();
        let len = text.len().min(rest.len());
        rest.iter_mut().zip(text.as_bytes()).for_each(|(place, byte)| *place = *byte);
        self.len = self.len.saturating_add(len);
        if len < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}
