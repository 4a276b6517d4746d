//! What was found wrong with a guest, for programs of other people: JUnit's XML, which CI systems show as tests, and SARIF 2.1.0, which they show beside the code.

use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use harness::verdict::Verdict;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::run::refuse;
use crate::terminal::Clean;

/// Where reports go.
#[derive(Debug, Clone, Default, Args)]
pub struct ReportArgs {
    /// Write a JUnit report to this file: one test for each kind of verdict.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write a SARIF 2.1.0 report to this file.
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// [`Verdict::name`].
    pub(crate) verdict: &'static str,
    /// What became of the guest, in words.
    pub(crate) told: String,
    /// What tells it from others.
    pub(crate) mark: String,
    /// What did it, if that was kept.
    pub(crate) input: Option<PathBuf>,
    /// How often it was found.
    pub(crate) times: u64,
}

impl Finding {
    /// The input's name.
    pub(crate) fn place(&self) -> String {
        self.input.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    }
}

/// All that was tried, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Summary {
    pub(crate) name: &'static str,
    pub(crate) tries: u64,
    pub(crate) spent: Duration,
    pub(crate) findings: Vec<Finding>,
}

impl ReportArgs {
    /// Writes what is asked for. A report that cannot be written does not keep back the other.
    pub(crate) fn write(&self, summary: &Summary) -> Result<(), Exit> {
        let put = |path: Option<&Path>, text: &dyn Fn() -> String| match path {
            Some(path) => {
                fs::write(path, text()).map_err(|fault| refuse(Exit::Output, format!("{} cannot be written: {fault}", path.display())))
            }
            None => Ok(()),
        };
        let written = put(self.junit.as_deref(), &|| junit(summary));
        put(self.sarif.as_deref(), &|| format!("{:#}\n", sarif(summary))).and(written)
    }
}

/// The format has no schema of its own maker's; this is what Ant writes and CI systems read.
fn junit(summary: &Summary) -> String {
    let of = |kind: &str| summary.findings.iter().filter(|one| one.verdict == kind).collect::<Vec<_>>();
    let failed = Verdict::FINDINGS.iter().filter(|(kind, _)| !of(kind).is_empty()).count();
    let suite = Xml(summary.name);
    let counts = format!(r#"tests="{}" failures="{failed}" errors="0" time="{:.3}""#, Verdict::FINDINGS.len(), summary.spent.as_secs_f64());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n<testsuite name=\"{suite}\" {counts}>\n\
         <properties><property name=\"tries\" value=\"{}\"/></properties>\n",
        summary.tries
    );
    for (kind, meaning) in Verdict::FINDINGS {
        text.push_str(&format!("<testcase classname=\"{suite}\" name=\"{kind}: no input after which {meaning}\""));
        let found = of(kind);
        let Some(first) = found.first() else {
            text.push_str("/>\n");
            continue;
        };
        let lines: String = found.iter().map(|one| format!("{}: {} ({} times)\n", Xml(&one.place()), Xml(&one.told), one.times)).collect();
        text.push_str(&format!(">\n<failure type=\"{kind}\" message=\"{}\">{lines}</failure>\n</testcase>\n", Xml(&first.told)));
    }
    text.push_str("</testsuite>\n</testsuites>\n");
    text
}

/// OASIS, Static Analysis Results Interchange Format 2.1.0.
fn sarif(summary: &Summary) -> Value {
    let rules: Vec<Value> =
        Verdict::FINDINGS.iter().map(|(id, meaning)| json!({ "id": id, "shortDescription": { "text": meaning } })).collect();
    let results: Vec<Value> = summary
        .findings
        .iter()
        .map(|one| {
            let locations: Vec<Value> = one.input.iter().map(|path| json!({ "physicalLocation": { "artifactLocation": { "uri": uri(path) } } })).collect();
            json!({
                "ruleId": one.verdict, "level": "error", "message": { "text": one.told }, "locations": locations, "occurrenceCount": one.times.max(1),
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "bountybox", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "properties": { "command": summary.name, "tries": summary.tries, "seconds": summary.spent.as_secs_f64() },
            "results": results,
        }],
    })
}

/// A path as a relative reference, RFC 3986 section 4.2.
fn uri(path: &Path) -> String {
    use core::fmt::Write;
    path.display().to_string().bytes().fold(String::new(), |mut text, byte| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        let _infallible = if is_plain { write!(text, "{}", char::from(byte)) } else { write!(text, "%{byte:02X}") };
        text
    })
}

/// Text within XML 1.0, which has no way to say most control characters: they are written as Rust would.
struct Xml<'t>(&'t str);

impl core::fmt::Display for Xml<'_> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        Clean(self.0).to_string().chars().try_for_each(|c| match c {
            '&' => out.write_str("&amp;"),
            '<' => out.write_str("&lt;"),
            '>' => out.write_str("&gt;"),
            '"' => out.write_str("&quot;"),
            c => write!(out, "{c}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(findings: Vec<Finding>) -> Summary {
        Summary { name: "bountybox target", tries: 12, spent: Duration::from_millis(1500), findings }
    }

    fn crash(told: &str) -> Finding {
        Finding { verdict: "crash", told: told.into(), mark: told.into(), input: Some("a folder/crash-1.input".into()), times: 3 }
    }

    #[test]
    fn every_verdict_is_a_test_and_says_what_was_found() {
        let text = junit(&summary(vec![crash("at \"<x>\"\u{1b} & on"), crash("elsewhere")]));
        assert!(text.contains(r#"<testsuite name="bountybox target" tests="6" failures="1" errors="0" time="1.500">"#), "{text}");
        assert_eq!(text.matches("<testcase ").count(), 6);
        assert!(text.contains(r#"message="at &quot;&lt;x&gt;&quot;\u{1b} &amp; on""#) && text.contains("elsewhere (3 times)"), "{text}");
        assert!(!junit(&summary(Vec::new())).contains("<failure"));
    }

    #[test]
    fn every_finding_is_a_result_of_a_rule_and_names_its_input() {
        let report = sarif(&summary(vec![crash("gone")]));
        let run = &report["runs"][0];
        assert_eq!(run["results"][0]["ruleId"], "crash");
        assert!(run["tool"]["driver"]["rules"].as_array().unwrap().iter().any(|rule| rule["id"] == "crash"));
        let place = &run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(place, "a%20folder/crash-1.input");
        assert_eq!(sarif(&summary(Vec::new()))["runs"][0]["results"], json!([]));
    }
}
