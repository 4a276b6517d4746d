//! One table of the file, read key by key.
//!
//! Each key is asked for once, by its name and type; what is missing, of another type or out of bounds goes to the report with its line. What
//! nobody asked for is unknown, and the names that were asked for are what it may have been meant to be.

use core::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::keys;
use super::suggest::nearest;
use crate::limits::QUOTE_LEN_MAX;
use crate::report::{Place, Report};
use crate::rule::Rule;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// See the module's page.
pub(crate) struct Section<'a> {
    document: &'a Document,
    table: Option<&'a DeTable<'a>>,
    /// The keys that lead here, with a final dot, or nothing at the top.
    path: String,
    /// Where the table itself stands.
    pub(crate) place: Place,
    asked: Vec<&'static str>,
}

type Node<'a> = Spanned<DeValue<'a>>;

impl<'a> Section<'a> {
    /// The whole file.
    pub(crate) fn top(document: &'a Document, table: &'a DeTable<'a>) -> Self {
        Self { document, table: Some(table), path: String::new(), place: document.place(None, ""), asked: Vec::new() }
    }

    /// A table in this one; one that is not there reads as empty.
    pub(crate) fn section(&mut self, key: &'static str, report: &mut Report) -> Self {
        let node = self.take(key);
        let place = node.map_or_else(|| self.place_of_key(key, None), |node| self.place_of_key(key, Some(node)));
        let table = node.and_then(|node| self.typed(key, node, "a table", DeValue::as_table, report));
        Self { document: self.document, table, path: format!("{}{key}.", self.path), place, asked: Vec::new() }
    }

    /// The tables of an array of tables, as `[[route]]`.
    pub(crate) fn sections(&mut self, key: &'static str, report: &mut Report) -> Vec<Self> {
        let Some(node) = self.take(key) else { return Vec::new() };
        let Some(array) = self.typed(key, node, "an array of tables, as [[..]] makes it", DeValue::as_array, report) else {
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (index, node) in array.iter().enumerate() {
            let field = format!("{}{key}[{index}]", self.path);
            let place = self.document.place(Some(node.span()), &field);
            let Some(table) = node.get_ref().as_table() else {
                report.add(Rule::WrongType, &place, format!("is {}; a table is wanted", article(node.get_ref())));
                continue;
            };
            sections.push(Self { document: self.document, table: Some(table), path: format!("{field}."), place, asked: Vec::new() });
        }
        sections
    }

    /// A text, if the key is there.
    pub(crate) fn text(&mut self, key: &'static str, report: &mut Report) -> Option<Spot<String>> {
        let node = self.take(key)?;
        let value = self.typed(key, node, "a text in quotes", DeValue::as_str, report)?;
        Some(Spot { value: value.into(), place: self.place_of_key(key, Some(node)) })
    }

    /// A text that must be there.
    pub(crate) fn required_text(&mut self, key: &'static str, report: &mut Report) -> Option<Spot<String>> {
        if !self.has(key) {
            self.asked.push(key);
            report.add(Rule::MissingKey, &self.place_of_key(key, None), format!("`{key}` is missing"));
            return None;
        }
        self.text(key, report)
    }

    /// A text, turned into what it means; `wanted` says what would be right.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        parse: impl Fn(&str) -> Option<T>,
        report: &mut Report,
    ) -> Option<Spot<T>> {
        let text = self.text(key, report)?;
        parse_spot(text, wanted, parse, report)
    }

    /// A list of texts, if the key is there.
    pub(crate) fn texts(&mut self, key: &'static str, report: &mut Report) -> Option<Vec<Spot<String>>> {
        let node = self.take(key)?;
        let array = self.typed(key, node, "a list of texts, as [\"a\", \"b\"]", DeValue::as_array, report)?;
        let mut texts = Vec::new();
        for (index, node) in array.iter().enumerate() {
            let place = self.document.place(Some(node.span()), &format!("{}{key}[{index}]", self.path));
            match node.get_ref().as_str() {
                Some(text) => texts.push(Spot { value: text.into(), place }),
                None => report.add(Rule::WrongType, &place, format!("is {}; a text in quotes is wanted", article(node.get_ref()))),
            }
        }
        Some(texts)
    }

    /// A list of texts, each turned into what it means.
    pub(crate) fn parsed_list<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        parse: impl Fn(&str) -> Option<T>,
        report: &mut Report,
    ) -> Option<Vec<Spot<T>>> {
        let texts = self.texts(key, report)?;
        Some(texts.into_iter().filter_map(|text| parse_spot(text, wanted, &parse, report)).collect())
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)], report: &mut Report) -> Option<Spot<T>> {
        let text = self.text(key, report)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(Spot { value: *value, place: text.place });
        }
        let all: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let hint = nearest(&text.value, words.iter().map(|(word, _)| *word)).map(|word| format!("; did you mean \"{word}\"?"));
        let message = format!("{} is none of {}{}", quote(&text.value), all.join(", "), hint.unwrap_or_default());
        report.add(Rule::WrongValue, &text.place, message);
        None
    }

    /// One of a few words, which must be there.
    pub(crate) fn required_choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)], report: &mut Report) -> Option<Spot<T>> {
        if !self.has(key) {
            let all: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let message = format!("`{key}` is missing: one of {}", all.join(", "));
            report.add(Rule::MissingKey, &self.place_of_key(key, None), message);
        }
        self.choice(key, words, report)
    }

    /// A whole number within bounds.
    pub(crate) fn number(&mut self, key: &'static str, bounds: RangeInclusive<u64>, report: &mut Report) -> Option<Spot<u64>> {
        let node = self.take(key)?;
        let integer = self.typed(key, node, "a whole number", DeValue::as_integer, report)?;
        let place = self.place_of_key(key, Some(node));
        let value = u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|value| bounds.contains(value));
        if value.is_none() {
            report.add(
                Rule::OutOfRange,
                &place,
                format!("{} is not within {} to {}", quote(integer.as_str()), bounds.start(), bounds.end()),
            );
        }
        Some(Spot { value: value?, place })
    }

    /// `true` or `false`.
    pub(crate) fn switch(&mut self, key: &'static str, report: &mut Report) -> Option<bool> {
        let node = self.take(key)?;
        self.typed(key, node, "true or false", DeValue::as_bool, report)
    }

    /// Whether the key is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// The place of a key, of the table itself if the key is not there.
    pub(crate) fn place_at(&self, key: &str) -> Place {
        let node = self.table.and_then(|table| table.get(key));
        self.place_of_key(key, node)
    }

    /// A path that the file names, as it is seen from here.
    pub(crate) fn document(&self) -> &'a Document {
        self.document
    }

    /// Complains about every key that nobody asked for.
    pub(crate) fn finish(self, report: &mut Report) {
        let Some(table) = self.table else { return };
        for key in table.keys().filter(|key| !self.asked.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref();
            let hint = match (nearest(name, self.asked.iter().copied()), keys::home(name)) {
                (_, Some(home)) if home.path != self.generic_path() => format!("`{name}` belongs in [{}]", home.path),
                (Some(word), _) => format!("did you mean `{word}`?"),
                (None, _) => format!("known here are {}", self.asked.join(", ")),
            };
            let place = self.document.place(Some(key.span()), &format!("{}{name}", self.path));
            report.add(Rule::UnknownKey, &place, format!("unknown key; {hint}"));
        }
    }

    /// The keys that lead here, as the table of keys names them.
    fn generic_path(&self) -> String {
        let steps = self.path.split('.').filter_map(|step| step.split('[').next());
        steps.filter(|step| !step.is_empty()).collect::<Vec<_>>().join(".")
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Node<'a>> {
        self.asked.push(key);
        self.table?.get(key)
    }

    fn typed<T>(
        &self,
        key: &str,
        node: &'a Node<'a>,
        wanted: &str,
        get: impl Fn(&'a DeValue<'a>) -> Option<T>,
        report: &mut Report,
    ) -> Option<T> {
        let value = get(node.get_ref());
        if value.is_none() {
            let message = format!("is {}; {wanted} is wanted", article(node.get_ref()));
            report.add(Rule::WrongType, &self.place_of_key(key, Some(node)), message);
        }
        value
    }

    fn place_of_key(&self, key: &str, node: Option<&Node<'_>>) -> Place {
        let field = format!("{}{key}", self.path);
        match node {
            Some(node) => self.document.place(Some(node.span()), &field),
            None => Place { field, ..self.place.clone() },
        }
    }
}

/// Turns a text into what it means; `wanted` says what would be right.
pub(crate) fn parse_spot<T>(text: Spot<String>, wanted: &str, parse: impl Fn(&str) -> Option<T>, report: &mut Report) -> Option<Spot<T>> {
    let value = parse(&text.value);
    if value.is_none() {
        report.add(Rule::WrongValue, &text.place, format!("{} is not {wanted}", quote(&text.value)));
    }
    Some(Spot { value: value?, place: text.place })
}

/// Text from a file, in quotes, cut to a bearable length.
pub(crate) fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTE_LEN_MAX).collect();
    if shown.len() < text.len() {
        shown.push_str("..");
    }
    format!("\"{shown}\"")
}

fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
