//! The documents that `docs/arbiter.md` shows, as they are made, and as they stand there.

use std::path::PathBuf;

use arbiter::commitment::commit;
use arbiter::{Digest, Tier};

/// The page.
#[must_use]
pub fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/arbiter.md")
}

/// Every example by its name, with its text.
///
/// # Panics
/// Never: all of it is text.
#[must_use]
pub fn made() -> Vec<(String, String)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let lines = |text: &str| format!("{text}\n");
    let claim = crate::claim(Tier::Read);
    let opening = crate::opening();
    let mut made = vec![
        ("operator".into(), lines(&crate::operator())),
        ("manifest".into(), text(crate::manifest_note())),
        ("manifest digest".into(), lines(&crate::manifest_digest().to_string())),
        ("write-up".into(), text(crate::WRITE_UP.to_vec())),
        ("opening".into(), opening.to_string()),
        ("commitment".into(), lines(&commit(&claim, &opening.write_up, &opening.salt).to_string())),
        ("claim digest".into(), lines(&Digest::of(&[&claim]).to_string())),
        ("receipt".into(), text(crate::receipt(&claim))),
        ("crash record".into(), text(crate::seal("down", &crate::crash_body(&crate::claimant("claimant"))))),
        ("proof".into(), text(crate::possession(Tier::Read))),
        ("proof by the wallet".into(), text(crate::possession(Tier::Wallet))),
    ];
    for tier in [Tier::Read, Tier::Down, Tier::Wallet] {
        made.push((format!("claim for {tier}"), text(crate::claim(tier))));
    }
    made
}

/// An example as the page has it: the block behind the line that announces it.
#[must_use]
pub fn shown<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&announcement(name))?;
    Some(rest.split_once("```")?.0)
}

/// The page with its examples made anew.
///
/// # Panics
/// Where a block does not end.
#[must_use]
pub fn renewed(page: &str) -> String {
    made().into_iter().fold(page.to_owned(), |page, (name, text)| {
        let announcement = announcement(&name);
        let Some((before, rest)) = page.split_once(&announcement) else { return page };
        let (_, behind) = rest.split_once("```").expect("a block that ends");
        format!("{before}{announcement}{text}```{behind}")
    })
}

fn announcement(name: &str) -> String {
    format!("\nExample `{name}`:\n\n```text\n")
}
