//! From a hello to a route: an exact name, else a wildcard for one label, else the default; and among the routes of that name the one that
//! speaks what the client offers (ALPN).
//!
//! The router knows names and indices, never certificates or addresses. It is built once; what a client sends is only looked up.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::limits::NAME_LEN_MAX;

/// The index of a route in the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteId(pub u16);

/// Why the routes do not make a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouterFault {
    /// Two routes claim the same name, or two are the default, and no protocol tells them apart.
    Duplicate(RouteId),
    /// A name is empty, too long, or has a `*` that is not its whole first label.
    Name(RouteId),
}

/// Why a hello has no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unroutable {
    /// No route has the name, and there is no default: `unrecognized_name` (RFC 6066 section 3).
    Name,
    /// No route of the name speaks any of the offered protocols: `no_application_protocol` (RFC 7301 section 3.2).
    Protocol,
}

/// The names of all routes.
#[derive(Debug, Default)]
pub(crate) struct Router {
    exact: BTreeMap<String, Choice>,
    /// By what follows `*.`.
    wildcard: BTreeMap<String, Choice>,
    default: Choice,
}

/// The routes of one name.
#[derive(Debug, Default)]
struct Choice {
    /// Those that speak certain protocols, in the order of the configuration.
    certain: Vec<(Vec<String>, RouteId)>,
    /// The one that takes whatever is offered.
    any: Option<RouteId>,
}

impl Router {
    /// Adds the names of `route`; without names it is a default. `protocols` are those that it is for; none is all.
    pub(crate) fn add<'n>(
        &mut self,
        route: RouteId,
        names: impl IntoIterator<Item = &'n str>,
        protocols: &[String],
    ) -> Result<(), RouterFault> {
        let mut any = false;
        for name in names {
            any = true;
            self.choice_of(name).ok_or(RouterFault::Name(route))?.add(route, protocols)?;
        }
        if any { Ok(()) } else { self.default.add(route, protocols) }
    }

    fn choice_of(&mut self, name: &str) -> Option<&mut Choice> {
        let (names, key) = match name.strip_prefix("*.") {
            Some(parent) => (&mut self.wildcard, parent),
            None => (&mut self.exact, name),
        };
        let sound = !key.is_empty() && key.len() <= NAME_LEN_MAX && !key.contains('*');
        sound.then(|| names.entry(key.to_ascii_lowercase()).or_default())
    }

    /// The route for a client that asked for `name` and offers these protocols.
    pub(crate) fn route<'o>(&self, name: Option<&str>, offer: impl Iterator<Item = &'o [u8]> + Clone) -> Result<RouteId, Unroutable> {
        let choice = name.and_then(|name| self.named(name)).unwrap_or(&self.default);
        if choice.is_empty() {
            return Err(Unroutable::Name);
        }
        choice.route(offer).ok_or(Unroutable::Protocol)
    }

    fn named(&self, name: &str) -> Option<&Choice> {
        if name.len() > NAME_LEN_MAX {
            return None;
        }
        let name = name.to_ascii_lowercase();
        self.exact.get(&name).or_else(|| self.wildcard.get(parent(&name)?))
    }
}

impl Choice {
    fn add(&mut self, route: RouteId, protocols: &[String]) -> Result<(), RouterFault> {
        let taken = |protocol| self.certain.iter().any(|(others, _)| others.contains(protocol));
        if protocols.iter().any(taken) || (protocols.is_empty() && self.any.is_some()) {
            return Err(RouterFault::Duplicate(route));
        }
        if protocols.is_empty() {
            self.any = Some(route);
        } else {
            self.certain.push((protocols.to_vec(), route));
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.certain.is_empty() && self.any.is_none()
    }

    /// The first that speaks something of the offer, else the one for all. Who offers nothing is not refused for it.
    fn route<'o>(&self, mut offer: impl Iterator<Item = &'o [u8]> + Clone) -> Option<RouteId> {
        let met = |protocols: &[String]| offer.clone().any(|protocol| protocols.iter().any(|own| own.as_bytes() == protocol));
        let certain = self.certain.iter().find(|(protocols, _)| met(protocols)).map(|(_, route)| *route);
        let first = self.certain.first().map(|(_, route)| *route);
        certain.or(self.any).or_else(|| first.filter(|_| offer.next().is_none()))
    }
}

/// What follows the first label, if that is not empty.
fn parent(name: &str) -> Option<&str> {
    name.split_once('.').filter(|(label, _)| !label.is_empty()).map(|(_, parent)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    fn router() -> Router {
        let mut router = Router::default();
        router.add(RouteId(0), ["a.example", "*.example"], &[]).unwrap();
        router.add(RouteId(1), ["*.b.example"], &[]).unwrap();
        router
    }

    fn protocols(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// The route of a client that offers nothing.
    fn routed(router: &Router, name: Option<&str>) -> Option<RouteId> {
        router.route(name, core::iter::empty()).ok()
    }

    fn offering(router: &Router, name: &str, offer: &[&str]) -> Result<u16, Unroutable> {
        router.route(Some(name), offer.iter().map(|protocol| protocol.as_bytes())).map(|route| route.0)
    }

    #[test]
    fn exact_beats_wildcard() {
        assert_eq!(routed(&router(), Some("a.example")), Some(RouteId(0)));
        let mut router = router();
        router.add(RouteId(2), ["c.b.example"], &[]).unwrap();
        assert_eq!(routed(&router, Some("c.b.example")), Some(RouteId(2)));
        assert_eq!(routed(&router, Some("d.b.example")), Some(RouteId(1)));
    }

    #[test]
    fn a_wildcard_stands_for_exactly_one_label() {
        let router = router();
        assert_eq!(routed(&router, Some("x.example")), Some(RouteId(0)));
        assert_eq!(routed(&router, Some("example")), None);
        assert_eq!(routed(&router, Some("x.y.b.example")), None);
        assert_eq!(routed(&router, Some(".example")), None);
    }

    #[test]
    fn case_does_not_matter() {
        assert_eq!(routed(&router(), Some("A.EXAMPLE")), Some(RouteId(0)));
    }

    #[test]
    fn unknown_or_absent_names_get_the_default_if_there_is_one() {
        let mut router = router();
        assert_eq!(router.route(Some("nobody.test"), core::iter::empty()), Err(Unroutable::Name));
        assert_eq!(routed(&router, None), None);
        router.add(RouteId(9), [], &[]).unwrap();
        assert_eq!(routed(&router, Some("nobody.test")), Some(RouteId(9)));
        assert_eq!(routed(&router, None), Some(RouteId(9)));
    }

    #[test]
    fn among_routes_of_a_name_the_offer_decides() {
        let mut router = router();
        router.add(RouteId(2), ["p.example"], &protocols(&["h2", "grpc"])).unwrap();
        router.add(RouteId(3), ["p.example"], &protocols(&["acme-tls/1"])).unwrap();
        assert_eq!(offering(&router, "p.example", &["h2"]), Ok(2));
        assert_eq!(offering(&router, "p.example", &["acme-tls/1"]), Ok(3));
        assert_eq!(offering(&router, "p.example", &["acme-tls/1", "grpc"]), Ok(2), "the first in the file, not in the offer");
        assert_eq!(offering(&router, "p.example", &["http/1.1"]), Err(Unroutable::Protocol));
        assert_eq!(offering(&router, "p.example", &[]), Ok(2), "who offers nothing is not refused for it");
        router.add(RouteId(4), ["p.example"], &[]).unwrap();
        assert_eq!(offering(&router, "p.example", &["http/1.1"]), Ok(4));
        assert_eq!(offering(&router, "p.example", &[]), Ok(4));
        assert_eq!(offering(&router, "p.example", &["http/1.1", "h2"]), Ok(2));
    }

    #[test]
    fn the_name_is_chosen_before_the_protocol() {
        let mut router = router();
        router.add(RouteId(2), ["p.example"], &protocols(&["h2"])).unwrap();
        assert_eq!(offering(&router, "p.example", &["http/1.1"]), Err(Unroutable::Protocol), "not the wildcard, which would take it");
        assert_eq!(offering(&router, "q.example", &["http/1.1"]), Ok(0));
    }

    #[test]
    fn the_same_name_twice_is_refused_unless_protocols_tell_them_apart() {
        let mut router = router();
        assert_eq!(router.add(RouteId(3), ["A.example"], &[]), Err(RouterFault::Duplicate(RouteId(3))));
        router.add(RouteId(4), [], &[]).unwrap();
        assert_eq!(router.add(RouteId(5), [], &[]), Err(RouterFault::Duplicate(RouteId(5))));
        router.add(RouteId(6), [], &protocols(&["h2"])).unwrap();
        assert_eq!(router.add(RouteId(7), [], &protocols(&["x", "h2"])), Err(RouterFault::Duplicate(RouteId(7))));
    }

    #[test]
    fn names_that_cannot_match_are_refused() {
        for name in ["", "*.", "a.*.example", "*"] {
            assert_eq!(Router::default().add(RouteId(0), [name], &[]), Err(RouterFault::Name(RouteId(0))), "{name}");
        }
    }

    #[test]
    fn an_overlong_name_is_only_unknown() {
        let name = "a".repeat(NAME_LEN_MAX + 1);
        assert_eq!(routed(&router(), Some(&name)), None);
    }
}
