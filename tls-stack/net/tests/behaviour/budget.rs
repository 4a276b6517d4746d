//! The rings' budget: it is never exceeded, whoever was let in can go on within it, and who does not fit is turned away until there is room.

use core::time::Duration;

use net::{CloseReason, ConnectFault, Event, FlowId, Limits};

use crate::support::{Family, Party, Wire, config, exchange, pattern};

/// The least that one flow is charged, by default.
const LEAST: usize = 12 * 1024;

fn wire_with(server_bytes: usize, client_bytes: usize) -> Wire {
    let of = |server: bool, ring_bytes: usize| {
        let limits = Limits { ring_bytes, ..Limits::default() };
        net::Config { limits, ..config(Family::V4, server) }
    };
    Wire::new(of(true, server_bytes), of(false, client_bytes))
}

fn charged(net: &net::Net) -> usize {
    usize::try_from(net.counters().ring_bytes).unwrap()
}

fn events(net: &mut net::Net) -> Vec<Event> {
    core::iter::from_fn(|| net.poll_event()).collect()
}

/// Writes as much as there is room for; reads nothing.
fn stuff(net: &mut net::Net, flow: FlowId) {
    while net.send(flow, |room| (room.len(), room.len())).is_ok_and(|sent| sent > 0) {}
}

#[test]
fn flows_whose_readers_stall_never_take_more_than_the_budget() {
    const BUDGET: usize = 2 << 20;
    let mut wire = wire_with(BUDGET, 64 << 20);
    let flows: Vec<_> = (0..50).map(|_| wire.connect(Family::V4)).collect();
    assert_eq!(charged(&wire.server), 50 * LEAST);
    // Not long enough for a peer with a shut window to be given up.
    let end = wire.now + Duration::from_secs(20);
    while wire.now < end {
        for (n, (theirs, ours)) in flows.iter().enumerate() {
            if n % 2 == 0 { stuff(&mut wire.server, *theirs) } else { stuff(&mut wire.client, *ours) }
        }
        events(&mut wire.server);
        events(&mut wire.client);
        wire.step();
        assert!(charged(&wire.server) <= BUDGET);
    }
    assert!(charged(&wire.server) > 50 * LEAST, "some have grown");
    assert!(wire.server.counters().growths_refused > 0, "and some were refused");
    assert!(wire.connect(Family::V4).0 != flows[0].0, "there is still room for a newcomer");
    for (theirs, ours) in flows {
        wire.server.abort(theirs);
        wire.client.abort(ours);
    }
    assert_eq!(charged(&wire.server), LEAST, "all but the newcomer's was given back");
}

#[test]
fn transfers_are_exact_where_nothing_may_grow() {
    for faults in [0, 20] {
        let mut wire = wire_with(LEAST, LEAST);
        let (theirs, ours) = wire.connect(Family::V4);
        wire.faults.loss = faults;
        let mut server = Party::new(theirs, pattern(200_000, 1));
        let mut client = Party::new(ours, pattern(150_000, 2));
        exchange(&mut wire, &mut server, &mut client);
        assert!(server.received == client.to_send && client.received == server.to_send);
        assert!(wire.server.counters().growths_refused > 0 && wire.client.counters().growths_refused > 0);
    }
}

#[test]
fn a_full_budget_turns_newcomers_away_and_takes_them_again_when_there_is_room() {
    let mut wire = wire_with(2 * LEAST, 64 << 20);
    let (first, _) = wire.connect(Family::V4);
    wire.connect(Family::V4);
    let third = wire.client.connect(Family::V4.service(), None, wire.now).unwrap();
    wire.run_until(wire.now + Duration::from_secs(20));
    assert!(wire.server.counters().refused_by_limit > 0);
    assert!(events(&mut wire.client).contains(&Event::Closed { flow: third, reason: CloseReason::ConnectTimeout }));
    assert_eq!(charged(&wire.server), 2 * LEAST);
    wire.server.abort(first);
    wire.run_until(wire.now + Duration::from_secs(1));
    events(&mut wire.client);
    wire.connect(Family::V4);
}

#[test]
fn a_full_budget_begins_no_connection() {
    let mut wire = wire_with(64 << 20, LEAST);
    let connect = |wire: &mut Wire| wire.client.connect(Family::V4.service(), None, wire.now);
    let first = connect(&mut wire).unwrap();
    assert_eq!(connect(&mut wire), Err(ConnectFault::LimitFlows));
    wire.client.abort(first);
    assert!(connect(&mut wire).is_ok(), "what a dial had was given back");
}

#[test]
fn the_room_that_others_leave_lets_a_small_flow_grow_later() {
    let mut wire = wire_with(640 * 1024, 64 << 20);
    let flows = [wire.connect(Family::V4), wire.connect(Family::V4)];
    let sent = |wire: &mut Wire, (theirs, ours): (FlowId, FlowId)| {
        for _ in 0..200 {
            stuff(&mut wire.server, theirs);
            wire.step();
            while wire.client.recv(ours, |bytes| (bytes.len(), bytes.len())).is_ok_and(|got| got > 0) {}
        }
        wire.run_until(wire.now + Duration::from_millis(100));
        while wire.client.recv(ours, |bytes| (bytes.len(), bytes.len())).is_ok_and(|got| got > 0) {}
        wire.run_until(wire.now + Duration::from_millis(100));
        wire.server.writable(theirs)
    };
    stuff(&mut wire.client, flows[0].1);
    wire.run_until(wire.now + Duration::from_millis(100));
    assert_eq!(sent(&mut wire, flows[0]), 128 * 1024, "the first takes what it wants");
    assert_eq!(sent(&mut wire, flows[1]), 8 * 1024, "the second goes on with what it is assured of");
    wire.server.abort(flows[0].0);
    wire.run_until(wire.now + Duration::from_secs(2));
    assert_eq!(sent(&mut wire, flows[1]), 128 * 1024);
}

#[test]
fn an_idle_flow_gives_its_receive_ring_back_and_loses_nothing_of_the_next_burst() {
    let mut wire = wire_with(64 << 20, 64 << 20);
    let (theirs, ours) = wire.connect(Family::V4);
    let upload = |wire: &mut Wire| {
        let begin = wire.now;
        let (mut sent, mut got) = (0, 0);
        while got < 300_000 {
            sent += wire.client.send(ours, |room| (room.len().min(300_000 - sent), room.len().min(300_000 - sent))).unwrap();
            wire.step();
            while let Ok(len @ 1..) = wire.server.recv(theirs, |bytes| (bytes.len(), bytes.len())) {
                got += len;
            }
        }
        wire.now - begin
    };
    upload(&mut wire);
    assert!(charged(&wire.server) > 128 * 1024);
    wire.run_until(wire.now + Duration::from_secs(10));
    assert_eq!(charged(&wire.server), LEAST);
    let again = upload(&mut wire);
    assert_eq!(wire.server.counters().dropped_out_of_window, 0);
    assert!(again < Duration::from_millis(100), "{again:?}: no retransmission was waited for");
}

/// Found by the simulator: what was given to a user who had long been idle was taken back at once, its user told of room, asked again, and so on, with
/// two segments to the peer each time.
#[test]
fn an_idle_flow_whose_user_wants_room_gets_it_and_keeps_it() {
    const WANTED: usize = 20_000;
    let mut wire = Wire::of(Family::V4);
    let (theirs, _) = wire.connect(Family::V4);
    let idle = wire.now + Duration::from_secs(60);
    wire.run_until(idle);
    assert!(wire.server.writable(theirs) < WANTED, "an idle flow has a small ring");
    let sent = wire.server.counters().tx_frames;
    for _ in 0..50 {
        if wire.server.writable(theirs) < WANTED {
            wire.server.want_room(theirs, WANTED);
        }
        wire.run_until(wire.now + Duration::from_millis(20));
        events(&mut wire.server);
    }
    assert!(wire.server.writable(theirs) >= WANTED);
    let sent = wire.server.counters().tx_frames - sent;
    assert!(sent <= 2, "{sent} segments for one move");
}
