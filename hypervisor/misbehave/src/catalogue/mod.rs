//! Every misbehaviour, by what it is about.

mod certificates;
mod ends;
mod extensions;
mod finishing;
mod groups;
mod hellos;
mod proofs;
mod records;
mod resumption;
mod tls12;

use crate::greeting::Greeting;
use crate::misbehaviour::Misbehaviour;
use crate::v12;
use crate::v13::{self, Established, HONEST as SOUND, Said, Script, Speaker};

/// No misbehaviour: every client must accept it, or its other verdicts mean nothing.
pub const HONEST: Misbehaviour = Misbehaviour::tls13("honest", "nothing", "RFC 8446", &[], v13::HONEST);

/// The same in TLS 1.2.
pub const HONEST_12: Misbehaviour = Misbehaviour::tls12("honest-1.2", "nothing, in TLS 1.2", "RFC 5246", &[], v12::HONEST);

/// The same of a client that comes back: whoever never does is judged of nothing that needs it.
pub const HONEST_RESUMED: Misbehaviour =
    Misbehaviour::tls13("honest-resumed", "nothing, and the ticket of an earlier connection is taken", "RFC 8446 2.2", &[], v13::RESUMED)
        .to_returning();

/// And in TLS 1.2.
pub const HONEST_RESUMED_12: Misbehaviour =
    Misbehaviour::tls12("honest-resumed-1.2", "nothing, and an earlier session is taken, in TLS 1.2", "RFC 5246 7.3", &[], v12::RESUMED)
        .to_returning12(v12::GIVING);

/// The honest ones, which are the controls of the others.
pub const CONTROLS: &[Misbehaviour] = &[HONEST, HONEST_12, HONEST_RESUMED, HONEST_RESUMED_12];

const PARTS: [&[Misbehaviour]; 10] = [
    certificates::ALL,
    proofs::ALL,
    finishing::ALL,
    hellos::ALL,
    groups::ALL,
    extensions::ALL,
    records::ALL,
    ends::ALL,
    tls12::ALL,
    resumption::ALL,
];

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
    CONTROLS.iter().chain(all()).find(|one| one.name == name)
}

/// The honest server that a client must accept before this one means anything.
#[must_use]
pub fn control(one: &Misbehaviour) -> Option<&'static Misbehaviour> {
    CONTROLS.iter().find(|control| control.is_tls12() == one.is_tls12() && control.is_resumed() == one.is_resumed())
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
    fn each_has_an_honest_counterpart() {
        let of = |name| find(name).and_then(control).map(|control| control.name);
        assert_eq!((of("expired"), of("exchange-altered")), (Some("honest"), Some("honest-1.2")));
        assert_eq!((of("resumed-beyond"), of("resumed-suite-1.2")), (Some("honest-resumed"), Some("honest-resumed-1.2")));
        assert!(CONTROLS.iter().all(|one| one.is_honest() && of(one.name) == Some(one.name)));
    }

    #[test]
    fn what_is_asked_for_by_name_is_found() {
        assert!(all().all(|one| find(one.name).is_some_and(|found| found.name == one.name)));
        assert!(find("honest").is_some() && find("honset").is_none());
    }
}
