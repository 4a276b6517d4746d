//! The table of keys is what the reader reads, and `docs/reference.md` is what the table says.
//!
//! Each test writes small configurations, one section to a line so that no finding's place moves, and looks at what the reader makes of them.

use core::fmt::Write as _;
use std::collections::BTreeSet;
use std::path::Path;

use bountybox::config::keys::{Key, Kind, SECTIONS, Section, Unless};
use bountybox::config::{self, Config};
use bountybox::report::{Finding, Report};
use bountybox::rule::Rule;

/// A key and the value to write for it; `None` leaves the key out.
type Change<'a> = (&'a str, Option<&'a str>);

/// The least configuration that has this section, with a change in it.
fn text(section: &Section, change: Change<'_>) -> String {
    let needed = |top: &&Section| !top.path.contains('.') && (top.repeated || section.path.starts_with(top.path));
    let line = |top: &Section| format!("{} = {}\n", top.path, table(top, section, change));
    SECTIONS.iter().filter(needed).map(line).collect()
}

fn table(here: &Section, section: &Section, change: Change<'_>) -> String {
    let changed = here.path == section.path;
    let required = here.keys.iter().filter_map(|key| match key.unless {
        Unless::Required(value) => Some((key.name, value)),
        _ => None,
    });
    let companions = here.with.iter().copied().filter(|_| changed);
    let fixed = required.chain(companions).filter(|(name, _)| !(changed && *name == change.0));
    let mut fields: Vec<String> = fixed.map(|(name, value)| format!("{name} = {value}")).collect();
    fields.extend(change.1.filter(|_| changed).map(|value| format!("{} = {value}", change.0)));
    let way =
        SECTIONS.iter().filter(|child| parent(child) == here.path && format!("{}.", section.path).starts_with(&format!("{}.", child.path)));
    fields.extend(way.map(|child| format!("{} = {}", last(child), table(child, section, change))));
    let fields = fields.join(", ");
    if here.repeated { format!("[{{ {fields} }}]") } else { format!("{{ {fields} }}") }
}

fn parent(section: &Section) -> &'static str {
    section.path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

fn last(section: &Section) -> &'static str {
    section.path.rsplit('.').next().unwrap_or_default()
}

/// Where findings about a key are placed.
fn field(section: &Section, key: &str) -> String {
    let steps = SECTIONS.iter().filter(|other| format!("{}.", section.path).starts_with(&format!("{}.", other.path)));
    let mut path = String::new();
    for step in steps {
        write!(path, "{}{}.", last(step), if step.repeated { "[0]" } else { "" }).expect("a string");
    }
    path + key
}

fn read(dir: &Path, text: &str) -> (Config, Report) {
    let path = dir.join("bountybox.toml");
    std::fs::write(&path, text).expect("written");
    let mut report = Report::default();
    let config = config::read(&path, &mut report).expect("TOML");
    (config, report)
}

/// What the reader finds at a key when it is given this value, or left out.
fn findings(section: &Section, change: Change<'_>) -> Vec<Finding> {
    let dir = tempfile::tempdir().expect("a directory");
    let (_, report) = read(dir.path(), &text(section, change));
    let at = field(section, change.0);
    report.findings().iter().filter(|finding| finding.place.field.starts_with(&at)).cloned().collect()
}

fn rules(section: &Section, key: &Key, value: &str) -> Vec<Rule> {
    findings(section, (key.name, Some(value))).iter().map(|finding| finding.rule).collect()
}

fn each_key(mut look: impl FnMut(&'static Section, &'static Key)) {
    SECTIONS.iter().for_each(|section| section.keys.iter().for_each(|key| look(section, key)));
}

const NOWHERE: &str = "zzzzzzzzzzzzzzzz";

#[test]
fn the_reader_and_the_table_know_the_same_sections_and_keys() {
    let whole_file = Section { path: "", repeated: false, about: "", with: &[], keys: &[] };
    for section in SECTIONS.iter().chain([&whole_file]) {
        let children = SECTIONS.iter().filter(|child| parent(child) == section.path).map(last);
        let listed: BTreeSet<&str> = section.keys.iter().map(|key| key.name).chain(children).collect();
        let found = if section.path.is_empty() { at_the_top() } else { findings(section, (NOWHERE, Some("1"))) };
        assert_eq!(found.len(), 1, "[{}]: {found:?}", section.path);
        let (_, known) = found[0].message.split_once("known here are ").expect("the reader says what it knows");
        assert_eq!(known.split(", ").collect::<BTreeSet<_>>(), listed, "the reader and the table about [{}]", section.path);
    }
}

fn at_the_top() -> Vec<Finding> {
    let dir = tempfile::tempdir().expect("a directory");
    let (_, report) = read(dir.path(), &format!("{NOWHERE} = 1\n{}", text(&SECTIONS[0], ("", None))));
    report.findings().to_vec()
}

#[test]
fn a_key_that_is_left_out_is_missed_or_not_as_the_table_says() {
    each_key(|section, key| {
        let missed = findings(section, (key.name, None)).iter().any(|finding| finding.rule == Rule::MissingKey);
        let tap = section.with.iter().any(|(with, _)| *with == key.name);
        let of_the_section = |rule: &Finding| rule.place.field.trim_end_matches('.') == field(section, "").trim_end_matches('.');
        let required = matches!(key.unless, Unless::Required(_));
        let found =
            missed || (required && whole(section, key).iter().any(|finding| finding.rule == Rule::MissingKey && of_the_section(finding)));
        assert!(tap || found == required, "[{}] {}", section.path, key.name);
    });
}

fn whole(section: &Section, key: &Key) -> Vec<Finding> {
    let dir = tempfile::tempdir().expect("a directory");
    read(dir.path(), &text(section, (key.name, None))).1.findings().to_vec()
}

#[test]
fn a_default_that_is_written_out_changes_nothing() {
    each_key(|section, key| {
        let Unless::Default(default) = key.unless else { return };
        let dir = tempfile::tempdir().expect("a directory");
        let (without, _) = read(dir.path(), &text(section, (key.name, None)));
        let (with, report) = read(dir.path(), &text(section, (key.name, Some(default))));
        assert_eq!(format!("{without:?}"), format!("{with:?}"), "[{}] {} = {default}", section.path, key.name);
        let at = field(section, key.name);
        let wrong = report.findings().iter().filter(|finding| finding.place.field == at && finding.rule != Rule::Misplaced);
        assert_eq!(wrong.count(), 0, "[{}] {} = {default}: {report:?}", section.path, key.name);
    });
}

#[test]
fn words_are_taken_and_others_refused() {
    each_key(|section, key| {
        let Kind::Words(words) = key.kind else { return };
        for word in words {
            let found = rules(section, key, &format!("\"{word}\""));
            assert!(!found.contains(&Rule::WrongValue), "[{}] {} = {word}", section.path, key.name);
        }
        assert!(rules(section, key, &format!("\"{NOWHERE}\"")).contains(&Rule::WrongValue), "[{}] {}", section.path, key.name);
    });
}

#[test]
fn bounds_are_where_the_table_says() {
    each_key(|section, key| {
        let Kind::Number(least, most) = key.kind else { return };
        let refused = |number: u64| rules(section, key, &number.to_string()).contains(&Rule::OutOfRange);
        let place = format!("[{}] {}", section.path, key.name);
        assert!(!refused(least), "{place} = {least}");
        assert!(refused(most + 1), "{place} = {most} + 1");
        assert!(least == 0 || refused(least - 1), "{place} = {least} - 1");
        // What must also fit the heap says so in other words.
        let past_the_bounds = |finding: &Finding| finding.message.contains("is not within");
        assert!(!findings(section, (key.name, Some(&most.to_string()))).iter().any(past_the_bounds), "{place} = {most}");
    });
}

#[test]
fn keys_take_values_of_their_kind_alone() {
    each_key(|section, key| {
        let (other, sound) = match key.kind {
            Kind::Words(_) | Kind::Text(_) => ("1", None),
            Kind::Number(..) => ("\"1\"", None),
            Kind::Switch => ("1", Some("false")),
            Kind::List(_) => ("\"1\"", None),
        };
        let place = format!("[{}] {}", section.path, key.name);
        assert!(rules(section, key, other).contains(&Rule::WrongType), "{place} = {other}");
        let required = match key.unless {
            Unless::Required(value) => Some(value),
            _ => None,
        };
        for value in required.into_iter().chain(sound) {
            assert_eq!(rules(section, key, value), [], "{place} = {value}");
        }
    });
}

#[test]
fn the_reference_page_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference.md");
    let page = page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stands == page, "docs/reference.md is out of date: BLESS=1 cargo test -p bountybox --test reference_page");
}

const HEAD: &str = "\
<!-- Made from hypervisor/supervisor/src/config/keys.rs by `BLESS=1 cargo test -p bountybox --test reference_page`; a test compares. -->

# Every key of bountybox.toml

Only `listen`, `certificate` and `route` are needed; everything else has a default. An unknown key is an error. Times are in milliseconds where the name
ends in `_ms`, in seconds where it ends in `_s`. Paths are relative to the file. [configuration.md](configuration.md) explains, with examples.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        let title = if section.repeated { format!("[[{}]]", section.path) } else { format!("[{}]", section.path) };
        write!(page, "\n## {title}\n\n{}\n\n| key | takes | without it | meaning |\n|---|---|---|---|\n", section.about).expect("a string");
        section.keys.iter().for_each(|key| page.push_str(&row(key)));
    }
    page
}

fn row(key: &Key) -> String {
    let takes = match key.kind {
        Kind::Words(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Kind::Number(least, most) => format!("{least} to {most}"),
        Kind::Switch => "`true`, `false`".into(),
        Kind::Text(what) => what.into(),
        Kind::List(what) => format!("a list: {what}"),
    };
    let without = match key.unless {
        Unless::Required(_) => "an error".into(),
        Unless::Default(value) => format!("`{value}`"),
        Unless::Absent(what) => what.into(),
    };
    format!("| `{}` | {takes} | {without} | {} |\n", key.name, key.meaning)
}
