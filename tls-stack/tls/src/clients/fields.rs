//! The fields of a certificate (RFC 5280, 4.1) that webpki does not tell: subject, key usage and extended key usage, dates, mail addresses.
//!
//! It reads what webpki has parsed or will parse, and judges no signature. What is there twice or cannot be read makes the whole unreadable.

use alloc::string::String;

use keys::altname::AltName;
use keys::der::{BIT_STRING, CONTEXT_0, CONTEXT_3, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, SET};

use super::certificate::{distinguished_name, text};

const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
/// anyExtendedKeyUsage
const ANY_ROLE: &[u8] = &[0x55, 0x1d, 37, 0];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const BOOLEAN: u8 = 1;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const RFC822_NAME: u8 = 0x81;
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;

/// What a key may be used for: a bit of `keyUsage`, counted from the first (RFC 5280, 4.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// digitalSignature
    Sign = 0,
    /// keyCertSign
    SignCertificates = 5,
}

/// The end of a connection that a certificate is for: an entry of `extKeyUsage` (RFC 5280, 4.2.1.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// clientAuth
    Client,
    /// serverAuth
    Server,
}

impl Role {
    fn oid(self) -> &'static [u8] {
        match self {
            Self::Client => &[0x2b, 6, 1, 5, 5, 7, 3, 2],
            Self::Server => &[0x2b, 6, 1, 5, 5, 7, 3, 1],
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    validity: Reader<'a>,
    subject: Reader<'a>,
    /// The octets of the bits.
    key_usage: Option<&'a [u8]>,
    extended_key_usage: Option<Reader<'a>>,
    alt_names: Option<Reader<'a>>,
}

impl<'a> Fields<'a> {
    pub(super) fn parse(certificate: &'a [u8]) -> Option<Self> {
        let mut tbs = Reader::new(certificate).nested(SEQUENCE)?.nested(SEQUENCE)?;
        tbs.optional(CONTEXT_0)?;
        tbs.element(INTEGER)?;
        tbs.element(SEQUENCE)?;
        tbs.element(SEQUENCE)?;
        let (validity, subject) = (tbs.nested(SEQUENCE)?, tbs.nested(SEQUENCE)?);
        tbs.element(SEQUENCE)?;
        let mut fields = Self { validity, subject, key_usage: None, extended_key_usage: None, alt_names: None };
        // Without them it is a certificate of version 1; webpki takes none with the unique ids of version 2, which would stand here.
        if let Some(extensions) = tbs.optional(CONTEXT_3)? {
            fields.read_extensions(Reader::new(extensions).nested(SEQUENCE)?)?;
        }
        tbs.is_empty().then_some(fields)
    }

    fn read_extensions(&mut self, mut extensions: Reader<'a>) -> Option<()> {
        while !extensions.is_empty() {
            let mut extension = extensions.nested(SEQUENCE)?;
            let id = extension.element(OID)?;
            extension.optional(BOOLEAN)?;
            let mut value = extension.nested(OCTET_STRING)?;
            let twice = match id {
                KEY_USAGE => self.key_usage.replace(bits(&mut value)?).is_some(),
                EXTENDED_KEY_USAGE => self.extended_key_usage.replace(value.nested(SEQUENCE).filter(|_| value.is_empty())?).is_some(),
                SUBJECT_ALT_NAME => self.alt_names.replace(value.nested(SEQUENCE)?).is_some(),
                _ => false,
            };
            if twice {
                return None;
            }
        }
        Some(())
    }

    /// Whether the key may be used so: no extension restricts nothing.
    pub(super) fn allows(&self, purpose: Purpose) -> bool {
        let Some(bits) = self.key_usage else { return true };
        bits.first().is_some_and(|first| first & (0x80 >> purpose as u8) != 0)
    }

    /// Whether it is said, and not merely left open, that the key signs for this end of a connection, and for nothing else that would matter:
    /// not for the other end, not for any end, not as an authority.
    pub(super) fn is_for_nothing_but(&self, role: Role) -> bool {
        let Some(mut list) = self.extended_key_usage else { return false };
        let mut is_named = false;
        while let Some(usage) = list.any() {
            match usage {
                (OID, usage) if usage == role.oid() => is_named = true,
                (OID, usage) if usage != role.other().oid() && usage != ANY_ROLE => {}
                _ => return false,
            }
        }
        let signs = self.key_usage.is_some() && self.allows(Purpose::Sign) && !self.allows(Purpose::SignCertificates);
        is_named && list.is_empty() && signs
    }

    /// From when to when, in seconds since 1970.
    pub(super) fn validity(&self) -> Option<(u64, u64)> {
        let mut reader = self.validity;
        Some((time(reader.any()?)?, time(reader.any()?)?))
    }

    /// The names of the kinds that patterns know.
    pub(super) fn alt_names(&self) -> impl Iterator<Item = AltName<'a>> {
        let mut names = self.alt_names.unwrap_or(Reader::new(&[]));
        core::iter::from_fn(move || names.any()).filter_map(|(tag, name)| {
            let name = core::str::from_utf8(name).ok()?;
            match tag {
                RFC822_NAME => Some(AltName::Email(name)),
                DNS_NAME => Some(AltName::Dns(name)),
                URI => Some(AltName::Uri(name)),
                _ => None,
            }
        })
    }

    /// The most specific common name, if it is text.
    pub(super) fn common_name(&self) -> Option<&'a str> {
        let (_, tag, value) = attributes(self.subject).filter(|(kind, ..)| *kind == COMMON_NAME).last()?;
        text(tag, value)
    }

    /// The whole subject, as text (RFC 4514).
    pub(super) fn subject(&self) -> String {
        distinguished_name(attributes(self.subject))
    }
}

/// The attributes of a name, in its order: their kinds, and the tags and contents of their values.
pub(super) fn attributes(mut name: Reader<'_>) -> impl Iterator<Item = (&[u8], u8, &[u8])> {
    let mut set = Reader::new(&[]);
    core::iter::from_fn(move || {
        if set.is_empty() {
            set = name.nested(SET)?;
        }
        let mut attribute = set.nested(SEQUENCE)?;
        let kind = attribute.element(OID)?;
        let (tag, value) = attribute.any()?;
        Some((kind, tag, value))
    })
}

fn bits<'a>(value: &mut Reader<'a>) -> Option<&'a [u8]> {
    let (unused, octets) = value.element(BIT_STRING)?.split_first()?;
    (*unused < 8).then_some(octets)
}

/// UTCTime or GeneralizedTime as RFC 5280 wants them (4.1.2.5): with seconds, in UTC.
fn time((tag, value): (u8, &[u8])) -> Option<u64> {
    let digits = value.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let mut pairs = digits.chunks_exact(2).map(|pair| pair.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0')));
    let year = match (tag, digits.len()) {
        (UTC_TIME, 12) => pairs.next().map(|year| if year < 50 { 2000 + year } else { 1900 + year })?,
        (GENERALIZED_TIME, 14) => pairs.next()? * 100 + pairs.next()?,
        _ => return None,
    };
    let [month, day, hour, minute, second] = core::array::from_fn(|_| pairs.next().unwrap_or_default());
    let sound = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let days = sound.then(|| days_since_1970(year, month, day))??;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// By the calendar that repeats every 400 years of 146,097 days, each of them begun in March, so that a leap day comes last.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month > 2 { year } else { year.checked_sub(1)? };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    (year * 365 + year / 4 - year / 100 + year / 400 + day_of_year).checked_sub(719_468)
}

#[cfg(test)]
mod tests;
