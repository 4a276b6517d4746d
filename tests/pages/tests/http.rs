//! The page over a socket: every route.

use core::net::SocketAddr;
use core::time::Duration;
use std::fs;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Instant;

use arbiter::commitment::{Opening, commit};
use arbiter::digest::Hex;
use arbiter::possession::Possession;
use arbiter::{Digest, Tier};
use bounty_log::check::{Trust, check};
use bounty_log::reveal::Reveal;
use bounty_log::store::Folder;
use bounty_page::contest::Changed;
use bounty_page::rates::Rate;
use bounty_page::router::{Request, Router};
use bounty_page::{Assets, Limits, Peers, Site};
use pages::held::{self, Held, NOW, Open, RULES};
use pages::http::{Answer, connect, get, last, next, post, raw, request};
use proptest::prelude::*;
use serde_json::Value;

const NONCE: &str = "6e6f6e6365206e6f6e6365206e6f6e6365206e6f6e6365206e6f6e6365206e6f";

fn open() -> Open {
    Open::plain(Assets { arbiter: Some(b"\0asm".to_vec()) })
}

fn limited(limits: Limits) -> Open {
    Open::new(Peers::Connect, limits, Assets::default())
}

fn at(open: &Open) -> SocketAddr {
    open.served.address()
}

#[test]
fn every_route_answers_with_its_kind() {
    let open = open();
    let proof = format!("/possession/read/{NONCE}");
    let proofs = format!("/possession/{NONCE}");
    let [version, earlier] = [held::manifest_digest(), contest::manifest_digest()].map(|digest| format!("/manifest/{digest}"));
    for (path, kind, begins) in [
        ("/", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("/facts.json", "application/json", "{"),
        ("/manifest", "text/plain; charset=utf-8", "bountybox-manifest 1\n"),
        (&version, "text/plain; charset=utf-8", "bountybox-manifest 1\nname The example box\n"),
        (&earlier, "text/plain; charset=utf-8", "bountybox-manifest 1\n"),
        ("/operator", "text/plain; charset=utf-8", "contest.example/operator+"),
        ("/rules", "text/plain; charset=utf-8", RULES),
        ("/checkpoint", "text/plain; charset=utf-8", "contest.example/log\n2\n"),
        ("/tile/0/000.p/2", "application/octet-stream", ""),
        ("/tile/entries/000.p/1", "application/octet-stream", ""),
        ("/files/2", "text/plain; charset=utf-8", "tile/0/000.p/2\ntile/entries/000.p/2\n"),
        ("/arbiter.wasm", "application/wasm", "\0asm"),
        ("/arbiter.mjs", "text/javascript; charset=utf-8", "//"),
        ("/page.mjs", "text/javascript; charset=utf-8", "//"),
        ("/style.css", "text/css; charset=utf-8", "/*"),
        ("/icon.svg", "image/svg+xml", "<svg"),
        ("/check-possession", "text/plain; charset=utf-8", "#!/bin/sh\n"),
        (&proof, "text/plain; charset=utf-8", "bountybox-possession 1\n"),
        (&proofs, "text/plain; charset=utf-8", "bountybox-possession 1\n"),
    ] {
        let whole = get(at(&open), path);
        assert_eq!((whole.status, whole.header("content-type")), (200, Some(kind)), "{path}");
        assert!(whole.text().starts_with(begins), "{path}: {}", whole.text());
        let head = raw(at(&open), &request("HEAD", path, "", b""));
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("content-length"), Some(whole.body.len().to_string().as_str()), "{path}");
        assert_eq!(head.header("content-type"), Some(kind), "{path}");
    }
}

#[test]
fn every_answer_says_what_a_browser_may_not_do() {
    let open = open();
    for answer in [get(at(&open), "/"), get(at(&open), "/nothing"), post(at(&open), "/claim", b"anything"), post(at(&open), "/", b"")] {
        let policy = answer.header("content-security-policy").expect("a policy");
        for rule in
            ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.split("; ").any(|each| each == rule), "{rule}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    }
    let page = get(at(&open), "/").text();
    assert!(!page.contains(" style=") && !page.contains("<style") && !page.contains(" onclick"), "nothing inline");
    assert_eq!(page.matches("<script").count(), 1);
}

#[test]
fn what_may_be_kept_is_kept_and_asked_for_again_cheaply() {
    let open = open();
    let tile = get(at(&open), "/tile/0/000.p/2");
    assert_eq!((tile.header("cache-control"), tile.header("etag")), (Some("public, max-age=31536000, immutable"), None));
    assert_eq!(get(at(&open), "/checkpoint").header("cache-control"), Some("no-cache"));
    assert_eq!(get(at(&open), &format!("/possession/{NONCE}")).header("cache-control"), Some("no-store"));
    let whole = get(at(&open), "/style.css");
    let tag = whole.header("etag").expect("a tag").to_owned();
    let again = raw(at(&open), &request("GET", "/style.css", &format!("if-none-match: \"x\", {tag}\r\n"), b""));
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), Some(tag.as_str()));
}

#[test]
fn the_facts_are_those_of_the_contest() {
    let open = open();
    let facts: Value = serde_json::from_slice(&get(at(&open), "/facts.json").body).expect("JSON");
    assert_eq!(facts["version"], 1);
    assert_eq!(facts["time"], NOW);
    assert_eq!(facts["manifest"], held::manifest_digest().to_string());
    assert_eq!(facts["phase"], "open");
    assert_eq!(facts["handshakes"]["total"], 943_322);
    assert_eq!(facts["failures"]["kinds"][0]["name"], "no certificate");
    assert_eq!(facts["tiers"].as_array().map(Vec::len), Some(8));
    assert_eq!(facts["log"]["size"], 2);
    // Every field is in the document, and the other way round: docs/page.md is the promise.
    let page = fs::read_to_string(held::root().join("docs/page.md")).expect("docs/page.md");
    for field in facts.as_object().expect("an object").keys() {
        assert!(page.contains(&format!("| `{field}`")), "docs/page.md has no row for {field}");
    }
}

#[test]
fn the_log_is_served_whole_and_nothing_else_of_its_folder() {
    let open = open();
    for tier in Tier::ALL {
        assert_eq!(
            post(at(&open), "/claim", &held::claim(tier, "Taken.")).status,
            if tier == Tier::Down || tier == Tier::Wallet { 429 } else { 200 }
        );
    }
    fs::write(open.held.folder().join("secret"), b"secret").expect("written");
    // A writer that was stopped leaves files of which the head does not speak; they may change yet.
    fs::write(open.held.folder().join("tile/0/000.p/99"), b"not yet").expect("written");
    for path in [
        "/secret",
        "/tile/../secret",
        "/tile/0/000.p/99",
        "/tile/0/000",
        "/tile/9/000",
        "/tile/0/..%2f..%2fsecret",
        "/files/9",
        "/files/08",
        "/files/x",
    ] {
        assert_eq!(get(at(&open), path).status, 404, "{path}");
    }
    let copy = tempfile::tempdir().expect("a folder");
    let fetch = |name: &str| {
        let path = copy.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, get(at(&open), &format!("/{name}")).body).expect("written");
    };
    fetch("checkpoint");
    let names = get(at(&open), "/files/8").text();
    names.lines().for_each(fetch);
    let (log, operator) = (contest::named("log"), contest::named("operator"));
    let report = check(&Folder::new(copy.path()), &Trust { log: &log, operator: Some(&operator), earlier: Vec::new() });
    assert_eq!((report.entries.len(), report.findings), (8, Vec::new()));
}

#[test]
fn proofs_are_of_the_nonce_that_was_asked_with() {
    let open = open();
    let proof = get(at(&open), &format!("/possession/wallet/{NONCE}")).body;
    let possession = Possession::parse(&proof).expect("a proof");
    assert_eq!((possession.body.tier, Hex(&possession.body.nonce).to_string().as_str()), (Tier::Wallet, NONCE));
    for (path, status) in [
        (format!("/possession/down/{NONCE}"), 404),
        (format!("/possession/admin/{NONCE}"), 404),
        (format!("/possession/{}", NONCE.to_uppercase()), 400),
        (format!("/possession/{NONCE}0"), 400),
        ("/possession/".into(), 400),
        ("/possession".into(), 400),
        (format!("/possession/read/{NONCE}/x"), 400),
    ] {
        assert_eq!(get(at(&open), &path).status, status, "{path}");
    }
    let form = get(at(&open), &format!("/possession?nonce={NONCE}&tier=read"));
    assert_eq!((form.status, form.header("location")), (303, Some(format!("/possession/read/{NONCE}").as_str())));
    let split = get(at(&open), "/possession?nonce=a%0d%0aset-cookie:x");
    assert_eq!((split.status, split.header("location")), (400, None));
}

#[test]
fn forms_and_bodies_are_the_same_to_the_box() {
    let open = open();
    let claim = held::claim(Tier::Read, "50% & more = +1?");
    let as_it_is = post(at(&open), "/claim", &claim);
    assert!(as_it_is.text().starts_with("Falsified\ntier read\n") && as_it_is.text().ends_with("entry 2\n"), "{}", as_it_is.text());
    // As a browser writes it: CR before LF, and the last line feed lost in the clipboard.
    let text = String::from_utf8(claim).expect("text");
    let encoded: String = text.trim_end().replace('\n', "\r\n").bytes().map(|byte| format!("%{byte:02x}")).collect();
    let form = raw(at(&open), &request("POST", "/claim", "accept: text/html\r\n", format!("claim={encoded}").as_bytes()));
    assert!(
        form.text().contains("<h1 data-verdict=\"Falsified\">") && form.text().contains("It is entry 2 of the log."),
        "the same entry: {}",
        form.text()
    );
    let json = raw(at(&open), &request("POST", "/claim", "accept: application/json\r\n", text.as_bytes()));
    let json: Value = serde_json::from_slice(&json.body).expect("JSON");
    assert_eq!((&json["title"], &json["note"]), (&"Falsified".into(), &"It is entry 2 of the log.".into()));
    assert_eq!(open.held.size(), 3);

    let receipt = post(at(&open), "/commitment", format!("commitment={NONCE}%0D%0A").as_bytes());
    assert!(receipt.text().starts_with("bountybox-receipt 1\n") && receipt.text().contains(NONCE), "{}", receipt.text());
    assert_eq!(post(at(&open), "/commitment", &NONCE.as_bytes()[1..]).status, 400);
    let key = contest::claimant("claimant");
    assert_eq!(post(at(&open), "/claimant", key.as_bytes()).status, 200);
    assert_eq!(open.held.announced(), [(key, Some("127.0.0.1".parse().expect("an address")))]);
    assert_eq!(post(at(&open), "/claimant", b"somebody").status, 400);
}

/// As a browser sends it: CR before LF, and the last line feed lost in the clipboard.
fn encoded(document: &[u8]) -> String {
    let text = String::from_utf8_lossy(document).trim_end().replace('\n', "\r\n");
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Commit first, show later, also behind the end: by a form or by a file, the box judges it with the commitment, and the log and the page say so.
#[test]
fn what_was_committed_to_is_judged_with_it_and_logged_and_shown() {
    for by_form in [true, false] {
        let open = open();
        let claim = held::claim(Tier::Read, "Told later.");
        let opening = Opening { write_up: Digest::of(&[contest::WRITE_UP]), salt: [5; 32] };
        let commitment = commit(&claim, &opening.write_up, &opening.salt);
        let receipt = post(at(&open), "/commitment", commitment.to_string().as_bytes()).body;
        open.held.set_clock(contest::END + 5);
        let alone = post(at(&open), "/claim", &claim).text();
        assert!(alone.starts_with("NotFalsified\n"), "behind the end a claim alone is late: {alone}");
        let opening = opening.to_string().into_bytes();
        let document = Reveal { claim: &claim, commitment: Some((&receipt, &opening)) }.document();
        let form = format!("claim={}&receipt={}&opening={}", encoded(&claim), encoded(&receipt), encoded(&opening));
        let told = post(at(&open), "/claim", if by_form { form.as_bytes() } else { &document }).text();
        let entry = open.held.size() - 1;
        assert!(told.starts_with("Falsified\ntier read\n") && told.ends_with(&format!("committed {NOW}\nentry {entry}\n")), "{told}");
        let (log, operator) = (contest::named("log"), contest::named("operator"));
        let report = check(&Folder::new(open.held.folder()), &Trust { log: &log, operator: Some(&operator), earlier: Vec::new() });
        let last = report.entries.last().expect("an entry");
        assert!(last.ends_with(&[b"kind claim\n\n", &document[..]].concat()), "{}", String::from_utf8_lossy(last));
        assert!(report.findings.iter().all(|finding| finding.code == "silent"), "{:?}", report.findings);
        let facts: Value = serde_json::from_slice(&get(at(&open), "/facts.json").body).expect("JSON");
        assert_eq!((&facts["tiers"][1]["won"], &facts["tiers"][1]["wins"][0]["committed"]), (&1.into(), &NOW.into()));
        assert!(get(at(&open), "/").text().contains("committed to <time"), "the page says so");
    }
}

/// One thing that is wrong at a time: it is said, and nothing is won.
#[test]
fn what_opens_another_commitment_or_none_is_not_taken() {
    let open = limited(Limits { claims_of_source: Rate { burst: 100, ..Limits::default().claims_of_source }, ..Limits::default() });
    let claim = held::claim(Tier::Read, "Told later.");
    let opening = Opening { write_up: Digest::of(&[contest::WRITE_UP]), salt: [5; 32] };
    let receipt = post(at(&open), "/commitment", commit(&claim, &opening.write_up, &opening.salt).to_string().as_bytes()).body;
    let other = post(at(&open), "/commitment", NONCE.as_bytes()).body;
    let salted = Opening { salt: [6; 32], ..opening.clone() }.to_string().into_bytes();
    let opening = opening.to_string().into_bytes();
    let reveal = |claim: &[u8], receipt: &[u8], opening: &[u8]| Reveal { claim, commitment: Some((receipt, opening)) }.document();
    let mut forged = receipt.clone();
    let at_end = forged.len() - 10;
    forged[at_end] = if forged[at_end] == b'A' { b'B' } else { b'A' };
    for (what, document, why) in [
        ("another's receipt", reveal(&claim, &other, &opening), "receipt: line 3: commitment"),
        ("another salt", reveal(&claim, &receipt, &salted), "receipt: line 3: commitment"),
        ("another claim", reveal(&held::claim(Tier::Read, "Another."), &receipt, &opening), "receipt: line 3: commitment"),
        ("a receipt that nobody signed", reveal(&claim, &forged, &opening), "receipt"),
        ("no opening", format!("claim={}&receipt={}", encoded(&claim), encoded(&receipt)).into_bytes(), "opening"),
        ("no receipt", format!("claim={}&opening={}", encoded(&claim), encoded(&opening)).into_bytes(), "something stands behind the end"),
    ] {
        let told = post(at(&open), "/claim", &document).text();
        assert!(told.starts_with("NotFalsified\n") && told.contains(why), "{what}: {told}");
    }
    let long = reveal(&claim, &[b'a'; 20_000], &opening);
    assert_eq!(post(at(&open), "/claim", &long).status, 413);
    let facts: Value = serde_json::from_slice(&get(at(&open), "/facts.json").body).expect("JSON");
    assert_eq!(facts["tiers"][1]["won"], 0);
}

#[test]
fn what_the_operator_has_changed_is_shown() {
    let open = open();
    let page = get(at(&open), "/").text();
    assert!(!page.contains("id=\"changes\""), "nothing was changed");
    let [before, after, other] = [Digest([1; 32]), held::manifest_digest(), Digest([2; 32])];
    let rules = Digest::of(&[RULES.as_bytes()]);
    open.held.change(Changed { version: 2, time: NOW - 60, entry: 7, manifests: [before, other], rules: [Digest([3; 32]), rules] });
    open.held.change(Changed { version: 3, time: NOW - 30, entry: 9, manifests: [other, after], rules: [rules, rules] });
    // Anything that is accepted has the page made anew.
    assert_eq!(post(at(&open), "/commitment", NONCE.as_bytes()).status, 200);
    let page = get(at(&open), "/").text();
    for wanted in [before, other, after, rules, Digest([3; 32])].map(|digest| digest.to_string()) {
        assert!(page.contains(&wanted), "{wanted}");
    }
    assert!(
        page.contains("Version 3 of the manifest is in force") && page.contains("entry 7 of the log") && page.contains("the same"),
        "{page}"
    );
    let facts: Value = serde_json::from_slice(&get(at(&open), "/facts.json").body).expect("JSON");
    assert_eq!((&facts["manifest_version"], &facts["changes"][1]["entry"]), (&3.into(), &9.into()));
    assert_eq!((&facts["changes"][0]["from"], &facts["changes"][0]["to_rules"]), (&before.to_string().into(), &rules.to_string().into()));
}

#[test]
fn only_a_message_for_write_is_signed_and_only_once_the_word_holds() {
    let open = open();
    let claim = String::from_utf8(held::claim(Tier::Write, "The word holds.")).expect("text");
    let message = &claim[..claim.find("signature ").expect("a signature")];
    let refused = post(at(&open), "/sign", message.as_bytes());
    assert_eq!((refused.status, refused.text().as_str()), (409, "the word does not hold the value\n"));
    open.held.write_the_word();
    assert_eq!(post(at(&open), "/sign", message.as_bytes()).text(), claim, "what comes back is the claim");
    for wrong in
        [claim.as_str(), &message.replace("tier write", "tier read"), "message=", "", "anything\n", &format!("{message}signature AAAA\n")]
    {
        assert_eq!(post(at(&open), "/sign", wrong.as_bytes()).status, 400, "{wrong}");
    }
}

#[test]
fn what_people_write_never_becomes_markup() {
    let open = open();
    let text = "</p><script>alert(1)</script><img src=x onerror=alert(1)> & \"'";
    assert_eq!(post(at(&open), "/claim", &held::claim(Tier::Key, text)).status, 200);
    let bad = raw(at(&open), &request("POST", "/claim", "accept: text/html\r\n", b"bountybox-claim 1\n<script>alert(2)</script>\n"));
    for page in [get(at(&open), "/").text(), bad.text()] {
        assert!(!page.contains("<script>") && !page.contains("<img"), "{page}");
    }
    assert!(get(at(&open), "/").text().contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn another_sites_form_is_refused() {
    let open = open();
    let posted = |headers: &str| raw(at(&open), &request("POST", "/claimant", headers, contest::claimant("claimant").as_bytes())).status;
    for headers in
        ["sec-fetch-site: cross-site\r\n", "sec-fetch-site: same-site\r\n", "origin: null\r\n", "origin: http://evil.example\r\n"]
    {
        assert_eq!(posted(headers), 403, "{headers}");
    }
    assert_eq!(open.held.announced(), []);
    assert_eq!(posted("sec-fetch-site: same-origin\r\norigin: https://box\r\n"), 200);
}

#[test]
fn what_is_not_here_or_not_so_is_said_plainly() {
    let open = limited(Limits::default());
    let told = |answer: &Answer| (answer.status, answer.text());
    assert!(get(at(&open), "/index.php").text().contains("POST /claim"));
    assert_eq!(told(&get(at(&open), "/arbiter.wasm")), (404, "this build has no arbiter for browsers\n".into()));
    let wrong = post(at(&open), "/manifest", b"");
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("get, head")));
    let wrong = get(at(&open), "/claim");
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("post")));
    assert_eq!(raw(at(&open), &request("DELETE", "/", "", b"")).status, 405);
    let long = vec![b'a'; 64 * 1024 + 1];
    assert_eq!(told(&post(at(&open), "/claim", &long)), (413, "a body of at most 65536 bytes\n".into()));
    assert_eq!(told(&post(at(&open), "/claim", &long[..9000])), (413, "a claim has at most 8192 bytes\n".into()));
    let chunked = b"POST /claim HTTP/1.1\r\nhost: box\r\ntransfer-encoding: chunked\r\n\r\n";
    let endless =
        [&chunked[..], &b"8000\r\n".iter().chain([b'a'; 0x8000].iter()).chain(b"\r\n").copied().collect::<Vec<_>>().repeat(3)].concat();
    assert_eq!(raw(at(&open), &endless).status, 413);
    assert_eq!(get(at(&open), &format!("/{}", "a".repeat(2000))).status, 414);
    let header = format!("x: {}\r\n", "a".repeat(17 * 1024));
    assert_eq!(raw(at(&open), &request("GET", "/", &header, b"")).status, 431);
    assert_eq!(raw(at(&open), &request("GET", "/", &"x: y\r\n".repeat(70), b"")).status, 431);
    assert_eq!(raw(at(&open), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").status, 400);
}

#[test]
fn the_client_that_is_named_is_the_one_that_is_announced() {
    let open = Open::new(Peers::AreNamed, Limits::default(), Assets::default());
    let header = proxy::block(&proxy::Addresses::new("198.51.100.9:1".parse().expect("an address"), at(&open)), None);
    let key = contest::claimant("claimant");
    let mut stream = connect(at(&open));
    // However the header is cut.
    for part in header.chunks(5) {
        stream.write_all(part).expect("written");
        std::thread::sleep(Duration::from_millis(5));
    }
    stream.write_all(&request("POST", "/claimant", "", key.as_bytes())).expect("written");
    assert_eq!(last(&mut stream).status, 200);
    assert_eq!(open.held.announced(), [(key, Some("198.51.100.9".parse().expect("an address")))]);
}

#[test]
fn a_connection_is_kept_for_more_requests() {
    let open = open();
    let mut stream = connect(at(&open));
    for path in ["/rules", "/operator", "/nothing", "/rules"] {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: box\r\n\r\n").as_bytes()).expect("written");
        let answer = next(&mut stream).expect("an answer");
        assert_eq!(answer.status, if path == "/nothing" { 404 } else { 200 }, "{path}");
    }
}

#[test]
fn a_page_that_is_dropped_ends_at_once() {
    let open = open();
    let mut stream = connect(at(&open));
    stream.write_all(b"GET / HT").expect("written");
    let address = at(&open);
    let began = Instant::now();
    drop(open);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    assert!(std::net::TcpStream::connect(address).is_err());
}

fn methods() -> impl Strategy<Value = String> {
    prop_oneof!["GET|HEAD|POST|PUT|OPTIONS", "[A-Z]{1,9}"]
}

fn paths() -> impl Strategy<Value = String> {
    let known = "/(|claim|commitment|sign|claimant|possession/.{0,80}|possession|tile/.{0,40}|tile/[0-9]{1,2}/[x0-9/]{3,20}(\\.p/[0-9]{1,4})?|files/.{0,9}|facts.json|checkpoint)";
    prop_oneof![known, ".{0,60}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever is asked, there is an answer, and it is never the server's fault.
    #[test]
    fn no_request_panics(
        method in methods(), path in paths(), query in ".{0,60}", accept in "(text/html|application/json|.{0,9})",
        body in prop_oneof![proptest::collection::vec(any::<u8>(), 0..600), "(claim|commitment|message|claimant)=.{0,200}".prop_map(String::into_bytes)],
    ) {
        thread_local! {
            static ROUTER: Router = {
                let site = Site { base: "https://box.example".into(), assets: Assets::default() };
                let free = Rate { burst: u32::MAX, every: Duration::ZERO };
                let limits = Limits {
                    asks: free,
                    asks_of_source: free,
                    claims: free,
                    claims_of_source: free,
                    commitments: free,
                    commitments_of_source: free,
                    claimants: free,
                    claimants_of_source: free,
                    ..Limits::default()
                };
                Router::new(Arc::new(Held::new()), site, &limits)
            };
        }
        let method = method.parse().expect("a method");
        let request = Request { method, path, query, accept, body: body.into(), ..Request::default() };
        let answer = ROUTER.with(|router| router.answer(&request));
        let status = answer.status.as_u16();
        prop_assert!((200..500).contains(&status), "{status}");
        prop_assert_eq!(answer.response().status().as_u16(), status);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Whatever bytes come, those that come after are answered.
    #[test]
    fn no_bytes_stop_the_page(bytes in proptest::collection::vec(any::<u8>(), 0..2000), named in any::<bool>()) {
        let peers = if named { Peers::AreNamed } else { Peers::Connect };
        let open = Open::new(peers, Limits { head: Duration::from_millis(50), body: Duration::from_millis(50), ..Limits::default() }, Assets::default());
        let head = if named { proxy::local_block().to_vec() } else { Vec::new() };
        let _ = raw(at(&open), &bytes);
        let _ = raw(at(&open), &[&head[..], b"POST /claim HTTP/1.1\r\nhost: box\r\n", &bytes].concat());
        // Where the machine is busy, 50 ms are short for who is honest, too.
        let answered = || raw(at(&open), &[&head[..], &request("GET", "/rules", "", b"")].concat()).status == 200;
        prop_assert!((0..100).any(|_| answered()));
    }
}
