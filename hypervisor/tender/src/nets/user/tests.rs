//! The user net between real host sockets and a guest that is a `net::Net` of its own: no guest image, no machine.

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use net::{CloseReason, FlowId};
use queue::frames;

use super::*;

mod call_back;

const GUEST: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 15));
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
const PATIENCE: Duration = Duration::from_secs(20);
const PIPES: usize = 64;

/// What the guest side does with its flows.
type Guest = Box<dyn FnMut(&mut net::Net, Option<Event>, Duration)>;

struct World {
    user: User,
    poller: Poller,
    guest: net::Net,
    started: Instant,
    /// How far the clock of both was put forward.
    ahead: Duration,
    /// The link's number, by which the tender's loop brings readiness here.
    link: usize,
}

fn ends() -> Ends {
    Ends { guest_mac: [2; 6], guest: vec![GUEST], host_mac: [4; 6], host: vec![HOST], mtu: 1500 }
}

fn guest_net() -> net::Net {
    let swapped = Ends { guest_mac: [4; 6], guest: vec![HOST], host_mac: [2; 6], host: vec![GUEST], mtu: 1500 };
    net::Net::new(config(&swapped, vec![Listen { address: None, port: 443 }], PIPES), [7; 32], Duration::ZERO).unwrap()
}

fn front() -> (World, SocketAddr) {
    front_with(None)
}

fn front_with(call_back: Option<CallBack>) -> (World, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let poller = Poller::new().unwrap();
    let doors = vec![(listener.into(), SocketAddr::new(GUEST, 443))];
    let user = User::front(&ends(), doors, call_back, [1; 32], PIPES, Duration::ZERO).unwrap();
    user.watch(&poller).unwrap();
    (World { user, poller, guest: guest_net(), started: Instant::now(), ahead: Duration::ZERO, link: abi::boot::FRONT }, address)
}

fn back(hosts: Vec<SocketAddr>) -> (World, SocketAddr) {
    let backend: SocketAddr = "100.64.0.1:80".parse().unwrap();
    let user = User::back(&ends(), vec![Backend { guest: backend, host: hosts }], [1; 32], PIPES, Duration::ZERO).unwrap();
    (
        World {
            user,
            poller: Poller::new().unwrap(),
            guest: guest_net(),
            started: Instant::now(),
            ahead: Duration::ZERO,
            link: abi::boot::BACK,
        },
        backend,
    )
}

impl World {
    fn now(&self) -> Duration {
        self.started.elapsed() + self.ahead
    }

    /// Turn after turn, as the tender's loop does, until `done`.
    fn until(&mut self, mut guest: Guest, mut done: impl FnMut() -> bool) {
        let mut window = vec![0; abi::limits::QUEUE_WINDOW_LEN];
        while !done() {
            let now = self.now();
            assert!(now < PATIENCE + self.ahead, "nothing more happens");
            for index in 0..self.poller.poll(Duration::from_millis(1)).unwrap() {
                let (token, readiness) = self.poller.event(index).unwrap();
                assert_eq!(usize::from(token.owner), self.link);
                self.user.ready(token, readiness);
            }
            self.user.turn(&self.poller, now);
            let mut batch = Batch::new(&mut window).unwrap();
            self.user.receive(&mut batch, now);
            for frame in frames(&window).unwrap() {
                let frame = frame.unwrap();
                assert!(frame.offload.fits(frame.bytes.len()));
                self.guest.receive(frame.bytes, of_queue(frame.offload), now);
            }
            self.guest.handle_timeout(now);
            while let Some(event) = self.guest.poll_event() {
                guest(&mut self.guest, Some(event), now);
            }
            guest(&mut self.guest, None, now);
            let mut batch = Batch::new(&mut window).unwrap();
            while batch.room() >= abi::limits::FRAME_LEN_MAX {
                let fill = |space: &mut [u8]| self.guest.poll_transmit(space, now).map(|(len, offload)| (len, of_net(offload)));
                if batch.fill(abi::limits::FRAME_LEN_MAX, fill) != Ok(true) {
                    break;
                }
            }
            for frame in frames(&window).unwrap() {
                self.user.transmit(frame.unwrap(), now);
            }
        }
    }
}

/// Sends back what comes, and finishes when the peer has.
fn echo() -> Guest {
    let mut flows: Vec<(FlowId, bool)> = Vec::new();
    Box::new(move |net, event, _| {
        match event {
            Some(Event::Accepted { flow, .. } | Event::Connected(flow)) => flows.push((flow, false)),
            Some(Event::Finished(flow)) => flows.iter_mut().filter(|(known, _)| *known == flow).for_each(|(_, finished)| *finished = true),
            _ => {}
        }
        for (flow, finished) in &flows {
            while let Ok(moved @ 1..) = net.recv(*flow, |bytes| (0, bytes.len())) {
                let bytes = net.recv(*flow, |bytes| (0, bytes.to_vec())).unwrap();
                let sent = net.send(*flow, |space| {
                    let len = space.len().min(moved);
                    space[..len].copy_from_slice(&bytes[..len]);
                    (len, len)
                });
                let sent = sent.unwrap_or(0);
                let _taken = net.recv(*flow, |_| (sent, ()));
                if sent == 0 {
                    break;
                }
            }
            if *finished && net.readable(*flow) == 0 {
                net.shutdown(*flow);
            }
        }
    })
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

#[test]
fn megabytes_come_back_exactly_and_both_ends_finish() {
    let (mut world, address) = front();
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let mut reader = stream.try_clone().unwrap();
        let sent = pattern(3 << 20);
        let copy = sent.clone();
        let writer = thread::spawn(move || {
            stream.write_all(&copy).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let mut back = Vec::new();
        reader.read_to_end(&mut back).unwrap();
        writer.join().unwrap();
        assert!(back == sent, "{} bytes came back", back.len());
    });
    world.until(echo(), || client.is_finished());
    client.join().unwrap();
}

#[test]
fn the_guest_sees_a_loopback_client_under_its_own_address() {
    let (mut world, address) = front();
    let client = TcpStream::connect(address).unwrap();
    let seen = std::rc::Rc::new(core::cell::Cell::new(None));
    let note = seen.clone();
    let guest: Guest = Box::new(move |_, event, _| {
        if let Some(Event::Accepted { peer, .. }) = event {
            note.set(Some(peer));
        }
    });
    world.until(guest, || seen.get().is_some());
    assert_eq!(seen.get(), Some(client.local_addr().unwrap()));
}

#[test]
fn a_guest_that_aborts_resets_its_client() {
    let (mut world, address) = front();
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.read(&mut [0; 8]).unwrap_err().kind()
    });
    let guest: Guest = Box::new(|net, event, _| {
        if let Some(Event::Accepted { flow, .. }) = event {
            net.abort(flow);
        }
    });
    world.until(guest, || client.is_finished());
    assert_eq!(client.join().unwrap(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_client_that_does_not_read_stops_the_guest_and_nobody_else() {
    let (mut world, address) = front();
    let stuck = TcpStream::connect(address).unwrap();
    let sent = std::rc::Rc::new(core::cell::Cell::new(0_usize));
    let count = sent.clone();
    let mut flows: Vec<FlowId> = Vec::new();
    let guest: Guest = Box::new(move |net, event, _| {
        if let Some(Event::Accepted { flow, .. }) = event {
            flows.push(flow);
        }
        if let Some(first) = flows.first() {
            count.set(count.get() + net.send(*first, |space| (space.len(), space.len())).unwrap_or(0));
        }
        for flow in flows.iter().skip(1) {
            let _sent = net.send(*flow, |space| {
                space.fill(b'y');
                (space.len().min(5), ())
            });
        }
    });
    let other = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        let mut answer = [0; 5];
        TcpStream::connect(address).unwrap().read_exact(&mut answer).unwrap();
        answer
    });
    world.until(guest, || other.is_finished());
    assert_eq!(&other.join().unwrap(), b"yyyyy");
    assert!(sent.get() < 16 << 20, "{} bytes are held for a client that does not read", sent.get());
    drop(stuck);
}

#[test]
fn a_backend_is_reached_by_its_virtual_address_past_those_that_refuse() {
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut world, backend) = back(vec![refusing, listener.local_addr().unwrap()]);
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 4];
        stream.read_exact(&mut asked).unwrap();
        stream.write_all(b"pong").unwrap();
        stream.read(&mut asked).unwrap()
    });
    let flow = world.guest.connect(backend, None, Duration::ZERO).unwrap();
    let guest: Guest = Box::new(move |net, event, _| {
        if event == Some(Event::Connected(flow)) {
            let ping = |space: &mut [u8]| {
                space[..4].copy_from_slice(b"ping");
                (4, ())
            };
            net.send(flow, ping).unwrap();
        }
        if net.readable(flow) == 4 {
            assert_eq!(net.recv(flow, |bytes| (4, bytes.to_vec())).unwrap(), b"pong");
            net.shutdown(flow);
        }
    });
    world.until(guest, || server.is_finished());
    assert_eq!(server.join().unwrap(), 0, "the guest's end reaches the backend");
}

/// What the guest heard of its flows, and when.
type Heard = std::rc::Rc<core::cell::RefCell<Vec<(Event, Duration)>>>;

fn note() -> (Guest, Heard) {
    let heard = Heard::default();
    let notes = heard.clone();
    let guest: Guest = Box::new(move |_, event, now| notes.borrow_mut().extend(event.map(|event| (event, now))));
    (guest, heard)
}

/// A listener that takes no more connections: its queue is full, so the kernel drops what else comes.
fn silent() -> (TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let queued = (0..8).map_while(|_| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok()).collect();
    (listener, queued)
}

#[test]
fn a_backend_that_refuses_on_the_host_refuses_in_the_guest_and_never_seems_to_be_there() {
    let refusing = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (mut world, backend) = back(vec![refusing(), refusing()]);
    // More at once than a bucket of RSTs would hold.
    let flows: Vec<_> = (0..PIPES - 1).map(|_| world.guest.connect(backend, None, Duration::ZERO).unwrap()).collect();
    let (guest, heard) = note();
    let seen = heard.clone();
    world.until(guest, || seen.borrow().len() >= flows.len());
    for (event, at) in heard.borrow().iter() {
        assert!(matches!(event, Event::Closed { reason: CloseReason::PeerRefused, .. }), "{event:?}");
        assert!(*at < Duration::from_millis(900), "the answer needs no second SYN: {at:?}");
    }
}

#[test]
fn a_backend_that_does_not_answer_on_the_host_does_not_answer_in_the_guest() {
    let (listener, _queued) = silent();
    let (mut world, backend) = back(vec![listener.local_addr().unwrap()]);
    let flow = world.guest.connect(backend, None, Duration::ZERO).unwrap();
    let (guest, heard) = note();
    let started = world.started;
    world.until(guest, || started.elapsed() > Duration::from_millis(1500));
    assert_eq!(*heard.borrow(), [], "though it has asked twice");
    world.guest.abort(flow);
}

#[test]
fn a_guest_that_never_completes_what_it_asked_for_costs_no_socket_for_long() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut world, backend) = back(vec![listener.local_addr().unwrap()]);
    let flow = world.guest.connect(backend, None, Duration::ZERO).unwrap();
    let server = thread::spawn(move || listener.accept().unwrap().0.read(&mut [0; 8]).unwrap_err().kind());
    // Its SYN is on the way; then it forgets what it wanted, and says nothing to the answer.
    let mut forgotten = false;
    let guest: Guest = Box::new(move |net, _, _| {
        if forgotten {
            net.abort(flow);
        }
        forgotten = true;
    });
    world.until(guest, || server.is_finished());
    assert_eq!(server.join().unwrap(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn what_is_no_backend_and_what_refuses_is_reset() {
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (mut world, backend) = back(vec![refusing]);
    let elsewhere: SocketAddr = "100.64.0.2:80".parse().unwrap();
    let other_port = SocketAddr::new(backend.ip(), 81);
    let flows = [backend, elsewhere, other_port].map(|peer| world.guest.connect(peer, None, Duration::ZERO).unwrap());
    let closed = std::rc::Rc::new(core::cell::RefCell::new(Vec::new()));
    let note = closed.clone();
    let guest: Guest = Box::new(move |_, event, _| {
        if let Some(Event::Closed { flow, .. }) = event {
            note.borrow_mut().push(flow);
        }
    });
    world.until(guest, || flows.iter().all(|flow| closed.borrow().contains(flow)));
}

#[test]
fn a_guest_that_finishes_first_still_hears_its_client() {
    let (mut world, address) = front();
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0, "the guest's end");
        stream.write_all(&pattern(100_000)).unwrap();
    });
    let heard = std::rc::Rc::new(core::cell::Cell::new((0_usize, false)));
    let note = heard.clone();
    let mut flows: Vec<FlowId> = Vec::new();
    let guest: Guest = Box::new(move |net, event, _| {
        match event {
            Some(Event::Accepted { flow, .. }) => {
                flows.push(flow);
                net.shutdown(flow);
            }
            Some(Event::Finished(_) | Event::Closed { .. }) => note.set((note.get().0, true)),
            _ => {}
        }
        for flow in &flows {
            let taken = net.recv(*flow, |bytes| (bytes.len(), bytes.len())).unwrap_or(0);
            note.set((note.get().0 + taken, note.get().1));
        }
    });
    world.until(guest, || heard.get() == (100_000, true));
    client.join().unwrap();
}

#[test]
fn a_backend_that_finishes_first_still_hears_the_guest() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut world, backend) = back(vec![listener.local_addr().unwrap()]);
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"bye").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap()
    });
    let flow = world.guest.connect(backend, None, Duration::ZERO).unwrap();
    let (mut finished, mut left) = (false, 100_000_usize);
    let guest: Guest = Box::new(move |net, event, _| {
        finished |= event == Some(Event::Finished(flow));
        let _taken = net.recv(flow, |bytes| (bytes.len(), ()));
        if finished && left > 0 {
            left -= net.send(flow, |space| (space.len().min(left), space.len().min(left))).unwrap();
            if left == 0 {
                net.shutdown(flow);
            }
        }
    });
    world.until(guest, || server.is_finished());
    assert_eq!(server.join().unwrap(), 100_000);
}
