//! The shipped image starts, refuses to start, and ends as it should, on both machines. A machine that is not there is a failure.

use core::time::Duration;

use abi::control::DRAIN;
use abi::hypercall::exit;
use abi::limits::{QUEUE_WINDOW_LEN, SEED_LEN};
use boot::{Guest, bundle};
use machine::{Exit, Kind};

const MACHINES: [Kind; 2] = [Kind::Kvm, Kind::Process];
const SEED: [u8; SEED_LEN] = [0x51; SEED_LEN];
/// A day on which the self-signed certificate is valid.
const UNIX: Duration = Duration::from_secs(1_800_000_000);

fn start(kind: Kind) -> Guest {
    Guest::load(kind, SEED, bundle().encode().expect("a sound bundle").expose(), UNIX)
}

#[test]
fn it_seals_itself_and_then_waits_for_frames() {
    for kind in MACHINES {
        let mut guest = start(kind);
        assert_eq!(guest.turn(), Exit::Sealed, "{kind:?}: {:?}", guest.log);
        assert_eq!(guest.turn(), Exit::Wait, "{kind:?}: {:?}", guest.log);
        assert!(guest.log.iter().any(|line| line.contains("serving")), "{kind:?}: {:?}", guest.log);
        assert!(guest.cell().deadline() > 0, "{kind:?}: nothing to flush");
    }
}

#[test]
fn without_a_seed_it_refuses_to_serve() {
    for kind in MACHINES {
        let mut guest = Guest::load(kind, [0; SEED_LEN], bundle().encode().expect("a sound bundle").expose(), UNIX);
        assert_eq!(guest.turn(), Exit::Exit(exit::NO_SEED), "{kind:?}");
    }
}

#[test]
fn a_bundle_that_it_cannot_read_is_refused_and_said() {
    for kind in MACHINES {
        let mut guest = Guest::load(kind, SEED, b"no bundle", UNIX);
        assert_eq!(guest.turn(), Exit::Exit(exit::BAD_BOOT), "{kind:?}");
        assert!(guest.log.iter().any(|line| line.contains("the bundle was refused")), "{kind:?}: {:?}", guest.log);
    }
}

#[test]
fn told_to_drain_it_ends() {
    for kind in MACHINES {
        let mut guest = start(kind);
        assert_eq!((guest.turn(), guest.turn()), (Exit::Sealed, Exit::Wait), "{kind:?}");
        guest.cell().request(DRAIN);
        let end = (0..10).map(|_| guest.turn()).find(|exit| *exit != Exit::Wait);
        assert_eq!(end, Some(Exit::Exit(exit::DONE)), "{kind:?}: {:?}", guest.log);
    }
}

#[test]
fn queues_that_lie_cost_it_a_turn_and_nothing_else() {
    for kind in MACHINES {
        let mut guest = start(kind);
        assert_eq!((guest.turn(), guest.turn()), (Exit::Sealed, Exit::Wait), "{kind:?}");
        for byte in [0xff, 0x01, 0x80] {
            for link in 0..2 {
                guest.cell().rx(link)[..QUEUE_WINDOW_LEN].fill(byte);
            }
            assert_eq!(guest.turn(), Exit::Wait, "{kind:?}: {:?}", guest.log);
        }
        let told: Vec<_> = guest.log.iter().filter(|line| line.contains("malformed receive batches")).collect();
        // Three turns, two links: said at the 2nd and the 4th, not at each.
        assert_eq!(told.len(), 2, "{kind:?}: {:?}", guest.log);
    }
}

#[test]
fn log_lines_carry_the_tenders_time() {
    for kind in MACHINES {
        let mut guest = start(kind);
        guest.cell().set_time(Duration::from_micros(1_234_567), UNIX);
        assert_eq!(guest.turn(), Exit::Sealed, "{kind:?}");
        assert!(guest.log.iter().any(|line| line.contains("1.234567")), "{kind:?}: {:?}", guest.log);
    }
}

#[test]
fn both_machines_run_the_same_first_turns() {
    let bundle = bundle().encode().expect("a sound bundle");
    let first_turns = |kind| {
        let mut guest = Guest::load(kind, SEED, bundle.expose(), UNIX);
        assert_eq!((guest.turn(), guest.turn()), (Exit::Sealed, Exit::Wait));
        (guest.cell().tx(0).to_vec(), guest.cell().tx(1).to_vec(), guest.cell().deadline(), guest.log)
    };
    assert!(first_turns(Kind::Kvm) == first_turns(Kind::Process), "seed, bundle, frames and time are all that the guest sees");
}
