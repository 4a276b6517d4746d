//! The page: all of a contest in one document that needs no script, and is read in one column on a phone. Whatever comes from people is escaped, as everything is that is not written here.

mod changes;
mod check;
mod hand_in;
mod now;
pub mod outcome;
mod win;

use maud::{DOCTYPE, Markup, html};

use crate::view::{Phase, Promised, View};
use crate::words;

/// What the page says of where it is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// See [`Site::base`](crate::Site::base).
    pub base: &'a str,
    /// Whether there is an arbiter for browsers.
    pub has_arbiter: bool,
}

/// The page.
#[must_use]
pub fn page(view: &View, place: &Place<'_>) -> String {
    let body = match &view.promised {
        Ok(promised) => contest(view, promised, place),
        Err(why) => broken(why),
    };
    document(title(view), &body)
}

fn title(view: &View) -> &str {
    view.promised.as_ref().map_or("bountybox challenge", |promised| promised.name.as_str())
}

/// What every page has round it.
fn document(title: &str, body: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="description" content="A TLS endpoint that is there to be broken, and what it takes to check that by yourself.";
                title { (title) }
                link rel="icon" type="image/svg+xml" href="/icon.svg";
                link rel="stylesheet" href="/style.css";
                script type="module" src="/page.mjs" {}
            }
            body {
                a.skip href="#main" { "To the content" }
                (body)
            }
        }
    };
    markup.into_string()
}

fn contest(view: &View, promised: &Promised, place: &Place<'_>) -> Markup {
    html! {
        header.top {
            p.kind { "bountybox challenge" }
            h1 { (promised.name) }
            p.lead {
                "This page comes out of a box that is there to be broken: a TLS server without a kernel under it. Its secrets are inside, and it proves that to anybody who asks. "
                "Whoever takes one out signs with it, and a machine says whether that holds."
            }
            (standing(view, promised))
        }
        (contents())
        main #main tabindex="-1" {
            (now::section(view))
            (win::section(view, promised, place))
            (check::section(view, promised, place))
            (hand_in::section(promised, place))
            (check::log(view, promised, place))
            (documents(view, promised))
        }
        footer {
            p { "Served by bountybox, from the box itself. No cookies, no third parties, nothing kept of who reads." }
            p { a href="/facts.json" { "The same facts as JSON" } }
        }
    }
}

/// Whether there is anything to win, and how much of it is gone.
fn standing(view: &View, promised: &Promised) -> Markup {
    let phase = promised.phase(view.facts.now);
    let (word, when) = match phase {
        Phase::Before => ("Opens", promised.start),
        Phase::Open => ("Open until", promised.end),
        Phase::Over => ("Over since", promised.end),
    };
    html! {
        p.standing {
            span.badge data-phase=(phase.name()) { (word) " " (time(when)) }
            " "
            span.badge data-live="won" { (won(promised)) }
        }
    }
}

fn won(promised: &Promised) -> String {
    match promised.won() {
        0 => format!("None of {} tiers won", promised.tiers.len()),
        won => format!("{won} of {} tiers won", promised.tiers.len()),
    }
}

fn contents() -> Markup {
    let parts =
        [("now", "Now"), ("win", "How to win"), ("check", "How to check"), ("hand-in", "Hand in"), ("log", "Log"), ("rules", "Rules")];
    html! {
        nav aria-label="Parts of this page" {
            ul {
                @for (id, text) in parts {
                    li { a href={ "#" (id) } { (text) } }
                }
            }
        }
    }
}

/// The texts themselves.
fn documents(view: &View, promised: &Promised) -> Markup {
    let same = arbiter::Digest::of(&[view.facts.rules.as_bytes()]) == promised.rules;
    html! {
        section #rules aria-labelledby="rules-title" {
            h2 #rules-title { "Rules" }
            pre.prose { (view.facts.rules.trim_end()) }
            p.aside {
                @if same {
                    "These are the rules that the manifest promises, by their SHA-256."
                } @else {
                    "These rules were changed after the contest began: their SHA-256 is not the manifest's. The log says when."
                }
                " " a href="/rules" { "The rules as a file" } "."
            }
            (changes::told(view))
        }
        section #manifest aria-labelledby="manifest-title" {
            h2 #manifest-title { "Manifest" }
            p { "What the operator promises, signed. Its SHA-256, from the first line to the last before the empty one, names this contest in every other document:" }
            pre.text { (promised.digest) }
            details {
                summary { "The whole of it" }
                pre.text { (String::from_utf8_lossy(&view.facts.manifest)) }
            }
            p.aside { a href="/manifest" { "The manifest as a file" } ", and the " a href="/operator" { "operator's key" } ". Trust a copy of the key that came to you another way." }
        }
    }
}

fn broken(why: &str) -> Markup {
    html! {
        header.top {
            p.kind { "bountybox challenge" }
            h1 { "There is nothing to judge by" }
        }
        main #main tabindex="-1" {
            section {
                p { "The manifest of this contest does not hold, and that is the operator's fault:" }
                pre.text { (why) }
                p.aside { a href="/manifest" { "The manifest as a file" } ", the " a href="/operator" { "operator's key" } "." }
            }
        }
    }
}

/// A time, for people and programs.
fn time(seconds: u64) -> Markup {
    html! { time datetime=(words::stamp(seconds)) { (words::moment(seconds)) } }
}

/// Commands that can be copied as they stand.
fn commands(name: &str, lines: &str) -> Markup {
    html! { pre.commands data-commands=(name) { code { @for line in lines.lines() { span.line { (line) "\n" } } } } }
}

/// The host in what the page is reached at, without port.
fn host(base: &str) -> &str {
    let authority = base.split_once("://").map_or(base, |(_, rest)| rest);
    let end = if authority.starts_with('[') { authority.find(']').map(|at| at.saturating_add(1)) } else { authority.find(':') };
    end.and_then(|end| authority.get(..end)).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_what_stands_before_the_port() {
        for (base, name) in [("https://a.example", "a.example"), ("http://127.0.0.1:80", "127.0.0.1"), ("https://[::1]:443", "[::1]")] {
            assert_eq!(host(base), name);
        }
    }
}
