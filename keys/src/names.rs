//! DNS names as they stand in a ClientHello, and the patterns that routes match them with.
//!
//! Everything here is lower-case ASCII: [`parse_pattern`] and [`parse_name`] make it so, and the rest may rely on it. A pattern is a name, or `*.` and a
//! name; the star stands for exactly one label, as in certificates (RFC 6125, 6.4.3).

use alloc::string::String;

use crate::limits::{LABEL_LEN_MAX, NAME_LEN_MAX};

/// A host name in lower case without a final dot, if the text is one.
#[must_use]
pub fn parse_name(text: &str) -> Option<String> {
    let name = text.to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    is_name(name).then(|| name.into())
}

/// A name, or `*.` and a name, in lower case, if the text is one.
#[must_use]
pub fn parse_pattern(text: &str) -> Option<String> {
    let pattern = text.to_ascii_lowercase();
    is_pattern(&pattern).then_some(pattern)
}

/// Whether the text is a host name in lower case: letters, digits, `-` and `_` in labels of 1 to 63, and not an IPv4 address.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let last_is_number = text.rsplit('.').next().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= NAME_LEN_MAX && !last_is_number && text.split('.').all(is_label)
}

/// Whether the text is a name or a wildcard pattern in lower case.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    text.len() <= NAME_LEN_MAX && is_name(text.strip_prefix("*.").unwrap_or(text))
}

/// Whether the pattern covers the name. Both in lower case.
///
/// ```
/// use keys::names::covers;
/// assert!(covers("*.example.org", "www.example.org"));
/// assert!(!covers("*.example.org", "example.org"));
/// assert!(!covers("*.example.org", "a.b.example.org"));
/// ```
#[must_use]
pub fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => pattern == name || name.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest == parent),
        None => pattern == name,
    }
}

fn is_label(label: &str) -> bool {
    let inner = label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_');
    (1..=LABEL_LEN_MAX).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn names_are_lowered_and_lose_their_final_dot() {
        assert_eq!(parse_name("WWW.Example.ORG.").as_deref(), Some("www.example.org"));
        assert_eq!(parse_name("localhost").as_deref(), Some("localhost"));
        assert_eq!(parse_pattern("*.Example.org").as_deref(), Some("*.example.org"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long_label = format!("{}.org", "a".repeat(64));
        let long_name = "a.".repeat(127) + "aa";
        for text in ["", ".", "a..b", "-a.org", "a-.org", "a b", "a/b", "10.0.0.1", "::1", "é.org", "a\n.org", "*.a", "*"] {
            assert_eq!(parse_name(text), None, "{text:?}");
        }
        assert_eq!(parse_name(&long_label), None);
        assert_eq!(parse_name(&long_name), None);
    }

    #[test]
    fn names_at_the_limit_are_taken() {
        assert!(is_name(&format!("{}.org", "a".repeat(63))));
        let longest = ("a".repeat(49) + ".").repeat(5) + "abc";
        assert_eq!(longest.len(), 253);
        assert!(is_name(&longest));
        assert!(!is_name(&(longest + "d")));
    }

    #[test]
    fn a_star_stands_only_for_the_whole_first_label() {
        for text in ["*", "*.", "*.*.org", "a.*.org", "w*.org", "**.org", "*.10.0.0.1"] {
            assert!(!is_pattern(text), "{text:?}");
        }
        assert!(is_pattern("*.org"));
    }

    #[test]
    fn a_pattern_covers_itself_and_one_label() {
        assert!(covers("*.a.org", "*.a.org"));
        assert!(covers("a.org", "a.org"));
        assert!(!covers("a.org", "b.a.org"));
        assert!(!covers("*.a.org", ".a.org"));
    }
}
