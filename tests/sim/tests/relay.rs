//! What the terminator does with bytes: all of them, in order, to the right one, and to the end.

use core::time::Duration;

use sim::{ClientEnd, Faults, Manners, Plan, Rng, Setup, Sim, Talk, Then, backend, reply_to};

const MINUTE: Duration = Duration::from_secs(60);
const FAULTS: Faults = Faults { loss: 10, duplicate: 10, late: 50, corrupt: 0 };

fn echo(setup: Setup, len: usize) -> (Sim, bool) {
    let bytes = Rng::new(7).bytes(len);
    let mut sim = Sim::new(setup);
    let plan = sim.plan(1, "default.test", Talk::Stream(bytes.clone()), Then::Close);
    let client = sim.clients.add(plan);
    assert!(sim.run_all(30 * MINUTE), "the run ends: {:?}", sim.cell.appliance.counters());
    let outcome = sim.clients.outcome(client);
    assert_eq!(outcome.end.map(|(end, _)| end), Some(ClientEnd::Whole));
    let same = outcome.received == bytes;
    (sim, same)
}

#[test]
fn megabytes_come_back_byte_for_byte() {
    let (sim, same) = echo(Setup::default(), 4 << 20);
    assert!(same);
    let counters = sim.cell.appliance.counters();
    assert_eq!((counters.bytes_up, counters.bytes_down), (4 << 20, 4 << 20));
    assert_eq!((counters.ended.done, counters.connections), (1, 0));
}

#[test]
fn megabytes_come_back_byte_for_byte_in_super_frames() {
    assert!(echo(Setup { offload: true, ..Setup::default() }, 8 << 20).1);
}

#[test]
fn loss_duplicates_and_reordering_change_nothing() {
    for seed in 1..=3 {
        assert!(echo(Setup { seed, faults: FAULTS, ..Setup::default() }, 256 << 10).1, "seed {seed}");
    }
}

#[test]
fn two_hundred_at_once_get_each_its_own_answer() {
    let mut sim = Sim::new(Setup { backends: vec![(backend(1), Manners::Own)], faults: FAULTS, ..Setup::default() });
    let requests: Vec<[u8; 4]> = (0..200_u32).map(|n| (1000 + n * 37).to_be_bytes()).collect();
    let begin = |(request, n): (&[u8; 4], u16)| {
        let plan = sim.plan(n, "default.test", Talk::Stream(request.to_vec()), Then::CloseAfter(reply_to(*request).len()));
        sim.clients.add(plan)
    };
    let clients: Vec<usize> = requests.iter().zip(0..).map(begin).collect();
    assert!(sim.run_all(10 * MINUTE));
    for (client, request) in clients.iter().zip(requests) {
        let outcome = sim.clients.outcome(*client);
        assert_eq!(outcome.received, reply_to(request), "client {client}");
        assert_eq!(outcome.end.map(|(end, _)| end), Some(ClientEnd::Whole), "client {client}");
    }
    assert_eq!(sim.cell.appliance.counters().ended.done, 200);
}

#[test]
fn a_hello_in_single_bytes_is_understood() {
    let mut sim = Sim::new(Setup::default());
    let plan = sim.plan(1, "default.test", Talk::Stream(b"hello".to_vec()), Then::CloseAfter(5));
    let client = sim.clients.add(Plan { trickle: Some((1, Duration::from_millis(2))), ..plan });
    assert!(sim.run_all(MINUTE));
    assert_eq!(sim.clients.outcome(client).received, b"hello");
    assert!(sim.lanes[0].trace.frames > 500, "the bytes came one by one");
}

#[test]
fn the_clients_end_reaches_the_backend_while_its_answer_flows() {
    let mut sim = Sim::new(Setup { backends: vec![(backend(1), Manners::EchoAfterEnd)], ..Setup::default() });
    let bytes = Rng::new(3).bytes(50_000);
    let plan = sim.plan(1, "default.test", Talk::Stream(bytes.clone()), Then::Close);
    let client = sim.clients.add(plan);
    assert!(sim.run_all(MINUTE));
    let outcome = sim.clients.outcome(client);
    assert_eq!(outcome.end.map(|(end, _)| end), Some(ClientEnd::Whole));
    assert_eq!(outcome.received, bytes);
}

#[test]
fn the_backends_end_reaches_the_client_while_it_speaks_on() {
    let words = Rng::new(4).bytes(100_000);
    let mut sim = Sim::new(Setup { backends: vec![(backend(1), Manners::Speak(words.clone()))], ..Setup::default() });
    let bytes = Rng::new(5).bytes(300_000);
    let plan = sim.plan(1, "default.test", Talk::Stream(bytes), Then::Close);
    let client = sim.clients.add(Plan { trickle: Some((2000, Duration::from_millis(5))), ..plan });
    assert!(sim.run_until(MINUTE, |sim| sim.cell.appliance.counters().ended.done == 1 && sim.clients.open() == 0));
    let outcome = sim.clients.outcome(client);
    assert_eq!(outcome.received, words);
    assert_eq!(outcome.end.map(|(end, _)| end), Some(ClientEnd::Whole));
    assert_eq!(sim.cell.appliance.counters().bytes_up, 300_000, "what came after the backend's end went up too");
}

#[test]
fn a_reader_that_stops_blocks_only_itself() {
    let mut sim = Sim::new(Setup::default());
    let bytes = Rng::new(6).bytes(2 << 20);
    let plan = sim.plan(1, "default.test", Talk::Stream(bytes.clone()), Then::Close);
    let slow = sim.clients.add(Plan { deaf: Some((Duration::from_millis(20), Duration::from_secs(10))), ..plan });
    sim.run_to(Duration::from_secs(2));
    let begin = |n| {
        let plan = sim.plan(n, "default.test", Talk::Stream(bytes[..100_000].to_vec()), Then::Close);
        sim.clients.add(plan)
    };
    let others: Vec<usize> = (2..12).map(begin).collect();
    sim.run_to(Duration::from_secs(4));
    for other in others {
        assert_eq!(sim.clients.outcome(other).received, bytes[..100_000], "client {other} is served while another sleeps");
    }
    assert!(sim.clients.outcome(slow).end.is_none());
    assert!(sim.run_all(MINUTE));
    let outcome = sim.clients.outcome(slow);
    let found = (outcome.received.len(), outcome.end, sim.cell.reports.last());
    assert!(outcome.received == bytes, "it gets everything once it reads again: {found:?}");
}

#[test]
fn a_bulk_transfer_does_not_starve_small_exchanges() {
    let answer = Manners::Answer { request_len: 16, reply: vec![b'r'; 200] };
    let mut sim = Sim::new(Setup {
        routes: vec![(vec!["bulk.test"], vec![backend(1)]), (vec!["small.test"], vec![backend(2)])],
        backends: vec![(backend(1), Manners::Echo), (backend(2), answer)],
        ..Setup::default()
    });
    let plan = sim.plan(1, "bulk.test", Talk::Stream(Rng::new(8).bytes(16 << 20)), Then::Close);
    let bulk = sim.clients.add(plan);
    sim.run_to(Duration::from_millis(50));
    let talk = Talk::Exchanges { request: vec![b'q'; 16], reply_len: 200, count: 20 };
    let plan = sim.plan(2, "small.test", talk, Then::CloseAfter(4000));
    let small = sim.clients.add(plan);
    sim.run_to(sim.now + Duration::from_millis(100));
    assert_eq!(sim.clients.outcome(small).received.len(), 4000, "twenty exchanges in a tenth of a second beside a bulk transfer");
    assert!(sim.clients.outcome(bulk).end.is_none(), "the bulk transfer still ran");
}
