//! Where fuzzers begin: inputs made of what our own code and rustls' client say. `cargo run -p targets --bin seeds` writes them to `fuzz/seeds/`.
//!
//! Keys are made anew each time, and so are the seeds: what is in the repository is one run's.

use core::net::SocketAddr;
use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::thread;

use abi::mailbox::{DONE, REFUSED};
use arbiter::{Digest, Tier};
use bounty_log::change::Change;
use bounty_log::reveal::Reveal;
use bounty_page::contest::Contest as _;
use bounty_page::remote::Remote;
use queue::{Batch, Offload};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use status::{Access, Status};

use crate::cell::openings;
use crate::image_file::{image_file, image_file_with_symbols};
use crate::queues::window;
use crate::setting::{FRONT, IDENTITY, MACS, bundle};
use crate::tcp::{ACK, OPTIONS, SYN, Segment};

/// A target's name, the seed's, and its bytes.
pub type Seed = (&'static str, String, Vec<u8>);

/// All seeds that are made. Those for PROXY headers were written by hand.
#[must_use]
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes: Vec<u8>| seeds.push((target, name.to_owned(), bytes));
    let encoded = bundle().encode().expect("a bundle that encodes").expose().to_vec();
    add("bundle", "two-routes", encoded.clone());
    add("letter", "reload", [&[3][..], &encoded].concat());
    for (name, kind, bytes) in [("done", DONE, Status::default().encode()), ("refused", REFUSED, b"no".to_vec())] {
        for asked in 0..2 {
            add("letter", &format!("{name}-{asked}"), [&[asked][..], &posted(kind, &bytes)].concat());
        }
    }
    add("status", "idle", Status::default().encode());
    add("status", "access", access());
    add("image", "small", image_file());
    add("image", "symbols", image_file_with_symbols());
    let (turn, over) = (turn(), [6, 1, 0].to_vec());
    add("recording", "turn", [&turn[..], &over].concat());
    add("recording", "behind-the-end", [over, turn].concat());
    for (name, hello) in openings() {
        add("hello", name, [&[6][..], hello].concat());
        add("peek", name, hello.to_vec());
    }
    claims(&mut add);
    pages(&mut add);
    desks(&mut add);
    client(&mut add);
    config(&mut add);
    frames(&mut add);
    scripts(&mut add);
    seeds
}

/// One turn of a recording: a letter and a frame on the front link go in; a frame, an answer and a line of log come out.
fn turn() -> Vec<u8> {
    let frame = [&4_u32.to_le_bytes()[..], &[0; 10], b"wire"].concat();
    let letter = [&1_u32.to_le_bytes()[..], &2_u32.to_le_bytes(), b"hi"].concat();
    let go = [&[1, 1 | 4][..], &[0; 20], &letter, &1_u16.to_le_bytes(), &frame].concat();
    let came = [&[2, 1 | 4 | 8][..], &[0; 8], &1_u16.to_le_bytes(), &[9; 8], &[8; 8], &[7; 8]].concat();
    [go, came].concat()
}

/// A mailbox window with this letter in it.
fn posted(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut window = vec![0; bytes.len() + 8];
    let fill = |space: &mut [u8]| {
        space.copy_from_slice(bytes);
        bytes.len()
    };
    queue::post(&mut window, kind, fill).expect("room");
    window
}

fn access() -> Vec<u8> {
    let record = Access {
        serial: 7,
        source: SocketAddr::from(([203, 0, 113, 9], 51_000)),
        front_end: None,
        server_name: Some("www.example.org"),
        agreed: None,
        route: Some("end"),
        backend: Some(SocketAddr::from(([100, 64, 0, 1], 8080))),
        passed: false,
        bytes_up: 100,
        bytes_down: 2000,
        handshake_us: Some(900),
        connect_us: Some(80),
        time_us: 5000,
        end: status::End::UnknownName,
        failure: None,
    };
    record.encode(&mut [0; status::limits::ACCESS_LEN_MAX]).expect("a record").to_vec()
}

/// Chains of authorities that nobody has heard of, and the one that is known.
fn client(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let mut params = CertificateParams::new(["robot.clients.test".to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, "robot");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let leaf = params.signed_by(&KeyPair::generate().expect("a key"), &issuer).expect("a leaf");
    let chain = |ders: &[&[u8]]| -> Vec<u8> { ders.iter().flat_map(|der| [&short(der.len()), *der].concat()).collect() };
    let (leaf, issuer, known) = (leaf.der(), issuer.der(), crate::client::AUTHORITY);
    add("client", "robot", chain(&[leaf]));
    add("client", "robot-and-issuer", chain(&[leaf, issuer]));
    add("client", "issuer-and-robot", chain(&[issuer, leaf]));
    add("client", "authority-itself", chain(&[known]));
    add("client", "robot-and-authority", chain(&[leaf, known]));
    add("client", "server", chain(&[&IDENTITY.certificate]));
}

/// Documents of a contest, each under the bytes that say how it is taken. Those of a claim that is committed to go in the second of the end, too.
fn claims(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let claimant = contest::claimant("claimant");
    for tier in [Tier::Auth, Tier::Down, Tier::Wallet] {
        let message = contest::claim_body(tier, &claimant).to_string();
        add("claim", &format!("sound-{tier}"), [&[0][..], &contest::claim(tier)].concat());
        add("claim", &format!("message-{tier}"), [&[1][..], message.as_bytes()].concat());
        add("claim", &format!("committed-{tier}"), [&[1 | 32 | 128][..], message.as_bytes()].concat());
    }
    let claim = contest::claim(Tier::Read);
    let manifest = contest::manifest(&contest::address()).to_string();
    for (name, how, text) in [
        ("record", 2, contest::crash_body(&claimant).to_string()),
        ("receipt", 3, contest::receipt_body(&claim).to_string()),
        ("opening", 4, contest::opening().to_string()),
        ("manifest", 6, manifest),
        ("proof", 7, contest::possession_body(Tier::Read).to_string()),
        ("operator", 0, contest::operator()),
        ("change", 0, change()),
        ("reveal", 0, String::from_utf8(reveal()).expect("text")),
    ] {
        add("claim", name, [&[how][..], text.as_bytes()].concat());
    }
    add("claim", "note", [&[5][..], &contest::manifest_note()].concat());
}

/// A question to the supervisor.
type Question = fn(&Remote);

/// What the page's process asks for, as it goes into the socket.
fn desks(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let asked = |ask: Question| {
        let (near, mut far) = UnixStream::pair().expect("a pair of sockets");
        let asking = thread::spawn(move || ask(&Remote::new(vec![near])));
        let mut question = vec![0; 4];
        far.read_exact(&mut question).expect("a length");
        let len = u32::from_le_bytes(question[..].try_into().expect("four bytes"));
        question.resize(4 + usize::try_from(len).expect("a length"), 0);
        far.read_exact(&mut question[4..]).expect("a question");
        drop(far);
        asking.join().expect("an end");
        question
    };
    let questions: [(&str, Question); 9] = [
        ("facts", |remote| drop(remote.facts())),
        ("manifest", |remote| drop(remote.manifest(contest::manifest_digest()))),
        ("prove", |remote| drop(remote.prove([7; 32]))),
        ("sign", |remote| drop(remote.sign(contest::claim_body(Tier::Write, "somebody").to_string().as_bytes()))),
        ("claim", |remote| drop(remote.claim(&contest::claim(Tier::Read)))),
        ("commit", |remote| drop(remote.commit([8; 32]))),
        ("announce", |remote| drop(remote.announce(&contest::claimant("claimant"), Some([192, 0, 2, 1].into())))),
        ("tile", |remote| drop(remote.log_file("tile/entries/000.p/3"))),
        ("elsewhere", |remote| drop(remote.log_file("../secret/down.pem"))),
    ];
    let all = questions.map(|(name, ask)| (name, asked(ask)));
    add("desk", "all", all.iter().flat_map(|(_, question)| question.clone()).collect());
    all.into_iter().for_each(|(name, question)| add("desk", name, question));
}

/// What an operator signs when the rules change.
fn change() -> String {
    let [digest, other] = [contest::manifest_digest(), Digest([7; 32])];
    Change { version: 2, time: contest::TIME, from: digest, to: other, from_rules: digest, to_rules: other }.to_string()
}

/// A claim with what it was committed to.
fn reveal() -> Vec<u8> {
    let (claim, opening) = (contest::claim(Tier::Read), contest::opening().to_string());
    Reveal { claim: &claim, commitment: Some((&contest::receipt(&claim), opening.as_bytes())) }.document()
}

/// Requests to the challenge's page, each behind what others wrote.
fn pages(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let part = |text: &str| [&[u8::try_from(text.len()).expect("a short text")][..], text.as_bytes()].concat();
    let words = ["somebody", "<b>It</b> was there & \"read\".", "Server"].map(part).concat();
    let request =
        |how: u8, path: &str, query: &str, body: &[u8]| [&[how][..], &part(path), &part(query), &short(body.len()), body].concat();
    let nonce = "61".repeat(32);
    let message = contest::claim_body(Tier::Write, "somebody").to_string();
    for (name, request) in [
        ("page", request(4, "/", "", b"")),
        ("facts", request(0, "/facts.json", "", b"")),
        ("manifest", request(0, &format!("/manifest/{}", contest::manifest_digest()), "", b"")),
        ("tile", request(0, "/tile/0/000.p/5", "", b"")),
        ("tile-of-none", request(0, "/tile/0/000.p/0", "", b"")),
        ("entries", request(0, "/tile/entries/001.p/4", "", b"")),
        ("files", request(0, "/files/257", "", b"")),
        ("possession", request(64, &format!("/possession/read/{nonce}"), "", b"")),
        ("asked-by-form", request(0, "/possession", &format!("tier=auth&nonce={nonce}"), b"")),
        ("claim", request(1, "/claim", "", &contest::claim(Tier::Read))),
        ("claim-by-form", request(5, "/claim", "", b"claim=bountybox-claim+1%0D%0Atext+%3Cb%3E")),
        ("reveal", request(1, "/claim", "", &reveal())),
        (
            "reveal-by-form",
            request(
                5,
                "/claim",
                "",
                b"claim=bountybox-claim+1%0D%0A&receipt=bountybox-receipt+1%0D%0A%0D%0A%E2%80%94+x&opening=bountybox-opening+1",
            ),
        ),
        ("commitment", request(1, "/commitment", "", nonce.as_bytes())),
        ("sign", request(9, "/sign", "", message.as_bytes())),
        ("claimant", request(65, "/claimant", "", contest::claimant("claimant").as_bytes())),
    ] {
        add("page", name, [&words[..], &request].concat());
    }
}

fn short(len: usize) -> [u8; 2] {
    u16::try_from(len).expect("a short text").to_le_bytes()
}

/// Configurations that the documents show, one of which every byte counts, the same without a backend, and with a contest.
fn config(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let smallest = "[[listen]]\naddress=\"127.0.0.1:8443\"\n[[certificate]]\nchain=\"c\"\nkey=\"k\"\n[[route]]\nbackends=[\"a:1\"]\n";
    add("config", "smallest", smallest.into());
    add("config", "no-backend", smallest.replace("\"a:1\"", "").into());
    let doors = "[challenge]\nfolder=\"f\"\nserver=\"127.0.0.1:1\"\ncall_back=\"127.0.0.1:2\"\nreverse=\"127.0.0.1:4\"\n\
                 page=\"127.0.0.1:5\"\nplain=\"127.0.0.1:6\"\nbase=\"https://a\"\nheartbeat_s=600\ncapture_mib=8\n";
    add("config", "contest", format!("{smallest}{doors}").into());
    for (page, text) in [
        ("readme", include_str!("../../../README.md")),
        ("configuration", include_str!("../../../docs/configuration.md")),
        ("replay", include_str!("../../../docs/replay.md")),
        ("coming-from", include_str!("../../../docs/coming-from.md")),
    ] {
        let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        blocks.enumerate().for_each(|(index, block)| add("config", &format!("{page}-{index}"), block.as_bytes().to_vec()));
    }
}

/// What a client's SYN, an echo and a question for an address look like; and queues that hold them.
fn frames(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let syn = Segment { ports: (50_000, 443), flags: SYN, seq: 1, ack: 0, window: 64_240, options: OPTIONS.to_vec(), payload: vec![] };
    let client = (core::net::Ipv4Addr::new(10, 77, 0, 1), MACS[1]);
    let server = (core::net::Ipv4Addr::new(10, 77, 0, 2), [2, 0, 0, 0, 0, 2]);
    let to_server = syn.frame(client, server);
    add("frame", "syn", told(&to_server));
    let acks = (1..4).flat_map(|n| told(&Segment { ports: (50_000 + n, 443), flags: ACK, ack: 1, ..syn.clone() }.frame(client, server)));
    add("frame", "acks", acks.collect());
    add("frame", "arp", told(&arp()));
    add("frame", "echo", told(&echo()));
    let to_cell = syn.frame((FRONT[1], MACS[1]), (FRONT[0], MACS[0]));
    add("egress", "front", [&[0][..], &answer()].concat());
    add("egress", "back", [&[1][..], &opening()].concat());
    add("egress", "call-back", [&[4][..], &call_back()].concat());
    add("egress", "arp", [&[0][..], &arp()].concat());
    let mut queue = window(&[]);
    let mut batch = Batch::new(&mut queue).expect("a window");
    for frame in [&to_cell, &arp(), &echo()] {
        batch.push(frame, Offload::default()).expect("room");
    }
    let end = abi::queue::DATA_OFFSET + 3 * 128;
    add("queue", "three", queue[..end].to_vec());
    let len = short(end);
    add("guest", "front", [&[1][..], &len, &queue[..end], &[0, 0, 9, 0, 0, 0, 0]].concat());
    add("guest", "both", [&[1][..], &len, &queue[..end], &len, &queue[..end]].concat());
}

/// As the target `frame` reads it: the length, no offload, the frame.
fn told(frame: &[u8]) -> Vec<u8> {
    [&short(frame.len())[..], &[0; 6], frame].concat()
}

/// Who has 10.77.0.2?
fn arp() -> Vec<u8> {
    let sender = [2, 0, 0, 0, 0, 1, 10, 77, 0, 1];
    [&[0xff; 6][..], &sender[..6], &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &sender, &[0; 6], &[10, 77, 0, 2]].concat()
}

fn echo() -> Vec<u8> {
    let head = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0x66, 0x43, 10, 77, 0, 1, 10, 77, 0, 2];
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0][..], &head, &[8, 0, 0xf7, 0xff, 0, 0, 0, 0]].concat()
}

/// What the guest of the target `egress` may say on either link.
fn answer() -> Vec<u8> {
    let segment = Segment { ports: (443, 5000), flags: SYN | ACK, seq: 1, ack: 2, window: 100, options: vec![], payload: vec![] };
    segment.frame((core::net::Ipv4Addr::new(192, 0, 2, 1), MACS[0]), (core::net::Ipv4Addr::new(198, 51, 100, 9), MACS[1]))
}

/// A connection to the door, closed; and one that goes back.
fn call_back() -> Vec<u8> {
    let guest = (core::net::Ipv4Addr::new(192, 0, 2, 1), MACS[0]);
    let peer = (core::net::Ipv4Addr::new(198, 51, 100, 9), MACS[1]);
    let says = |ports, flags, seq, ack| {
        let segment = Segment { ports, flags, seq, ack, window: 100, options: vec![], payload: vec![] };
        segment.frame(guest, peer)
    };
    let hears = |ports, flags, seq, ack| {
        let segment = Segment { ports, flags, seq, ack, window: 100, options: vec![], payload: vec![] };
        segment.frame(peer, guest)
    };
    let steps = [
        (0, hears((5000, 6000), SYN, 1, 0)),
        (1, says((6000, 5000), SYN | ACK, 7, 2)),
        (0, hears((5000, 6000), ACK, 2, 8)),
        (1, says((50_000, 4433), SYN, 9, 0)),
        (2, hears((4433, 50_000), SYN | ACK, 3, 10)),
        (3, says((50_000, 4433), ACK, 10, 4)),
        (201, says((50_001, 4433), SYN, 9, 0)),
    ];
    steps.iter().flat_map(|(step, frame)| [&[*step, u8::try_from(frame.len()).expect("a short frame")], &frame[..]].concat()).collect()
}

fn opening() -> Vec<u8> {
    let segment = Segment { ports: (5000, 80), flags: SYN, seq: 1, ack: 0, window: 100, options: vec![], payload: vec![] };
    segment.frame((core::net::Ipv4Addr::new(192, 0, 2, 1), MACS[0]), (core::net::Ipv4Addr::new(198, 51, 100, 9), MACS[1]))
}

/// For those who read decisions: scenarios in which something happens.
fn scripts(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    // Data in order, read; an answer; FIN.
    add(
        "segment",
        "both-ways",
        vec![9, 0, 0, 0, 20, 0, 0, 0, 0, 200, 0, 4, 5, 100, 0, 0, 0, 4, 0, 0, 0, 100, 0, 200, 0, 0, 1, 0, 10, 0, 0, 0, 0, 200, 0, 4, 7, 2],
    );
    add("segment", "out-of-order", vec![9, 0, 0, 1, 20, 120, 0, 0, 0, 200, 0, 0, 0, 0, 20, 0, 0, 0, 0, 200, 0, 4, 6, 5]);
    add("segment", "resets", vec![9, 0, 4, 1, 0, 5, 0, 0, 0, 200, 0, 0, 4, 0, 0, 0, 0, 0, 0, 200, 0]);
    add("segment", "wrap", vec![2, 0, 0, 0, 250, 0, 0, 0, 0, 200, 0, 4, 0, 0, 0, 250, 0, 0, 0, 0, 200, 0, 4, 7, 1, 6, 13]);
    for version in 0..2 {
        add("record", &format!("data-{version}"), vec![version, 0, 0, 5, 1, 2, 3, 4, 5, 0, 33, 2, 6, 7, 6, 9, 1, 0, 2, 1, 0]);
        add("record", &format!("updates-{version}"), vec![version, 3, 0, 3, 16, 0, 0, 1, 1, 6, 3, 3, 16, 0, 0, 1, 2]);
        add("record", &format!("broken-{version}"), vec![version, 0, 0, 1, 1, 4, 0, 3, 0, 1, 2, 8, 8]);
        add(
            "record",
            &format!("fragments-{version}"),
            vec![version, 2, 0, 2, 24, 0, 2, 0, 3, 0, 1, 0, 0, 0, 1, 9, 5, 0, 23, 1, 1, 7, 0, 20, 1, 1],
        );
    }
    for choice in [1, 3] {
        add("ticket", &format!("good-{choice}"), vec![choice, 0, 1, 5, 115, 116, 97, 116, 101, 0, 0, 0, 0, 2, 0, 0, 8, 0, 0, 40, 7]);
        add("ticket", &format!("changed-{choice}"), vec![choice, 9, 0, 3, 1, 2, 3, 1, 20, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]);
    }
    add("ticket", "raw", [&[0][..], &[0x11; 60]].concat());
    add("log", "raw", vec![0, 7, 3, 0, 0, 0, 1, 0, 255, 255]);
    let framed = |index: u8, bytes: &[u8]| [&[1, index, u8::try_from(bytes.len()).expect("a short frame")][..], bytes].concat();
    add("log", "hello", framed(1, &[0, 0, 0, 0, 0, 0, 0, 0, 7, 2, 0, 0, 0, b'a', 0x1b]));
    add("log", "nested", framed(3, &[0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 2, 0]));
    let record = access();
    let len = u32::try_from(record.len()).expect("a short record").to_le_bytes();
    add("log", "access", framed(4, &[&[0; 8][..], &len, &record].concat()));
    add("log", "numbers", framed(5, &[1; 40]));
    neighbors(add);
    dials(add);
    cells(add);
}

/// Over each hop: a connection that opens, is written to and hears of a smaller path; one that is refused; one whose hop is nowhere; and lies, one after the other, before the truth.
fn neighbors(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    for host in 0..4 {
        let (dial, truth) = ([0, host], [1, host | 36, 0, 0, 0]);
        let written = [3, 0, 0, 5, 0, 0, 90, 2, 0, 0, 0, 88, 2, 0, 0, 5, 0, 0, 90, 4, 60, 3, 0, 7, 6, 0];
        add("neighbor", &format!("open-{host}"), [&[2][..], &dial, &truth, &written].concat());
        add("neighbor", &format!("refused-{host}"), [&[0][..], &dial, &truth, &[2, 0, 1, 0, 0, 0, 0, 0]].concat());
        add("neighbor", &format!("nowhere-{host}"), [&[1][..], &dial, &[4, 20].repeat(5)].concat());
        let lies: Vec<u8> = (0..5).flat_map(|lie| [1, host | lie << 2, 1 << lie, 0, 0]).collect();
        let crossed = [3, 0, 1, 3, 0, 2, 3, 0, 3, 7, host, 3, 0, 6, 3, 0, 5];
        add("neighbor", &format!("lies-{host}"), [&[0][..], &dial, &lies, &truth, &crossed].concat());
    }
}

/// Servers of either version that ask for our certificate or for another hello, with nothing wrong or something, and what follows; and bytes without a server.
fn dials(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    for how in 0..8 {
        add("dial", &format!("sound-{how}"), vec![how, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 3]);
        add("dial", &format!("flipped-{how}"), vec![how, 1, 9, 1, 0, 1, 30, 0, 4, 0]);
    }
    for shown in 1..21 {
        add("dial", &format!("shown-{shown}"), vec![shown & 1 | 2, shown, 60]);
    }
    // Certificates and other messages that are changed in length, out of turn, or cut into small records.
    add("dial", "cut", vec![0, 0, 2, 3, 7, 2, 6, 7, 4, 20, 8, 3, 40, 0, 2, 9, 4, 0, 2, 20, 0, 0, 0]);
    add("dial", "spliced", vec![0, 1, 99, 2, 11, 4, 40, 0, 3, 2, 1, 1, 12, 2, 8, 0, 1, 0]);
    add("dial", "out-of-turn", vec![1, 0, 7, 3, 4, 2, 2, 1, 3, 0]);
    add("dial", "warned", vec![0, 0, 0, 2, 5, 1, 21, 2, 1, 90, 21, 2, 22, 4, 0, 0, 0, 0]);
    add("dial", "asked-again", vec![0, 0, 0, 1, 10, 0, 23, 0]);
    // A ticket, then a message of another kind, under the keys of the traffic.
    let ticket = [4, 0, 0, 14, 0, 0, 0, 9, 1, 2, 3, 4, 0, 0, 1, 7, 0, 0];
    add("dial", "ticket", [&[0, 0, 0, 0, 2, 0, 18][..], &ticket, &[0, 0, 2, 8, 8, 2, 0, 4, 0, 0, 0, 0]].concat());
    let raw = |bytes: &[u8]| [&[8, 0, 2][..], bytes].concat();
    add("dial", "refused", raw(&[21, 3, 3, 0, 2, 2, 40]));
    add("dial", "http", raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    add("dial", "hello-done", raw(&[22, 3, 3, 0, 4, 14, 0, 0, 0]));
    let hello = [&[22, 3, 3, 0, 50, 2, 0, 0, 46, 3, 3][..], &[7; 32], &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]].concat();
    add("dial", "hello", raw(&hello));
}

fn cells(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    // Connect, be greeted, write, be answered, leave.
    for (name, how) in [("tls13", 0), ("tls12", 8)] {
        add("cell", name, vec![0, 0, 0, how, 4, 0, 40, 0, 6, 0, 4, 60, 0, 4, 0, 9, 1, 5, 0, 5, 7, 0, 12]);
    }
    add("cell", "passed", vec![0, 0, 1, 12, 3, 1, 1, 6, 0, 4, 50, 0, 2, 1, 3, 7, 7, 7, 5, 1, 1]);
    add("cell", "front-end", vec![0, 0, 2, 15, 3, 2, 3, 6, 0, 4, 9, 0, 0, 3, 15, 3, 3, 2, 7, 0, 5]);
    add("cell", "foreign", vec![0, 0, 4, 12, 3, 4, 4, 7, 0, 8, 0, 5, 12, 2, 5, 4, 1, 2, 3, 4]);
    add("cell", "faults", vec![5, 0, 0, 0, 8, 0, 1, 1, 3, 4, 0, 200, 3, 7, 0, 12, 10, 0, 2, 1, 6, 0, 4, 100, 1, 7, 0, 13]);
    add("cell", "drain", vec![128, 0, 0, 0, 4, 0, 9, 0, 11, 0, 1, 11, 0, 0, 0, 1, 0, 7, 0, 14]);
    add("cell", "many", vec![8, 0, 0, 12, 0, 1, 12, 0, 2, 12, 0, 3, 12, 0, 4, 12, 0, 5, 12, 3, 0, 1, 3, 1, 1, 3, 2, 1, 6, 0, 0, 0, 0]);
    // A configuration of each kind: a client that is served, and checks that are answered.
    for choice in [1, 2, 3, 12, 32, 33, 48, 50, 64, 67, 131] {
        let served = [choice, 0, 0, 0, 4, 0, 40, 0, 6, 0, 4, 60, 0, 7, 0, 15, 6, 0, 3, 0, 0, 7, 0, 15, 6, 0, 1, 0, 0, 4, 0, 9, 0];
        add("cell", &format!("served-{choice}"), served.to_vec());
    }
}
