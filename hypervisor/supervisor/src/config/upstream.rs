//! How a route uses its backends: balance, limits, `[route.check]`, `[route.eject]`.

use keys::bundle::{Balance, Check, CheckKind, Eject, Upstream};
use keys::limits::{CHECK_COUNT_MAX, CHECK_INTERVAL_MS_MIN, CHECK_TEXT_LEN_MAX, COUNT_MAX, QUEUE_MAX, RETRIES_MAX, TIMEOUT_MS_MAX};

use super::section::Section;
use crate::report::Report;
use crate::rule::Rule;

const BALANCES: [(&str, Balance); 3] =
    [("round-robin", Balance::RoundRobin), ("least-connections", Balance::LeastConnections), ("source-hash", Balance::SourceHash)];

/// What a check asks, without what only HTTP needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Tcp,
    Http,
}

const KINDS: [(&str, Asks); 2] = [("tcp", Asks::Tcp), ("http", Asks::Http)];

/// The keys of a route that are about its backends. `host` is whom an HTTP check asks for where it does not say.
pub(crate) fn read(route: &mut Section<'_>, host: &str, report: &mut Report) -> Upstream {
    let default = Upstream::default();
    let checked = route.has("check");
    let mut check = route.section("check", report);
    let mut eject = route.section("eject", report);
    let upstream = Upstream {
        balance: route.choice("balance", &BALANCES, report).map_or(default.balance, |balance| balance.value),
        connections: count(route, "backend_connections", 0, COUNT_MAX, report).unwrap_or(default.connections),
        queue: count(route, "queue", 0, QUEUE_MAX, report).unwrap_or(default.queue),
        queue_timeout_ms: millis(route, "queue_timeout_ms", 1, report).unwrap_or(default.queue_timeout_ms),
        retries: count(route, "retries", 0, RETRIES_MAX, report).unwrap_or(default.retries),
        check: Some(read_check(&mut check, host, report)).filter(|_| checked),
        eject: Eject {
            failures: count(&mut eject, "failures", 0, COUNT_MAX, report).unwrap_or(default.eject.failures),
            for_ms: millis(&mut eject, "for_ms", 1, report).unwrap_or(default.eject.for_ms),
        },
    };
    check.finish(report);
    eject.finish(report);
    upstream
}

fn read_check(section: &mut Section<'_>, host: &str, report: &mut Report) -> Check {
    let asks = section.choice("kind", &KINDS, report).map_or(Asks::Tcp, |kind| kind.value);
    let http = read_http(section, host, report);
    if asks == Asks::Tcp {
        for key in ["path", "host", "expect"].into_iter().filter(|key| section.has(key)) {
            report.add(Rule::Misplaced, &section.place_at(key), format!("`{key}` is for kind = \"http\""));
        }
    }
    Check {
        kind: if asks == Asks::Http { http } else { CheckKind::Tcp },
        interval_ms: millis(section, "interval_ms", CHECK_INTERVAL_MS_MIN, report).unwrap_or(2000),
        timeout_ms: millis(section, "timeout_ms", 1, report).unwrap_or(1000),
        rise: count(section, "rise", 1, CHECK_COUNT_MAX, report).unwrap_or(2),
        fall: count(section, "fall", 1, CHECK_COUNT_MAX, report).unwrap_or(3),
    }
}

fn read_http(section: &mut Section<'_>, host: &str, report: &mut Report) -> CheckKind {
    let path = section.parsed("path", "a path, as \"/healthz\", without spaces", parse_path, report);
    let given = section.parsed("host", "a host name, with or without a port", parse_plain, report);
    let expect = section.parsed("expect", "an HTTP status or a range of them within 100 to 599, as \"200-399\"", parse_expect, report);
    CheckKind::Http {
        path: path.map_or_else(|| "/".into(), |path| path.value),
        host: given.map_or_else(|| host.into(), |host| host.value),
        expect: expect.map_or((200, 399), |expect| expect.value),
    }
}

fn count(section: &mut Section<'_>, key: &'static str, least: u32, most: u32, report: &mut Report) -> Option<u32> {
    let number = section.number(key, least.into()..=most.into(), report)?;
    u32::try_from(number.value).ok()
}

fn millis(section: &mut Section<'_>, key: &'static str, least: u64, report: &mut Report) -> Option<u64> {
    section.number(key, least..=TIMEOUT_MS_MAX, report).map(|number| number.value)
}

fn parse_path(text: &str) -> Option<String> {
    parse_plain(text).filter(|path| path.starts_with('/'))
}

/// What may stand in a request as it is: no space, no control character, nothing but ASCII.
fn parse_plain(text: &str) -> Option<String> {
    let plain = (1..=CHECK_TEXT_LEN_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| text.to_owned())
}

fn parse_expect(text: &str) -> Option<(u16, u16)> {
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let status = |text: &str| text.parse().ok().filter(|status| (100..=599).contains(status) && text.len() == 3);
    let range = (status(least)?, status(most)?);
    (range.0 <= range.1).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_statuses_are_one_or_a_range() {
        assert_eq!(parse_expect("204"), Some((204, 204)));
        assert_eq!(parse_expect("200-399"), Some((200, 399)));
        for text in ["", "-", "99", "600", "399-200", "200-", "2xx", "+20", "200-399-500", "0200"] {
            assert_eq!(parse_expect(text), None, "{text}");
        }
    }

    #[test]
    fn a_path_cannot_end_the_line_that_it_stands_in() {
        assert_eq!(parse_path("/a?b=c").as_deref(), Some("/a?b=c"));
        for text in ["", "a", "/a b", "/a\r\nX: y", "/ä"] {
            assert_eq!(parse_path(text), None, "{text:?}");
        }
    }
}
