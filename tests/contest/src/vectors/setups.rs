//! Manifests and keys by which nothing can be judged.

use arbiter::Tier;

use super::Vector;

pub(super) fn all() -> Vec<Vector> {
    [keys(), notes(), fields()].concat()
}

fn not(name: &str, reason: &str) -> Vector {
    Vector::new("setup", name, crate::claim(Tier::Read), &["SetupError", reason])
}

fn text() -> String {
    crate::manifest(&crate::address()).to_string()
}

fn keys() -> Vec<Vector> {
    let operator = crate::operator();
    let (name, rest) = operator.split_once('+').expect("a name");
    let form = "operator: not a verifier key as NAME+ID+BASE64";
    let unsigned = "manifest: no signature by the key that is trusted";
    vec![
        not("no key", form).trusting(""),
        not("a flag's key as it stands in the manifest", form).trusting(&crate::key("operator").to_string()),
        not("a key under another name", "operator: the key's number is not that of its name and bytes")
            .trusting(&format!("x{name}+{rest}")),
        not("another key", unsigned).trusting(&crate::named("witness").to_string()),
        not("the log's key", unsigned).trusting(&crate::named("log").to_string()),
    ]
}

fn notes() -> Vec<Vector> {
    let sound = String::from_utf8(crate::manifest_note()).expect("text");
    let text = text();
    let form = "manifest: not a signed note: text, an empty line, signatures";
    let unsigned = "manifest: no signature by the key that is trusted";
    let line = "manifest: line 34: the signature does not verify";
    vec![
        not("nothing", form).under(vec![]),
        not("no signature", form).under(text.clone().into()),
        not("a signature by somebody else", unsigned).under(crate::note(&text, &["witness"])),
        not("signed twice", "manifest: line 35: a second signature by the same key").under(crate::note(&text, &["operator", "operator"])),
        not("changed after it was signed", line).under(sound.replace("honour", "money!").into()),
        not("with lines as Windows ends them", form).under(sound.replace('\n', "\r\n").into()),
        not("the signature's line with a hyphen", "manifest: line 34: not a signature line as \"\u{2014} NAME BASE64\"")
            .under(sound.replace('\u{2014}', "-").into()),
        not("a claim", "manifest: line 1: begins with something else than \"bountybox-manifest 1\"")
            .under(crate::note(&crate::claim_body(Tier::Read, "me").to_string(), &["operator"])),
    ]
}

fn fields() -> Vec<Vector> {
    let changed = |name: &str, reason: &str, from: &str, to: &str| {
        let text = text();
        assert!(text.contains(from), "{from:?} stands there");
        not(name, reason).under(crate::note(&text.replacen(from, to, 1), &["operator"]))
    };
    let (read, auth) = (crate::key("read").to_string(), crate::key("auth").to_string());
    let small = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let end = crate::END.to_string();
    vec![
        changed("another version", "manifest: line 1: is of another version than \"bountybox-manifest 1\"", "manifest 1\n", "manifest 2\n"),
        changed("no image", "manifest: line 4: image: \"image\" and a space must begin this line", "image ", "picture "),
        changed(
            "a revision by name",
            "manifest: line 6: source: not a revision of 40 or 64 lower-case hexadecimal digits",
            "source 0123",
            "source v1-",
        ),
        changed("an end before the start", "manifest: line 12: end: not later than the start", &end, "5"),
        changed("one key for two tiers", "manifest: line 15: read.flag: a key that stands for something else already", &read, &auth),
        changed(
            "a key that anybody can sign with",
            "manifest: line 15: read.flag: a key of small order: anything would be signed by it",
            &read,
            small,
        ),
        changed(
            "an address of another key",
            "manifest: line 31: wallet.address: not the P2WPKH address of this tier's key",
            "bcrt1q",
            "bcrt1p",
        ),
        changed(
            // A curve library may take this for a point of x alone; no script of Bitcoin does, so nobody could spend from its address.
            "a wallet's key with another tag than 2 and 3",
            "manifest: line 30: wallet.flag: not a public key of this kind",
            "wallet.flag A+",
            "wallet.flag Be",
        ),
        changed(
            "no tier is left out",
            "manifest: line 28: down.flag: \"down.flag\" and a space must begin this line",
            "down.flag",
            "up.flag",
        ),
        changed("no line is added", "manifest: line 33: something stands behind the end", "at the address\n", "at the address\nmore 1\n"),
    ]
}
