//! Tickets in use: who gets to resume, and that everyone else still gets a full handshake.

use alloc::sync::Arc;
use core::time::Duration;

use keys::Secret;
use rustls::ClientConfig;

use crate::testing::{Client, LIFETIME_S, Pair, START, Server, TICKET_TIMES, ticket_keys};
use crate::{Clock, Config, TicketKeys, Version};

const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

fn config(seed: u8, domain: &'static [u8], clock: &Clock) -> Config {
    with_keys(&ticket_keys(seed, clock), domain, clock)
}

fn with_keys(keys: &TicketKeys, domain: &'static [u8], clock: &Clock) -> Config {
    Server { tickets: Some((keys.clone(), domain, 2)), clock: clock.clone(), ..Server::default() }.config()
}

fn client(version: Version) -> Arc<ClientConfig> {
    Client { resumption: true, ..Client::of(version) }.config()
}

fn resumes(config: &Config, client: &Arc<ClientConfig>) -> bool {
    let mut pair = Pair::established(config, client);
    let resumed = pair.summary().resumed;
    pair.client_sends(b"ping");
    assert_eq!(pair.plain, b"ping");
    assert_eq!(pair.send(b"pong"), b"pong");
    resumed
}

#[test]
fn a_client_resumes_with_its_ticket_in_both_versions() {
    for version in VERSIONS {
        let (config, client) = (config(1, b"route", &Clock::new(START)), client(version));
        assert!(!resumes(&config, &client), "{version:?}");
        assert!(resumes(&config, &client), "{version:?}");
    }
}

#[test]
fn without_tickets_nobody_resumes() {
    for version in VERSIONS {
        let (config, client) = (Server::default().config(), client(version));
        assert!(!resumes(&config, &client));
        assert!(!resumes(&config, &client));
    }
}

#[test]
fn a_ticket_survives_rotations_within_its_lifetime_and_no_more() {
    for version in VERSIONS {
        let clock = Clock::new(START + Duration::from_secs(u64::from(LIFETIME_S) - 10));
        let (config, client) = (config(1, b"route", &clock), client(version));
        assert!(!resumes(&config, &client));
        clock.set(START + Duration::from_secs(u64::from(LIFETIME_S)));
        assert!(resumes(&config, &client), "{version:?}: the previous key still opens");
        clock.set(START + Duration::from_secs(3 * u64::from(LIFETIME_S)));
        assert!(!resumes(&config, &client), "{version:?}: the lifetime is over");
    }
}

/// T14.
#[test]
fn a_ticket_of_another_route_or_boot_costs_a_full_handshake() {
    for version in VERSIONS {
        let clock = Clock::new(START);
        for other in [config(1, b"other route", &clock), config(2, b"route", &clock)] {
            let (own, client) = (config(1, b"route", &clock), client(version));
            assert!(!resumes(&own, &client));
            assert!(!resumes(&other, &client), "{version:?}");
        }
    }
}

/// A configuration made anew, as a reload does, takes the tickets of the one before it.
#[test]
fn tickets_outlive_the_configuration_that_made_them() {
    for version in VERSIONS {
        let clock = Clock::new(START);
        let (keys, client) = (ticket_keys(1, &clock), client(version));
        assert!(!resumes(&with_keys(&keys, b"route", &clock), &client));
        clock.set(START + Duration::from_secs(u64::from(LIFETIME_S)));
        assert!(resumes(&with_keys(&keys, b"route", &clock), &client), "{version:?}");
    }
}

#[test]
fn boxes_with_one_key_resume_each_others_sessions_whenever_they_were_started() {
    for version in VERSIONS {
        let (one, two) = (Clock::new(START), Clock::new(START + Duration::from_secs(LIFETIME_S.into())));
        let keys = |clock| TicketKeys::shared(&Secret::new([7; 32]), TICKET_TIMES, clock);
        let (first, second) = (with_keys(&keys(&one), b"route", &one), with_keys(&keys(&two), b"route", &two));
        let client = client(version);
        assert!(!resumes(&first, &client));
        assert!(resumes(&second, &client), "{version:?}: there");
        assert!(!resumes(&with_keys(&keys(&two), b"other route", &two), &client), "{version:?}: another route");
    }
}

#[test]
fn a_client_gets_as_many_tickets_as_configured() {
    for count in [0, 1, 2, 8] {
        let config = Server { tickets: Some((ticket_keys(1, &Clock::new(START)), b"route", count)), ..Server::default() }.config();
        let pair = Pair::established(&config, &client(Version::Tls13));
        assert_eq!(usize::try_from(pair.client.tls13_tickets_received()).unwrap(), count);
    }
}
