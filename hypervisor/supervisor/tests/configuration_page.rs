//! The examples of `docs/configuration.md` are what the command reads, and the defaults that it shows are the defaults.

use bountybox::config::Config;
use bountybox::limits::{RECORD_BYTES_DEFAULT, RECORD_KEEP_DEFAULT};
use keys::bundle::{Limits, Tls, Upstream};

mod pages;

fn examples() -> Vec<Config> {
    pages::examples(include_str!("../../../docs/configuration.md"))
}

#[test]
fn every_example_is_read_without_a_finding() {
    assert_eq!(examples().len(), 6);
}

#[test]
fn the_page_about_recordings_has_one_that_is_read_too() {
    let [config] = <[Config; 1]>::try_from(pages::examples(include_str!("../../../docs/replay.md"))).expect("one");
    let record = config.record.expect("a recording");
    assert_eq!((record.max_bytes, record.keep), (RECORD_BYTES_DEFAULT, RECORD_KEEP_DEFAULT), "the defaults that it shows");
}

#[test]
fn the_defaults_on_the_page_are_the_defaults() {
    let [least, all, ..] = <[Config; 6]>::try_from(examples()).expect("six");
    assert_eq!((&least.limits, &all.limits), (&Limits::default(), &Limits::default()));
    assert_eq!((&least.tls, &all.tls), (&Tls::default(), &Tls::default()));
    let check = all.routes[0].upstream.check.clone();
    assert_eq!(all.routes[0].upstream, Upstream { check, ..Upstream::default() }, "what the page shows beside the check");
    assert_eq!(least.routes[0].upstream, Upstream::default());
    assert_eq!((least.machine, least.heap_mib, least.restart), (all.machine, all.heap_mib, all.restart));
    assert_eq!((least.front.attachment, least.back.attachment), (all.front.attachment, all.back.attachment));
}
