//! What the judge says of one client.

use std::collections::BTreeMap;
use std::env;
use std::process::Command;

use e2e::Outcome;
use serde_json::Value;

use crate::client::{Care, Client};

/// The command that judges, if the environment variable `BOUNTYBOX` names no other.
const BOUNTYBOX: &str = "target/release/bountybox";
/// How long a client may take for one thing.
const TIMEOUT_S: &str = "4";

/// See the module.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) name: &'static str,
    pub(crate) care: Care,
    /// Its version, or why it was not judged.
    pub(crate) version: Result<String, String>,
    /// By misbehaviour.
    pub(crate) cells: BTreeMap<String, Cell>,
    /// Of what is said in one connection, and of what is said to who comes back, where it is another.
    pub(crate) exit_codes: Vec<i64>,
}

/// One verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// By this alert, and whether the RFC names it.
    Alert(String, bool),
    /// Without one: how.
    Unsaid(String),
    /// How.
    Fooled(String),
    Untried,
    /// What must not be: no client, a control refused.
    Other(String),
    Accepted,
}

impl Judgement {
    pub(crate) fn of(client: &Client) -> Outcome<Self> {
        let none = |why| Self { name: client.name, care: client.care, version: Err(why), cells: BTreeMap::new(), exit_codes: Vec::new() };
        if let Some(why) = client.missing() {
            return Ok(none(why));
        }
        client.build()?;
        let (mut cells, exit_code) = judge("all", client.command).map_err(|fault| format!("{}: {fault}", client.name))?;
        // The first run had it come once, and so tried none of these.
        let (resumed, other) = judge("resumed", client.resuming).map_err(|fault| format!("{}: {fault}", client.name))?;
        cells.extend(resumed);
        let exit_codes = if exit_code == other { vec![exit_code] } else { vec![exit_code, other] };
        Ok(Self { version: Ok(client.version()?), cells, exit_codes, ..none(String::new()) })
    }

    /// How often a kind of verdict was given.
    pub(crate) fn count(&self, is: impl Fn(&Cell) -> bool) -> usize {
        self.cells.values().filter(|cell| is(cell)).count()
    }

    /// By which misbehaviours it was fooled.
    pub(crate) fn fooled(&self) -> Vec<&str> {
        self.cells.iter().filter(|(_, cell)| matches!(cell, Cell::Fooled(_))).map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn summary(&self) -> String {
        match &self.version {
            Err(why) => format!("skipped: {why}"),
            Ok(version) => format!(
                "{version}: {} noticed, {} untried, fooled by {:?}, exit code {:?}",
                self.count(Cell::is_noticed),
                self.count(|cell| *cell == Cell::Untried),
                self.fooled(),
                self.exit_codes
            ),
        }
    }
}

impl Cell {
    fn of(row: &Value) -> Self {
        match (row["verdict"].as_str().unwrap_or_default(), row["alert"].as_str()) {
            ("noticed", Some(alert)) => Self::Alert(alert.to_owned(), row["alert_is_expected"] == true),
            ("noticed", None) => Self::Unsaid(how(&text(&row["text"])).to_owned()),
            ("fooled", _) => Self::Fooled(text(&row["text"])),
            ("untried", _) => Self::Untried,
            ("accepted", _) => Self::Accepted,
            _ => Self::Other(text(&row["text"])),
        }
    }

    pub(crate) fn is_noticed(&self) -> bool {
        matches!(self, Self::Alert(..) | Self::Unsaid(_))
    }
}

/// What is found of a client that is this command, and the exit code.
fn judge(misbehaviours: &str, client: &[&str]) -> Outcome<(BTreeMap<String, Cell>, i64)> {
    let dir = tempfile::tempdir()?;
    let itself = env::current_exe()?.display().to_string();
    let words = client.iter().map(|word| word.replace("{self}", &itself));
    let mut judge = Command::new(env::var("BOUNTYBOX").unwrap_or_else(|_| BOUNTYBOX.to_owned()));
    judge.args(["target", "--misbehave", misbehaviours, "--json", "--timeout", TIMEOUT_S, "--ca"]).arg(dir.path().join("ca.pem"));
    let said = judge.arg("--").args(words).output()?;
    let told: Value =
        serde_json::from_slice(&said.stdout).map_err(|fault| format!("{fault}: {}", String::from_utf8_lossy(&said.stderr)))?;
    let rows = told["judged"].as_array().ok_or("no verdicts")?;
    let cells = rows.iter().map(|row| (text(&row["name"]), Cell::of(row))).collect();
    Ok((cells, told["exit_code"].as_i64().ok_or("no exit code")?))
}

/// What a verdict says in its brackets.
fn how(verdict: &str) -> &str {
    verdict.strip_prefix("noticed (").and_then(|rest| rest.strip_suffix(')')).unwrap_or(verdict)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_of_the_judge_becomes_a_cell() {
        let of = |verdict: &str, text: &str, alert: Option<&str>| {
            Cell::of(&json!({ "verdict": verdict, "text": text, "alert": alert, "alert_is_expected": alert.map(|_| false) }))
        };
        let alert = of("noticed", "noticed (alert unknown_ca)", Some("unknown_ca"));
        assert_eq!(alert, Cell::Alert("unknown_ca".to_owned(), false));
        assert_eq!(of("noticed", "noticed (not offered)", None), Cell::Unsaid("not offered".to_owned()));
        assert_eq!(of("fooled", "fooled (it went on)", None), Cell::Fooled("fooled (it went on)".to_owned()));
        assert_eq!(of("untried", "untried", None), Cell::Untried);
        assert_eq!(of("no client", "no client (nobody came)", None), Cell::Other("no client (nobody came)".to_owned()));
        assert!(alert.is_noticed() && !of("untried", "untried", None).is_noticed());
    }
}
