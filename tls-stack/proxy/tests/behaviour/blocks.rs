//! Version 2: signature, command, family, length, addresses (section 2.2).

use proxy::{Addresses, Fault, Header, block, local_block};

use crate::{client, decode, said};

const SIGNATURE: &[u8] = b"\r\n\r\n\x00\r\nQUIT\n";

/// A block of these bytes behind the signature.
fn made(command: u8, family: u8, len: u16, rest: &[u8]) -> Vec<u8> {
    [SIGNATURE, &[command, family], &len.to_be_bytes(), rest].concat()
}

const V4: &[u8] = &[192, 0, 2, 7, 198, 51, 100, 1, 0xc8, 0x22, 0x01, 0xbb];

fn v6() -> Vec<u8> {
    let mut bytes = vec![0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0x20, 1, 0x0d, 0xb8];
    bytes.extend([0; 11]);
    bytes.extend([1, 0x00, 0x01, 0x01, 0xbb]);
    bytes
}

#[test]
fn tcp_over_both_families_is_understood() {
    assert_eq!(said(&made(0x21, 0x11, 12, V4)), Ok(client("192.0.2.7:51234", "198.51.100.1:443")));
    assert_eq!(said(&made(0x21, 0x21, 36, &v6())), Ok(client("[2001:db8::7]:1", "[2001:db8::1]:443")));
}

#[test]
fn what_is_encoded_is_that_block() {
    let addresses = Addresses::new("192.0.2.7:51234".parse().unwrap(), "198.51.100.1:443".parse().unwrap());
    assert_eq!(block(&addresses, None), made(0x21, 0x11, 12, V4));
    let addresses = Addresses::new("[2001:db8::7]:1".parse().unwrap(), "[2001:db8::1]:443".parse().unwrap());
    assert_eq!(block(&addresses, None), made(0x21, 0x21, 36, &v6()));
    assert_eq!(local_block().as_slice(), made(0x20, 0, 0, &[]));
    assert_eq!(said(&local_block()), Ok(Header::Own));
}

#[test]
fn nothing_behind_the_header_is_taken() {
    let stream = [made(0x21, 0x11, 12, V4), b"rest".to_vec()].concat();
    assert_eq!(decode(&stream).0, 28);
    let stream = [made(0x20, 0, 0, &[]), b"rest".to_vec()].concat();
    assert_eq!(decode(&stream), (16, Ok(Some(Header::Own))));
}

#[test]
fn local_keeps_the_real_addresses_whatever_follows() {
    assert_eq!(said(&made(0x20, 0x11, 12, V4)), Ok(Header::Own));
    assert_eq!(said(&made(0x20, 0xff, 3, b"any")), Ok(Header::Own), "even its family is ignored");
    let long = vec![0x5a; usize::from(u16::MAX)];
    assert_eq!(said(&made(0x20, 0, u16::MAX, &long)), Ok(Header::Own));
}

#[test]
fn what_exists_and_is_not_tcp_keeps_the_real_addresses() {
    for family in [0x00, 0x01, 0x02, 0x10, 0x12, 0x20, 0x22, 0x30] {
        assert_eq!(said(&made(0x21, family, 12, V4)), Ok(Header::Own), "{family:#x}");
    }
    assert_eq!(said(&made(0x21, 0x31, 216, &[0; 216])), Ok(Header::Own));
}

#[test]
fn unknown_versions_commands_and_families_are_refused() {
    for command in [0x00, 0x10, 0x11, 0x1f, 0x22, 0x2f, 0x30, 0x31, 0xff] {
        assert_eq!(decode(&made(command, 0x11, 12, V4)).1, Err(Fault::Command), "{command:#x}");
    }
    for family in [0x03, 0x13, 0x1f, 0x33, 0x40, 0x41, 0xf1, 0xff] {
        assert_eq!(decode(&made(0x21, family, 12, V4)), (16, Err(Fault::Family)), "{family:#x}");
    }
}

#[test]
fn a_length_that_does_not_hold_its_addresses_is_refused_at_once() {
    for (family, len) in [(0x11, 0), (0x11, 11), (0x21, 0), (0x21, 12), (0x21, 35)] {
        assert_eq!(decode(&made(0x21, family, len, &[0; 40])), (16, Err(Fault::Length)), "{family:#x} {len}");
    }
}
