//! How to check by oneself what the page says, with commands that a test runs.

use arbiter::note::VerifierKey;
use maud::{Markup, html};

use super::{Place, commands};
use crate::view::{Promised, View};

pub(super) fn section(view: &View, promised: &Promised, place: &Place<'_>) -> Markup {
    let base = place.base;
    html! {
        section #check aria-labelledby="check-title" {
            h2 #check-title { "How to check" }
            p { "Take nobody's word, this page's neither. These commands need a shell, curl and OpenSSL 3." }
            h3 { "Who promised what" }
            p { "The manifest is signed by the operator, and its text has the SHA-256 that every other document names." }
            (commands("manifest", &manifest(base, &view.facts.operator)))
            p { "It holds the rules' SHA-256, that of the image, of the program round it, and the revision that both were built from:" }
            dl.facts {
                dt { "Revision" } dd { code { (promised.source) } }
                dt { "Image, promised" } dd { code { (promised.image) } }
                dt { "Image, running" } dd { code { (view.facts.image) } @if view.facts.image == promised.image { " (the same)" } @else { " (another!)" } }
                dt { "Program round it" } dd { code { (promised.tender) } }
                dt { "Machine" } dd { code { (view.facts.machine) } }
            }
            h3 { "The secrets are inside, now" }
            p {
                "Draw a nonce; the flags sign it, and the time. Nobody can have made the answer before. The script has twenty lines: "
                a href="/check-possession" { "read it" } " first."
            }
            (commands("possession", &possession(base)))
            form.ask action="/possession" method="get" {
                label for="nonce" { "Nonce, 64 hexadecimal digits" }
                input #nonce name="nonce" required pattern="[0-9a-f]{64}" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="openssl rand -hex 32" title="64 hexadecimal digits in lower case";
                label for="tier" { "Tier" }
                select #tier name="tier" {
                    option value="" { "all that answer" }
                    @for tier in &promised.tiers { option value=(tier.tier) { (tier.tier) } }
                }
                div.buttons { button type="submit" { "Ask the flags" } }
            }
        }
    }
}

/// The log: its head, and how to hold all of it against that.
pub(super) fn log(view: &View, promised: &Promised, place: &Place<'_>) -> Markup {
    html! {
        section #log aria-labelledby="log-title" {
            h2 #log-title { "Log" }
            p {
                "What happens is written into a log that can only grow: the manifest, starts and stops, an hourly answer of all flags, every time the guest fell, commitments, claims. "
                "Keep its head, and nobody can change what came before without your noticing."
            }
            @if let Some(head) = &view.head {
                dl.facts {
                    dt { "Log" } dd { code { (head.origin) } }
                    dt { "Entries" } dd { code data-live="head-size" { (head.size) } }
                    dt { "Root" } dd { code data-live="root" { (head.root) } }
                    dt { "Key" } dd { code { (promised.log) } }
                }
            } @else {
                p { "Its head cannot be read now." }
            }
            p { "Take all of it, and check every entry, signature and gap:" }
            (commands("log", &whole_log(place.base, promised, &view.facts.operator)))
            p.aside { a href="/checkpoint" { "The signed head" } " is three lines. With one that you kept, add " code { "--since KEPT" } " and see whether the log still has that past." }
        }
    }
}

fn manifest(base: &str, operator: &str) -> String {
    let (name, key) =
        VerifierKey::parse(operator).map_or_else(|_| (String::new(), String::new()), |key| (key.name().to_owned(), key.key().to_string()));
    format!(
        "curl -sS {base}/manifest -o manifest\n\
         sed '/^$/,$d' manifest >promise\n\
         grep -F '— {name} ' manifest | sed 's/.* //' |\n  \
           openssl base64 -d -A | tail -c 64 >promise.sig\n\
         {{ printf '{ED25519}'; echo '{key}' | openssl base64 -d -A; }} |\n  \
           openssl pkey -pubin -inform DER -out operator.pem\n\
         openssl pkeyutl -verify -rawin -pubin -inkey operator.pem -sigfile promise.sig -in promise\n\
         openssl dgst -sha256 promise\n"
    )
}

/// What stands before an Ed25519 key in DER (RFC 8410), as `printf` writes it.
const ED25519: &str = r"\060\052\060\005\006\003\053\145\160\003\041\000";

fn possession(base: &str) -> String {
    format!(
        "curl -sS {base}/manifest -o manifest\n\
         curl -sS {base}/check-possession -o check-possession\n\
         nonce=$(openssl rand -hex 32)\n\
         curl -sS {base}/possession/read/$nonce -o proof\n\
         sh check-possession manifest read $nonce proof\n"
    )
}

/// The names that a file of the log besides its head can have (tlog-tiles), as `grep -E` reads them: whoever serves the page is not to choose where a visitor's curl writes.
const TILES: &str = r"tile/([0-9]|entries)/(x[0-9]{3}/)*[0-9]{3}(\.p/[0-9]+)?";

fn whole_log(base: &str, promised: &Promised, operator: &str) -> String {
    format!(
        "mkdir -p log && curl -sS {base}/checkpoint -o log/checkpoint\n\
         size=$(sed -n 2p log/checkpoint | grep -xE '[0-9]+')\n\
         curl -sS \"{base}/files/$size\" |\n  \
           grep -xE '{TILES}' |\n  \
           while read -r file; do\n    \
             curl -sS --create-dirs \"{base}/$file\" -o \"log/$file\"\n  \
           done\n\
         bountybox log verify log --log '{log}' \\\n  \
           --operator '{operator}'\n",
        log = promised.log
    )
}
