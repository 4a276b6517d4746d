//! The tender's letters, each answered in the turn that brings it.
//!
//! A bundle is decoded straight from the inbox, which the guest cannot write and the tender wipes after the turn. A letter that makes no sense
//! changes nothing.

use alloc::boxed::Box;
use core::fmt::{self, Write as _};

use abi::limits::REASON_LEN_MAX;
use abi::mailbox::{DONE, REFUSED, RELOAD, STATUS};
use appliance::{Appliance, Now};
use keys::bundle::Bundle;
use platform::MailboxWindows;

use crate::status::{self, Own};

/// Answers the letter of this turn, if there is one.
pub(crate) fn answer(appliance: &mut Appliance, mailbox: MailboxWindows<'_>, own: Own, now: Now) {
    let MailboxWindows { inbox, outbox } = mailbox;
    let answered = match queue::letter(inbox) {
        Ok(None) => return,
        Ok(Some(letter)) => match letter.kind {
            RELOAD => reload(appliance, letter.bytes, now).map(|()| 0),
            STATUS => return done(outbox, |space| status::write(appliance, own, space)),
            _ => Err(Reason::new(format_args!("a letter that makes no sense"))),
        },
        Err(_) => Err(Reason::new(format_args!("a letter beyond its window"))),
    };
    match answered {
        Ok(len) => done(outbox, |_| len),
        Err(why) => refused(outbox, &why),
    }
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
