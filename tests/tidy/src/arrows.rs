//! The arrows between our crates. What is not drawn here is not allowed.
//!
//! Development dependencies are free: a test may look at anything.

use toml::Table;

/// Crate, and the crates of ours that it may depend on. The same drawing stands in ARCHITECTURE.md.
pub const ALLOWED: &[(&str, &[&str])] = &[
    ("abi", &[]),
    ("queue", &["abi"]),
    ("machine", &["abi", "queue"]),
    ("inspect", &[]),
    ("misbehave", &[]),
    ("transcript", &["keys", "misbehave", "proxy"]),
    ("recording", &["abi", "queue"]),
    ("tender", &["abi", "queue", "machine", "keys", "net", "recording", "status"]),
    ("harness", &["abi", "queue", "machine", "net"]),
    (
        "bountybox",
        &[
            "harness",
            "tender",
            "keys",
            "arbiter",
            "bounty-log",
            "bounty-page",
            "ceremony",
            "keeper",
            "inspect",
            "misbehave",
            "recording",
            "status",
            "transcript",
        ],
    ),
    ("platform", &["abi"]),
    ("status", &[]),
    ("appliance", &["net", "proxy", "tls", "keys", "status"]),
    ("unikernel", &["abi", "queue", "platform", "appliance", "flags", "status", "net", "keys"]),
    ("net", &[]),
    ("proxy", &[]),
    ("tls", &["keys"]),
    ("keys", &[]),
    ("bounty-log", &["arbiter"]),
    ("flags", &["arbiter", "keys"]),
    ("ceremony", &["arbiter", "keys", "bounty-log"]),
    ("keeper", &["arbiter", "bounty-log", "ceremony"]),
    ("bounty-page", &["arbiter", "bounty-log", "proxy"]),
    ("arbiter", &[]),
    ("arbiter-wasm", &["arbiter"]),
];

/// Complaints about one manifest. Manifests under `tests/` and `fuzz/` may depend on anything.
#[must_use]
pub fn check(path: &str, manifest: &str) -> Vec<String> {
    if path.starts_with("tests/") || path.starts_with("fuzz/") {
        return Vec::new();
    }
    let table: Table = match manifest.parse() {
        Ok(table) => table,
        Err(fault) => return vec![format!("{path}: {fault}")],
    };
    let Some(name) = table.get("package").and_then(|package| package.get("name")).and_then(|name| name.as_str()) else {
        return Vec::new();
    };
    let Some((_, allowed)) = ALLOWED.iter().find(|(crate_name, _)| *crate_name == name) else {
        return vec![format!("{path}: crate {name} has no row in tidy::arrows::ALLOWED")];
    };
    let ours = |dependency: &str| ALLOWED.iter().any(|(crate_name, _)| *crate_name == dependency);
    dependencies(&table)
        .filter(|dependency| ours(dependency) && !allowed.contains(&dependency.as_str()))
        .map(|dependency| format!("{path}: {name} -> {dependency} is not an allowed arrow"))
        .collect()
}

fn dependencies(table: &Table) -> impl Iterator<Item = String> + '_ {
    ["dependencies", "build-dependencies"]
        .into_iter()
        .filter_map(|section| table.get(section)?.as_table())
        .flat_map(|section| section.keys().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_arrow_is_named() {
        let manifest = "[package]\nname = \"net\"\n[dependencies]\nkeys.workspace = true\n";
        assert_eq!(check("tls-stack/net/Cargo.toml", manifest), ["tls-stack/net/Cargo.toml: net -> keys is not an allowed arrow"]);
    }

    #[test]
    fn an_allowed_arrow_and_a_foreign_crate_pass() {
        let manifest = "[package]\nname = \"tls\"\n[dependencies]\nkeys.workspace = true\nrustls.workspace = true\n";
        assert!(check("tls-stack/tls/Cargo.toml", manifest).is_empty());
    }

    #[test]
    fn an_unknown_crate_is_named() {
        assert_eq!(check("x/Cargo.toml", "[package]\nname = \"x\"\n").len(), 1);
    }
}
