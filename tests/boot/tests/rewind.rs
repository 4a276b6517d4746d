//! The shipped image is brought back to where it was marked, on both machines, as often as wanted.

use core::convert::Infallible;
use core::time::Duration;

use abi::limits::{HEAP_LEN_MIN, SEED_LEN};
use boot::{bundle, image_file};
use machine::{Cell, Draw, Exit, HostFault, Image, Kind, Parcel, Rewinder};
use queue::{Batch, Offload};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const MACHINES: [Kind; 2] = [Kind::Kvm, Kind::Process];
const UNIX: Duration = Duration::from_secs(1_800_000_000);
const BUDGET: Duration = Duration::from_secs(20);
/// Who has 10.0.2.15? Tell 10.0.2.2.
const QUESTION: [u8; 42] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 1, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 1, 1, 10, 0, 2, 2, 0, 0, 0, 0, 0, 0,
    10, 0, 2, 15,
];

fn waiting(kind: Kind, bundle: &[u8]) -> Cell<machine::Jailed> {
    let image = Image::parse(&image_file()).expect("the image is one of ours");
    let parcel = Parcel {
        heap_len: HEAP_LEN_MIN,
        seed: Zeroizing::new([0x51; SEED_LEN]),
        bundle: Zeroizing::new(bundle.to_vec()),
        draw: Some(Draw::again(Zeroizing::new(core::array::from_fn(|word| (word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))))),
        contest: None,
    };
    let cell = Cell::load_rewindable(kind, &image, parcel, 0..0).expect("the machine is there");
    let mut cell = cell.jailed(|| Ok::<(), Infallible>(())).expect("no jail, no failure");
    cell.set_time(Duration::from_millis(1), UNIX);
    assert_eq!(cell.run(BUDGET), Ok(Exit::Sealed), "{kind:?}");
    cell.seal().expect("the secrets can be taken away");
    assert_eq!(cell.run(BUDGET), Ok(Exit::Wait), "{kind:?}");
    cell
}

fn state(rewinder: &Rewinder) -> [u8; 32] {
    let mut digest = Sha256::new();
    rewinder
        .for_each_page(&mut |at, bytes| {
            digest.update(at.to_le_bytes());
            digest.update(bytes);
        })
        .expect("the memory can be looked at");
    digest.finalize().into()
}

/// Asks for the guest's link address, and gives what it says.
fn ask(rewinder: &mut Rewinder) -> Vec<u8> {
    let cell = rewinder.cell_mut();
    cell.set_time(Duration::from_millis(2), UNIX);
    let mut batch = Batch::new(cell.rx(0)).expect("a window");
    batch.push(&QUESTION, Offload::default()).expect("room");
    assert_eq!(cell.run(BUDGET), Ok(Exit::Wait));
    cell.rx(0).fill(0);
    let answer = queue::frames(cell.tx(0)).expect("a batch").next().expect("an answer").expect("a frame");
    answer.bytes.to_vec()
}

#[test]
fn it_is_brought_back_to_the_byte() {
    for kind in MACHINES {
        let mut rewinder = Rewinder::mark(waiting(kind, bundle().encode().expect("a sound bundle").expose())).expect("it can be watched");
        let before = state(&rewinder);
        let first = ask(&mut rewinder);
        assert_eq!(first.get(12..14), Some(&[8, 6][..]), "{kind:?}: {first:02x?}");
        for _ in 0..100 {
            assert_ne!(state(&rewinder), before, "{kind:?}: an answer leaves a trace");
            let pages = rewinder.rewind().expect("it can be brought back");
            assert!((1..200).contains(&pages), "{kind:?}: {pages} pages");
            assert_eq!(state(&rewinder), before, "{kind:?}");
            assert_eq!(ask(&mut rewinder), first, "{kind:?}");
        }
    }
}

#[test]
fn two_cells_of_the_same_seed_stand_in_the_same_state() {
    let bundle = bundle().encode().expect("a sound bundle");
    for kind in MACHINES {
        let [one, other] = [(), ()].map(|()| state(&Rewinder::mark(waiting(kind, bundle.expose())).expect("it can be watched")));
        assert_eq!(one, other, "{kind:?}");
    }
}

#[test]
fn a_cell_that_was_not_loaded_for_it_is_refused() {
    for kind in MACHINES {
        let image = Image::parse(&image_file()).expect("the image is one of ours");
        let bundle = Zeroizing::new(bundle().encode().expect("a sound bundle").expose().to_vec());
        let parcel = Parcel { heap_len: HEAP_LEN_MIN, seed: Zeroizing::new([1; SEED_LEN]), bundle, draw: None, contest: None };
        let cell = Cell::load(kind, &image, parcel).expect("the machine is there");
        let mut cell = cell.jailed(|| Ok::<(), Infallible>(())).expect("no jail, no failure");
        assert_eq!(cell.run(BUDGET), Ok(Exit::Sealed));
        assert!(matches!(Rewinder::mark(cell), Err(HostFault::Host(..))), "{kind:?}");
    }
}
