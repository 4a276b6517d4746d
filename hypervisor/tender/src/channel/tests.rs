//! Parcels over a real socket pair.

use super::*;
use crate::order::{Back, Ends, Front, JailWish, Lines, Machine};

fn order() -> Order {
    let ends = Ends { guest_mac: [2; 6], guest: vec![], host_mac: [4; 6], host: vec![], mtu: 1500 };
    Order {
        machine: Machine::Process,
        heap_len: 1,
        front: Front::User { ends: ends.clone(), doors: vec!["10.0.2.15:443".parse().unwrap()] },
        back: Back::User { ends, backends: vec![] },
        lines: Lines::Text,
        drain_ms: 7,
        jail: JailWish::Full,
    }
}

fn file() -> File {
    File::open("/dev/null").unwrap()
}

#[test]
fn a_parcel_arrives_with_its_descriptors() {
    let (mut ours, theirs) = Supervised::pair().unwrap();
    let (image, door) = (file(), file());
    let big = vec![7; abi::limits::BUNDLE_LEN_MAX];
    let sender = std::thread::spawn(move || ours.send(&order(), &big, image.as_fd(), &[door.as_fd()]).map(|()| ours).unwrap());
    let (tending, parcel) = Tending::receive(theirs).unwrap();
    let mut ours = sender.join().unwrap();
    assert_eq!(parcel.order, order());
    assert_eq!((parcel.bundle.len(), parcel.descriptors.len()), (abi::limits::BUNDLE_LEN_MAX, 1));
    assert_eq!(tending.hear(), Told::Nothing);
    tending.serving();
    assert_eq!(ours.hear().unwrap(), Heard::Serving);
    ours.drain().unwrap();
    assert_eq!(tending.hear(), Told::Drain);
    drop(ours);
    assert_eq!(tending.hear(), Told::Gone);
}

#[test]
fn an_order_that_wants_other_descriptors_than_came_is_refused() {
    let (mut ours, theirs) = Supervised::pair().unwrap();
    ours.send(&order(), b"bundle", file().as_fd(), &[]).unwrap();
    assert!(matches!(Tending::receive(theirs), Err(ChannelFault::Malformed)));
}

#[test]
fn lengths_out_of_bounds_are_refused_before_anything_is_allocated() {
    let (ours, theirs) = Supervised::pair().unwrap();
    ours.send_header(ORDER_LEN_MAX + 1, 0, &[file().as_fd()]).unwrap();
    assert!(matches!(Tending::receive(theirs), Err(ChannelFault::Malformed)));
}

#[test]
fn a_supervisor_that_says_nothing_is_no_parcel() {
    let (ours, theirs) = Supervised::pair().unwrap();
    drop(ours);
    assert!(Tending::receive(theirs).is_err());
}
