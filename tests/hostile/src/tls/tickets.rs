//! Tickets forged, flipped, and used where they were not given (T14); binders played with; early data (T9). What does not open leads to a full handshake, never to
//! an error that tells anything and never to a session.

use e2e::{Config, Net, Outcome, ensure};

use super::alert::{BAD_RECORD_MAC, DECODE_ERROR, DECRYPT_ERROR, ILLEGAL_PARAMETER, MISSING_EXTENSION, UNEXPECTED_MESSAGE};
use super::bytes::{message, vec8, vec16};
use super::hello::{Hello, extension, random};
use super::peer::{DATA, HANDSHAKE, Peer};
use super::schedule::{Secret, derive, extract, finished, protection};
use super::v13::{Handshake, Ticket};
use super::{v12, v13};
use crate::attack::{Attack, Layer, Suite};
use crate::naive::Naive;
use crate::set_up::SetUp;
use crate::target::Target;
use crate::witness::Witness;

/// The name of another route than that of `localhost`.
const ELSEWHERE: &str = "elsewhere.example.test";
const BINDER_LEN: usize = 32;
const END_OF_EARLY_DATA: u8 = 5;
/// More than a server skips that takes none (2^14 bytes and some).
const EARLY_RECORDS: usize = 64;

/// Two routes to one backend.
pub(super) fn suite() -> Suite {
    let attacks = foreign().into_iter().chain(binders()).chain(early()).chain(stray_early()).chain(tls12()).collect();
    Suite { name: "tickets", net: Net::User, set_up, attacks }
}

fn set_up() -> Outcome<SetUp> {
    let (witness, backend) = Witness::start()?;
    let config = Config::default().route(&[ELSEWHERE], &[backend.address()]).route(&[], &[backend.address()]).more(e2e::eye::ADMIN);
    let config = config.limit("new_per_source_per_s", 100_000).limit("new_per_s", 200_000);
    Ok(SetUp { config, witness, visitor: SetUp::plain()?.visitor, keep: vec![Box::new(backend)] })
}

/// A ticket for `localhost`, honestly come by.
pub(super) fn ticket(target: &Target) -> Outcome<Ticket> {
    v13::establish(target)?.ticket()
}

/// The extension, with binders to be filled in: identities with an age of 0, binders of these lengths.
fn offer(identities: &[&[u8]], age_add: u32, binders: &[usize]) -> Vec<u8> {
    let identities: Vec<u8> = identities.iter().flat_map(|identity| [&vec16(identity)[..], &age_add.to_be_bytes()].concat()).collect();
    let binders: Vec<u8> = binders.iter().flat_map(|len| vec8(&vec![0; *len])).collect();
    [vec16(&identities), vec16(&binders)].concat()
}

/// The message of a hello with one identity, bound to it by `key` (RFC 8446 section 4.2.11.2).
pub(super) fn bound(hello: &mut Hello, identity: &[u8], ticket: &Ticket) -> Vec<u8> {
    hello.remove(extension::PRE_SHARED_KEY);
    hello.set(extension::PRE_SHARED_KEY, offer(&[identity], ticket.age_add, &[BINDER_LEN]));
    let mut message = hello.message();
    let len = message.len() - BINDER_LEN - 3;
    let (truncated, binders) = message.split_at_mut(len);
    let binder = finished(&derive(&extract(&[], &ticket.key), "res binder", &[]), truncated);
    binders[3..].copy_from_slice(&binder);
    message
}

/// Says a hello, and must get a full handshake that serves.
fn is_full(target: &Target, hello: &Hello, message: Vec<u8>) -> Outcome {
    let mut peer = Peer::connect(target)?;
    peer.send(HANDSHAKE, &message)?;
    let handshake = Handshake::go_on(peer, hello, message, None)?;
    ensure(!handshake.resumed && !handshake.early, "the ticket was taken")?;
    handshake.finish()?.asks("full\n")
}

/// Says a hello, and must be told.
fn is_told(target: &Target, message: &[u8], alerts: &[u8]) -> Outcome {
    let mut peer = Peer::connect(target)?;
    peer.send(HANDSHAKE, message)?;
    peer.is_told(alerts)
}

/// Name, what it does, and the identities that are made of a ticket.
type Forged = (&'static str, &'static str, fn(&[u8]) -> Outcome<Vec<Vec<u8>>>);

const FORGED: &[Forged] = &[
    ("flipped_ticket_leads_to_a_full_handshake", "a ticket with one bit flipped, for each of its bytes", |ticket| {
        Ok((0..ticket.len()).map(|at| ticket.iter().enumerate().map(|(index, byte)| byte ^ u8::from(index == at)).collect()).collect())
    }),
    ("cut_ticket_leads_to_a_full_handshake", "a ticket cut short, at each length", |ticket| {
        Ok((1..ticket.len()).map(|len| ticket[..len].to_vec()).collect())
    }),
    ("grown_ticket_leads_to_a_full_handshake", "a ticket with bytes behind it", |ticket| {
        Ok(vec![[ticket, &[0]].concat(), ticket.repeat(2)])
    }),
    ("random_ticket_leads_to_a_full_handshake", "a ticket of random bytes", |ticket| {
        Ok(vec![random::<256>()?.get(..ticket.len().min(256)).unwrap_or_default().to_vec(), random::<32>()?.to_vec()])
    }),
    ("ticket_of_10_kilobytes_leads_to_a_full_handshake", "a ticket of 10,000 bytes", |_| Ok(vec![vec![7; 10_000]])),
];

fn foreign() -> Vec<Attack> {
    let forged = FORGED.iter().map(|(name, does, forge)| {
        Attack::new("T14", *name, *does, Layer::Tickets, Naive::Obliging, |target| {
            let ticket = ticket(target)?;
            forge(&ticket.identity)?.iter().try_for_each(|identity| {
                let mut hello = Hello::tls13()?;
                let message = bound(&mut hello, identity, &ticket);
                is_full(target, &hello, message)
            })
        })
    });
    forged.chain(belonging()).chain(between_versions()).collect()
}

/// A ticket where it belongs, and where it does not.
fn belonging() -> Vec<Attack> {
    vec![
        Attack::new("T14", "own_ticket_resumes", "the control: a ticket where it belongs", Layer::Tickets, Naive::Silent, |target| {
            let (ticket, mut hello, mut peer) = (ticket(target)?, Hello::tls13()?, Peer::connect(target)?);
            let message = bound(&mut hello, &ticket.identity, &ticket);
            peer.send(HANDSHAKE, &message)?;
            let handshake = Handshake::go_on(peer, &hello, message, Some(&ticket.key))?;
            ensure(handshake.resumed, "the ticket was not taken")?;
            handshake.finish()?.asks("resumed\n")
        }),
        Attack::new(
            "T14",
            "ticket_of_another_route_leads_to_a_full_handshake",
            "a ticket of one route at another",
            Layer::Tickets,
            Naive::Obliging,
            |target| {
                let (ticket, mut hello) = (ticket(target)?, Hello::tls13()?);
                hello.name(ELSEWHERE);
                let message = bound(&mut hello, &ticket.identity, &ticket);
                is_full(target, &hello, message)
            },
        ),
        Attack::new(
            "T14",
            "ticket_of_another_boot_leads_to_a_full_handshake",
            "a ticket of one box at another",
            Layer::Tickets,
            Naive::SharedTickets,
            |target| {
                let (ticket, mut hello) = (ticket(target)?, Hello::tls13()?);
                let message = bound(&mut hello, &ticket.identity, &ticket);
                is_full(&target.another()?, &hello, message)
            },
        ),
        Attack::new(
            "T14",
            "ticket_without_its_mode_leads_to_a_full_handshake",
            "psk_ke alone: a resumption without forward secrecy",
            Layer::Rustls,
            Naive::Silent,
            |target| {
                let (ticket, mut hello) = (ticket(target)?, Hello::tls13()?);
                hello.set(extension::PSK_MODES, vec8(&[0]));
                let message = bound(&mut hello, &ticket.identity, &ticket);
                is_full(target, &hello, message)
            },
        ),
    ]
}

fn between_versions() -> Vec<Attack> {
    vec![
        Attack::new(
            "T14",
            "ticket_of_1_3_leads_to_a_full_handshake_in_1_2",
            "a ticket of TLS 1.3 in a hello of TLS 1.2",
            Layer::Tickets,
            Naive::Obliging,
            |target| is_full12(target, &ticket(target)?.identity, "localhost"),
        ),
        Attack::new(
            "T14",
            "ticket_of_1_2_leads_to_a_full_handshake_in_1_3",
            "a ticket of TLS 1.2 in a hello of TLS 1.3",
            Layer::Tickets,
            Naive::Obliging,
            |target| {
                let identity = v12::establish(target)?.ticket;
                let (ticket, mut hello) = (Ticket { identity, key: [7; 32], age_add: 0 }, Hello::tls13()?);
                let message = bound(&mut hello, &ticket.identity, &ticket);
                is_full(target, &hello, message)
            },
        ),
    ]
}

/// A hello whose extension is wrong: name, what it does, the alerts, the message made of a hello and a ticket.
type Bound = (&'static str, &'static str, &'static [u8], fn(&mut Hello, &Ticket) -> Vec<u8>);

const BINDERS: &[Bound] = &[
    ("wrong_binder_is_a_decrypt_error", "a binder with one bit flipped (RFC 8446 section 4.2.11)", &[DECRYPT_ERROR], |hello, ticket| {
        let mut message = bound(hello, &ticket.identity, ticket);
        let last = message.len() - 1;
        message[last] ^= 1;
        message
    }),
    ("binder_of_another_hello_is_a_decrypt_error", "the binder of a hello with another random", &[DECRYPT_ERROR], |hello, ticket| {
        let mut message = bound(hello, &ticket.identity, ticket);
        message[10] ^= 1;
        message
    }),
    ("binder_of_another_key_is_a_decrypt_error", "a binder under another key", &[DECRYPT_ERROR], |hello, ticket| {
        bound(hello, &ticket.identity, &Ticket { key: [9; 32], ..ticket.clone() })
    }),
    (
        "short_binder_is_refused",
        "a binder of 31 bytes (RFC 8446 section 4.2.11: 32 to 255)",
        &[DECODE_ERROR, DECRYPT_ERROR, ILLEGAL_PARAMETER],
        |hello, ticket| {
            hello.set(extension::PRE_SHARED_KEY, offer(&[&ticket.identity], ticket.age_add, &[31]));
            hello.message()
        },
    ),
    ("no_binders_are_refused", "an identity without a binder", &[DECODE_ERROR, ILLEGAL_PARAMETER], |hello, ticket| {
        hello.set(extension::PRE_SHARED_KEY, offer(&[&ticket.identity], ticket.age_add, &[]));
        hello.message()
    }),
    ("two_binders_for_one_identity_are_illegal", "two binders for one identity", &[ILLEGAL_PARAMETER], |hello, ticket| {
        hello.set(extension::PRE_SHARED_KEY, offer(&[&ticket.identity], ticket.age_add, &[32, 32]));
        hello.message()
    }),
    ("no_identities_do_not_decode", "a pre_shared_key without identities", &[DECODE_ERROR, ILLEGAL_PARAMETER], |hello, _| {
        hello.set(extension::PRE_SHARED_KEY, offer(&[], 0, &[32]));
        hello.message()
    }),
    (
        "psk_that_is_not_last_is_illegal",
        "an extension behind pre_shared_key (RFC 8446 section 4.2.11)",
        &[ILLEGAL_PARAMETER],
        |hello, ticket| {
            hello.set(extension::PRE_SHARED_KEY, offer(&[&ticket.identity], ticket.age_add, &[32]));
            hello.set(0x4242, vec![]);
            hello.message()
        },
    ),
    ("psk_without_modes_misses_them", "no psk_key_exchange_modes (RFC 8446 section 4.2.9)", &[MISSING_EXTENSION], |hello, ticket| {
        hello.remove(extension::PSK_MODES);
        bound(hello, &ticket.identity, ticket)
    }),
    ("psk_that_overruns_does_not_decode", "an identity longer than its list", &[DECODE_ERROR], |hello, _| {
        hello.set(extension::PRE_SHARED_KEY, [&[0, 10, 0xff, 0xff][..], &[7; 40]].concat());
        hello.message()
    }),
];

fn binders() -> Vec<Attack> {
    let told = BINDERS.iter().map(|(name, does, alerts, make)| {
        Attack::new("T14", *name, *does, Layer::Rustls, Naive::Hasty, |target| {
            let message = make(&mut Hello::tls13()?, &ticket(target)?);
            is_told(target, &message, alerts)
        })
    });
    let many = Attack::new(
        "T14",
        "three_hundred_identities_lead_to_a_full_handshake",
        "300 identities that nobody gave",
        Layer::Tickets,
        Naive::Silent,
        |target| {
            let mut hello = Hello::tls13()?;
            hello.set(extension::PRE_SHARED_KEY, offer(&[&[7; 8][..]; 300], 0, &[32; 300]));
            let message = hello.message();
            is_full(target, &hello, message)
        },
    );
    told.chain([many]).collect()
}

/// Says a hello that announces early data and these records of it, right behind.
fn with_early_data(target: &Target, identity: &[u8], ticket: &Ticket, records: usize) -> Outcome<(Hello, Vec<u8>, Peer)> {
    let (mut hello, mut peer) = (Hello::tls13()?, Peer::connect(target)?);
    hello.set(extension::EARLY_DATA, vec![]);
    let message = bound(&mut hello, identity, ticket);
    peer.send(HANDSHAKE, &message)?;
    let secret: Secret = derive(&extract(&[], &ticket.key), "c e traffic", &message);
    peer.sealer = Some(protection(&secret)?);
    (0..records).try_for_each(|_| peer.send(DATA, &b"early\n".repeat(100)))?;
    Ok((hello, message, peer))
}

fn early() -> Vec<Attack> {
    vec![
        Attack::new(
            "T9",
            "early_data_with_a_ticket_is_never_taken",
            "early data with a ticket that opens: the session is resumed, the data is not",
            Layer::Tickets,
            Naive::Eager,
            |target| {
                let ticket = ticket(target)?;
                let (hello, message, peer) = with_early_data(target, &ticket.identity, &ticket, 2)?;
                let handshake = Handshake::go_on(peer, &hello, message, Some(&ticket.key))?;
                ensure(!handshake.early, "early data is taken")?;
                handshake.finish()?.asks("late\n")
            },
        ),
        Attack::new(
            "T9",
            "early_data_twice_reaches_nobody",
            "the same first flight on two connections",
            Layer::Tickets,
            Naive::Eager,
            |target| {
                let ticket = ticket(target)?;
                let (hello, message, first) = with_early_data(target, &ticket.identity, &ticket, 1)?;
                let mut second = Peer::connect(target)?;
                second.send(HANDSHAKE, &message)?;
                for peer in [first, second] {
                    let handshake = Handshake::go_on(peer, &hello, message.clone(), Some(&ticket.key))?;
                    ensure(!handshake.early, "early data is taken")?;
                    handshake.finish()?.asks("late\n")?;
                }
                Ok(())
            },
        ),
    ]
}

/// Early data that no ticket, or no end, goes with.
fn stray_early() -> Vec<Attack> {
    vec![
        Attack::new(
            "T9",
            "early_data_with_a_forged_ticket_is_skipped",
            "early data with a ticket that does not open: a full handshake",
            Layer::Rustls,
            Naive::Silent,
            |target| {
                let (hello, message, peer) = with_early_data(target, &[7; 100], &Ticket { identity: vec![], key: [7; 32], age_add: 0 }, 2)?;
                let handshake = Handshake::go_on(peer, &hello, message, None)?;
                ensure(!handshake.early && !handshake.resumed, "early data is taken")?;
                handshake.finish()?.asks("late\n")
            },
        ),
        Attack::new(
            "T9",
            "early_data_without_end_is_refused",
            "38 KiB of early data, more than is skipped",
            Layer::Rustls,
            Naive::Hasty,
            |target| {
                let ticket = ticket(target)?;
                let (hello, message, peer) = with_early_data(target, &ticket.identity, &ticket, EARLY_RECORDS)?;
                Handshake::go_on(peer, &hello, message, Some(&ticket.key))?.peer.is_told(&[BAD_RECORD_MAC, UNEXPECTED_MESSAGE])
            },
        ),
        Attack::new(
            "T9",
            "end_of_early_data_that_was_refused_is_unexpected",
            "EndOfEarlyData although early data was refused",
            Layer::Rustls,
            Naive::Hasty,
            |target| {
                let ticket = ticket(target)?;
                let (hello, message_said, peer) = with_early_data(target, &ticket.identity, &ticket, 0)?;
                let mut handshake = Handshake::go_on(peer, &hello, message_said, Some(&ticket.key))?;
                handshake.peer.send(HANDSHAKE, &message(END_OF_EARLY_DATA, &[]))?;
                handshake.peer.is_told(&[UNEXPECTED_MESSAGE])
            },
        ),
    ]
}

/// A hello of TLS 1.2 with this ticket must get a full handshake that serves.
fn is_full12(target: &Target, ticket: &[u8], name: &str) -> Outcome {
    let mut hello = Hello::tls12()?;
    hello.set(extension::TICKET, ticket.to_vec());
    hello.name(name);
    let handshake = v12::Handshake::begin(target, hello)?;
    ensure(!handshake.resumed, "the ticket was taken")?;
    handshake.finish()?.asks("full\n")
}

fn tls12() -> Vec<Attack> {
    let forged = FORGED.iter().map(|(name, does, forge)| {
        Attack::new("T14", format!("{name}_in_1_2"), format!("{does}, TLS 1.2"), Layer::Tickets, Naive::Obliging, |target| {
            let ticket = v12::establish(target)?.ticket;
            ensure(!ticket.is_empty(), "no ticket")?;
            forge(&ticket)?.iter().try_for_each(|ticket| is_full12(target, ticket, "localhost"))
        })
    });
    forged.chain(belonging12()).collect()
}

/// The same in TLS 1.2.
fn belonging12() -> Vec<Attack> {
    vec![
        Attack::new(
            "T14",
            "own_ticket_resumes_in_1_2",
            "the control: a ticket where it belongs, TLS 1.2",
            Layer::Tickets,
            Naive::Silent,
            |target| {
                let (ticket, mut hello) = (v12::establish(target)?.ticket, Hello::tls12()?);
                hello.set(extension::TICKET, ticket);
                ensure(v12::Handshake::begin(target, hello)?.resumed, "the ticket was not taken")
            },
        ),
        Attack::new(
            "T14",
            "ticket_of_another_route_leads_to_a_full_handshake_in_1_2",
            "a ticket of one route at another, TLS 1.2",
            Layer::Tickets,
            Naive::Obliging,
            |target| is_full12(target, &v12::establish(target)?.ticket, ELSEWHERE),
        ),
        Attack::new(
            "T14",
            "ticket_of_another_boot_leads_to_a_full_handshake_in_1_2",
            "a ticket of one box at another, TLS 1.2",
            Layer::Tickets,
            Naive::SharedTickets,
            |target| {
                let ticket = v12::establish(target)?.ticket;
                is_full12(&target.another()?, &ticket, "localhost")
            },
        ),
    ]
}
