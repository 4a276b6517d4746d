//! Honest clients on a wire that loses, in numbers.

use core::time::Duration;

use sim::{ClientEnd, Faults, Kind, Manners, Setup, Sim, Talk, Then, backend, reply_to};

const HOUR: Duration = Duration::from_secs(3600);
const PER_RUN: u16 = 100;
/// After what silence a client asks whether the box is there: curl's default.
const KEEPALIVE: Option<Duration> = Some(Duration::from_secs(60));

/// How it went for all.
#[derive(Debug, Default)]
struct Tally {
    connections: usize,
    /// Got the whole answer, and were told that it was whole.
    complete: usize,
    /// Wait for ever: the box has reset them, and the wire lost that, or the challenge that the client answered it with, or the answer to that.
    forgotten: usize,
    /// Wait for ever, and the box has never reset them.
    hung: usize,
    /// Were still there, for the box, when all time was over.
    left: u64,
    /// Got something else than a beginning of their answer.
    corrupt: usize,
}

/// `runs` times so many clients, each with a handshake, a request, and an answer of up to 12 kB, where so many frames in a thousand are lost, both ways.
fn lose(loss: u16, runs: u64, keepalive: Option<Duration>) -> Tally {
    let mut tally = Tally::default();
    for seed in 1..=runs {
        let faults = Faults { loss, ..Faults::default() };
        let mut sim = Sim::new(Setup {
            seed,
            faults,
            kind: Kind::Ed25519,
            backends: vec![(backend(1), Manners::Own)],
            keepalive,
            ..Setup::default()
        });
        sim.lanes[1].note_endings();
        let clients: Vec<_> = (0..PER_RUN).map(|n| (n, visit(&mut sim, n))).collect();
        sim.run_all(HOUR);
        tally.connections += clients.len();
        let endings = sim.lanes[1].take_endings();
        tally.left += sim.cell.appliance.counters().connections;
        for (n, client) in clients {
            let (outcome, wanted) = (sim.clients.outcome(client), reply_to(request(n)));
            tally.complete += usize::from(outcome.received == wanted && matches!(outcome.end, Some((ClientEnd::Whole, _))));
            let was_reset = endings.iter().any(|ending| ending.resets(sim::client(n).ip()));
            tally.forgotten += usize::from(outcome.end.is_none() && was_reset);
            tally.hung += usize::from(outcome.end.is_none() && !was_reset);
            tally.corrupt += usize::from(!wanted.starts_with(&outcome.received) || matches!(outcome.end, Some((ClientEnd::Disliked, _))));
        }
    }
    tally
}

fn request(n: u16) -> [u8; 4] {
    (u32::from(n) * 120).to_be_bytes()
}

fn visit(sim: &mut Sim, n: u16) -> usize {
    let len = usize::from(n) * 120;
    let mut plan = sim.plan(n, "default.test", Talk::Stream(request(n).to_vec()), Then::CloseAfter(len));
    plan.at = Duration::from_millis(20) * u32::from(n);
    sim.clients.add(plan)
}

#[test]
fn of_a_thousand_connections_at_5_percent_loss_995_are_complete_and_none_hangs_or_is_corrupt() {
    let tally = lose(50, 10, KEEPALIVE);
    println!("5 % lost: {tally:?}");
    assert_eq!((tally.connections, tally.hung + tally.forgotten, tally.left, tally.corrupt), (1000, 0, 0, 0));
    assert!(tally.complete >= 995, "{tally:?}");
}

#[test]
fn at_20_percent_loss_none_hangs_is_left_or_corrupt() {
    let tally = lose_20_percent(KEEPALIVE);
    println!("20 % lost: {tally:?}");
    assert_eq!(tally.forgotten, 0);
}

/// Of clients that never ask some wait for ever: nothing tells them when what the box sends last is lost. That is not the box's to mend; that it has ended them
/// all, and told them so, is.
#[test]
fn whoever_never_asks_and_waits_for_ever_at_20_percent_loss_was_reset() {
    let tally = lose_20_percent(None);
    println!("20 % lost, and nobody asks: {tally:?}");
    assert!(tally.forgotten <= 10);
}

fn lose_20_percent(keepalive: Option<Duration>) -> Tally {
    let tally = lose(200, 5, keepalive);
    assert_eq!((tally.connections, tally.hung, tally.left, tally.corrupt), (500, 0, 0, 0));
    assert!(tally.complete >= 460, "{tally:?}");
    tally
}

#[test]
fn without_loss_all_are_complete() {
    assert_eq!(lose(0, 1, None).complete, usize::from(PER_RUN));
}
