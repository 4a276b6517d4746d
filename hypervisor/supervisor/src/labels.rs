//! What routes are called in log, metrics and status: as the file says, else by their first server name. No two are called alike.

use std::collections::BTreeSet;

use keys::limits::ROUTE_NAME_LEN_MAX;

use crate::config::RouteWords;

/// One for each route, in order.
pub(crate) fn labels(routes: &[RouteWords]) -> Vec<String> {
    let mut used: BTreeSet<String> = routes.iter().filter_map(|route| Some(route.name.as_ref()?.value.clone())).collect();
    routes.iter().map(|route| label(route, &mut used)).collect()
}

fn label(route: &RouteWords, used: &mut BTreeSet<String>) -> String {
    if let Some(name) = &route.name {
        return name.value.clone();
    }
    let first = route.sni.first().map_or("default", |name| &name.value);
    let protocols = if route.alpn.is_empty() { String::new() } else { format!(" {}", route.alpn.join(" ")) };
    let number = |n: usize| format!("{first}{protocols} {n}");
    let candidates = [first.to_owned(), format!("{first}{protocols}")].into_iter().chain((2..).map(number));
    // There are more numbers than routes.
    let free = candidates.map(|label| cut(&label)).find(|label| !used.contains(label)).unwrap_or_default();
    used.insert(free.clone());
    free
}

/// The end of a long one tells more than its beginning: protocols, numbers, and the domain.
fn cut(label: &str) -> String {
    let from = label.len().saturating_sub(ROUTE_NAME_LEN_MAX);
    label.get(label.ceil_char_boundary(from)..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Spot;
    use crate::report::Place;
    use keys::bundle::{Mode, ProxyOut};

    fn route(name: Option<&str>, sni: &[&str], alpn: &[&str]) -> RouteWords {
        let place = Place { file: String::new(), line: None, field: String::new() };
        let spot = |value: &str| Spot { value: value.to_owned(), place: place.clone() };
        RouteWords {
            name: name.map(spot),
            sni: sni.iter().copied().map(spot).collect(),
            alpn: alpn.iter().map(ToString::to_string).collect(),
            backends: Vec::new(),
            mode: Mode::Terminate,
            proxy: ProxyOut::Off,
            client: None,
            upstream: keys::bundle::Upstream::default(),
            place: place.clone(),
        }
    }

    #[test]
    fn a_route_is_called_by_its_name_or_its_first_server_name() {
        let routes = [route(Some("shop"), &["a.org"], &[]), route(None, &["b.org", "c.org"], &[]), route(None, &[], &[])];
        assert_eq!(labels(&routes), ["shop", "b.org", "default"]);
    }

    #[test]
    fn no_two_are_called_alike_and_none_too_long() {
        let long = "a".repeat(200);
        let routes = [
            route(None, &["a.org"], &["h2"]),
            route(None, &["a.org"], &["http/1.1"]),
            route(None, &["a.org"], &[]),
            route(Some("default"), &["b.org"], &[]),
            route(None, &[], &[]),
            route(None, &[&long], &[]),
            route(None, &[&long], &["h2"]),
        ];
        let labels = labels(&routes);
        assert_eq!(labels[..5], ["a.org", "a.org http/1.1", "a.org 2", "default", "default 2"]);
        assert_eq!(labels.iter().collect::<BTreeSet<_>>().len(), routes.len());
        assert!(labels.iter().all(|label| (1..=ROUTE_NAME_LEN_MAX).contains(&label.len())));
    }
}
