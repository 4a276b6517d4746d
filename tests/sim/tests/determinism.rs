//! The same seed gives the same run, byte for byte: with TLS and without.

use core::time::Duration;

use sim::{Faults, Kind, Manners, Plan, Rng, Setup, Sim, Talk, Then, Trace, backend};

const FAULTS: Faults = Faults { loss: 20, duplicate: 20, late: 80, corrupt: 20 };
const MINUTE: Duration = Duration::from_secs(60);

/// Clients that speak no TLS: refused hellos, silence, noise.
fn noise(seed: u64) -> [Trace; 4] {
    let mut sim = Sim::new(Setup { seed, faults: FAULTS, kind: Kind::Ed25519, ..Setup::default() });
    let mut rng = Rng::new(seed);
    for n in 0..20 {
        let len = usize::try_from(rng.below(5000)).unwrap_or(0);
        sim.clients.add(Plan::raw(n, rng.bytes(len)));
    }
    sim.run_to(MINUTE);
    sim.traces()
}

/// Clients that speak TLS.
fn tls(seed: u64) -> [Trace; 4] {
    let backends = vec![(backend(1), Manners::Own)];
    let mut sim = Sim::new(Setup { seed, faults: FAULTS, kind: Kind::Ed25519, backends, ..Setup::default() });
    for n in 0..20_u16 {
        let request = (u32::from(n) * 1000).to_be_bytes();
        let plan = sim.plan(n, "default.test", Talk::Stream(request.to_vec()), Then::CloseAfter(usize::from(n) * 1000));
        sim.clients.add(plan);
    }
    assert!(sim.run_all(10 * MINUTE));
    sim.traces()
}

#[test]
fn without_tls_a_seed_gives_the_same_bits_twice_and_another_seed_gives_others() {
    let (first, second, other) = (noise(1), noise(1), noise(2));
    assert_eq!(first, second);
    assert_ne!(first, other);
    assert!(first[0].frames > 100 && first[1].frames > 50, "{first:?}");
}

#[test]
fn with_tls_a_seed_gives_the_same_bits_twice_and_another_seed_gives_others() {
    let (first, second, other) = (tls(1), tls(1), tls(2));
    assert_eq!(first, second);
    assert!(first.iter().zip(other).all(|(one, other)| one.hash != other.hash));
    assert!(first.iter().all(|trace| trace.frames > 100), "{first:?}");
}
