//! The families by the rules of `promtool check metrics`, and against the page.

use super::*;
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use crate::admin::board::{Expiry, Facts};
use crate::run::access_file::Written;
use status::{Backend, BackendState, End, Failure, FailureKind, HandshakeKind, Limit, Route, Status};

/// Facts in which every family has a sample.
fn facts() -> Facts {
    let kind = HandshakeKind { version: 0x0304, suite: 0x1301, group: Some(0x11ec), resumed: false };
    let address = "100.64.0.1:8080".parse().unwrap();
    let backend = Backend {
        address,
        state: BackendState::Up,
        active: 2,
        connections: 9,
        failures: 1,
        checked: false,
        checks_passed: 0,
        checks_failed: 0,
    };
    let status = Status {
        handshakes: vec![(kind, 5), (HandshakeKind { resumed: true, group: None, ..kind }, 6)],
        failures: vec![
            (Failure { kind: FailureKind::ClientAlert, alert: Some(48) }, 7),
            (Failure { kind: FailureKind::Gone, alert: None }, 8),
        ],
        ended: vec![(End::Done, 3)],
        refused: vec![(Limit::Connections, 4)],
        routes: vec![Route { name: "shop".into(), queued: 1, backends: vec![backend] }],
        ..Status::default()
    };
    let mut facts = Facts::new(Duration::from_secs(1_700_000_000));
    facts.serving();
    facts.status = Some((Arc::new(status), Instant::now()));
    facts.exits.insert("guest_crash", 2);
    facts.reloaded(Duration::from_secs(1_700_000_001), Err("bountybox.toml:3: no".into()));
    facts.certificates.push(Expiry { file: "pki/chain.pem".into(), name: "www.example.org".into(), not_after: 1_800_000_000 });
    facts.backends.insert(address, "app-1:8080".into());
    facts.access = Some(Arc::new(Written::default()));
    facts
}

/// One line of the text, taken apart: name, labels, value.
fn sample(line: &str) -> (String, Vec<(String, String)>, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let inner = labels.strip_suffix('}').unwrap();
    let pairs = inner.split_terminator("\",").map(|pair| {
        let (label, value) = pair.split_once("=\"").unwrap();
        (label.to_owned(), value.trim_end_matches('"').to_owned())
    });
    (name.to_owned(), pairs.collect(), value.parse().unwrap())
}

fn is_snake(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[test]
fn names_follow_the_rules_of_promtool() {
    let mut seen = BTreeSet::new();
    for family in families() {
        let name = family.name;
        assert!(seen.insert(name), "{name} twice");
        assert!(name.starts_with("bountybox_") && is_snake(name) && !name.contains("__"), "{name}");
        assert_eq!(family.kind == Kind::Counter, name.ends_with("_total"), "{name}: counters end in _total, and nothing else does");
        for suffix in ["_count", "_sum", "_bucket"] {
            assert!(!name.ends_with(suffix), "{name}: {suffix} is for histograms");
        }
        for kind in ["_gauge", "_counter", "_histogram", "_summary"] {
            assert!(!name.contains(kind), "{name}: no metric's type in its name");
        }
        for unit in
            ["milliseconds", "microseconds", "minutes", "hours", "days", "kilobytes", "megabytes", "ms", "us", "kb", "mb", "percent"]
        {
            assert!(!name.split('_').any(|word| word == unit), "{name}: base units only");
        }
        assert!(family.help.ends_with('.') && !family.help.contains(['\n', '\\']), "{name}: {}", family.help);
        for label in family.labels {
            assert!(is_snake(label) && !["le", "quantile"].contains(label) && !label.starts_with("__"), "{name}: {label}");
        }
    }
}

#[test]
fn the_text_is_what_prometheus_reads() {
    let text = text(&facts());
    assert!(text.ends_with('\n'));
    let mut series = BTreeSet::new();
    let mut lines = text.lines().peekable();
    for family in families() {
        assert_eq!(lines.next(), Some(&*format!("# HELP {} {}", family.name, family.help)), "a family without samples?");
        assert_eq!(lines.next(), Some(&*format!("# TYPE {} {}", family.name, family.kind.name())));
        assert!(lines.peek().is_some_and(|line| !line.starts_with('#')), "{} has no sample", family.name);
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let (name, labels, value) = sample(line);
            assert_eq!(name, family.name);
            assert_eq!(labels.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), family.labels, "{line}");
            assert!(value.is_finite() && (value >= 0.0), "{line}");
            assert!(series.insert((name, labels)), "{line} twice");
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn figures_carry_the_names_that_people_know() {
    let text = text(&facts());
    for line in [
        "bountybox_handshakes_total{version=\"TLSv1.3\",suite=\"TLS_AES_128_GCM_SHA256\",group=\"X25519MLKEM768\",resumed=\"false\"} 5\n",
        "bountybox_handshakes_total{version=\"TLSv1.3\",suite=\"TLS_AES_128_GCM_SHA256\",group=\"\",resumed=\"true\"} 6\n",
        "bountybox_handshake_failures_total{reason=\"client_alert\",alert=\"unknown_ca\"} 7\n",
        "bountybox_backend_up{route=\"shop\",backend=\"app-1:8080\"} 1\n",
        "bountybox_limit_reached_total{limit=\"connections\"} 4\n",
        "bountybox_cell_exits_total{reason=\"guest_crash\"} 2\n",
        "bountybox_last_reload_successful 0\n",
        "bountybox_certificate_expiry_timestamp_seconds{file=\"pki/chain.pem\",name=\"www.example.org\"} 1800000000\n",
    ] {
        assert!(text.contains(line), "no {line} in:\n{text}");
    }
}

#[test]
fn a_guest_that_has_said_nothing_has_no_figures() {
    let text = text(&Facts::new(Duration::ZERO));
    assert!(text.contains("bountybox_up 0\n") && !text.contains("bountybox_handshakes_total"));
}

#[test]
fn a_guest_that_lies_makes_no_series_twice() {
    let mut facts = facts();
    let mut status = Status::clone(&facts.status.as_ref().unwrap().0);
    let unknown = |suite| HandshakeKind { version: 1, suite, group: Some(1), resumed: false };
    status.handshakes = (0..90).map(|suite| (unknown(suite), 1)).collect();
    status.failures = (200..250).map(|alert| (Failure { kind: FailureKind::ClientAlert, alert: Some(alert) }, 1)).collect();
    status.routes = vec![status.routes[0].clone(); 3];
    facts.status = Some((Arc::new(status), Instant::now()));
    let text = text(&facts);
    let series: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap().0).collect();
    assert_eq!(series.iter().collect::<BTreeSet<_>>().len(), series.len());
    assert!(text.contains("{reason=\"client_alert\",alert=\"unassigned\"} 50\n"));
}

/// `BLESS=1` writes the table anew.
#[test]
fn the_page_about_metrics_is_made_from_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    let page = std::fs::read_to_string(path).unwrap();
    let head = "| name | type | labels | meaning |\n|---|---|---|---|\n";
    let (before, rest) = page.split_once(head).unwrap();
    let behind: String = rest.split_inclusive('\n').skip_while(|line| line.starts_with('|')).collect();
    let expected = format!("{before}{head}{}{behind}", page_rows());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert!(
        page == expected || std::env::var_os("BLESS").is_some(),
        "docs/metrics.md is out of date: BLESS=1 cargo test -p bountybox metrics"
    );
}
