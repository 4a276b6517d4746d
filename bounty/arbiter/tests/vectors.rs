//! The vectors of `bounty/vectors`: each is judged as it says, each rule is broken by one of them, and what is changed anywhere in a claim that holds does not hold.

use std::collections::BTreeSet;
use std::fs;

use arbiter::rules::RULES;
use arbiter::{Verdict, fault};
use contest::{page, vectors};

#[test]
fn each_vector_is_judged_as_it_says() {
    for vector in vectors::all() {
        let verdict = vector.judge().to_string();
        assert_eq!(verdict.lines().collect::<Vec<_>>(), vector.verdict, "{}: {}", vector.about, vector.name);
    }
}

#[test]
fn the_files_are_what_is_made() {
    let made = vectors::files();
    for (name, text) in &made {
        let file = fs::read_to_string(vectors::folder().join(name)).unwrap_or_default();
        assert!(file == *text, "{name} is another; `cargo run -p contest --bin vectors` makes it anew");
    }
    let there: BTreeSet<String> = fs::read_dir(vectors::folder())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|name| name.ends_with(".json"))
        .collect();
    assert_eq!(there, made.into_iter().map(|(name, _)| name).collect());
}

/// Each rule has vectors of its own that break it, and they break no other where that can be.
#[test]
fn each_rule_is_broken_by_vectors_of_its_own() {
    let all = vectors::all();
    for rule in RULES {
        let own: Vec<_> = all.iter().filter(|vector| vector.about == rule.name).collect();
        assert!(!own.is_empty(), "{}", rule.name);
        for vector in &own {
            let Verdict::NotFalsified { reasons } = vector.judge() else { panic!("{}: {}", rule.name, vector.name) };
            // What is signed for a time behind the end, and not committed to, is late too; a claimant without a key can neither sign nor be named.
            let both = [("end", "in the first second behind the end"), ("record-claimant", "a claimant that is no key")];
            let most = if both.contains(&(rule.name, vector.name.as_str())) { 2 } else { 1 };
            assert_eq!(reasons.len(), most, "{}: {}", rule.name, vector.name);
        }
    }
}

/// `docs/arbiter.md` lists the rules that are judged by, in their order.
#[test]
fn the_page_has_every_rule() {
    let page = fs::read_to_string(page::path()).expect("the page");
    let (_, table) = page.split_once("| rule | what must hold |\n|---|---|\n").expect("the table");
    let rows: Vec<String> = table.lines().take_while(|line| line.starts_with('|')).map(str::to_owned).collect();
    assert_eq!(rows, RULES.map(|rule| format!("| `{}` | {} |", rule.name, rule.text)));
}

/// Every position of every document of every claim that holds: one bit other, a byte in another case, gone, or twice.
#[test]
fn nothing_that_is_changed_anywhere_holds() {
    let (sweeps, mut documents) = (vectors::sweeps(), BTreeSet::new());
    for changed in &sweeps {
        let verdict = changed.judge();
        let (reasons, is_setup) = match &verdict {
            Verdict::Falsified { .. } => panic!("{}", changed.name),
            Verdict::NotFalsified { reasons } => (reasons, false),
            Verdict::SetupError { reasons } => (reasons, true),
        };
        let document = reasons[0].place.document;
        documents.insert(document);
        // Whose fault it is.
        assert_eq!(is_setup, matches!(document, fault::Document::Operator | fault::Document::Manifest), "{}: {verdict}", changed.name);
    }
    assert!(sweeps.len() > 20_000, "{}", sweeps.len());
    assert!(documents.len() >= 5, "{documents:?}");
}
