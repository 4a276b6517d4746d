//! Boundary: the queues as a hostile tender leaves them for the guest, read by the guest's own code for them and given to a whole appliance.

use core::time::Duration;

use appliance::{Link, Wires};
use platform::LinkWindows;

use crate::queue_wires::QueueWires;
use crate::queues::{Window, window};
use crate::script::Script;
use crate::setting::{MACS, appliance, bundle, now};

/// Turns that one input has at most.
const TURNS_MAX: usize = 4;

/// Each turn has a receive window for each link: its length, and its bytes.
pub fn guest(data: &[u8]) {
    let mut script = Script(data);
    // Without a route that ends TLS: what a tender can do to a guest comes before TLS, and a fuzzer has no time for keys.
    let mut bundle = bundle();
    bundle.routes.retain(|route| route.certificates.is_empty());
    bundle.certificates.clear();
    let mut appliance = appliance(bundle);
    let mut time = Duration::ZERO;
    for _ in 0..TURNS_MAX {
        if script.is_over() {
            return;
        }
        time += Duration::from_millis(script.byte().into());
        let mut part = || {
            let len = usize::from(script.short());
            script.take(len)
        };
        let rx = [part(), part()].map(window);
        let mut tx = [window(&[]), window(&[])];
        is_shown(&rx);
        let malformed = turn(&rx, &mut tx, |wires| {
            appliance.step(now(time), wires);
        });
        assert_eq!(malformed, rx.iter().filter(|window| is_malformed(window)).map(|_| 1).sum::<u64>());
        tx.iter().for_each(|window| is_sound(window));
        while appliance.poll_report().is_some() {}
    }
}

/// One turn over these windows: how many of the receive windows were found malformed.
fn turn(rx: &[Window; 2], tx: &mut [Window; 2], step: impl FnOnce(&mut dyn Wires)) -> u64 {
    let [front, back] = tx;
    let mut wires = QueueWires::new([LinkWindows { rx: &rx[0], tx: front }, LinkWindows { rx: &rx[1], tx: back }]);
    step(&mut wires);
    wires.malformed()
}

/// What the guest is shown is what stands there, up to the first lie.
fn is_shown(rx: &[Window; 2]) {
    turn(rx, &mut [window(&[]), window(&[])], |wires| {
        for (link, window) in [Link::Front, Link::Back].into_iter().zip(rx) {
            for there in queue::frames(window).into_iter().flatten().map_while(Result::ok) {
                let (bytes, offload) = wires.receive(link).expect("a frame that stands there");
                assert!(!bytes.is_empty() && bytes.len() <= abi::limits::FRAME_LEN_MAX);
                assert_eq!(bytes, there.bytes);
                assert_eq!(fields_of_net(offload), fields(there.offload));
            }
            assert!(wires.receive(link).is_none(), "a frame that stands nowhere");
        }
    });
}

/// Each field by itself: two of a kind are soon confused.
fn fields(offload: queue::Offload) -> [u16; 6] {
    let queue::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = offload;
    [flags.into(), gso_type.into(), hdr_len, gso_size, csum_start, csum_offset]
}

fn fields_of_net(offload: net::Offload) -> [u16; 6] {
    let net::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = offload;
    [flags.into(), gso_type.into(), hdr_len, gso_size, csum_start, csum_offset]
}

fn is_malformed(window: &[u8]) -> bool {
    queue::frames(window).map_or(true, |mut frames| frames.any(|frame| frame.is_err()))
}

/// What the guest leaves for the tender is a batch of its own frames.
fn is_sound(window: &[u8]) {
    for frame in queue::frames(window).expect("a batch") {
        let frame = frame.expect("a frame");
        assert_eq!(frame.bytes.get(6..12), Some(&MACS[0][..]));
        assert!(frame.offload.fits(frame.bytes.len()));
    }
}
