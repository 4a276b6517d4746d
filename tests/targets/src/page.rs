//! Boundary: requests to the challenge's page, and what people wrote into a contest, which the page shows.

use core::net::IpAddr;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use arbiter::limits::CLAIM_LEN_MAX;
use arbiter::{Context, Digest, Tier, verify};
use bounty_log::checkpoint::Checkpoint;
use bounty_log::names;
use bounty_log::reveal::Reveal;
use bounty_page::contest::{Changed, Contest, Door, Facts, Judged, Win};
use bounty_page::limits::REVEAL_LEN_MAX;
use bounty_page::router::{Request, Router};
use bounty_page::{Assets, Limits, Site};

use crate::script::Script;

/// Entries of the log.
const SIZE: u64 = 260;

/// What the page itself is made of.
const TAGS: &[&str] = &[
    "!DOCTYPE",
    "a",
    "blockquote",
    "body",
    "button",
    "caption",
    "code",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "input",
    "label",
    "li",
    "link",
    "main",
    "meta",
    "nav",
    "noscript",
    "option",
    "p",
    "pre",
    "script",
    "section",
    "select",
    "span",
    "strong",
    "summary",
    "table",
    "tbody",
    "td",
    "textarea",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "ul",
];

/// Every file that a log of this size, or a shorter one, has.
static FILES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let tiles = (1..=SIZE).flat_map(|size| names::hashes(size).into_iter().chain(names::bundles(size)));
    tiles.map(|tile| names::of(&tile)).chain([names::CHECKPOINT.to_owned()]).collect()
});

static HEAD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let head = Checkpoint { origin: "contest.example/log".into(), size: SIZE, root: Digest([7; 32]) };
    contest::note(&head.to_string(), &["log"])
});

/// A contest of which others wrote these words.
struct Written {
    words: [String; 3],
}

impl Contest for Written {
    fn facts(&self) -> Facts {
        let [claimant, text, door] = self.words.clone();
        let win = Win { tier: Tier::Read, claimant, text, time: contest::TIME, committed: Some(contest::TIME), entry: 3 };
        let about = door.clone();
        Facts {
            now: contest::TIME + 900,
            wins: vec![win],
            changes: vec![Changed {
                version: 2,
                time: contest::TIME,
                entry: 2,
                manifests: [Digest([1; 32]); 2],
                rules: [Digest([1; 32]), Digest([2; 32])],
            }],
            doors: vec![Door { name: door, port: 1, about }],
            ..Facts::new(contest::manifest_note(), contest::operator())
        }
    }

    fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, String> {
        Ok((digest == contest::manifest_digest()).then(contest::manifest_note))
    }

    fn prove(&self, _: [u8; 32]) -> Result<Vec<u8>, String> {
        Ok([Tier::Auth, Tier::Read].map(contest::possession).concat())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let text = core::str::from_utf8(message).expect("what is signed is text");
        assert!(
            text.starts_with("bountybox-claim 1\n") && text.contains("\ntier write\n") && text.ends_with('\n'),
            "only this is signed: {text}"
        );
        assert!(!text.contains("\nsignature "), "and not with a signature in it: {text}");
        Ok(contest::sign("write", message))
    }

    fn claim(&self, handed: &[u8]) -> Result<Judged, String> {
        let reveal = Reveal::of(handed);
        assert!(reveal.claim.len() <= CLAIM_LEN_MAX && handed.len() <= REVEAL_LEN_MAX, "{} bytes", handed.len());
        let context = Context { now: contest::TIME + 900, commitment: reveal.committed() };
        let verdict = verify(&contest::manifest_note(), &contest::operator(), reveal.claim, &context);
        Ok(Judged { verdict: verdict.to_string(), entry: Ok(4) })
    }

    fn commit(&self, commitment: [u8; 32]) -> Result<Vec<u8>, String> {
        Ok(commitment.to_vec())
    }

    fn announce(&self, claimant: &str, _: Option<IpAddr>) -> Result<(), String> {
        assert!(claimant.starts_with("ed25519:") && claimant.len() == 52, "only a key is announced: {claimant}");
        Ok(())
    }

    fn log_file(&self, name: &str) -> Option<Vec<u8>> {
        assert!(FILES.contains(name), "no other file is asked for: {name}");
        Some(if name == names::CHECKPOINT { HEAD.clone() } else { name.into() })
    }
}

/// Three texts by others, then requests: a byte for method and headers, path, query, and a body behind its two bytes of length.
pub fn page(data: &[u8]) {
    let mut script = Script(data);
    let words = core::array::from_fn(|_| text(script.text()));
    let site = Site { base: "https://contest.example".into(), assets: Assets::default() };
    let router = Router::new(Arc::new(Written { words }), site, &Limits::default());
    while !script.is_over() {
        let answer = router.answer(&request(&mut script));
        assert!((200..500).contains(&answer.status.as_u16()), "it is never the page's own fault: {}", answer.status);
        if answer.kind.starts_with("text/html") {
            is_ours(&text(&answer.body));
        }
        assert!(answer.response().headers().contains_key("content-security-policy"));
    }
}

fn request(script: &mut Script<'_>) -> Request {
    let how = script.byte();
    let (path, query) = (text(script.text()), text(script.text()));
    let len = usize::from(script.short());
    Request {
        method: ["GET", "POST", "HEAD", "PUT"][usize::from(how & 3)].parse().expect("a method"),
        path,
        query,
        accept: ["*/*", "text/html", "application/json", ""][usize::from((how >> 2) & 3)].into(),
        had: (how & 16 != 0).then(|| "\"x\"".to_owned()),
        is_foreign: how & 32 != 0,
        body: script.take(len).to_vec().into(),
        peer: (how & 64 != 0).then(|| IpAddr::from([192, 0, 2, how])),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whatever was sent or written, the tags are the page's own, and there is one script.
fn is_ours(page: &str) {
    for rest in page.split('<').skip(1) {
        let tag = rest.trim_start_matches('/').split([' ', '>']).next().unwrap_or_default();
        assert!(TAGS.contains(&tag), "<{tag}> in {page}");
    }
    assert_eq!(page.matches("<script").count(), 1, "{page}");
}
