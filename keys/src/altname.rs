//! The names in a client's certificate (subjectAltName), and the patterns that say whose certificates are let in.
//!
//! A pattern with a `:` is for URIs, one with an `@` for mail addresses, any other for DNS names. A star stands for one whole label at the front of
//! a DNS name, for the whole local part of an address, for one whole segment of a URI's path; `**` as the last segment for all that follows.
//! A star never stands for nothing, nor for a part of anything.
//!
//! ```
//! use keys::altname::{AltName, AltPattern};
//! let pattern = AltPattern::parse("spiffe://example.org/ns/*/sa/web").unwrap();
//! assert!(pattern.covers(AltName::Uri("spiffe://example.org/ns/shop/sa/web")));
//! assert!(!pattern.covers(AltName::Uri("spiffe://example.org/ns/a/b/sa/web")));
//! assert!(!pattern.covers(AltName::Dns("example.org")));
//! ```

use alloc::string::String;

use crate::limits::CLIENT_NAME_LEN_MAX;
use crate::names::{covers, parse_name, parse_pattern};

/// One name of a certificate. What another kind of name says is never taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AltName<'a> {
    /// `dNSName`
    Dns(&'a str),
    /// `rfc822Name`
    Email(&'a str),
    /// `uniformResourceIdentifier`
    Uri(&'a str),
}

/// Which names are let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AltPattern {
    /// A DNS name, or `*.` and one; in lower case.
    Dns(String),
    /// A mail address: its local part, none for `*`, and its domain in lower case.
    Email(Option<String>, String),
    /// A URI, perhaps with stars in its path.
    Uri(String),
}

/// `scheme:`, nothing, and the authority: where a star would let in another's names.
const AUTHORITY_SEGMENTS: usize = 3;

impl AltPattern {
    /// The pattern, if the text is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > CLIENT_NAME_LEN_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        if text.contains(':') {
            return is_uri_pattern(text).then(|| Self::Uri(text.into()));
        }
        let Some((local, domain)) = text.rsplit_once('@') else { return parse_pattern(text).map(Self::Dns) };
        let part = (local != "*").then(|| local.into());
        let sound = !local.is_empty() && (part.is_none() || !local.contains('*'));
        sound.then_some(())?;
        Some(Self::Email(part, parse_name(domain)?))
    }

    /// Whether a certificate with this name is let in.
    #[must_use]
    pub fn covers(&self, name: AltName<'_>) -> bool {
        match (self, name) {
            (Self::Dns(pattern), AltName::Dns(name)) => parse_pattern(name).is_some_and(|name| covers(pattern, &name)),
            (Self::Email(local, domain), AltName::Email(name)) => name.rsplit_once('@').is_some_and(|(found, host)| {
                !found.is_empty() && host.eq_ignore_ascii_case(domain) && local.as_ref().is_none_or(|local| local == found)
            }),
            (Self::Uri(pattern), AltName::Uri(name)) => covers_uri(pattern, name),
            _ => false,
        }
    }
}

/// A scheme (RFC 3986, 3.1), and stars only as whole segments of the path, `**` only as the last.
fn is_uri_pattern(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    let letters = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let last = text.split('/').count().saturating_sub(1);
    let stars = text.split('/').enumerate().all(|(at, segment)| match segment {
        "*" => at >= AUTHORITY_SEGMENTS,
        "**" => at >= AUTHORITY_SEGMENTS && at == last,
        _ => !segment.contains('*'),
    });
    letters && scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && stars
}

fn covers_uri(pattern: &str, name: &str) -> bool {
    let mut found = name.split('/');
    for (at, segment) in pattern.split('/').enumerate() {
        let Some(next) = found.next() else { return false };
        let fits = match segment {
            "**" => return is_proper(next) && found.all(is_proper),
            "*" => is_proper(next),
            // Scheme and host know no case (RFC 3986, 6.2.2.1); the path does.
            _ if at < AUTHORITY_SEGMENTS => segment.eq_ignore_ascii_case(next),
            _ => segment == next,
        };
        if !fits {
            return false;
        }
    }
    found.next().is_none()
}

/// Whether a star may stand for it: it is there, and leads nowhere else.
fn is_proper(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(pattern: &str, name: AltName<'_>) -> bool {
        AltPattern::parse(pattern).unwrap().covers(name)
    }

    #[test]
    fn dns_names_match_without_case_and_one_label_for_a_star() {
        assert!(covered("robot.example", AltName::Dns("Robot.Example")));
        assert!(covered("*.clients.example", AltName::Dns("a.clients.example")));
        for name in ["clients.example", "a.b.clients.example", "a.clients.example.org", "*", ""] {
            assert!(!covered("*.clients.example", AltName::Dns(name)), "{name}");
        }
    }

    #[test]
    fn mail_addresses_match_local_parts_with_case_and_domains_without() {
        assert!(covered("ops@example.org", AltName::Email("ops@EXAMPLE.org")));
        assert!(!covered("ops@example.org", AltName::Email("Ops@example.org")));
        assert!(covered("*@example.org", AltName::Email("anyone@example.org")));
        for name in ["@example.org", "example.org", "a@b.example.org", "a@example.org@evil.example"] {
            assert!(!covered("*@example.org", AltName::Email(name)), "{name}");
        }
    }

    #[test]
    fn uris_match_whole_segments() {
        assert!(covered("spiffe://example.org/web", AltName::Uri("SPIFFE://Example.org/web")));
        assert!(!covered("spiffe://example.org/web", AltName::Uri("spiffe://example.org/Web")));
        assert!(covered("spiffe://example.org/**", AltName::Uri("spiffe://example.org/a/b/c")));
        assert!(covered("urn:uuid:1", AltName::Uri("urn:uuid:1")));
        for name in [
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe://example.org/a/../b",
            "spiffe://evil.org/a",
            "spiffe://example.org//a",
        ] {
            assert!(!covered("spiffe://example.org/**", AltName::Uri(name)), "{name}");
        }
        assert!(!covered("spiffe://example.org/*", AltName::Uri("spiffe://example.org/a/b")));
    }

    #[test]
    fn one_kind_of_name_is_never_taken_for_another() {
        assert!(!covered("example.org", AltName::Email("example.org")));
        assert!(!covered("a@example.org", AltName::Dns("a@example.org")));
        assert!(!covered("urn:a", AltName::Dns("urn:a")));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let long = "urn:".to_owned() + &"a".repeat(CLIENT_NAME_LEN_MAX);
        for text in [
            "",
            "*",
            "a*.org",
            "a b",
            "@example.org",
            "o*s@example.org",
            "a@",
            "1a:b",
            ":b",
            "a:/*",
            "spiffe://*/a",
            "s://h/**/a",
            "s://h/a*",
            &long,
            "é:b",
        ] {
            assert_eq!(AltPattern::parse(text), None, "{text}");
        }
    }

    use alloc::borrow::ToOwned;
}
