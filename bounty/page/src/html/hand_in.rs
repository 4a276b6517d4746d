//! What can be handed in: forms that work without a script, and the commands that make what they take.

use maud::{Markup, html};

use super::{Place, commands};
use crate::view::Promised;

pub(super) fn section(promised: &Promised, place: &Place<'_>) -> Markup {
    let base = place.base;
    let has_arbiter = place.has_arbiter;
    html! {
        section #hand-in aria-labelledby="hand-in-title" {
            h2 #hand-in-title { "Hand in" }
            h3 { "A claim" }
            p {
                "A claim is seven lines of text, signed with what you won. The arbiter says " strong { "Falsified" } " if it holds, for the manifest's promise is then falsified, and otherwise "
                strong { "NotFalsified" } ", and why. What only the holder of its flag can have signed goes into the log. With the 32 bytes of a flag in a file " code { "flag" } ":"
            }
            (commands("claim", &claim(base, promised)))
            form #claim-form action="/claim" method="post" data-arbiter[has_arbiter] {
                label for="claim" { "Claim" }
                textarea #claim name="claim" rows="8" required autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="bountybox-claim 1" {}
                details {
                    summary { "It was committed to before" }
                    p.aside { "Then it counts from when the log took the commitment, also behind the end. Receipt and opening go into the log with the claim." }
                    label for="receipt" { "The log's receipt" }
                    textarea #receipt name="receipt" rows="6" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="bountybox-receipt 1" {}
                    label for="opening" { "What opens it" }
                    textarea #opening name="opening" rows="3" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="bountybox-opening 1" {}
                }
                div.buttons { button type="submit" { "Have it judged" } }
                p.aside {
                    @if has_arbiter {
                        span.scripts-only hidden { "Your browser judges it by itself, before the box does." }
                        noscript { "The box judges it. With scripts your browser would, too." }
                    } @else {
                        "The box judges it: this build has no arbiter for browsers."
                    }
                }
                div #verdicts aria-live="polite" {}
            }
            (others(base))
        }
    }
}

/// What is not a claim.
fn others(base: &str) -> Markup {
    html! {
        h3 { "A commitment, before you show anything" }
        p { "The log takes the SHA-256 that stands for your claim, your write-up and a salt, and answers with a receipt that shows the time. With these in files:" }
        (commands("commitment", &commitment(base)))
        form action="/commitment" method="post" {
            label for="commitment" { "Commitment, 64 hexadecimal digits" }
            input #commitment name="commitment" required pattern="[0-9a-f]{64}" autocomplete="off" autocapitalize="off" spellcheck="false" title="64 hexadecimal digits in lower case";
            div.buttons { button type="submit" { "Commit" } }
        }
        p { "Later, with claim, receipt and salt at hand, and the write-up if you will, show all of it:" }
        (commands("reveal", &reveal(base)))
        h3 { "Your name, before you bring it down" }
        p {
            "Who is announced when the guest ends is named in the crash's record, wherever what ended it came from. Your address only counts how many places you may hold. It must be a key: the claim for "
            code { "down" } " is signed with it."
        }
        form action="/claimant" method="post" {
            label for="claimant" { "Claimant" }
            input #claimant name="claimant" required pattern="ed25519:[A-Za-z0-9+\\/]{43}=" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="ed25519:…" title="ed25519: and a public key in base64";
            div.buttons { button type="submit" { "Note it" } }
        }
        h3 { "A message, once you have written" }
        p { "The first six lines of a claim for " code { "write" } ", without a signature. If you have written the value, and behind it the first eight bytes of what " code { "openssl dgst -sha256" } " says of these lines, the guest signs them, and nobody else's." }
        form action="/sign" method="post" {
            label for="message" { "Message" }
            textarea #message name="message" rows="6" required autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="bountybox-claim 1" {}
            div.buttons { button type="submit" { "Have it signed" } }
        }
    }
}

fn claim(base: &str, promised: &Promised) -> String {
    format!(
        "{{ printf '{PRIVATE}'; cat flag; }} |\n  \
           openssl pkey -inform DER -out flag.pem\n\
         printf '%s\\n' 'bountybox-claim 1' 'manifest {digest}' \\\n  \
           'tier read' 'claimant your name, key or address' 'text It was there to be read.' \"time $(date +%s)\" >message\n\
         openssl pkeyutl -sign -rawin -inkey flag.pem -in message -out message.sig\n\
         {{ cat message; echo \"signature $(openssl base64 -A -in message.sig)\"; }} >claim\n\
         curl -sS --data-binary @claim {base}/claim\n",
        digest = promised.digest
    )
}

/// What stands before an Ed25519 key's 32 private bytes in DER (RFC 8410), as `printf` writes it.
const PRIVATE: &str = r"\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040";

fn commitment(base: &str) -> String {
    format!(
        "openssl rand 32 >salt\n\
         commitment=$({{ echo 'bountybox-commitment 1'; openssl dgst -sha256 -binary claim\n  \
           openssl dgst -sha256 -binary write-up; cat salt; }} | openssl dgst -sha256 -r | cut -c 1-64)\n\
         curl -sS --data-binary $commitment {base}/commitment -o receipt\n"
    )
}

fn reveal(base: &str) -> String {
    format!(
        "{{ echo 'bountybox-opening 1'; echo \"write-up $(openssl dgst -sha256 -r write-up | cut -c 1-64)\"\n  \
           echo \"salt $(od -An -v -tx1 salt | tr -d ' \\n')\"; }} >opening\n\
         {{ cat claim; echo; cat receipt; echo; cat opening; }} >reveal\n\
         curl -sS --data-binary @reveal {base}/claim\n"
    )
}
