//! Claims that are not written as claims are, each signed all the same.

use arbiter::Tier;
use arbiter::limits::{CLAIM_LEN_MAX, CLAIMANT_LEN_MAX, TEXT_LEN_MAX};
use arbiter::lines::sealed;

use super::Vector;

pub(super) fn all() -> Vec<Vector> {
    [lines(), values(), wholes()].concat()
}

fn body(tier: Tier) -> String {
    crate::claim_body(tier, "me").to_string()
}

/// A claim for `read` whose message was changed before it was signed.
fn changed(change: impl FnOnce(&str) -> String) -> Vec<u8> {
    let message = change(&body(Tier::Read));
    sealed(&message, &crate::sign("read", message.as_bytes()))
}

fn not(name: &str, claim: Vec<u8>, reason: &str) -> Vector {
    Vector::new("malformed", name, claim, &["NotFalsified", reason])
}

fn replaced(from: &'static str, to: &'static str) -> Vec<u8> {
    changed(|message| {
        assert!(message.contains(from), "{from:?} stands there");
        message.replace(from, to)
    })
}

fn without(key: &str) -> Vec<u8> {
    changed(|message| message.lines().filter(|line| !line.starts_with(key)).map(|line| format!("{line}\n")).collect())
}

fn lines() -> Vec<Vector> {
    let order = |line: u32, key: &str| format!("claim: line {line}: {key}: {key:?} and a space must begin this line");
    let mut vectors = vec![];
    for (line, key) in [(2, "manifest"), (3, "tier"), (4, "claimant"), (5, "text"), (6, "time")] {
        vectors.push(not(&format!("without {key}"), without(key), &order(line, key)));
    }
    let twice = changed(|message| message.replace("tier read\n", "tier read\ntier read\n"));
    vectors.push(not("a line twice", twice, &order(4, "claimant")));
    let swapped = changed(|message| {
        let mut lines: Vec<&str> = message.lines().collect();
        lines.swap(4, 5);
        lines.join("\n") + "\n"
    });
    vectors.push(not("two lines in the other order", swapped, &order(5, "text")));
    vectors.push(not("two spaces behind a key", replaced("text It", "text  It"), "claim: line 5: text: begins or ends with a space"));
    vectors.push(not(
        "a tabulator behind a key",
        replaced("text It", "text\tIt"),
        "claim: line 5: holds a character other than printable ASCII",
    ));
    vectors.push(not("a line of one's own", changed(|message| format!("{message}more 1\n")), &order(7, "signature")));
    vectors.push(not("an empty line", changed(|message| format!("{message}\n")), &order(7, "signature")));
    let record = changed(|message| format!("{message}record eA==\n"));
    vectors.push(not("a record for read", record, &order(7, "signature")));
    let message = body(Tier::Down);
    let (head, _) = message.split_once("record ").expect("a record");
    vectors.push(not(
        "no record for down",
        sealed(head, &crate::sign("claimant", head.as_bytes())),
        "claim: line 7: record: a claim for down holds a crash record",
    ));
    vectors.push(not(
        "another version",
        replaced("claim 1\n", "claim 2\n"),
        "claim: line 1: is of another version than \"bountybox-claim 1\"",
    ));
    vectors.push(not(
        "another document",
        replaced("-claim 1\n", "-crash 1\n"),
        "claim: line 1: begins with something else than \"bountybox-claim 1\"",
    ));
    vectors
}

fn values() -> Vec<Vector> {
    let number = "claim: line 6: time: not a decimal number without leading zeroes";
    let tier = "claim: line 3: tier: not a tier";
    vec![
        not("a time with a leading zero", replaced("time 1", "time 01"), number),
        not("a time with a sign", replaced("time 1", "time +1"), number),
        not("a time in hexadecimal", replaced("time 1", "time 0x1"), number),
        not("a time beyond 64 bits", replaced("time 1", "time 99999999999999999999"), number),
        not("a time beyond the year 9999", replaced("time 1", "time 99999"), "claim: line 6: time: later than second 253402300799"),
        not("a tier that is none", replaced("tier read", "tier root"), tier),
        not("a tier in capitals", replaced("tier read", "tier Read"), tier),
        not("no claimant", replaced("claimant me", "claimant "), "claim: line 4: claimant: nothing stands here"),
        not(
            "a claimant that is too long",
            changed(|message| message.replace("claimant me", &format!("claimant {}", "x".repeat(CLAIMANT_LEN_MAX + 1)))),
            "claim: line 4: claimant: longer than 128 bytes",
        ),
        not(
            "a text that is too long",
            changed(|message| message.replace("text It", &format!("text {}", "x".repeat(TEXT_LEN_MAX + 1)))),
            "claim: line 5: text: longer than 1024 bytes",
        ),
        not("a text that is not ASCII", replaced("text It", "text \u{c9}t"), "claim: line 5: holds a character other than printable ASCII"),
        not(
            "a text that turns around",
            replaced("text It", "text \u{202e}It"),
            "claim: line 5: holds a character other than printable ASCII",
        ),
        not("a digest in capitals", changed(capital), "claim: line 2: manifest: not 64 lower-case hexadecimal digits"),
        not("a digest that is too short", changed(short), "claim: line 2: manifest: not 64 lower-case hexadecimal digits"),
    ]
}

fn capital(message: &str) -> String {
    let digest = crate::manifest_digest().to_string();
    message.replace(&digest, &digest.to_uppercase())
}

fn short(message: &str) -> String {
    let digest = crate::manifest_digest().to_string();
    message.replace(&digest, &digest[1..])
}

fn wholes() -> Vec<Vector> {
    let sound = String::from_utf8(changed(str::to_owned)).expect("text");
    let (message, signature) = sound.rsplit_once("signature ").expect("a signature");
    let base64 = "claim: line 7: signature: not canonical base64";
    let unpadded = signature.replace('=', "");
    // The last digit before the padding has bits that count for nothing.
    let (digits, last) = unpadded.trim_end().split_at(unpadded.trim_end().len() - 1);
    let stray = if last == "A" { "B" } else { "Z" };
    let signed = |text: &str| format!("{message}signature {text}").into_bytes();
    vec![
        not("nothing", vec![], "claim: the last line does not end with a line feed"),
        not("a line feed", b"\n".to_vec(), "claim: line 1: begins with something else than \"bountybox-claim 1\""),
        not("without the last line feed", sound.trim_end().into(), "claim: the last line does not end with a line feed"),
        not("with a line feed too many", format!("{sound}\n").into(), "claim: line 8: something stands behind the end"),
        not(
            "with lines as Windows ends them",
            sound.replace('\n', "\r\n").into(),
            "claim: line 1: holds a character other than printable ASCII",
        ),
        not("with a byte order mark", format!("\u{feff}{sound}").into(), "claim: line 1: holds a character other than printable ASCII"),
        not("without a signature", message.into(), "claim: line 7: signature: the document ends before this field"),
        not("with two signatures", format!("{sound}signature {signature}").into(), "claim: line 8: something stands behind the end"),
        not("a signature without padding", signed(&unpadded), base64),
        not("a signature with bits behind its end", signed(&format!("{digits}{stray}==\n")), base64),
        not("a signature in the alphabet of addresses", signed(&url(signature)), base64),
        not("a signature with a space in it", signed(&signature.replacen('A', "A ", 1).replacen('Q', "Q ", 1)), base64),
        not("a signature of nothing", signed("\n"), base64),
        not("a signature that is too long", signed(&format!("{}\n", "A".repeat(100))), "claim: line 7: signature: longer than 96 bytes"),
        not("too long", "x".repeat(CLAIM_LEN_MAX + 1).into(), "claim: longer than 8192 bytes"),
    ]
}

fn url(signature: &str) -> String {
    let url = signature.replace('+', "-").replace('/', "_");
    assert_ne!(url, signature, "this signature has digits that differ");
    url
}
