//! `[tls]`: what may be negotiated, and session tickets.

use std::path::PathBuf;

use keys::bundle::{Tls, Version};
use keys::limits::{ALPN_LEN_MAX, ALPN_MAX, SUITES_MAX, TICKET_KEYS_MAX, TICKET_LIFETIME_S_MAX, TICKET_ROTATION_S_MIN};
use keys::profile::{GROUPS, Group, Profile, SUITES, Suite};

use super::section::{Section, Spot};
use super::sections::bound;
use crate::report::Report;
use crate::rule::Rule;

const PROFILES: [(&str, Profile); 2] = [("modern", Profile::Modern), ("intermediate", Profile::Intermediate)];
const VERSIONS: [(&str, Version); 2] = [("1.2", Version::Tls12), ("1.3", Version::Tls13)];

/// Reads the section; the second is the file of the ticket key that boxes share.
pub(super) fn read(section: &mut Section<'_>, report: &mut Report) -> (Tls, Option<Spot<PathBuf>>) {
    let profile = section.choice("profile", &PROFILES, report).map_or(Profile::default(), |profile| profile.value);
    let min_version = section.choice("min_version", &VERSIONS, report).map_or(profile.min_version(), |version| version.value);
    let tls = Tls {
        alpn: read_alpn(section, report),
        min_version,
        suites: read_suites(section, min_version, report),
        groups: read_groups(section, profile, report),
        ..read_tickets(section, report)
    };
    check_that_something_serves(section, &tls, report);
    let ticket_key = section.text("ticket_key", report).map(|path| section.document().resolve_spot(path));
    if let Some(key) = ticket_key.as_ref().filter(|_| tls.ticket_lifetime_s == 0) {
        report.add(Rule::Misplaced, &key.place, "without tickets (`ticket_lifetime_s = 0`) there is no key to share");
    }
    (tls, ticket_key)
}

/// A list of ALPN protocols: here, and in each route.
pub(super) fn read_alpn(section: &mut Section<'_>, report: &mut Report) -> Vec<String> {
    let sound = |text: &str| (1..=ALPN_LEN_MAX).contains(&text.len()).then(|| text.to_owned());
    let alpn = section.parsed_list("alpn", "a protocol's name of 1 to 255 bytes, as \"http/1.1\"", sound, report).unwrap_or_default();
    bound(section, "alpn", alpn.len(), ALPN_MAX, report);
    alpn.into_iter().map(|protocol| protocol.value).collect()
}

/// Those that are written, or all of the versions that are spoken.
fn read_suites(section: &mut Section<'_>, min_version: Version, report: &mut Report) -> Vec<u16> {
    let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
    let wanted = format!("one of {}", names.join(", "));
    let Some(suites) = section.parsed_list("suites", &wanted, Suite::named, report) else {
        return SUITES.iter().filter(|suite| suite.version >= min_version).map(|suite| suite.number).collect();
    };
    for suite in suites.iter().filter(|suite| suite.value.version < min_version) {
        report.add(Rule::Misplaced, &suite.place, format!("{} is for TLS 1.2, and `min_version` is 1.3", suite.value.name));
    }
    numbers(section, "suites", suites, |suite| (suite.number, suite.name), report)
}

fn read_groups(section: &mut Section<'_>, profile: Profile, report: &mut Report) -> Vec<u16> {
    let names: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
    let wanted = format!("one of {}", names.join(", "));
    match section.parsed_list("groups", &wanted, Group::named, report) {
        Some(groups) => numbers(section, "groups", groups, |group| (group.number, group.name), report),
        None => profile.groups(),
    }
}

/// The numbers of a list, each once.
fn numbers<T: Copy>(
    section: &Section<'_>,
    key: &str,
    list: Vec<Spot<T>>,
    row: impl Fn(T) -> (u16, &'static str),
    report: &mut Report,
) -> Vec<u16> {
    bound(section, key, list.len(), SUITES_MAX, report);
    let mut numbers = Vec::new();
    for spot in list {
        let (number, name) = row(spot.value);
        if numbers.contains(&number) {
            report.add(Rule::Duplicate, &spot.place, format!("{name} stands here already"));
        } else {
            numbers.push(number);
        }
    }
    numbers
}

/// A version is spoken if it has a suite and a group.
fn check_that_something_serves(section: &Section<'_>, tls: &Tls, report: &mut Report) {
    let has_suite = |version| tls.suites.iter().filter_map(|number| Suite::numbered(*number)).any(|suite| suite.version == version);
    let has_group = |version| tls.groups.iter().filter_map(|number| Group::numbered(*number)).any(|group| group.min_version <= version);
    let served = [Version::Tls12, Version::Tls13].into_iter().any(|version| has_suite(version) && has_group(version));
    if !served && !report.has_errors() {
        let key = if tls.suites.is_empty() { "suites" } else { "groups" };
        report.add(Rule::WrongValue, &section.place_at(key), "no version of TLS has both a suite and a group: nobody could connect");
    }
}

/// Lifetime and rotation; the rest is left at its default.
fn read_tickets(section: &mut Section<'_>, report: &mut Report) -> Tls {
    let default = Tls::default();
    let most = u64::from(TICKET_LIFETIME_S_MAX);
    let mut seconds = |key, least| section.number(key, least..=most, report).and_then(|s| u32::try_from(s.value).ok());
    let ticket_lifetime_s = seconds("ticket_lifetime_s", 0).unwrap_or(default.ticket_lifetime_s);
    let rotation_s = seconds("ticket_rotation_s", TICKET_ROTATION_S_MIN.into());
    let least = ticket_lifetime_s.div_ceil(TICKET_KEYS_MAX).max(TICKET_ROTATION_S_MIN);
    // Where only the lifetime is written, the rotation follows it.
    let ticket_rotation_s = rotation_s.unwrap_or(default.ticket_rotation_s.max(least));
    if ticket_rotation_s < least {
        let message = format!("tickets that live for {ticket_lifetime_s} s want a rotation of {least} s at least");
        report.add(Rule::WrongValue, &section.place_at("ticket_rotation_s"), message);
    }
    Tls { ticket_lifetime_s, ticket_rotation_s: ticket_rotation_s.max(least), ..default }
}
