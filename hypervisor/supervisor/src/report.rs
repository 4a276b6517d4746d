//! Findings about files that people wrote: where, what, and what to do; as text and as JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::rule::{Rule, Severity};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's path as the user would write it.
    pub file: String,
    /// The line in it, from 1, where there is one.
    pub line: Option<usize>,
    /// The key in the configuration that leads there, as in `route[0].sni[1]`; empty if none.
    pub field: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if self.field.is_empty() { Ok(()) } else { write!(f, ": {}", self.field) }
    }
}

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Where.
    pub place: Place,
    /// What is wrong; may quote what a file says.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] {}: {}", self.rule.severity().name(), self.rule.code(), self.place, self.message)
    }
}

/// What was found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Notes a breach of a rule.
    pub fn add(&mut self, rule: Rule, place: &Place, message: impl Into<String>) {
        self.findings.push(Finding { rule, place: place.clone(), message: message.into() });
    }

    /// All findings, in the order found.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many findings of this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.rule.severity() == severity).count()
    }

    /// Whether anything forbids to start.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// The exit code: that of the errors if they are of one kind, [`Exit::Findings`] if they are of several.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let mut exits =
            self.findings.iter().filter(|finding| finding.rule.severity() == Severity::Error).map(|finding| finding.rule.exit());
        match exits.next() {
            None => Exit::Success,
            Some(first) if exits.all(|exit| exit == first) => first,
            Some(_) => Exit::Findings,
        }
    }

    /// The text, a line each.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.findings.iter().flat_map(|finding| [finding.to_string(), format!("  advice: {}", finding.rule.advice())])
    }

    /// The stable JSON form; see `docs/check.md`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "version": 1,
            "ok": !self.has_errors(),
            "exit_code": self.exit().code(),
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
            "findings": self.findings.iter().map(Finding::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Finding {
    fn to_json(&self) -> Value {
        json!({
            "code": self.rule.code(),
            "severity": self.rule.severity().name(),
            "file": self.place.file,
            "line": self.place.line,
            "field": self.place.field,
            "message": self.message,
            "advice": self.rule.advice(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { file: "b.toml".into(), line: Some(3), field: "net.mode".into() }
    }

    fn report(rules: &[Rule]) -> Report {
        let mut report = Report::default();
        rules.iter().for_each(|&rule| report.add(rule, &place(), "what"));
        report
    }

    #[test]
    fn errors_of_one_kind_give_its_code_and_of_several_another() {
        assert_eq!(report(&[]).exit(), Exit::Success);
        assert_eq!(report(&[Rule::KeyReadable, Rule::KeyWeak, Rule::KeyMismatch]).exit(), Exit::Key);
        assert_eq!(report(&[Rule::KeyWeak, Rule::ChainOrder]).exit(), Exit::Findings);
    }

    #[test]
    fn warnings_alone_are_success() {
        assert_eq!(report(&[Rule::KeyReadable]).exit(), Exit::Success);
        assert!(!report(&[Rule::KeyReadable]).has_errors());
    }

    #[test]
    fn the_text_says_file_line_field_what_and_advice() {
        let lines: Vec<String> = report(&[Rule::UnknownKey]).lines().collect();
        assert_eq!(lines, ["error[unknown-key] b.toml:3: net.mode: what", "  advice: remove the key or correct its name"]);
    }

    #[test]
    fn the_json_form_is_the_documented_one() {
        let expected = r#"{"errors":1,"exit_code":10,"findings":[{"advice":"remove the key or correct its name","code":"unknown-key","field":"net.mode","file":"b.toml","line":3,"message":"what","severity":"error"}],"ok":false,"version":1,"warnings":0}"#;
        assert_eq!(report(&[Rule::UnknownKey]).to_json().to_string(), expected);
    }
}
