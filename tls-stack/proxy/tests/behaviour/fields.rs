//! The fields behind the addresses: read over in order, bounded by the header, the checksum held against it (sections 2.2.1 to 2.2.7).

use proxy::{Addresses, ClientCertificate, Fault, Header, Known, Tls, block, limits};

use crate::{decode, said};

const V4_END: usize = 28;

fn addresses() -> Addresses {
    Addresses::new("192.0.2.7:51234".parse().unwrap(), "198.51.100.1:443".parse().unwrap())
}

/// The addresses, and these bytes behind them.
fn with(fields: &[u8]) -> Vec<u8> {
    let mut header = [block(&addresses(), None), fields.to_vec()].concat();
    header[14..16].copy_from_slice(&u16::try_from(12 + fields.len()).unwrap().to_be_bytes());
    header
}

fn understood() -> Result<Header, Fault> {
    Ok(Header::Client(addresses()))
}

/// Kind and value of each field; a reader of its own, so that what the encoder writes is not judged by its own notions.
fn read(mut fields: &[u8]) -> Vec<(u8, &[u8])> {
    let mut list = Vec::new();
    while let [kind, high, low, rest @ ..] = fields {
        let (value, behind) = rest.split_at(usize::from(*high) << 8 | usize::from(*low));
        list.push((*kind, value));
        fields = behind;
    }
    assert!(fields.is_empty(), "a field is cut off");
    list
}

const FULL: Tls<'_> = Tls {
    version: "TLSv1.3",
    cipher: Some("TLS_AES_128_GCM_SHA256"),
    group: Some("X25519MLKEM768"),
    signature: Some("ecdsa-with-SHA256"),
    key: Some("EC256"),
    client: Some(ClientCertificate { der: &[0x30, 3, 2, 1, 5], common_name: Some("robot") }),
};

#[test]
fn all_that_is_known_is_said_and_read_again() {
    let known = Known { alpn: Some(b"h2"), authority: Some("www.example.org"), tls: Some(FULL) };
    let header = block(&addresses(), Some(&known));
    assert_eq!(said(&header), understood());
    let fields = read(&header[V4_END..]);
    let [(0x01, alpn), (0x02, authority), (0x20, ssl), (0x03, checksum)] = fields[..] else { panic!("{fields:?}") };
    assert_eq!((alpn, authority, checksum.len()), (b"h2".as_slice(), b"www.example.org".as_slice(), 4));
    assert_eq!(ssl[..5], [7, 0, 0, 0, 0], "TLS, a certificate in this connection and session, verified");
    let expected: [(u8, &[u8]); 7] = [
        (0x21, b"TLSv1.3"),
        (0x23, b"TLS_AES_128_GCM_SHA256"),
        (0x26, b"X25519MLKEM768"),
        (0x24, b"ecdsa-with-SHA256"),
        (0x25, b"EC256"),
        (0x22, b"robot"),
        (0x28, &[0x30, 3, 2, 1, 5]),
    ];
    assert_eq!(read(&ssl[5..]), expected);
}

#[test]
fn without_a_client_s_certificate_nothing_is_verified() {
    let known = Known { tls: Some(Tls { version: "TLSv1.2", ..Tls::default() }), ..Known::default() };
    let header = block(&addresses(), Some(&known));
    let fields = read(&header[V4_END..]);
    assert_eq!(fields[0], (0x20, [1, 0, 0, 0, 1, 0x21, 0, 7].iter().chain(b"TLSv1.2").copied().collect::<Vec<u8>>().as_slice()));
}

#[test]
fn what_is_too_long_is_left_out_and_the_rest_is_said() {
    let (text, der) = ("x".repeat(limits::TEXT_LEN_MAX + 1), vec![1; limits::CERTIFICATE_LEN_MAX + 1]);
    let client = ClientCertificate { der: &der, common_name: Some(&text) };
    let tls = Tls { cipher: Some(&text), client: Some(client), ..FULL };
    let header = block(&addresses(), Some(&Known { alpn: Some(&der[..256]), authority: Some(&text), tls: Some(tls) }));
    assert_eq!(said(&header), understood());
    let kinds: Vec<u8> = read(&read(&header[V4_END..])[0].1[5..]).iter().map(|field| field.0).collect();
    assert_eq!(kinds, [0x21, 0x26, 0x24, 0x25]);
}

#[test]
fn the_longest_that_is_encoded_is_within_its_bound() {
    let (text, der) = ("x".repeat(limits::TEXT_LEN_MAX), vec![1; limits::CERTIFICATE_LEN_MAX]);
    let client = ClientCertificate { der: &der, common_name: Some(&text) };
    let all = Some(text.as_str());
    let tls = Tls { version: &text, cipher: all, group: all, signature: all, key: all, client: Some(client) };
    let long = Addresses::new("[::1]:1".parse().unwrap(), "[::2]:2".parse().unwrap());
    let header = block(&long, Some(&Known { alpn: Some(&der[..255]), authority: all, tls: Some(tls) }));
    assert!(header.len() <= limits::ENCODED_LEN_MAX, "{}", header.len());
    assert_eq!(said(&header), Ok(Header::Client(long)));
}

#[test]
fn fields_of_any_kind_are_read_over() {
    for fields in [b"".as_slice(), b"\x04\0\0", b"\x04\0\x03abc\xe0\0\x01x\xff\0\0", b"\x05\0\x02id\x30\0\x04blue", b"\x20\0\x01x"] {
        assert_eq!(said(&with(fields)), understood(), "{fields:?}");
    }
}

#[test]
fn fields_that_leave_the_header_are_refused() {
    for fields in [b"\x04".as_slice(), b"\x04\0", b"\x04\0\x01", b"\x04\0\0\x04", b"\x04\0\x02x", b"\x04\xff\xffx"] {
        assert_eq!(decode(&with(fields)).1, Err(Fault::Field), "{fields:?}");
    }
}

#[test]
fn a_checksum_of_another_length_or_a_second_one_is_refused() {
    for fields in [b"\x03\0\x03abc".as_slice(), b"\x03\0\x05abcde", b"\x03\0\0", b"\x03\0\x04\0\0\0\0\x03\0\x04\0\0\0\0"] {
        assert_eq!(decode(&with(fields)).1, Err(Fault::Field), "{fields:?}");
    }
}

/// The sum here is made bit by bit (polynomial 0x1edc6f41, reflected), not by the crate under test.
#[test]
fn the_checksum_counts_itself_as_zeroes_wherever_it_stands() {
    let bitwise = |bytes: &[u8]| {
        let mut sum = u32::MAX;
        for byte in bytes {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 { sum >> 1 ^ 0x82f6_3b78 } else { sum >> 1 };
            }
        }
        !sum
    };
    for (fields, at) in
        [(b"\x03\0\x04\0\0\0\0".as_slice(), 31), (b"\x03\0\x04\0\0\0\0\x04\0\x01x", 31), (b"\x04\0\x01x\x03\0\x04\0\0\0\0", 35)]
    {
        let mut header = with(fields);
        let sum = bitwise(&header);
        header[at..at + 4].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(said(&header), understood());
        header[at] ^= 1;
        assert_eq!(decode(&header), (header.len(), Err(Fault::Checksum)));
    }
}

/// But for what says that there is a checksum: a shorter length may leave it outside, another kind makes it another field.
#[test]
fn a_damaged_bit_of_a_checked_header_is_noticed() {
    let header = block(&addresses(), Some(&Known { alpn: Some(b"h2"), authority: Some("a.example"), tls: Some(FULL) }));
    let unchecked = [14, 15, header.len() - 7];
    for byte in (0..header.len()).filter(|byte| !unchecked.contains(byte)) {
        for bit in 0..8 {
            let mut damaged = header.clone();
            damaged[byte] ^= 1 << bit;
            let outcome = decode(&damaged).1;
            // A damaged command or family says so, or becomes one of those whose addresses mean nothing.
            assert!(!matches!(outcome, Ok(Some(Header::Client(_)))), "byte {byte}, bit {bit}: {outcome:?}");
        }
    }
}
