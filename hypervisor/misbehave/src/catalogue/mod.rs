//! Every misbehaviour, by what it is about.

mod certificates;
mod ends;
mod extensions;
mod finishing;
mod groups;
mod hellos;
mod proofs;
mod records;
mod tls12;

use crate::greeting::Greeting;
use crate::misbehaviour::Misbehaviour;
use crate::v13::{self, Established, HONEST as SOUND, Said, Script, Speaker};

/// No misbehaviour: every client must accept it, or its other verdicts mean nothing.
pub const HONEST: Misbehaviour = Misbehaviour::tls13("honest", "nothing", "RFC 8446", &[], v13::HONEST);

/// The same in TLS 1.2.
pub const HONEST_12: Misbehaviour = Misbehaviour::tls12("honest-1.2", "nothing, in TLS 1.2", "RFC 5246", &[], crate::v12::HONEST);

const PARTS: [&[Misbehaviour]; 9] =
    [certificates::ALL, proofs::ALL, finishing::ALL, hellos::ALL, groups::ALL, extensions::ALL, records::ALL, ends::ALL, tls12::ALL];

/// TLS 1.3 with another ServerHello.
const fn greeted(
    name: &'static str,
    wrong: &'static str,
    rfc: &'static str,
    alerts: &'static [u8],
    greet: fn(&mut Greeting<'_>),
) -> Misbehaviour {
    Misbehaviour::tls13(name, wrong, rfc, alerts, Script { greet, ..SOUND })
}

/// With another flight behind the ServerHello.
const fn sealed(
    name: &'static str,
    wrong: &'static str,
    rfc: &'static str,
    alerts: &'static [u8],
    flight: fn(&mut Speaker<'_>) -> Said,
) -> Misbehaviour {
    Misbehaviour::tls13(name, wrong, rfc, alerts, Script { flight, ..SOUND })
}

/// With this in place of an answer.
const fn after(
    name: &'static str,
    wrong: &'static str,
    rfc: &'static str,
    alerts: &'static [u8],
    say: fn(&mut Established<'_>) -> Said,
) -> Misbehaviour {
    Misbehaviour::tls13(name, wrong, rfc, alerts, Script { after: Some(say), ..SOUND })
}

/// All of them, without the honest ones.
pub fn all() -> impl Iterator<Item = &'static Misbehaviour> {
    PARTS.into_iter().flatten()
}

/// The one of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Misbehaviour> {
    const HONEST_ONES: &[Misbehaviour] = &[HONEST, HONEST_12];
    HONEST_ONES.iter().chain(all()).find(|one| one.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_kebab_case_and_distinct() {
        let names: Vec<_> = all().map(|one| one.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        assert!(names.iter().all(|name| name.chars().all(plain)), "{names:?}");
    }

    #[test]
    fn there_are_at_least_as_many_as_we_say_and_each_names_its_rfc() {
        assert!(all().count() >= 45, "{}", all().count());
        assert!(all().all(|one| one.rfc.starts_with("RFC ") && !one.wrong.is_empty()));
    }

    #[test]
    fn what_is_asked_for_by_name_is_found() {
        assert!(all().all(|one| find(one.name).is_some_and(|found| found.name == one.name)));
        assert!(find("honest").is_some() && find("honset").is_none());
    }
}
