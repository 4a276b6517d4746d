//! The page in headless Chromium.

use core::time::Duration;
use std::thread;

use arbiter::commitment::{Opening, commit};
use arbiter::{Digest, Tier};
use pages::browser::{Browser, Look, assets, claim};
use pages::held::{self, NOW, Open, RULES};
use pages::http;
use serde_json::Value;

fn page() -> (Open, Browser) {
    (Open::plain(assets()), Browser::start().expect("a browser"))
}

/// The page's text, as it is seen.
fn seen(browser: &mut Browser) -> String {
    browser.text("document.body.innerText").expect("text")
}

fn live(browser: &mut Browser) -> Value {
    browser
        .value("Object.fromEntries([...document.querySelectorAll('[data-live]')].map(it => [it.dataset.live, it.textContent]))")
        .expect("numbers")
}

#[test]
fn rules_are_shown_and_numbers_move() {
    let (open, mut browser) = page();
    browser.open(&open.url("/")).expect("loaded");
    assert_eq!(browser.text("document.querySelector('#rules pre').textContent").expect("rules"), RULES.trim_end());
    let loaded = live(&mut browser);
    assert_eq!(loaded["connections"], "1,204,773");
    assert_eq!(loaded["won"], "None of 8 tiers won");
    // Renewed by the script, everything says what it said as it was loaded.
    browser.value("document.querySelector('[data-live=connections]').textContent = ''; for (const it of document.querySelectorAll('tbody[data-tally]')) it.append('')").expect("emptied");
    let tallies = browser.text("document.querySelector('.tallies').innerText").expect("tallies");
    browser.until("document.querySelector('[data-live=connections]').textContent !== ''").expect("renewed");
    assert_eq!(live(&mut browser), loaded);
    assert_eq!(browser.text("document.querySelector('.tallies').innerText").expect("tallies"), tallies);

    open.held.connect(1000);
    open.held.set_clock(NOW + 100_000);
    browser.until("document.querySelector('[data-live=connections]').textContent === '1,205,773'").expect("moved");
    assert_eq!(live(&mut browser)["uptime"], "2 d 4 h");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_pasted_claim_is_judged_by_browser_and_box_and_lands_in_the_log() {
    let (open, mut browser) = page();
    browser.open(&open.url("/")).expect("loaded");
    let verdicts = |browser: &mut Browser, claim: &str| {
        browser.paste("#claim", claim).expect("pasted");
        browser.click("#claim-form button").expect("clicked");
        browser.until("document.querySelectorAll('#verdicts [data-verdict]').length === 2 && !document.querySelector('#claim-form button').disabled").expect("judged");
        browser
            .value("[...document.querySelectorAll('#verdicts section')].map(it => it.innerText.split('\\n').filter(line => line))")
            .expect("verdicts")
    };
    let size = open.held.size();
    let text = "It was there <b>to be</b> read & <script>document.title = 'taken'</script>";
    let told = verdicts(&mut browser, &claim(Tier::Read, text));
    assert_eq!((&told[0][0], &told[0][1]), (&"Your browser says".into(), &"Falsified".into()), "{told}");
    assert_eq!(
        (&told[1][0], &told[1][1], &told[1][5]),
        (&"The box says".into(), &"Falsified".into(), &format!("It is entry {size} of the log.").into()),
        "{told}"
    );
    assert_eq!(told[0].as_array().unwrap()[2..5], told[1].as_array().unwrap()[2..5], "the same words");
    assert_eq!(open.held.size(), size + 1);

    // What people write is text, wherever it stands: renewed by the script, and as the box writes it.
    browser.until("document.querySelector('#tier-read [data-state]').textContent === 'Won'").expect("won");
    for _ in 0..2 {
        assert_eq!(browser.text("document.querySelector('.wins blockquote').textContent").expect("a text"), text);
        assert_eq!(browser.value("document.querySelectorAll('.wins blockquote *').length").expect("none"), 0);
        assert_eq!(browser.text("document.title").expect("a title"), "The example box");
        thread::sleep(Duration::from_millis(1100));
        browser.open(&open.url("/?again")).expect("loaded");
    }

    let forged = claim(Tier::Read, "It was there to be read.").replace("tier read", "tier auth");
    let told = verdicts(&mut browser, &forged);
    assert_eq!((&told[0][1], &told[1][1]), (&"NotFalsified".into(), &"NotFalsified".into()), "{told}");
    assert_eq!(told[0][2], "claim: line 7: signature: the signature does not verify", "{told}");
    assert_eq!(open.held.size(), size + 2, "it can be read, so it is in the log");

    let told = verdicts(&mut browser, "anything");
    assert_eq!((&told[0][1], &told[1][1]), (&"NotFalsified".into(), &"NotFalsified".into()), "{told}");
    assert_eq!(open.held.size(), size + 2, "it cannot be read, so it is not");
    assert_eq!(browser.complaints(), [""; 0]);
}

/// The operator has changed the manifest since: an earlier version's claim is no claim of another contest.
#[test]
fn a_claim_is_judged_by_the_version_that_it_names() {
    let (open, mut browser) = page();
    browser.open(&open.url("/")).expect("loaded");
    let earlier = String::from_utf8(contest::claim(Tier::Read)).expect("text");
    let named = |digest: Digest| earlier.replace(&contest::manifest_digest().to_string(), &digest.to_string());
    for (claim, verdict, why) in [
        (earlier.clone(), "Falsified", "tier read"),
        (named(Digest([7; 32])), "NotFalsified", "names another manifest"),
        (named(held::manifest_digest()), "NotFalsified", "the signature does not verify"),
    ] {
        browser.paste("#claim", &claim).expect("pasted");
        browser.click("#claim-form button").expect("clicked");
        browser.until("document.querySelectorAll('#verdicts [data-verdict]').length === 2 && !document.querySelector('#claim-form button').disabled").expect("judged");
        let told = browser.value("[...document.querySelectorAll('#verdicts section')].map(it => it.innerText)").expect("verdicts");
        for said in told.as_array().expect("two") {
            let said = said.as_str().expect("text");
            assert!(said.contains(&format!("\n{verdict}\n")) && said.contains(why), "{verdict}, {why}: {said}");
        }
    }
    let earlier = http::get(open.served.address(), &format!("/manifest/{}", contest::manifest_digest()));
    assert_eq!((earlier.status, earlier.body), (200, contest::manifest_note()));
    assert_eq!(http::get(open.served.address(), &format!("/manifest/{}", Digest([7; 32]))).status, 404);
    // What cannot be had just now is no other contest's.
    open.held.leave();
    browser.click("#claim-form button").expect("clicked");
    browser.until("document.querySelector('#verdicts [data-verdict=\"Not judged\"]') !== null").expect("told");
    let told = browser.text("document.querySelector('#verdicts section:has([data-verdict=\"Not judged\"])').innerText").expect("a verdict");
    assert!(told.starts_with("Your browser says") && told.contains("the box is about to stop"), "{told}");
}

/// Behind the end nothing else counts: the browser's clock is the contest's, and the box's is moved past the end.
#[test]
fn a_claim_that_was_committed_to_is_judged_with_that_by_browser_and_box() {
    let (open, mut browser) = page();
    let claim = claim(Tier::Read, "Told later.");
    let opening = Opening { write_up: Digest::of(&[contest::WRITE_UP]), salt: [5; 32] };
    let commitment = commit(claim.as_bytes(), &opening.write_up, &opening.salt);
    let receipt = bounty_page::Contest::commit(&*open.held, commitment.0).expect("a receipt");
    open.held.set_clock(contest::END + 5);
    browser.open(&open.url("/")).expect("loaded");
    browser.click("#claim-form summary").expect("opened");
    for (field, text) in
        [("#claim", claim.as_str()), ("#receipt", core::str::from_utf8(&receipt).expect("text")), ("#opening", &opening.to_string())]
    {
        browser.paste(field, text).expect("pasted");
    }
    browser.click("#claim-form button").expect("clicked");
    browser.until("document.querySelectorAll('#verdicts [data-verdict]').length === 2").expect("judged");
    let told = browser.value("[...document.querySelectorAll('#verdicts section')].map(it => it.innerText)").expect("verdicts");
    for said in told.as_array().expect("two") {
        let said = said.as_str().expect("text");
        assert!(said.contains("Falsified") && !said.contains("NotFalsified") && said.contains(&format!("committed {NOW}")), "{said}");
    }
    browser.until("document.querySelector('.wins li')?.textContent.includes(', committed to ')").expect("shown");
    let shown = browser.text("document.querySelector('.wins li p').textContent").expect("a win");
    thread::sleep(Duration::from_millis(1100));
    browser.open(&open.url("/?again")).expect("loaded");
    assert_eq!(browser.text("document.querySelector('.wins li p').textContent").expect("a win"), shown, "script and box say the same");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn everything_works_with_scripts_off() {
    let (open, mut browser) = page();
    browser.without_scripts().expect("off");
    browser.open(&open.url("/")).expect("loaded");
    let text = seen(&mut browser);
    for wanted in ["1,204,773", "Load the page again", "Not won", RULES.lines().next().unwrap()] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("renewed every few seconds") && !text.contains("Copy"), "{text}");

    browser.paste("#claim", &claim(Tier::Key, "With <i>love</i>.")).expect("pasted");
    browser.click("#claim-form button").expect("clicked");
    browser.until("document.querySelector('h1')?.textContent === 'Falsified'").expect("judged");
    let text = seen(&mut browser);
    assert!(text.contains("tier key") && text.contains("It is entry 2 of the log."), "{text}");

    browser.open(&open.url("/")).expect("loaded");
    browser.paste("#claim", "bountybox-claim 2").expect("pasted");
    browser.click("#claim-form button").expect("clicked");
    browser.until("document.querySelector('h1')?.textContent === 'NotFalsified'").expect("judged");

    browser.open(&open.url("/")).expect("loaded");
    browser.paste("#commitment", &"ab".repeat(32)).expect("pasted");
    browser.press("Enter").expect("pressed");
    browser.until("document.querySelector('h1')?.textContent === 'Receipt'").expect("taken");
    assert!(seen(&mut browser).contains("bountybox-receipt 1"));
    assert_eq!(open.held.size(), 4);

    browser.open(&open.url("/")).expect("loaded");
    browser.paste("input[name=claimant]", &contest::claimant("claimant")).expect("pasted");
    browser.press("Enter").expect("pressed");
    browser.until("document.querySelector('h1')?.textContent === 'Noted'").expect("noted");
    assert_eq!(open.held.announced().len(), 1);

    browser.open(&open.url("/")).expect("loaded");
    browser.paste("#nonce", &"0123456789abcdef".repeat(4)).expect("pasted");
    browser.press("Enter").expect("pressed");
    browser.until("document.body.innerText.startsWith('bountybox-possession 1')").expect("proven");
    assert_eq!(seen(&mut browser).matches("bountybox-possession 1").count(), 5);
}

#[test]
fn axe_finds_nothing_in_any_light_at_any_width() {
    let (open, mut browser) = page();
    for tier in [Tier::Read, Tier::Down] {
        let claim = pages::held::claim(tier, "The length of a record was believed.");
        bounty_page::Contest::claim(&*open.held, &claim).expect("judged");
    }
    for (scheme, width) in [("light", 1280), ("light", 360), ("dark", 1280), ("dark", 360)] {
        browser.look(Look { width, scheme }).expect("looked");
        browser.open(&open.url("/")).expect("loaded");
        browser.value("for (const it of document.querySelectorAll('details')) it.open = true").expect("opened");
        browser.paste("#claim", &claim(Tier::Read, "Again.")).expect("pasted");
        browser.click("#claim-form button").expect("clicked");
        browser.until("document.querySelectorAll('#verdicts [data-verdict]').length === 2").expect("judged");
        browser.value("document.activeElement.blur(); scrollTo(0, 0)").expect("scrolled");
        assert_eq!(browser.axe().expect("axe-core runs"), [""; 0], "{scheme} {width}");
        let wide = browser.value("document.documentElement.scrollWidth").expect("a width");
        assert!(wide.as_u64() <= Some(width.into()), "{scheme} {width}: {wide} wide");
        browser.value("for (const it of document.querySelectorAll('details')) it.open = false").expect("closed");
        browser.picture(&format!("{scheme}-{width}")).expect("a picture");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

/// A page on which axe-core must find something, or it would find nothing anywhere.
#[test]
fn axe_finds_what_is_planted() {
    let (open, mut browser) = page();
    browser.open(&open.url("/")).expect("loaded");
    let planted = "document.querySelector('main').append(document.createElement('img')); const lead = document.querySelector('.lead').style; lead.color = '#aaa'; lead.background = '#fff'";
    browser.value(planted).expect("planted");
    let found = browser.axe().expect("axe-core runs");
    for rule in ["\"color-contrast\"", "\"image-alt\""] {
        assert!(found.iter().any(|each| each.starts_with(rule)), "{rule}: {found:?}");
    }
}

#[test]
fn the_keyboard_reaches_every_control() {
    let (open, mut browser) = page();
    browser.open(&open.url("/")).expect("loaded");
    // What is folded away is no control yet.
    browser.value("for (const it of document.querySelectorAll('details')) it.open = true").expect("opened");
    let every = "[...document.querySelectorAll('a[href], button, input, select, textarea, summary')]";
    let count = browser.value(&format!("window.every = {every}; every.length")).expect("a number").as_u64().expect("a number");
    assert!(count > 30, "{count}");
    let mut reached = Vec::new();
    for _ in 0..count {
        browser.press("Tab").expect("pressed");
        let at = browser
            .value("(at => [at, at >= 0 && getComputedStyle(every[at]).outlineStyle !== 'none'])(every.indexOf(document.activeElement))")
            .expect("an index");
        assert_eq!(at[1], true, "the focus is seen at {at}");
        reached.push(at[0].as_u64().expect("a control"));
    }
    assert_eq!(reached, (0..count).collect::<Vec<_>>(), "in the order in which they stand");
}

#[test]
fn without_the_arbiter_the_page_says_so_and_the_box_judges() {
    let (open, mut browser) = (Open::plain(bounty_page::Assets::default()), Browser::start().expect("a browser"));
    browser.open(&open.url("/")).expect("loaded");
    assert!(seen(&mut browser).contains("this build has no arbiter for browsers"));
    browser.paste("#claim", &claim(Tier::Wallet, "Mine.")).expect("pasted");
    browser.click("#claim-form button").expect("clicked");
    browser.until("document.querySelector('#verdicts [data-verdict]')?.textContent === 'Falsified'").expect("judged");
    assert_eq!(browser.value("document.querySelectorAll('#verdicts section').length").expect("a number"), 1);
    assert_eq!(browser.complaints(), [""; 0]);
}
