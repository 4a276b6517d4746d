//! `/facts.json`: what the page shows, for programs. Fields are added in later versions, never renamed or removed; `docs/page.md` lists them.

use serde_json::{Value, json};

use crate::contest::{Changed, Count, Win};
use crate::view::{TierView, View};

/// The version of the document.
pub const VERSION: u32 = 1;

/// The document.
#[must_use]
pub fn document(view: &View) -> Value {
    let facts = &view.facts;
    let promised = view.promised.as_ref().ok();
    let log = view.head.as_ref().map(|head| json!({ "origin": head.origin, "size": head.size, "root": head.root.to_string() }));
    json!({
        "version": VERSION,
        "name": promised.map(|promised| promised.name.clone()),
        "manifest_version": facts.changes.last().map_or(1, |last| last.version),
        "changes": facts.changes.iter().map(changed).collect::<Vec<_>>(),
        "manifest": promised.map(|promised| promised.digest.to_string()),
        "operator": facts.operator,
        "time": facts.now,
        "since": facts.since,
        "uptime": view.uptime(),
        "start": promised.map(|promised| promised.start),
        "end": promised.map(|promised| promised.end),
        "phase": promised.map(|promised| promised.phase(facts.now).name()),
        "heartbeat": facts.heartbeat,
        "machine": facts.machine,
        "image": facts.image.to_string(),
        "cells": { "started": facts.cells.started, "ended": counted(&facts.cells.ended) },
        "connections": facts.effort.connections,
        "handshakes": counted(&facts.effort.handshakes),
        "failures": counted(&facts.effort.failures),
        "bytes": { "in": facts.effort.bytes_in, "out": facts.effort.bytes_out },
        "tiers": promised.map(|promised| promised.tiers.iter().map(tier).collect::<Vec<_>>()).unwrap_or_default(),
        "doors": facts.doors.iter().map(|door| json!({ "name": door.name, "port": door.port, "about": door.about })).collect::<Vec<_>>(),
        "log": log,
    })
}

fn counted(counts: &[Count]) -> Value {
    json!({ "total": Count::total(counts), "kinds": kinds(counts) })
}

/// In the contest's order.
fn kinds(counts: &[Count]) -> Vec<Value> {
    counts.iter().map(|each| json!({ "name": each.name, "count": each.count })).collect()
}

fn tier(tier: &TierView) -> Value {
    let wins: Vec<Value> = tier.wins.iter().map(win).collect();
    json!({
        "tier": tier.tier.name(),
        "flag": tier.flag,
        "address": tier.address,
        "value": tier.value,
        "prize": tier.prize,
        "won": tier.won,
        "wins": wins,
    })
}

fn win(win: &Win) -> Value {
    json!({ "claimant": win.claimant, "text": win.text, "time": win.time, "committed": win.committed, "entry": win.entry })
}

fn changed(changed: &Changed) -> Value {
    let [from, to] = changed.manifests.map(|digest| digest.to_string());
    let [from_rules, to_rules] = changed.rules.map(|digest| digest.to_string());
    json!({
        "version": changed.version, "time": changed.time, "entry": changed.entry,
        "from": from, "to": to, "from_rules": from_rules, "to_rules": to_rules,
    })
}
