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
use crate::fault::LoadFault;
use crate::limits::{ADDRESS_MAX, ADDRESS_MIN, GUARD_LEN};

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

/// What a machine answers [`PRIZE`] with; `None` of a cell without a contest. Wiped on drop.
#[derive(Default)]
pub(crate) struct Prize(Option<Zeroizing<[u8; FLAG_LEN]>>);

impl Prize {
    /// Of a parcel's contest.
    pub(crate) fn of(contest: Option<&Contest>) -> Self {
        Self(contest.map(|contest| contest.prize.clone()))
    }

    /// Whether the gate is open for it.
    pub(crate) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// The words for [`PRIZE_REGISTERS`], if it is this that the guest asks for, and there is one.
    pub(crate) fn answer(&self, stop: Stop) -> Option<[u64; PRIZE_REGISTERS.len()]> {
        let prize = self.0.as_ref().filter(|_| stop == Stop::Hypercall { number: PRIZE, value: 0 })?;
        let (words, _) = prize.as_chunks::<8>();
        words.iter().map(|word| u64::from_le_bytes(*word)).collect::<Vec<_>>().try_into().ok()
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
        let prize = Prize::of(Some(&contest(0, 0)));
        let words = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908, 0x1716_1514_1312_1110, 0x1f1e_1d1c_1b1a_1918];
        assert_eq!(prize.answer(Stop::Hypercall { number: PRIZE, value: 0 }), Some(words));
        assert_eq!(prize.answer(Stop::Hypercall { number: PRIZE, value: 1 }), None);
        assert_eq!(prize.answer(Stop::Hypercall { number: abi::hypercall::WAIT, value: 0 }), None);
        assert_eq!(Prize::of(None).answer(Stop::Hypercall { number: PRIZE, value: 0 }), None);
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
