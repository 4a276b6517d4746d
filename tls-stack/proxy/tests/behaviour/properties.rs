//! Properties of any bytes and any cuts.

use core::net::{IpAddr, SocketAddr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proxy::{Addresses, Header, Known, Tls, block, limits, line};

use crate::{decode, decode_cut, said};

fn address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(address, port)| SocketAddr::new(address, port))
}

prop_compose! {
    fn header()(source in address(), destination in address(), version in 0..3, authority in option::of("[a-z.]{0,300}"), alpn in option::of(vec(any::<u8>(), 0..300))) -> (Vec<u8>, Addresses) {
        let addresses = Addresses::new(source, destination);
        let known = Known { alpn: alpn.as_deref(), authority: authority.as_deref(), tls: Some(Tls { version: "TLSv1.3", ..Tls::default() }) };
        let bytes = match version {
            0 => line(&addresses).to_vec(),
            1 => block(&addresses, None),
            _ => block(&addresses, Some(&known)),
        };
        (bytes, addresses)
    }
}

/// Headers that are nearly right: a good one with some bytes replaced, something behind it, and perhaps its end cut off.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    (header(), vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), vec(any::<u8>(), 0..40), any::<prop::sample::Index>()).prop_map(
        |((mut bytes, _), changes, behind, end)| {
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.extend(behind);
            bytes.truncate(end.index(bytes.len()) + 1);
            bytes
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded((bytes, addresses) in header()) {
        prop_assert_eq!(said(&bytes), Ok(Header::Client(addresses)));
        prop_assert!(bytes.len() <= limits::ENCODED_LEN_MAX);
    }

    #[test]
    fn every_cut_in_two_gives_the_same_answer(bytes in nearly()) {
        let whole = decode(&bytes);
        for cut in 0..=bytes.len() {
            prop_assert_eq!(decode_cut(&bytes, [cut]), whole, "cut at {}", cut);
        }
        prop_assert_eq!(decode_cut(&bytes, core::iter::repeat_n(1, bytes.len())), whole, "byte by byte");
    }

    #[test]
    fn any_cuts_give_the_same_answer(bytes in nearly(), cuts in vec(0_usize..20, 0..20)) {
        prop_assert_eq!(decode_cut(&bytes, cuts), decode(&bytes));
    }

    #[test]
    fn any_bytes_are_judged_without_a_panic(bytes in vec(any::<u8>(), 0..300), prefix in 0_usize..3) {
        let prefix: &[u8] = [b"".as_slice(), b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n\x21\x11"][prefix];
        let stream = [prefix, &bytes].concat();
        let (taken, _) = decode(&stream);
        prop_assert!(taken <= stream.len());
        prop_assert_eq!(decode_cut(&stream, core::iter::repeat_n(1, stream.len())), decode(&stream));
    }

    #[test]
    fn a_header_cut_short_is_never_an_answer((bytes, _) in header(), end in any::<prop::sample::Index>()) {
        let short = &bytes[..end.index(bytes.len())];
        prop_assert_eq!(decode(short), (short.len(), Ok(None)));
    }
}
