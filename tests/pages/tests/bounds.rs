//! The page over a socket: every bound.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use arbiter::Tier;
use bounty_page::rates::Rate;
use bounty_page::{Assets, Limits, Peers};
use pages::held::{self, Open};
use pages::http::{connect, get, last, next, post, raw, request};

const NONCE: &str = "6e6f6e6365206e6f6e6365206e6f6e6365206e6f6e6365206e6f6e6365206e6f";

fn limited(limits: Limits) -> Open {
    Open::new(Peers::Connect, limits, Assets::default())
}

fn at(open: &Open) -> SocketAddr {
    open.served.address()
}

/// A connection for this client, as the terminator makes it.
fn connect_for(open: &Open, from: &str) -> TcpStream {
    let addresses = proxy::Addresses::new(from.parse().expect("an address"), at(open));
    let mut stream = connect(at(open));
    stream.write_all(&proxy::block(&addresses, None)).expect("written");
    stream
}

/// What a client is answered on a connection of its own; 0 if nothing.
fn asked_for(open: &Open, from: &str) -> u16 {
    let mut stream = connect_for(open, from);
    let _ = stream.write_all(&request("GET", "/rules", "", b""));
    last(&mut stream).status
}

#[test]
fn a_source_that_asks_too_often_waits_and_others_do_not() {
    let rate = Rate { burst: 3, every: Duration::from_secs(60) };
    let open = Open::new(Peers::AreNamed, Limits { asks_of_source: rate, ..Limits::default() }, Assets::default());
    let asked = |from: &str| {
        let addresses = proxy::Addresses::new(from.parse().expect("an address"), at(&open));
        let header = proxy::block(&addresses, None);
        raw(at(&open), &[&header[..], &request("GET", &format!("/possession/{NONCE}"), "", b"")].concat())
    };
    let statuses: Vec<u16> = (1..=4).map(|port| asked(&format!("192.0.2.7:{port}")).status).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    let refused = asked("192.0.2.7:5");
    assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok_and(|seconds| (1..=61).contains(&seconds))));
    assert!(refused.text().starts_with("your address has asked too often; again in "), "{}", refused.text());
    assert_eq!(asked("192.0.2.8:1").status, 200, "another source");
    assert_eq!(asked("[2001:db8::1]:1").status, 200);
    assert_eq!(raw(at(&open), &request("GET", "/", "", b"")).status, 0, "who does not say whom he speaks for is not heard");
    let own = [&proxy::local_block()[..], &request("GET", "/", "", b"")].concat();
    assert_eq!(raw(at(&open), &own).status, 200, "the terminator's own checks are");
}

#[test]
fn a_claim_that_holds_does_not_wait_for_what_others_used_up() {
    let rate = |burst| Rate { burst, every: Duration::from_secs(3600) };
    let open = limited(Limits { claims: rate(2), claims_of_source: rate(9), ..Limits::default() });
    let forged = |text: &str| held::claim(Tier::Read, text).iter().map(|byte| if *byte == b'!' { b'?' } else { *byte }).collect::<Vec<_>>();
    let statuses: Vec<u16> = ["a!", "b!", "c!"].map(|text| post(at(&open), "/claim", &forged(text)).status).to_vec();
    assert_eq!(statuses, [200, 200, 429]);
    assert!(post(at(&open), "/claim", &forged("d!")).text().starts_with("all together have asked too often"));
    assert_eq!(post(at(&open), "/commitment", NONCE.as_bytes()).status, 200, "what is used up of claims is not used up of commitments");
    assert_eq!(post(at(&open), "/claim", &held::claim(Tier::Read, "It was there.")).status, 200);
    assert_eq!(post(at(&open), "/claim", &contest::claim(Tier::Auth)).status, 200, "nor does one of an earlier version");
    assert_eq!(open.held.size(), 6);
}

#[test]
fn who_is_slow_is_not_waited_for() {
    let short = Duration::from_millis(300);
    let open = limited(Limits { head: short, body: short, ..Limits::default() });
    let began = Instant::now();
    for sent in [&b""[..], b"GET / HTTP/1.1\r\nx", b"GET /rules HTTP/1.1\r\nhost: box\r\n\r\n"] {
        let mut stream = connect(at(&open));
        stream.write_all(sent).expect("written");
        // The third is answered, and then says nothing more.
        assert!(matches!(last(&mut stream).status, 0 | 200 | 408), "{sent:?}");
    }
    let body = raw(at(&open), b"POST /claim HTTP/1.1\r\nhost: box\r\ncontent-length: 10\r\n\r\nabc");
    assert_eq!((body.status, body.text().as_str()), (408, "the body took too long\n"));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());

    // However busy it is, a connection ends.
    let open = limited(Limits { connection: short, ..Limits::default() });
    let began = Instant::now();
    let mut stream = connect(at(&open));
    while stream.write_all(b"GET /rules HTTP/1.1\r\nhost: box\r\n\r\n").and_then(|()| next(&mut stream)).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    assert!(began.elapsed() >= short);
}

#[test]
fn connections_are_bounded_and_those_that_end_make_room() {
    let open = limited(Limits { connections: 3, connections_of_source: 2, ..Limits::default() });
    let held: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = connect(at(&open));
            stream.write_all(b"GET /rules HTTP/1.1\r\nhost: box\r\n\r\n").expect("written");
            next(&mut stream).expect("an answer");
            stream
        })
        .collect();
    assert_eq!(get(at(&open), "/rules").status, 0, "this source has its two");
    drop(held);
    let end = Instant::now() + Duration::from_secs(10);
    while get(at(&open), "/rules").status != 200 {
        assert!(Instant::now() < end, "there is room again");
    }
}

/// All places are taken by those who say nothing, begin a head, begin a body, or keep what they were answered on. One of theirs makes way.
#[test]
fn those_who_hold_places_do_not_shut_the_page_to_others() {
    let open = Open::new(Peers::AreNamed, Limits { connections: 12, connections_of_source: 4, ..Limits::default() }, Assets::default());
    let begun = [
        &b""[..],
        b"GET / HTTP/1.1\r\nx",
        b"POST /claim HTTP/1.1\r\nhost: box\r\ncontent-length: 10\r\n\r\nabc",
        b"GET /rules HTTP/1.1\r\nhost: box\r\n\r\n",
    ];
    let hold = |n: usize| {
        let mut stream = connect_for(&open, &format!("192.0.2.{}:{}", 1 + n / 4, 1000 + n));
        stream.write_all(begun[n % 4]).expect("written");
        stream
    };
    let held: Vec<TcpStream> = (0..12).map(hold).collect();
    std::thread::sleep(Duration::from_millis(200));
    for n in 0..20 {
        assert_eq!(asked_for(&open, &format!("198.51.100.{n}:1")), 200, "visitor {n}");
    }
    drop(held);

    // Of one that has a network of IPv6, each connection may be of another source.
    let mut kept = connect_for(&open, "198.51.100.7:1");
    let flood: Vec<TcpStream> = (0..60).map(|n| connect_for(&open, &format!("[2001:db8:1:{n:x}::1]:1"))).collect();
    std::thread::sleep(Duration::from_millis(200));
    kept.write_all(&request("GET", "/rules", "", b"")).expect("written");
    assert_eq!(last(&mut kept).status, 200, "who holds one place keeps it");
    drop(flood);
}

#[test]
fn a_guest_that_does_not_answer_does_not_take_the_page_with_it() {
    let open = limited(Limits { answer: Duration::from_secs(2), ..Limits::default() });
    open.held.slow_down(3000);
    let path = format!("/possession/{NONCE}");
    let statuses = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| get(at(&open), &path).status)).collect();
        std::thread::sleep(Duration::from_millis(100));
        let began = Instant::now();
        assert_eq!(get(at(&open), "/").status, 200);
        assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
        asking.into_iter().map(|asking| asking.join().expect("asked")).collect::<Vec<_>>()
    });
    assert_eq!(statuses, [503; 8]);
    open.held.slow_down(0);
    let end = Instant::now() + Duration::from_secs(20);
    while get(at(&open), &path).status != 200 {
        assert!(Instant::now() < end, "it answers again");
    }
}

#[test]
fn what_is_on_its_way_of_the_log_is_bounded() {
    let open = limited(Limits { log_bytes: 4096, ..Limits::default() });
    for _ in 0..3 {
        assert_eq!(get(at(&open), "/tile/0/000.p/2").status, 200, "what has arrived makes room");
    }
    for tier in [Tier::Auth, Tier::Read] {
        assert_eq!(post(at(&open), "/claim", &held::claim(tier, &"a".repeat(1000))).status, 200);
    }
    let bundle = get(at(&open), "/tile/entries/000.p/4");
    assert_eq!((bundle.status, bundle.text().as_str()), (503, "too many read the log just now\n"));
}
