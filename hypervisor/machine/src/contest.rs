//! What a cell holds that is there to be won from its guest: a page to be read, a word to be written, and an answer for code that runs where none should.
//!
//! The two pages lie at addresses that the whole world knows, so that an access is all that it takes; everything else lies where it was drawn ([`crate::layout`]).
//! The answer lies in the machine alone, outside of the guest's memory, and is given by the machine itself: whoever holds a [`Cell`](crate::Cell) sees nothing of any of it.

use core::fmt;
use core::ops::Range;

use abi::hypercall::{PRIZE, PRIZE_REGISTERS};
use abi::limits::{FLAG_LEN, PAGE_LEN};
use zeroize::Zeroizing;

use crate::cell::Stop;
use crate::exit::Cause;
use crate::fault::LoadFault;
use crate::limits::{ADDRESS_MAX, ADDRESS_MIN, ANSWERS_MAX, GUARD_LEN};

/// A contest, as a [`Parcel`](crate::Parcel) brings it.
#[derive(Clone, PartialEq, Eq)]
pub struct Contest {
    /// The flag of `read`.
    pub flag: Zeroizing<[u8; FLAG_LEN]>,
    /// Where its page lies in the guest.
    pub flag_address: u64,
    /// Where the page with the word of `write` lies in the guest.
    pub word_address: u64,
    /// The flag of `exec`: the answer to [`PRIZE`].
    pub prize: Zeroizing<[u8; FLAG_LEN]>,
}

impl fmt::Debug for Contest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flag_address, word_address, .. } = self;
        out.debug_struct("Contest").field("flag_address", flag_address).field("word_address", word_address).finish_non_exhaustive()
    }
}

/// The places of a contest's two pages, which were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    flag: u64,
    word: u64,
}

impl Published {
    /// The places that `contest` names.
    ///
    /// # Errors
    /// [`LoadFault::ConfigContest`] with the address that is none: not a page's, not in the guest's part of the address space, or (the word's) less than a guard from the
    /// flag's page.
    pub fn of(contest: &Contest) -> Result<Self, LoadFault> {
        let Contest { flag_address: flag, word_address: word, .. } = *contest;
        let page = PAGE_LEN as u64;
        let is_page = |address: u64| address.is_multiple_of(page) && (ADDRESS_MIN..=ADDRESS_MAX.saturating_sub(page)).contains(&address);
        if !is_page(flag) {
            return Err(LoadFault::ConfigContest(flag));
        }
        if !is_page(word) || flag.abs_diff(word) < page.saturating_add(GUARD_LEN) {
            return Err(LoadFault::ConfigContest(word));
        }
        Ok(Self { flag, word })
    }

    /// Address of the flag's page.
    #[must_use]
    pub fn flag(self) -> u64 {
        self.flag
    }

    /// Address of the word's page.
    #[must_use]
    pub fn word(self) -> u64 {
        self.word
    }

    /// What is taken of the address space.
    pub(crate) fn ranges(self) -> [Range<u64>; 2] {
        [self.flag, self.word].map(|address| address..address.saturating_add(PAGE_LEN as u64))
    }
}

/// What a machine answers [`PRIZE`] with, if its cell has a contest. Wiped on drop.
#[derive(Default)]
pub(crate) struct Prize {
    flag: Option<Zeroizing<[u8; FLAG_LEN]>>,
    /// How often it is still given in this turn.
    left: u32,
}

impl Prize {
    /// Of a parcel's contest.
    pub(crate) fn of(contest: Option<&Contest>) -> Self {
        Self { flag: contest.map(|contest| contest.prize.clone()), left: 0 }
    }

    /// Whether the gate is open for it.
    pub(crate) fn is_there(&self) -> bool {
        self.flag.is_some()
    }

    /// A turn begins.
    pub(crate) fn begin_turn(&mut self) {
        self.left = ANSWERS_MAX;
    }

    /// The words for [`PRIZE_REGISTERS`], with which the guest goes on; or else how its turn ends. Whoever asks for ever is hung: a machine's clock counts the guest's
    /// time, of which an answer takes next to none.
    pub(crate) fn answer(&mut self, stop: Stop) -> Result<[u64; PRIZE_REGISTERS.len()], Stop> {
        let asked = stop == Stop::Hypercall { number: PRIZE, value: 0 };
        let prize = self.flag.as_ref().filter(|_| asked).ok_or(stop)?;
        self.left = self.left.checked_sub(1).ok_or(Stop::Crash(Cause::Hung))?;
        let (words, _) = prize.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        words.try_into().map_err(|_| stop)
    }
}

impl fmt::Debug for Prize {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.is_there() { "Prize(..)" } else { "Prize(none)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contest(flag_address: u64, word_address: u64) -> Contest {
        let prize = core::array::from_fn(|at| u8::try_from(at).unwrap());
        Contest { flag: Zeroizing::new([0xf1; FLAG_LEN]), flag_address, word_address, prize: Zeroizing::new(prize) }
    }

    #[test]
    fn the_prize_is_given_for_its_own_call_with_value_0_and_nothing_else() {
        let mut prize = Prize::of(Some(&contest(0, 0)));
        prize.begin_turn();
        let words = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908, 0x1716_1514_1312_1110, 0x1f1e_1d1c_1b1a_1918];
        assert_eq!(prize.answer(ASKED), Ok(words));
        for other in [Stop::Hypercall { number: PRIZE, value: 1 }, Stop::Hypercall { number: abi::hypercall::WAIT, value: 0 }] {
            assert_eq!(prize.answer(other), Err(other));
        }
        let mut none = Prize::of(None);
        none.begin_turn();
        assert_eq!(none.answer(ASKED), Err(ASKED));
    }

    const ASKED: Stop = Stop::Hypercall { number: PRIZE, value: 0 };

    #[test]
    fn whoever_asks_more_often_in_a_turn_than_is_answered_is_hung() {
        let mut prize = Prize::of(Some(&contest(0, 0)));
        for _ in 0..2 {
            prize.begin_turn();
            assert_eq!((0..=ANSWERS_MAX).filter(|_| prize.answer(ASKED).is_ok()).count() as u64, u64::from(ANSWERS_MAX));
            assert_eq!(prize.answer(ASKED), Err(Stop::Crash(Cause::Hung)));
        }
    }

    #[test]
    fn neither_flag_is_ever_printed() {
        let contest = contest(0x1000, 0x2000);
        let text = format!("{contest:?} {:?} {:?}", Prize::of(Some(&contest)), Prize::of(None));
        assert_eq!(text, "Contest { flag_address: 4096, word_address: 8192, .. } Prize(..) Prize(none)");
    }

    #[test]
    fn an_address_that_no_page_can_have_is_refused_and_named() {
        let (low, high) = (ADDRESS_MIN, ADDRESS_MAX - 4096);
        assert!(Published::of(&contest(low, high)).is_ok() && Published::of(&contest(high, low)).is_ok());
        for wrong in [0, 1, low - 4096, low + 8, high + 4096, 1 << 47, u64::MAX, u64::MAX - 4095] {
            assert_eq!(Published::of(&contest(wrong, high)), Err(LoadFault::ConfigContest(wrong)), "{wrong:#x}");
            assert_eq!(Published::of(&contest(high, wrong)), Err(LoadFault::ConfigContest(wrong)), "{wrong:#x}");
        }
    }

    #[test]
    fn the_two_pages_are_a_guard_apart() {
        let (flag, apart) = (0x2000_0000_0000, 4096 + GUARD_LEN);
        for (word, fits) in
            [(flag, false), (flag + apart, true), (flag - apart, true), (flag + apart - 4096, false), (flag - apart + 4096, false)]
        {
            assert_eq!(Published::of(&contest(flag, word)).is_ok(), fits, "{word:#x}");
        }
    }
}
