//! What a body says: a document as it is (`curl --data-binary @claim`), or the field of a form that holds one.

use std::borrow::Cow;

use bounty_log::reveal::Reveal;

/// The value of this field, if the body is a form that begins with a field at all known, or the body as it is. curl calls whatever it sends a form, so the body itself tells: no document begins
/// with a field's name and `=`.
///
/// Browsers send a line break as CR and LF, and what is copied often lacks the last one: of a form, lines end with LF, and so does the last if `lines` says that it is a document of lines.
#[must_use]
pub fn field<'a>(body: &'a [u8], name: &str, lines: Lines) -> Cow<'a, [u8]> {
    let is_form = body.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="));
    let Some((_, value)) = is_form.then(|| form_urlencoded::parse(body).next()).flatten() else { return Cow::Borrowed(body) };
    let value = value.replace("\r\n", "\n");
    let value = match lines {
        Lines::Document => format!("{}\n", value.trim_end_matches('\n')),
        Lines::Word => value.trim().to_owned(),
    };
    Cow::Owned(value.into_bytes())
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// Lines, each ended.
    Document,
    /// A word without line breaks.
    Word,
}

/// A claim, from a body: as it is, perhaps with what it was committed to, or out of a form that has both in fields of their own.
#[must_use]
pub fn reveal(body: &[u8]) -> Cow<'_, [u8]> {
    let claim = field(body, "claim", Lines::Document);
    if matches!(claim, Cow::Borrowed(_)) {
        return claim;
    }
    let more = |name| form_urlencoded::parse(body).find(|(key, _)| key == name).map_or_else(String::new, |(_, value)| lines(&value));
    let (receipt, opening) = (more("receipt"), more("opening"));
    if receipt.is_empty() && opening.is_empty() {
        return claim;
    }
    Cow::Owned(Reveal { claim: &claim, commitment: Some((receipt.as_bytes(), opening.as_bytes())) }.document())
}

/// A document of lines, as it was before a browser took it; nothing stays nothing.
fn lines(value: &str) -> String {
    let value = value.replace("\r\n", "\n");
    if value.trim().is_empty() { String::new() } else { format!("{}\n", value.trim_end_matches('\n')) }
}

/// A word, from a body: without what stands round it.
#[must_use]
pub fn word(body: &[u8], name: &str) -> Option<String> {
    Some(core::str::from_utf8(&field(body, name, Lines::Word)).ok()?.trim().to_owned())
}

/// A parameter of a query.
#[must_use]
pub fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_taken_as_it_is() {
        let claim = b"bountybox-claim 1\ntext 100% & a=b+c\r\n";
        assert_eq!(field(claim, "claim", Lines::Document), &claim[..]);
        assert_eq!(field(b"claims=1", "claim", Lines::Document), &b"claims=1"[..]);
    }

    #[test]
    fn a_claim_comes_alone_or_with_what_it_was_committed_to() {
        assert_eq!(reveal(b"a\n\nb\n\nc\n\nd\n"), &b"a\n\nb\n\nc\n\nd\n"[..]);
        for alone in ["claim=a%0D%0A", "claim=a&receipt=&opening=", "claim=a&receipt=%0D%0A&opening=+"] {
            assert_eq!(reveal(alone.as_bytes()), &b"a\n"[..], "{alone}");
        }
        let form = "claim=a%0D%0A&receipt=b%0D%0A%0D%0A%E2%80%94+c%0D%0A&opening=d";
        assert_eq!(reveal(form.as_bytes()), "a\n\nb\n\n\u{2014} c\n\nd\n".as_bytes());
        assert_eq!(reveal(b"claim=a&opening=d"), &b"a\n\n\nd\n"[..], "half of it is not overlooked");
    }

    #[test]
    fn a_form_is_decoded_and_its_lines_end_as_a_documents_do() {
        for sent in ["claim=a+b%0D%0Ac%3D%2B", "claim=a+b%0D%0Ac%3D%2B%0D%0A", "claim=a+b%0Ac%3D%2B%0A%0A&other=x"] {
            assert_eq!(field(sent.as_bytes(), "claim", Lines::Document), &b"a b\nc=+\n"[..], "{sent}");
        }
        assert_eq!(word(b"commitment=+12ab%0A", "commitment").unwrap(), "12ab");
        assert_eq!(word(b"12ab\n", "commitment").unwrap(), "12ab");
        assert_eq!(word(b"\xff", "commitment"), None);
        assert_eq!(parameter("tier=read&nonce=+7", "nonce").unwrap(), "7");
    }
}
