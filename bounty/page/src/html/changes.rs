//! What the operator has changed since the contest began: which manifest followed on which, and where the log says so.

use arbiter::Digest;
use maud::{Markup, html};

use super::time;
use crate::contest::Changed;
use crate::view::View;

/// Nothing, if nothing was changed.
pub(super) fn told(view: &View) -> Markup {
    let changes = &view.facts.changes;
    let Some(last) = changes.last() else { return html! {} };
    html! {
        h3 #changes { "Changes" }
        p {
            "Version " (last.version) " of the manifest is in force. Rules, prizes or end were changed since the contest began; keys, flags and programs cannot be. "
            "What was committed to, and what crashed, under an earlier version stays good for it; a claim by itself is to name this one."
        }
        ul.changes { @for changed in changes { (change(changed)) } }
    }
}

fn change(changed: &Changed) -> Markup {
    let [from, to] = &changed.manifests;
    let [from_rules, to_rules] = &changed.rules;
    html! {
        li data-version=(changed.version) {
            p { "Version " (changed.version) ", " (time(changed.time)) ", entry " (changed.entry) " of the log:" }
            dl.facts {
                (pair("Manifest", from, to))
                @if from_rules == to_rules { dt { "Rules" } dd { "the same" } } @else { (pair("Rules", from_rules, to_rules)) }
            }
        }
    }
}

fn pair(what: &str, from: &Digest, to: &Digest) -> Markup {
    html! {
        dt { (what) " before" } dd { code { (from) } }
        dt { (what) " after" } dd { code { (to) } }
    }
}
