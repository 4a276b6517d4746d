//! The TAP net against the kernel's own stack, in a network namespace that this test makes. Without a harness, for it runs itself anew in there.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test without the harness")]

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode};
use std::time::Instant;

use net::{Cidr, CloseReason, Config, Event, FlowId, Limits, Listen, Trust};
use queue::{Batch, Frame, Offload, frames};
use tender::egress::{Calls, Egress, Link};
use tender::nets::Net;
use tender::nets::tap::{self, Tap};
use tender::order::{CallBack, Listener, Wire};
use tender::poller::Poller;

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const GUEST: [u8; 4] = [192, 0, 2, 15];
const HOST: [u8; 4] = [192, 0, 2, 2];
const DOOR: u16 = 6000;
const CALL_PORT: u16 = 4433;
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("inside") {
        frames_that_the_kernel_refuses_are_counted();
        the_kernel_answers_over_the_tap();
        the_filter_stands_in_front_of_the_kernel();
        a_guest_calls_back_whoever_came_to_its_door_and_nobody_before();
        say("tap: 4 tests passed, in a namespace of their own\n");
        return ExitCode::SUCCESS;
    }
    let user = if rustix::process::geteuid().is_root() { "--net" } else { "-rn" };
    let status = Command::new("unshare").arg(user).arg(std::env::current_exe().unwrap()).arg("inside").status().unwrap();
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(text: &str) {
    let _gone = std::io::stderr().write_all(text.as_bytes());
}

fn ip(arguments: &str) {
    assert!(Command::new("ip").args(arguments.split(' ')).status().unwrap().success(), "ip {arguments}");
}

fn wire() -> Wire {
    Wire { mac: MAC, addresses: vec![IpAddr::V4(Ipv4Addr::from(GUEST))] }
}

fn egress() -> Egress {
    Egress::new(wire(), Link::Front { ports: vec![443], calls: None })
}

/// An ARP frame of the guest, asking for the host's address.
fn who_has(sender: [u8; 4]) -> Vec<u8> {
    [&[0xff; 6][..], &MAC, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &MAC, &sender, &[0; 6], &HOST].concat()
}

fn send(tap: &mut Tap, bytes: &[u8]) {
    tap.transmit(Frame { bytes, offload: Offload::default() }, Duration::ZERO);
}

fn frames_that_the_kernel_refuses_are_counted() {
    let mut tap = Tap::new(tap::open("bbdown").unwrap(), egress());
    send(&mut tap, &who_has(GUEST));
    assert_eq!((tap.dropped().host, tap.dropped().filtered), (1, 0), "the interface is down: EIO");
}

fn the_kernel_answers_over_the_tap() {
    let mut tap = Tap::new(tap::open("bbup").unwrap(), egress());
    ip("link set bbup up");
    ip("addr add 192.0.2.2/24 dev bbup");
    let mut poller = Poller::new().unwrap();
    tap.watch(&poller, 0).unwrap();
    send(&mut tap, &who_has(GUEST));
    let reply = wait_for(&mut tap, &mut poller, |frame| frame.get(12..14) == Some(&[8, 6]) && frame.get(20..22) == Some(&[0, 2]));
    assert_eq!((reply.get(..6), reply.get(28..32)), (Some(&MAC[..]), Some(&HOST[..])));
    assert_eq!(tap.dropped().total(), 0);
}

fn the_filter_stands_in_front_of_the_kernel() {
    let mut tap = Tap::new(tap::open("bbfilter").unwrap(), egress());
    ip("link set bbfilter up");
    send(&mut tap, &who_has(HOST));
    send(&mut tap, b"no frame");
    assert_eq!((tap.dropped().host, tap.dropped().filtered), (0, 2));
}

fn a_guest_calls_back_whoever_came_to_its_door_and_nobody_before() {
    let call_back = CallBack { door: Listener { address: None, port: DOOR }, port: CALL_PORT };
    let egress = Egress::new(wire(), Link::Front { ports: vec![DOOR], calls: Some(Calls::new(call_back)) });
    let tap = Tap::new(tap::open("bbcall").unwrap(), egress);
    ip("link set bbcall up");
    ip("addr add 192.0.2.2/24 dev bbcall");
    let mut guest = Guest::new(tap);
    let listener = TcpListener::bind((Ipv4Addr::from(HOST), CALL_PORT)).unwrap();
    let peer = listener.local_addr().unwrap();
    let too_early = guest.net.connect(peer, None, Duration::ZERO).unwrap();
    let end = guest.until(|event| matches!(event, Event::Connected(_) | Event::Closed { .. }));
    assert_eq!(end, Event::Closed { flow: too_early, reason: CloseReason::ConnectTimeout });
    assert!(guest.tap.dropped().filtered >= 1, "each SYN was filtered");

    let client = std::thread::spawn(move || {
        let mut door = TcpStream::connect(SocketAddr::from((GUEST, DOOR))).unwrap();
        assert_eq!(door.read(&mut [0; 8]).unwrap(), 0, "the box closes what came to its door");
        let (mut called, from) = listener.accept().unwrap();
        called.write_all(b"who is there").unwrap();
        let mut answer = Vec::new();
        called.read_to_end(&mut answer).unwrap();
        (from.ip(), answer)
    });
    let Event::Accepted { flow, peer: caller, .. } = guest.until(|event| matches!(event, Event::Accepted { .. })) else { return };
    guest.net.close(flow, guest.started.elapsed());
    let filtered = guest.tap.dropped().filtered;
    let call = guest.net.connect(SocketAddr::new(caller.ip(), CALL_PORT), None, guest.started.elapsed()).unwrap();
    let end = guest.until(|event| matches!(event, Event::Connected(_) | Event::Closed { .. }));
    assert_eq!(end, Event::Connected(call));
    guest.answer(call, b"who is there");
    let started = Instant::now();
    while !client.is_finished() && started.elapsed() < PATIENCE {
        guest.turn();
    }
    assert_eq!(client.join().unwrap(), (IpAddr::from(GUEST), b"who is there".to_vec()));
    assert_eq!(guest.tap.dropped().filtered, filtered);
}

/// A guest that is no more than a TCP of its own.
struct Guest {
    tap: Tap,
    poller: Poller,
    net: net::Net,
    started: Instant,
    window: Vec<u8>,
}

impl Guest {
    fn new(tap: Tap) -> Self {
        let poller = Poller::new().unwrap();
        tap.watch(&poller, 0).unwrap();
        let config = Config {
            mac: MAC,
            addresses: vec![Cidr { address: IpAddr::from(GUEST), prefix_len: 24 }],
            gateways: Vec::new(),
            mtu: 1500,
            offload: true,
            trust: Trust::Public,
            listen: vec![Listen { address: None, port: DOOR }],
            limits: Limits { connect_timeout: Duration::from_millis(1500), ..Limits::default() },
        };
        let net = net::Net::new(config, [3; 32], Duration::ZERO).unwrap();
        Self { tap, poller, net, started: Instant::now(), window: vec![0; abi::limits::QUEUE_WINDOW_LEN] }
    }

    /// One turn, as the tender's loop makes it.
    fn turn(&mut self) {
        for index in 0..self.poller.poll(Duration::from_millis(5)).unwrap() {
            let (token, readiness) = self.poller.event(index).unwrap();
            self.tap.ready(token, readiness);
        }
        let now = self.started.elapsed();
        self.tap.receive(&mut Batch::new(&mut self.window).unwrap(), now);
        for frame in frames(&self.window).unwrap() {
            let Frame { bytes, offload } = frame.unwrap();
            let Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = offload;
            self.net.receive(bytes, net::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset }, now);
        }
        self.net.handle_timeout(now);
        let mut space = vec![0; net::limits::FRAME_LEN_MAX];
        while let Some((len, offload)) = self.net.poll_transmit(&mut space, now) {
            let net::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = offload;
            let offload = Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset };
            self.tap.transmit(Frame { bytes: &space[..len], offload }, now);
        }
    }

    /// The first event that is wanted.
    fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let started = Instant::now();
        loop {
            assert!(started.elapsed() < PATIENCE, "nothing more happens");
            self.turn();
            while let Some(event) = self.net.poll_event() {
                if wanted(&event) {
                    return event;
                }
            }
        }
    }

    /// Waits for these words, gives them back and finishes.
    fn answer(&mut self, flow: FlowId, words: &[u8]) {
        let started = Instant::now();
        while self.net.readable(flow) < words.len() {
            assert!(started.elapsed() < PATIENCE, "nothing more comes");
            self.turn();
        }
        let heard = self.net.recv(flow, |bytes| (bytes.len(), bytes.to_vec())).unwrap();
        assert_eq!(heard, words);
        let fill = |space: &mut [u8]| {
            space[..words.len()].copy_from_slice(words);
            (words.len(), ())
        };
        self.net.send(flow, fill).unwrap();
        self.net.shutdown(flow);
    }
}

fn wait_for(tap: &mut Tap, poller: &mut Poller, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut window = vec![0; abi::limits::QUEUE_WINDOW_LEN];
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        for index in 0..poller.poll(Duration::from_millis(50)).unwrap() {
            let (token, readiness) = poller.event(index).unwrap();
            tap.ready(token, readiness);
        }
        tap.receive(&mut Batch::new(&mut window).unwrap(), Duration::ZERO);
        if let Some(frame) = frames(&window).unwrap().map(Result::unwrap).find(|frame| wanted(frame.bytes)) {
            return frame.bytes.to_vec();
        }
    }
    Vec::new()
}
