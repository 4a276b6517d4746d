//! Why a careful client may be fooled: what the RFC says, and whose fault it is then.

use crate::client::Care;
use crate::judgement::{Cell, Judgement};

/// By misbehaviour.
const NOTES: &[(&str, &str)] = &[];

/// What is written about a misbehaviour.
pub(crate) fn of(name: &str) -> Option<&'static str> {
    NOTES.iter().find(|(noted, _)| *noted == name).map(|(_, note)| *note)
}

/// What must not stand on the page.
pub(crate) fn complaints(judgements: &[Judgement], is_whole: bool) -> Vec<String> {
    let mut complaints = Vec::new();
    let careful = || judgements.iter().filter(|one| one.care == Care::Careful);
    for one in judgements.iter().filter(|one| one.version.is_ok()) {
        for (name, cell) in &one.cells {
            if let Cell::Other(text) = cell {
                complaints.push(format!("{}: {name}: {text}", one.name));
            }
        }
        if !one.cells.values().any(|cell| *cell == Cell::Accepted) {
            complaints.push(format!("{} did not accept the honest server", one.name));
        }
        if one.care == Care::Careless && !one.fooled().contains(&"self-signed") {
            complaints.push(format!("{} looks at no certificate, and was not caught", one.name));
        }
    }
    let unnoted = careful().flat_map(|one| one.fooled().into_iter().filter(|name| of(name).is_none()).map(move |name| (one.name, name)));
    complaints.extend(unnoted.map(|(client, name)| format!("{client} was fooled by {name}, and no note says why")));
    let idle = NOTES.iter().filter(|(name, _)| is_whole && !careful().any(|one| one.fooled().contains(name)));
    complaints.extend(idle.map(|(name, _)| format!("the note on {name} is about nobody any more")));
    complaints
}
