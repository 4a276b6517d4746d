//! Calling back over real sockets: whom the guest reaches on its public side, and whom it does not.

use core::cell::Cell;
use std::rc::Rc;

use rustix::net::{AddressFamily, SocketType};

use super::*;
use crate::limits::{CALLER_FRESH, CALLERS_MAX};
use crate::order::Listener;

/// A client's listener, and a front whose guest calls back at its port.
fn calling(client: IpAddr) -> (World, SocketAddr, TcpListener) {
    let listener = TcpListener::bind((client, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (world, door) = front_with(Some(CallBack { door: Listener { address: Some(GUEST), port: 443 }, port }));
    (world, door, listener)
}

fn loopback(third: u8, last: u8) -> IpAddr {
    IpAddr::from([127, 0, third, last])
}

/// A client from this address.
fn connect_from(address: IpAddr, door: SocketAddr) -> TcpStream {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::new(address, 0)).unwrap();
    rustix::net::connect(&socket, &door).unwrap();
    socket.into()
}

/// A whole connection to the door, which the guest closes. Gives the client's address as the guest saw it.
fn call(world: &mut World, from: IpAddr, door: SocketAddr) -> SocketAddr {
    let client = connect_from(from, door);
    let seen = Rc::new(Cell::new(None));
    let note = seen.clone();
    let guest: Guest = Box::new(move |net, event, now| {
        if let Some(Event::Accepted { flow, peer, .. }) = event {
            note.set(Some(peer));
            net.close(flow, now);
        }
    });
    world.until(guest, || seen.get().is_some());
    assert_eq!(seen.get(), Some(client.local_addr().unwrap()));
    client.local_addr().unwrap()
}

/// What the guest's connection to `peer` comes to.
fn outcome(world: &mut World, peer: SocketAddr) -> (FlowId, Event) {
    let now = world.now();
    let flow = world.guest.connect(peer, None, now).unwrap();
    let (guest, heard) = note();
    let seen = heard.clone();
    let of_flow = move |event: &Event| matches!(event, Event::Connected(of) | Event::Closed { flow: of, .. } if *of == flow);
    world.until(guest, || seen.borrow().iter().any(|(event, _)| of_flow(event)));
    assert!(world.now() - now < Duration::from_millis(900), "the answer needs no second SYN");
    let event = heard.borrow().iter().map(|(event, _)| *event).find(of_flow).unwrap();
    (flow, event)
}

fn is_reached(world: &mut World, peer: SocketAddr) -> bool {
    match outcome(world, peer).1 {
        Event::Connected(_) => true,
        Event::Closed { reason, .. } => {
            assert_eq!(reason, CloseReason::PeerRefused, "a RST, not silence");
            false
        }
        other => panic!("{other:?}"),
    }
}

/// Whether nobody waits at a listener.
fn is_quiet(listener: &TcpListener) -> bool {
    listener.set_nonblocking(true).unwrap();
    matches!(listener.accept(), Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock)
}

#[test]
fn whoever_came_to_the_door_is_called_back_and_the_call_outlives_its_time() {
    let (mut world, door, listener) = calling(loopback(0, 1));
    let peer = SocketAddr::new(call(&mut world, loopback(0, 1), door).ip(), listener.local_addr().unwrap().port());
    let (flow, event) = outcome(&mut world, peer);
    assert_eq!(event, Event::Connected(flow));
    let (heard, is_heard) = std::sync::mpsc::channel();
    let (go, may_go) = std::sync::mpsc::channel();
    let client = thread::spawn(move || {
        let (mut stream, box_end) = listener.accept().unwrap();
        let mut asked = [0; 4];
        stream.read_exact(&mut asked).unwrap();
        heard.send(()).unwrap();
        may_go.recv().unwrap();
        stream.write_all(b"pong").unwrap();
        (asked, stream.read(&mut [0; 8]).unwrap(), box_end.ip().is_loopback())
    });
    let ping = |space: &mut [u8]| {
        space[..4].copy_from_slice(b"ping");
        (4, ())
    };
    world.guest.send(flow, ping).unwrap();
    world.until(note().0, || is_heard.try_recv().is_ok());
    world.ahead += CALLER_FRESH * 3;
    go.send(()).unwrap();
    let guest: Guest = Box::new(move |net, _, _| {
        if net.readable(flow) == 4 {
            assert_eq!(net.recv(flow, |bytes| (4, bytes.to_vec())).unwrap(), b"pong");
            net.shutdown(flow);
        }
    });
    world.until(guest, || client.is_finished());
    assert_eq!(client.join().unwrap(), (*b"ping", 0, true));
}

#[test]
fn who_did_not_come_is_not_reached_nor_is_another_port_or_address_of_who_did() {
    let (mut world, door, listener) = calling(loopback(0, 1));
    let (other, elsewhere) = (TcpListener::bind((loopback(0, 1), 0)).unwrap(), TcpListener::bind((loopback(0, 2), 0)).unwrap());
    let [peer, other_port] = [&listener, &other].map(|listener| listener.local_addr().unwrap());
    assert!(!is_reached(&mut world, peer), "before it came");
    call(&mut world, loopback(0, 1), door);
    assert!(!is_reached(&mut world, other_port));
    assert!(!is_reached(&mut world, SocketAddr::new(loopback(0, 2), peer.port())), "another address at the port");
    assert!(!is_reached(&mut world, elsewhere.local_addr().unwrap()));
    assert!([&listener, &other, &elsewhere].map(is_quiet).iter().all(|quiet| *quiet), "nobody was dialled");
    assert!(is_reached(&mut world, peer));
    assert!(!is_quiet(&listener));
}

#[test]
fn a_call_that_is_too_late_is_refused() {
    let (mut world, door, listener) = calling(loopback(0, 1));
    let peer = listener.local_addr().unwrap();
    call(&mut world, loopback(0, 1), door);
    world.ahead += CALLER_FRESH + Duration::from_millis(1);
    assert!(!is_reached(&mut world, peer));
    assert!(is_quiet(&listener));
    call(&mut world, loopback(0, 1), door);
    assert!(is_reached(&mut world, peer), "who comes again is called again");
}

#[test]
fn one_caller_too_many_makes_the_oldest_one_unreachable() {
    let (mut world, door, oldest) = calling(loopback(1, 1));
    let port = oldest.local_addr().unwrap().port();
    let second = TcpListener::bind((loopback(1, 2), port)).unwrap();
    let last = u8::try_from(CALLERS_MAX + 1).unwrap();
    for last in 1..last {
        call(&mut world, loopback(1, last), door);
    }
    assert!(is_reached(&mut world, oldest.local_addr().unwrap()), "as many as there is room for");
    oldest.accept().unwrap();
    call(&mut world, loopback(1, last), door);
    assert!(!is_reached(&mut world, oldest.local_addr().unwrap()));
    assert!(is_quiet(&oldest));
    assert!(is_reached(&mut world, second.local_addr().unwrap()));
}

#[test]
fn a_caller_that_refuses_resets_the_guests_connection() {
    let (mut world, door, listener) = calling(loopback(0, 1));
    let peer = listener.local_addr().unwrap();
    drop(listener);
    call(&mut world, loopback(0, 1), door);
    assert!(!is_reached(&mut world, peer));
}

#[test]
fn another_door_lets_nobody_be_called_back_nor_does_a_front_without_a_call_back() {
    let listener = TcpListener::bind((loopback(0, 1), 0)).unwrap();
    let peer = listener.local_addr().unwrap();
    let (mut world, door) = front_with(Some(CallBack { door: Listener { address: Some(HOST), port: 443 }, port: peer.port() }));
    call(&mut world, loopback(0, 1), door);
    assert!(!is_reached(&mut world, peer));
    let (mut world, door) = front();
    call(&mut world, loopback(0, 1), door);
    let now = world.now();
    world.guest.connect(peer, None, now).unwrap();
    let (guest, heard) = note();
    let started = world.started;
    world.until(guest, || started.elapsed() > Duration::from_millis(1500));
    assert!(!heard.borrow().iter().any(|(event, _)| matches!(event, Event::Connected(_))), "though it has asked twice");
    assert!(is_quiet(&listener));
}

/// As [`calling`], over IPv6.
#[test]
fn a_client_on_the_loopback_of_ipv6_is_called_back_there() {
    let (guest_end, host_end): (IpAddr, IpAddr) = ("fd00::15".parse().unwrap(), "fd00::2".parse().unwrap());
    let link = Ends { guest_mac: [2; 6], guest: vec![guest_end], host_mac: [4; 6], host: vec![host_end], mtu: 1500 };
    let swapped = Ends { guest_mac: [4; 6], guest: vec![host_end], host_mac: [2; 6], host: vec![guest_end], mtu: 1500 };
    let guest = net::Net::new(config(&swapped, vec![Listen { address: None, port: 443 }], PIPES), [7; 32], Duration::ZERO).unwrap();
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let door = TcpListener::bind("[::1]:0").unwrap();
    let address = door.local_addr().unwrap();
    let call_back = CallBack { door: Listener { address: None, port: 443 }, port: peer.port() };
    let doors = vec![(door.into(), SocketAddr::new(guest_end, 443))];
    let user = User::front(&link, doors, Some(call_back), [1; 32], PIPES, Duration::ZERO).unwrap();
    let poller = Poller::new().unwrap();
    user.watch(&poller).unwrap();
    let mut world = World { user, poller, guest, started: Instant::now(), ahead: Duration::ZERO, link: abi::boot::FRONT };
    assert!(!is_reached(&mut world, peer));
    let client = TcpStream::connect(address).unwrap();
    let (guest, heard) = note();
    let seen = heard.clone();
    world.until(guest, || seen.borrow().iter().any(|(event, _)| matches!(event, Event::Accepted { .. })));
    drop(client);
    assert!(is_reached(&mut world, peer));
    assert!(!is_quiet(&listener));
}
