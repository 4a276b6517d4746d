//! The checks of `tidy`, over the real tree.

use tidy::{arrows, numbers, shape, tree, unsafety, witness};

fn files() -> Vec<tree::File> {
    tree::files().expect("git lists the repository's files")
}

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn dependency_arrows_are_the_allowed_ones() {
    let files = files();
    let manifests: Vec<_> = files.iter().filter(|file| file.path.ends_with("Cargo.toml")).collect();
    assert!(manifests.len() >= 12, "the manifests are found");
    none(&manifests.iter().flat_map(|file| arrows::check(&file.path, &file.text)).collect::<Vec<_>>());
}

#[test]
fn unsafe_is_where_the_ledger_counts_it() {
    let files = files();
    let ledger = files.iter().find(|file| file.path == "docs/unsafe.md").expect("docs/unsafe.md");
    none(&unsafety::check(&files, &ledger.text));
}

#[test]
fn every_other_crate_forbids_unsafe() {
    none(&files().iter().filter_map(|file| unsafety::check_root(&file.path, &file.text)).collect::<Vec<_>>());
}

#[test]
fn files_have_the_agreed_shape() {
    none(&files().iter().flat_map(|file| shape::check(&file.path, &file.text)).collect::<Vec<_>>());
}

#[test]
fn every_decision_is_numbered_and_listed() {
    let files = files();
    let decisions: Vec<_> = files.iter().filter(|file| file.path.starts_with("docs/adr/0")).collect();
    let index = files.iter().find(|file| file.path == "docs/adr/README.md").expect("docs/adr/README.md");
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let missing: Vec<_> = decisions.iter().map(|file| name(&file.path)).filter(|name| !index.text.contains(name.as_str())).collect();
    none(&missing);
    assert!(!decisions.is_empty());
}

#[test]
fn every_number_of_the_readme_has_what_would_catch_it() {
    let files = files();
    let readme = files.iter().find(|file| file.path == "README.md").expect("README.md");
    none(&numbers::check(&readme.text, &files));
}

#[test]
fn the_tests_that_documents_name_are_there() {
    let files = files();
    let pages: Vec<_> = files.iter().filter(|file| file.path.ends_with(".md")).collect();
    assert!(pages.iter().any(|page| page.path == "docs/backends.md"));
    none(&pages.iter().flat_map(|page| witness::check(&page.path, &page.text, &files)).collect::<Vec<_>>());
}

/// A contest's hypercall is for whoever gets code of their own to run: the image has none that makes it. Only what depends on `abi` could name it.
#[test]
fn no_source_of_the_guest_names_the_hypercall_of_the_prize() {
    let files = files();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = |file: &&tree::File| file.text.split(|c| !is_word(c)).any(|word| ["PRIZE", "PRIZE_REGISTERS", "0x5c0"].contains(&word));
    let sources =
        |folder: &str| files.iter().filter(|file| file.path.starts_with(folder) && file.path.ends_with(".rs")).collect::<Vec<_>>();
    assert!(sources("hypervisor/abi/").iter().any(names), "it is found where it is");
    let guest = sources("appliance/");
    assert!(guest.len() > 20);
    none(&guest.into_iter().filter(names).map(|file| format!("{} names it", file.path)).collect::<Vec<_>>());
}
