//! What routes have taken: server names, told apart by protocols, and names for people.

use std::collections::BTreeMap;

use super::section::Spot;
use super::sections::RouteWords;
use crate::report::{Place, Report};
use crate::rule::Rule;

/// What the routes before have taken.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// By server name, the default's being empty: where, and for which protocols (none is all).
    names: BTreeMap<String, Vec<(Place, Vec<String>)>>,
    labels: BTreeMap<String, Place>,
}

impl Taken {
    /// Adds a route; what it cannot have goes to the report. `is_default` is a route that names none, whatever became of its list.
    pub(super) fn add(&mut self, route: &RouteWords, is_default: bool, report: &mut Report) {
        for Spot { value, place } in &route.sni {
            self.add_name(value, place, &route.alpn, report);
        }
        if is_default {
            self.add_name("", &route.place, &route.alpn, report);
        }
        if let Some(Spot { value, place }) = &route.name {
            if let Some(first) = self.labels.get(value) {
                report.add(Rule::Duplicate, place, format!("the name {value} is taken already: see {}", said(first)));
            } else {
                self.labels.insert(value.clone(), place.clone());
            }
        }
    }

    fn add_name(&mut self, name: &str, place: &Place, alpn: &[String], report: &mut Report) {
        let others = self.names.entry(name.into()).or_default();
        if let Some((first, what)) = others.iter().find_map(|(first, other)| Some((first, clash(other, alpn)?))) {
            let whose = if name.is_empty() {
                "a second default route (one without `sni`)".into()
            } else {
                format!("the name {name} is taken already")
            };
            report.add(Rule::Duplicate, place, format!("{whose}{what}: see {}", said(first)));
        } else {
            others.push((place.clone(), alpn.to_vec()));
        }
    }
}

/// Why a client's offer would not tell two routes of one name apart, if it would not.
fn clash(one: &[String], other: &[String]) -> Option<String> {
    if one.is_empty() && other.is_empty() {
        return Some(String::new());
    }
    one.iter().find(|protocol| other.contains(protocol)).map(|protocol| format!(" for the protocol {protocol}"))
}

fn said(place: &Place) -> String {
    let line = place.line.map(|line| format!(" on line {line}")).unwrap_or_default();
    format!("{}{line}", place.field)
}
