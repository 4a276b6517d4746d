//! How it stands: numbers as of the load, which `page.mjs` renews where it runs.

use maud::{Markup, html};

use super::time;
use crate::contest::Count;
use crate::view::View;
use crate::words;

pub(super) fn section(view: &View) -> Markup {
    let facts = &view.facts;
    let effort = &facts.effort;
    html! {
        section #now aria-labelledby="now-title" {
            h2 #now-title { "Now" }
            dl.numbers {
                (number("uptime", "Serving for", &words::span(view.uptime())))
                (number("connections", "Connections", &words::count(effort.connections)))
                (number("handshakes", "Handshakes", &words::count(Count::total(&effort.handshakes))))
                (number("failures", "Failures", &words::count(Count::total(&effort.failures))))
                (number("bytes-in", "Received", &words::bytes(effort.bytes_in)))
                (number("bytes-out", "Sent", &words::bytes(effort.bytes_out)))
                (number("ended", "Times it fell", &words::count(Count::total(&facts.cells.ended))))
                (number("size", "Entries in the log", &view.head.as_ref().map_or("none".into(), |head| words::count(head.size))))
            }
            p.aside {
                "As of " span data-live="time" { (time(facts.now)) } ". "
                "The flags last answered for the log " span data-live="heartbeat" { (heartbeat(view)) } ". "
                span.scripts-only hidden { "The numbers are renewed every few seconds." }
                noscript { "Load the page again for newer numbers." }
            }
            div.tallies {
                (tally("handshakes", "Handshakes by version", &effort.handshakes))
                (tally("failures", "Failures by kind", &effort.failures))
                (tally("endings", "How it fell", &facts.cells.ended))
            }
        }
    }
}

fn number(name: &str, label: &str, value: &str) -> Markup {
    html! { div { dt { (label) } dd data-live=(name) { (value) } } }
}

fn heartbeat(view: &View) -> Markup {
    match view.facts.heartbeat {
        Some(then) => html! { (words::span(view.facts.now.saturating_sub(then))) " ago" },
        None => html! { "not yet" },
    }
}

fn tally(name: &str, caption: &str, counts: &[Count]) -> Markup {
    html! {
        table {
            caption { (caption) }
            tbody data-tally=(name) {
                @for each in counts {
                    tr { th scope="row" { (each.name) } td { (words::count(each.count)) } }
                }
                @if counts.is_empty() {
                    tr { th scope="row" { "none" } td { "0" } }
                }
            }
        }
    }
}
