//! A claim that was committed to, with what shows it: the claim, the log's receipt and the opening, with an empty line between each two. What is handed in so stands so in the log.
//!
//! None of the three holds an empty line but the receipt, which is a note and holds one, so they can be told apart. What has another form is a claim alone, or none.

use arbiter::Commitment;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reveal<'a> {
    /// The claim.
    pub claim: &'a [u8],
    /// Receipt and opening, if there are any.
    pub commitment: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> Reveal<'a> {
    /// Takes apart what was handed in.
    ///
    /// ```
    /// use bounty_log::reveal::Reveal;
    /// let alone = Reveal::of(b"bountybox-claim 1\n..\n");
    /// assert_eq!(alone.commitment, None);
    /// let document = b"claim\n\nreceipt\n\nsignature\n\nopening\n";
    /// let reveal = Reveal::of(document);
    /// assert_eq!(reveal, Reveal { claim: b"claim\n", commitment: Some((b"receipt\n\nsignature\n", b"opening\n")) });
    /// assert_eq!(reveal.document(), document);
    /// ```
    #[must_use]
    pub fn of(document: &'a [u8]) -> Self {
        Self::parts(document).unwrap_or(Self { claim: document, commitment: None })
    }

    fn parts(document: &'a [u8]) -> Option<Self> {
        let ends: Vec<usize> =
            (1_usize..).zip(document.windows(2)).filter(|(_, pair)| *pair == b"\n\n").map(|(end, _)| end).take(4).collect();
        let [claim, _, receipt] = *ends else { return None };
        let between = |from: usize, to: usize| document.get(from.saturating_add(1)..to);
        Some(Self { claim: document.get(..claim)?, commitment: Some((between(claim, receipt)?, between(receipt, document.len())?)) })
    }

    /// What is handed in.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        let Some((receipt, opening)) = self.commitment else { return self.claim.to_vec() };
        [self.claim, b"\n", receipt, b"\n", opening].concat()
    }

    /// What the arbiter judges the claim with. The write-up itself is not handed in: the opening has its digest.
    #[must_use]
    pub fn committed(&self) -> Option<Commitment<'a>> {
        self.commitment.map(|(receipt, opening)| Commitment { receipt, opening, write_up: None })
    }
}
