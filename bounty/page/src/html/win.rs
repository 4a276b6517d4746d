//! What can be won, how, and by whom it was; and the doors.

use arbiter::Tier;
use maud::{Markup, html};

use super::{Place, host, time};
use crate::contest::Win;
use crate::view::{Promised, TierView, View};

pub(super) fn section(view: &View, promised: &Promised, place: &Place<'_>) -> Markup {
    html! {
        section #win aria-labelledby="win-title" {
            h2 #win-title { "How to win" }
            p {
                "There are " (promised.tiers.len()) " tiers. Each has a flag: a key pair, of which you see the public half here. Get hold of the other half, or make the box sign with it, "
                "and sign a claim. That you publish it takes nothing from you: your name stands under the signature."
            }
            ul.tiers {
                @for tier in &promised.tiers { (card(tier)) }
            }
            h3 { "Claims that hold" }
            p data-live="no-wins" { @if promised.won() == 0 { "None so far." } }
            ul.wins data-wins { @for tier in &promised.tiers { @for win in &tier.wins { (won(win)) } (rest(tier)) } }
            @if !view.facts.doors.is_empty() { (doors(view, place)) }
        }
    }
}

fn card(tier: &TierView) -> Markup {
    html! {
        li #{ "tier-" (tier.tier) } data-won[tier.won > 0] {
            h3 { code { (tier.tier) } " " span.title { (title(tier.tier)) } }
            p.state data-state { @if tier.won > 0 { "Won" } @else { "Not won" } }
            p { (how(tier.tier)) }
            dl.facts {
                dt { "Prize" } dd { (tier.prize) }
                @if let Some(address) = &tier.address { dt { "Address" } dd { code { (address) } } }
                @if let Some(value) = &tier.value { dt { "Value" } dd { code { (value) } } }
                dt { "Flag" } dd { code { (tier.flag) } }
            }
        }
    }
}

fn won(win: &Win) -> Markup {
    html! {
        li {
            p { code { (win.tier) } " by " span.who { (win.claimant) } ", " (time(win.time)) @if let Some(then) = win.committed { ", committed to " (time(then)) } ", entry " (win.entry) " of the log:" }
            blockquote { (win.text) }
        }
    }
}

/// How many there are that are not shown.
fn rest(tier: &TierView) -> Markup {
    let more = tier.won.saturating_sub(tier.wins.len());
    html! { @if more > 0 { li { p { code { (tier.tier) } " " (more) " more times: they are in the log." } } } }
}

const fn title(tier: Tier) -> &'static str {
    match tier {
        Tier::Auth => "be let in",
        Tier::Read => "look into its memory",
        Tier::Write => "change its memory",
        Tier::Key => "take its TLS key",
        Tier::Exec => "run your code in it",
        Tier::Escape => "leave it",
        Tier::Down => "bring it down",
        Tier::Wallet => "take its money",
    }
}

const fn how(tier: Tier) -> &'static str {
    match tier {
        Tier::Auth => "The box sends it to a peer that passes mutual authentication at one of its doors.",
        Tier::Read => "The flag's 32 bytes lie in the guest's memory, from this address on.",
        Tier::Write => {
            "Once the word at this address holds this value, and the eight bytes behind it are the first eight of the SHA-256 of your claim's first six lines, the guest signs these for you."
        }
        Tier::Key => "It is the private key of the certificate that the box shows as a server at its doors.",
        Tier::Exec => "Only code that runs in the guest can ask for it: it is what the fourth hypercall gives.",
        Tier::Escape => "It lies in a file without a name, which the jailed process round the guest holds open and never reads.",
        Tier::Down => {
            "End the guest by what you send to it. Say who you are first; the record of the crash then names you, and is signed by the process round it, out of the guest's reach."
        }
        Tier::Wallet => "The key to this address lies in the guest's memory. Whoever has it can also take what lies there.",
    }
}

fn doors(view: &View, place: &Place<'_>) -> Markup {
    html! {
        h3 { "Doors" }
        table.doors {
            thead { tr { th scope="col" { "Door" } th scope="col" { "Where" } th scope="col" { "What it does" } } }
            tbody {
                @for door in &view.facts.doors {
                    tr {
                        th scope="row" { (door.name) }
                        td { code { (host(place.base)) ":" (door.port) } }
                        td { (door.about) }
                    }
                }
            }
        }
    }
}
