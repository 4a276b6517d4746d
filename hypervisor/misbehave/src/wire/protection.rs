//! Record protection as those need it who misbehave (RFC 8446 section 5.2, RFC 5246 section 6.2.3.3): it seals whatever it is told to, with any sequence number.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::Fault;
use super::peer::Came;
use super::registry::content::{ALERT, DATA, HANDSHAKE};

const HEADER_LEN: usize = 5;
const TAG_LEN: usize = 16;
const EXPLICIT_LEN: usize = 8;

/// How a record is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// With an explicit nonce.
    Tls12,
    /// With the type inside.
    Tls13,
}

/// One direction, AES-128-GCM.
#[derive(Debug)]
pub struct Protection {
    framing: Framing,
    key: LessSafeKey,
    iv: [u8; 12],
    /// The next record's number.
    pub sequence: u64,
}

impl Protection {
    /// The nonce base of TLS 1.2 is its 4 bytes of salt with zeros behind them.
    ///
    /// # Errors
    /// [`Fault::OwnKey`]: the key is not 16 bytes long.
    pub fn new(framing: Framing, key: &[u8], iv: [u8; 12]) -> Result<Self, Fault> {
        let key = UnboundKey::new(&AES_128_GCM, key).map_err(|_| Fault::OwnKey)?;
        Ok(Self { framing, key: LessSafeKey::new(key), iv, sequence: 0 })
    }

    /// Whether records of this type are sealed.
    #[must_use]
    pub fn covers(&self, kind: u8) -> bool {
        match self.framing {
            Framing::Tls13 => kind == DATA,
            Framing::Tls12 => matches!(kind, ALERT | HANDSHAKE | DATA),
        }
    }

    fn nonce(&self) -> [u8; 12] {
        let mut nonce = self.iv;
        nonce.iter_mut().skip(4).zip(self.sequence.to_be_bytes()).for_each(|(byte, s)| *byte ^= s);
        nonce
    }

    /// One record.
    ///
    /// # Errors
    /// [`Fault::OwnForm`]: longer than its length can say.
    pub fn seal(&mut self, kind: u8, content: &[u8]) -> Result<Vec<u8>, Fault> {
        match self.framing {
            Framing::Tls13 => self.seal_inner(DATA, &[content, &[kind]].concat()),
            Framing::Tls12 => self.seal12(kind, content),
        }
    }

    /// TLS 1.3: a record of any outer type, whose inner plaintext (content, type, padding) is this.
    ///
    /// # Errors
    /// [`Fault::OwnForm`]: longer than its length can say.
    pub fn seal_inner(&mut self, outer: u8, inner: &[u8]) -> Result<Vec<u8>, Fault> {
        let [high, low] = len16(inner.len() + TAG_LEN)?.to_be_bytes();
        let header = [outer, 3, 3, high, low];
        Ok([&header[..], &self.encrypt(self.nonce(), &header, inner)?].concat())
    }

    fn seal12(&mut self, kind: u8, content: &[u8]) -> Result<Vec<u8>, Fault> {
        let aad = self.aad12(kind, content.len())?;
        let nonce = self.nonce();
        let [high, low] = len16(content.len() + EXPLICIT_LEN + TAG_LEN)?.to_be_bytes();
        let sealed = self.encrypt(nonce, &aad, content)?;
        Ok([&[kind, 3, 3, high, low], nonce.get(4..).unwrap_or_default(), &sealed].concat())
    }

    fn encrypt(&mut self, nonce: [u8; 12], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut sealed = plain.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut sealed).map_err(|_| Fault::OwnForm)?;
        self.sequence += 1;
        Ok(sealed)
    }

    fn aad12(&self, kind: u8, len: usize) -> Result<Vec<u8>, Fault> {
        Ok([&self.sequence.to_be_bytes()[..], &[kind, 3, 3], &len16(len)?.to_be_bytes()].concat())
    }

    /// Opens one whole record: its type and its content.
    ///
    /// # Errors
    /// It does not open, or there is nothing inside.
    pub fn open(&mut self, record: &[u8]) -> Result<(u8, Vec<u8>), Fault> {
        let (header, sealed) = record.split_at_checked(HEADER_LEN).ok_or(Fault::PeerShort)?;
        let kind = header.first().copied().unwrap_or_default();
        let (nonce, aad, sealed) = match self.framing {
            Framing::Tls13 => (self.nonce(), header.to_vec(), sealed),
            Framing::Tls12 => {
                let (explicit, sealed) = sealed.split_at_checked(EXPLICIT_LEN).ok_or(Fault::PeerShort)?;
                let mut nonce = self.iv;
                nonce.iter_mut().skip(4).zip(explicit).for_each(|(byte, e)| *byte = *e);
                (nonce, self.aad12(kind, sealed.len().saturating_sub(TAG_LEN))?, sealed)
            }
        };
        let mut plain = sealed.to_vec();
        let opened = self.key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut plain);
        let opened = opened.map_err(|_| Fault::PeerSealed { number: self.sequence, kind })?.to_vec();
        self.sequence += 1;
        if self.framing == Framing::Tls12 {
            return Ok((kind, opened));
        }
        let end = opened.iter().rposition(|byte| *byte != 0).ok_or(Fault::PeerUnexpected(Came::Record(kind, Vec::new())))?;
        let kind = opened.get(end).copied().unwrap_or_default();
        Ok((kind, opened.get(..end).unwrap_or_default().to_vec()))
    }
}

fn len16(len: usize) -> Result<u16, Fault> {
    u16::try_from(len).map_err(|_| Fault::OwnForm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_again() {
        for framing in [Framing::Tls12, Framing::Tls13] {
            let new = || Protection::new(framing, &[7; 16], [3; 12]).expect("a key");
            let (mut sealer, mut opener) = (new(), new());
            for content in [&b"one"[..], b"", b"three"] {
                let record = sealer.seal(HANDSHAKE, content).expect("seals");
                assert_eq!(opener.open(&record).expect("opens"), (HANDSHAKE, content.to_vec()));
            }
            assert!(opener.open(&new().seal(DATA, b"replayed").expect("seals")).is_err());
        }
    }
}
