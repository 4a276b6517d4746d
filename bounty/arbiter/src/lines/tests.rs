//! Each way in which a line can be wrong.

use super::*;
use crate::limits::OPENING_LEN_MAX;

fn begin(text: &str) -> Result<Lines<'_>, Fault> {
    Lines::begin(Document::Opening, text.as_bytes(), OPENING_LEN_MAX)
}

/// The value of one field.
fn value(text: &str) -> Value<'_> {
    Value { text, place: Place { document: Document::Opening, line: 2, field: "x" } }
}

fn wrong<T: core::fmt::Debug>(result: Result<T, Fault>) -> Wrong {
    result.expect_err("wrong").wrong
}

#[test]
fn a_document_begins_with_its_own_line() {
    assert!(begin("bountybox-opening 1\n").is_ok());
    assert_eq!(wrong(begin("bountybox-claim 1\n")), Wrong::Head("bountybox-opening 1"));
    assert_eq!(wrong(begin("bountybox-opening x\n")), Wrong::Head("bountybox-opening 1"));
    assert_eq!(wrong(begin("bountybox-opening 2\n")), Wrong::Version("bountybox-opening 1"));
    assert_eq!(wrong(begin("bountybox-opening 1")), Wrong::Unended);
    assert_eq!(wrong(begin("")), Wrong::Unended);
    assert_eq!(wrong(begin(&"x".repeat(OPENING_LEN_MAX + 1))), Wrong::TooLong(OPENING_LEN_MAX));
}

#[test]
fn a_character_that_is_not_plain_is_found_in_its_line() {
    for bad in ["\t", "\r", "\0", "\u{e9}", "\u{7f}"] {
        let text = alloc::format!("bountybox-opening 1\nx a\nx {bad}\n");
        let fault = begin(&text).expect_err("wrong");
        assert_eq!((fault.place.line, fault.wrong), (3, Wrong::Control));
    }
}

#[test]
fn fields_come_in_order_and_nothing_behind_them() {
    let mut lines = begin("bountybox-opening 1\na 1\nb 2\n").expect("a document");
    assert!(lines.is_next("a") && !lines.is_next("b"));
    assert_eq!(lines.field("a").expect("a").text, "1");
    let fault = lines.end().expect_err("more");
    assert_eq!((fault.place.line, fault.wrong), (3, Wrong::Behind));
    let fault = lines.field("a").expect_err("b");
    assert_eq!((fault.place.line, fault.place.field, fault.wrong), (3, "a", Wrong::Order("a")));
    let fault = lines.field("a").expect_err("the end");
    assert_eq!((fault.place.line, fault.wrong), (4, Wrong::Ends));
    let mut lines = begin("bountybox-opening 1\nab 1\n").expect("a document");
    assert_eq!(wrong(lines.field("a")), Wrong::Order("a"));
}

#[test]
fn a_number_is_written_in_one_way() {
    assert_eq!(value("0").number(), Ok(0));
    assert_eq!(value("18446744073709551615").number(), Ok(u64::MAX));
    for bad in ["", "00", "01", "+1", "-1", "1 ", " 1", "1x", "18446744073709551616"] {
        assert_eq!(wrong(value(bad).number()), Wrong::Number, "{bad:?}");
    }
    assert_eq!(value("253402300799").time(), Ok(TIME_MAX));
    assert_eq!(wrong(value("253402300800").time()), Wrong::Time);
}

#[test]
fn words_are_bounded_and_have_no_space_at_their_ends() {
    assert_eq!(value("a b").words(3), Ok("a b"));
    assert_eq!(wrong(value("").words(3)), Wrong::Empty);
    assert_eq!(wrong(value("a bc").words(3)), Wrong::TooLong(3));
    assert_eq!(wrong(value(" a").words(3)), Wrong::Edges);
    assert_eq!(wrong(value("a ").words(3)), Wrong::Edges);
}

#[test]
fn base64_is_written_in_one_way() {
    assert_eq!(value("YWI=").base64(2), Ok(alloc::vec![b'a', b'b']));
    // No padding, bits behind the end, another alphabet, a space, nothing.
    for bad in ["YWI", "YWJ=", "Y-I=", "YW =", ""] {
        assert_eq!(wrong(value(bad).base64(2)), Wrong::Base64, "{bad:?}");
    }
    assert_eq!(wrong(value("YWJj").base64(2)), Wrong::Base64);
    assert_eq!(wrong(value("YWJjZA==").base64(2)), Wrong::TooLong(4));
}

#[test]
fn a_word_has_all_its_digits() {
    assert_eq!(value("0x00000000deadbeef").word(), Ok(0xdead_beef));
    assert_eq!(alloc::string::ToString::to_string(&Word(0xdead_beef)), "0x00000000deadbeef");
    for bad in ["00000000deadbeef", "0xdeadbeef", "0x00000000DEADBEEF", "0x000000000deadbeef"] {
        assert_eq!(wrong(value(bad).word()), Wrong::Address, "{bad:?}");
    }
}

#[test]
fn what_is_sealed_is_what_stands_before_the_signature() {
    let document = sealed("bountybox-opening 1\na 1\n", b"ab");
    assert_eq!(document, b"bountybox-opening 1\na 1\nsignature YWI=\n");
    let mut lines = Lines::begin(Document::Opening, &document, OPENING_LEN_MAX).expect("a document");
    lines.field("a").expect("a");
    let seal = lines.seal(&document).expect("a seal");
    assert_eq!((seal.message, &seal.bytes[..]), (&b"bountybox-opening 1\na 1\n"[..], &b"ab"[..]));
    assert_eq!(seal.document(), document);
}
