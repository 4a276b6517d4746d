//! `covered FOLDER "TARGET.."`: makes tables of what `llvm-cov export --summary-only` has said of each target and of all: FOLDER/TARGET.json, FOLDER/all.json.
#![forbid(unsafe_code)]

use core::error::Error;
use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use serde_json::Value;

/// Whose lines are counted, and by what part of a path they are known.
const PARTS: [(&str, &str); 14] = [
    ("net", "tls-stack/net/src/"),
    ("tls", "tls-stack/tls/src/"),
    ("proxy", "tls-stack/proxy/src/"),
    ("core", "appliance/core/src/"),
    ("status", "appliance/status/src/"),
    ("the guest's queues", "appliance/unikernel/src/wires.rs"),
    ("keys: the bundle", "keys/src/bundle"),
    ("queue", "hypervisor/queue/src/"),
    ("the loader", "hypervisor/machine/src/image"),
    ("tender: the log, lines", "hypervisor/tender/src/l"),
    ("tender: egress", "hypervisor/tender/src/egress"),
    ("the configuration file", "hypervisor/supervisor/src/config"),
    ("recordings", "hypervisor/recording/src/"),
    ("the arbiter", "bounty/arbiter/src/"),
];

/// A file of which less is reached is named.
const GAP: u64 = 85;

/// Lines, and lines that were reached.
type Lines = (u64, u64);

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let folder = words.next().ok_or("covered FOLDER \"TARGET..\"")?;
    let targets = words.next().unwrap_or_default();
    let all = files(Path::new(&folder), "all")?;
    let mut text = String::from("| part | lines | reached | |\n|---|--:|--:|--:|\n");
    for (name, part) in PARTS {
        text.push_str(&line(name, within(&all, part)));
    }
    text.push_str("\n| target | lines reached | most of them in |\n|---|--:|---|\n");
    for target in targets.split_whitespace() {
        text.push_str(&reach(target, &files(Path::new(&folder), target)?));
    }
    text.push_str("\n| file | lines | reached | |\n|---|--:|--:|--:|\n");
    for (file, lines) in all.iter().filter(|(file, _)| PARTS.iter().any(|(_, part)| file.contains(part))) {
        if percent(*lines) < GAP {
            text.push_str(&line(&format!("`{file}`"), *lines));
        }
    }
    say(&text);
    Ok(())
}

/// The files that a summary names, from the repository's root.
fn files(folder: &Path, target: &str) -> Result<BTreeMap<String, Lines>, Box<dyn Error>> {
    let summary: Value = serde_json::from_slice(&fs::read(folder.join(format!("{target}.json")))?)?;
    let root = env::current_dir()?;
    let list = summary.pointer("/data/0/files").and_then(Value::as_array).ok_or("no files in the summary")?;
    let file = |file: &Value| {
        let name = Path::new(file.get("filename")?.as_str()?);
        let lines = |what: &str| file.pointer(&format!("/summary/lines/{what}")).and_then(Value::as_u64);
        // A file that is compiled by its path from elsewhere keeps that path.
        let name = fs::canonicalize(name).ok()?.strip_prefix(&root).ok()?.to_string_lossy().into_owned();
        Some((name, (lines("count")?, lines("covered")?)))
    };
    Ok(list.iter().filter_map(file).collect())
}

fn within(files: &BTreeMap<String, Lines>, part: &str) -> Lines {
    files.iter().filter(|(file, _)| file.contains(part)).fold((0, 0), |sum, (_, lines)| (sum.0 + lines.0, sum.1 + lines.1))
}

/// How much a target reaches, and where.
fn reach(target: &str, files: &BTreeMap<String, Lines>) -> String {
    let mut parts: Vec<(u64, &str)> =
        PARTS.iter().map(|(name, part)| (within(files, part).1, *name)).filter(|(lines, _)| *lines > 0).collect();
    parts.sort_unstable_by(|a, b| b.cmp(a));
    let sum: u64 = parts.iter().map(|(lines, _)| lines).sum();
    let most: Vec<String> = parts.iter().take(3).map(|(lines, name)| format!("{name} {lines}")).collect();
    format!("| `{target}` | {sum} | {} |\n", most.join(", "))
}

fn line(name: &str, lines: Lines) -> String {
    format!("| {name} | {} | {} | {} % |\n", lines.0, lines.1, percent(lines))
}

fn percent((count, covered): Lines) -> u64 {
    (covered * 100).checked_div(count).unwrap_or(0)
}

#[expect(clippy::print_stdout, reason = "a program's output")]
fn say(text: &str) {
    print!("{text}");
}
