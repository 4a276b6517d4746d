//! Tickets that a client gets and does not want (RFC 8446 §4.6.1): read over, as they come, and not kept.

use crate::Alert;
use crate::limits::{TICKET_LEN_MAX, TICKET_LEN_MIN, TICKETS_TAKEN_MAX};

const NEW_SESSION_TICKET: u8 = 4;
const HEADER_LEN: usize = 4;

/// Where in a ticket the last record ended.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    header: heapless::Vec<u8, HEADER_LEN>,
    /// What the current ticket still owes.
    rest: usize,
    /// Tickets without data between them.
    count: u8,
}

impl Tickets {
    /// Whether a ticket has begun and not ended.
    pub(super) fn is_within(&self) -> bool {
        self.rest > 0 || !self.header.is_empty()
    }

    /// Data came.
    pub(super) fn start_anew(&mut self) {
        self.count = 0;
    }

    /// Reads over all tickets in front; gives back what begins with another message, or nothing.
    ///
    /// # Errors
    /// The alert to send: one ticket too many, or a length that no ticket has.
    pub(super) fn skip<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Alert> {
        loop {
            let len = self.rest.min(bytes.len());
            self.rest -= len;
            bytes = bytes.get(len..).unwrap_or_default();
            if bytes.is_empty() || (self.header.is_empty() && bytes.first() != Some(&NEW_SESSION_TICKET)) {
                return Ok(bytes);
            }
            let len = bytes.len().min(HEADER_LEN - self.header.len());
            self.header.extend(bytes.iter().copied().take(len));
            bytes = bytes.get(len..).unwrap_or_default();
            if let [_, high, mid, low] = *self.header.as_slice() {
                self.header.clear();
                self.begin((usize::from(high) << 16) | (usize::from(mid) << 8) | usize::from(low))?;
            }
        }
    }

    fn begin(&mut self, len: usize) -> Result<(), Alert> {
        self.count = self.count.saturating_add(1);
        self.rest = len;
        match len {
            _ if self.count > TICKETS_TAKEN_MAX => Err(Alert::UNEXPECTED_MESSAGE),
            ..TICKET_LEN_MIN => Err(Alert::DECODE_ERROR),
            TICKET_LEN_MIN..=TICKET_LEN_MAX => Ok(()),
            _ => Err(Alert::ILLEGAL_PARAMETER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn ticket(len: usize) -> Vec<u8> {
        let [_, high, mid, low] = u32::try_from(len).unwrap().to_be_bytes();
        [vec![NEW_SESSION_TICKET, high, mid, low], vec![7; len]].concat()
    }

    #[test]
    fn tickets_are_read_over_however_they_are_cut_and_what_follows_is_not() {
        let bytes = [ticket(TICKET_LEN_MIN), ticket(500), vec![24, 0, 0]].concat();
        for step in 1..bytes.len() {
            let mut tickets = Tickets::default();
            let left: Vec<u8> = bytes[..bytes.len() - 3].chunks(step).flat_map(|part| tickets.skip(part).unwrap().to_vec()).collect();
            assert!(left.is_empty() && !tickets.is_within(), "{step}");
        }
        let mut tickets = Tickets::default();
        assert_eq!(tickets.skip(&bytes).unwrap(), [24, 0, 0]);
        assert_eq!(tickets.skip(&bytes[..3]).unwrap(), []);
        assert!(tickets.is_within());
    }

    #[test]
    fn lengths_and_counts_are_bounded() {
        let mut tickets = Tickets::default();
        assert_eq!(tickets.skip(&ticket(TICKET_LEN_MIN - 1)), Err(Alert::DECODE_ERROR));
        assert_eq!(Tickets::default().skip(&ticket(TICKET_LEN_MAX + 1)), Err(Alert::ILLEGAL_PARAMETER));
        let mut tickets = Tickets::default();
        for _ in 0..2 {
            tickets.start_anew();
            (0..TICKETS_TAKEN_MAX).for_each(|_| assert_eq!(tickets.skip(&ticket(TICKET_LEN_MAX)), Ok(&[][..])));
        }
        assert_eq!(tickets.skip(&ticket(TICKET_LEN_MIN)), Err(Alert::UNEXPECTED_MESSAGE));
    }
}
