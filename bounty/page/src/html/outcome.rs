//! What became of something that was handed in, as a page of its own: for browsers without scripts.

use maud::html;

use super::{document, title};
use crate::contest::Judged;
use crate::view::View;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// In a word.
    pub title: String,
    /// In a sentence.
    pub about: String,
    /// The document that shows it.
    pub document: String,
    /// What is to be said besides.
    pub note: Option<String>,
}

impl Outcome {
    /// A verdict's.
    #[must_use]
    pub fn judged(judged: &Judged) -> Self {
        let (title, document) = judged.verdict.split_once('\n').unwrap_or((&judged.verdict, ""));
        let about = match title {
            "Falsified" => "The claim holds: what the manifest promised of this tier is falsified.",
            "NotFalsified" => "The claim does not hold.",
            _ => "There is nothing to judge by: the operator's key or manifest is wrong.",
        };
        let note = match &judged.entry {
            Ok(number) => format!("It is entry {number} of the log."),
            Err(why) => format!("It is not in the log: {why}."),
        };
        Self { title: title.into(), about: about.into(), document: document.into(), note: Some(note) }
    }
}

/// The page.
#[must_use]
pub fn page(view: &View, outcome: &Outcome) -> String {
    let body = html! {
        header.top {
            p.kind { a href="/" { (title(view)) } }
            h1 data-verdict=(outcome.title) { (outcome.title) }
        }
        main #main tabindex="-1" {
            section {
                p { (outcome.about) }
                pre.text { (outcome.document) }
                @if let Some(note) = &outcome.note { p { (note) } }
                p { a href="/#hand-in" { "Back to the page" } }
            }
        }
    };
    document(&format!("{} — {}", outcome.title, title(view)), &body)
}
