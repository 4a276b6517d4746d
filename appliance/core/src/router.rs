//! From a server name to a route: an exact name, else a wildcard for one label, else the default.
//!
//! The router knows names and indices, never certificates or addresses. It is built once; what a client sends is only looked up.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::limits::NAME_LEN_MAX;

/// The index of a route in the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteId(pub u16);

/// Why the routes do not make a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouterFault {
    /// Two routes claim the same name, or two are the default.
    Duplicate(RouteId),
    /// A name is empty, too long, or has a `*` that is not its whole first label.
    Name(RouteId),
}

/// The names of all routes.
#[derive(Debug, Default)]
pub(crate) struct Router {
    exact: BTreeMap<String, RouteId>,
    /// By what follows `*.`.
    wildcard: BTreeMap<String, RouteId>,
    default: Option<RouteId>,
}

impl Router {
    /// Adds the names of `route`; without names it is the default.
    pub(crate) fn add<'n>(&mut self, route: RouteId, names: impl IntoIterator<Item = &'n str>) -> Result<(), RouterFault> {
        let mut any = false;
        for name in names {
            any = true;
            self.add_name(route, name)?;
        }
        if any {
            return Ok(());
        }
        match self.default.replace(route) {
            None => Ok(()),
            Some(_) => Err(RouterFault::Duplicate(route)),
        }
    }

    fn add_name(&mut self, route: RouteId, name: &str) -> Result<(), RouterFault> {
        let (names, key) = match name.strip_prefix("*.") {
            Some(parent) => (&mut self.wildcard, parent),
            None => (&mut self.exact, name),
        };
        if key.is_empty() || key.len() > NAME_LEN_MAX || key.contains('*') {
            return Err(RouterFault::Name(route));
        }
        match names.insert(key.to_ascii_lowercase(), route) {
            None => Ok(()),
            Some(_) => Err(RouterFault::Duplicate(route)),
        }
    }

    /// The route for a client that asked for `name`; `None` means `unrecognized_name` (RFC 6066 section 3).
    pub(crate) fn route(&self, name: Option<&str>) -> Option<RouteId> {
        name.and_then(|name| self.named(name)).or(self.default)
    }

    fn named(&self, name: &str) -> Option<RouteId> {
        if name.len() > NAME_LEN_MAX {
            return None;
        }
        let name = name.to_ascii_lowercase();
        self.exact.get(&name).or_else(|| self.wildcard.get(parent(&name)?)).copied()
    }
}

/// What follows the first label, if that is not empty.
fn parent(name: &str) -> Option<&str> {
    name.split_once('.').filter(|(label, _)| !label.is_empty()).map(|(_, parent)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let mut router = Router::default();
        router.add(RouteId(0), ["a.example", "*.example"]).unwrap();
        router.add(RouteId(1), ["*.b.example"]).unwrap();
        router
    }

    #[test]
    fn exact_beats_wildcard() {
        assert_eq!(router().route(Some("a.example")), Some(RouteId(0)));
        let mut router = router();
        router.add(RouteId(2), ["c.b.example"]).unwrap();
        assert_eq!(router.route(Some("c.b.example")), Some(RouteId(2)));
        assert_eq!(router.route(Some("d.b.example")), Some(RouteId(1)));
    }

    #[test]
    fn a_wildcard_stands_for_exactly_one_label() {
        let router = router();
        assert_eq!(router.route(Some("x.example")), Some(RouteId(0)));
        assert_eq!(router.route(Some("example")), None);
        assert_eq!(router.route(Some("x.y.b.example")), None);
        assert_eq!(router.route(Some(".example")), None);
    }

    #[test]
    fn case_does_not_matter() {
        assert_eq!(router().route(Some("A.EXAMPLE")), Some(RouteId(0)));
    }

    #[test]
    fn unknown_or_absent_names_get_the_default_if_there_is_one() {
        let mut router = router();
        assert_eq!(router.route(Some("nobody.test")), None);
        assert_eq!(router.route(None), None);
        router.add(RouteId(9), []).unwrap();
        assert_eq!(router.route(Some("nobody.test")), Some(RouteId(9)));
        assert_eq!(router.route(None), Some(RouteId(9)));
    }

    #[test]
    fn the_same_name_twice_is_refused() {
        let mut router = router();
        assert_eq!(router.add(RouteId(3), ["A.example"]), Err(RouterFault::Duplicate(RouteId(3))));
        router.add(RouteId(4), []).unwrap();
        assert_eq!(router.add(RouteId(5), []), Err(RouterFault::Duplicate(RouteId(5))));
    }

    #[test]
    fn names_that_cannot_match_are_refused() {
        for name in ["", "*.", "a.*.example", "*"] {
            assert_eq!(Router::default().add(RouteId(0), [name]), Err(RouterFault::Name(RouteId(0))), "{name}");
        }
    }

    #[test]
    fn an_overlong_name_is_only_unknown() {
        let name = "a".repeat(NAME_LEN_MAX + 1);
        assert_eq!(router().route(Some(&name)), None);
    }
}
