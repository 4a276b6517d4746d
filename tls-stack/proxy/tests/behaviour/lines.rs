//! Version 1: the grammar of section 2.1, line by line.

use proxy::{Addresses, Fault, Header, limits::LINE_LEN_MAX, line};

use crate::{client, decode, said};

#[test]
fn the_specification_s_own_line_is_understood() {
    let stream = b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n";
    assert_eq!(decode(stream), (47, Ok(Some(client("192.168.0.1:56324", "192.168.0.11:443")))));
}

#[test]
fn the_longest_lines_are_understood() {
    let v4 = b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n";
    assert_eq!((v4.len(), said(v4)), (56, Ok(client("255.255.255.255:65535", "255.255.255.255:65535"))));
    let full = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let v6 = format!("PROXY TCP6 {full} {full} 65535 65535\r\n");
    let address = format!("[{full}]:65535");
    assert_eq!((v6.len(), said(v6.as_bytes())), (104, Ok(client(&address, &address))));
    let unknown = format!("PROXY UNKNOWN {full} {full} 65535 65535\r\n");
    assert_eq!((unknown.len(), said(unknown.as_bytes())), (LINE_LEN_MAX, Ok(Header::Own)));
}

#[test]
fn ipv6_is_understood_in_its_usual_forms() {
    for (text, meant) in [("::1", "[::1]:5"), ("2001:DB8::A", "[2001:db8::a]:5"), ("::", "[::]:5"), ("::ffff:192.0.2.1", "192.0.2.1:5")] {
        assert_eq!(said(format!("PROXY TCP6 {text} 2001:db8::1 5 443\r\n").as_bytes()), Ok(client(meant, "[2001:db8::1]:443")), "{text}");
    }
}

#[test]
fn whatever_unknown_says_is_ignored() {
    for rest in ["", " ", " x", " TCP4 nonsense \u{1}", " one\rtwo\nthree"] {
        assert_eq!(said(format!("PROXY UNKNOWN{rest}\r\n").as_bytes()), Ok(Header::Own), "{rest:?}");
    }
}

#[test]
fn lines_out_of_grammar_are_refused() {
    for line in [
        "PROXY ",
        "PROXY TCP4",
        "PROXY UNKNOWNS",
        "PROXY unknown",
        "PROXY TCP5 1.2.3.4 5.6.7.8 1 2",
        "PROXY tcp4 1.2.3.4 5.6.7.8 1 2",
        "PROXY TCP4  1.2.3.4 5.6.7.8 1 2",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 ",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1",
        "PROXY TCP4 1.2.3.4 ::1 1 2",
        "PROXY TCP6 ::1 1.2.3.4 1 2",
        "PROXY TCP6 1::2::3 ::1 1 2",
        "PROXY TCP6 fe80::1%eth0 ::1 1 2",
        "PROXY TCP6 [::1] ::1 1 2",
        "PROXY TCP4 01.2.3.4 5.6.7.8 1 2",
        "PROXY TCP4 1.2.3 5.6.7.8 1 2",
        "PROXY TCP4 256.2.3.4 5.6.7.8 1 2",
        "PROXY TCP4 1.2.3.4 5.6.7.8 01 2",
        "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2",
        "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2",
        "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 ",
        "PROXY TCP4\t1.2.3.4 5.6.7.8 1 2",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 \u{663}",
    ] {
        assert_eq!(decode(format!("{line}\r\n").as_bytes()).1, Err(Fault::Line), "{line:?}");
    }
    assert_eq!(said(b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), Ok(client("0.0.0.0:0", "0.0.0.0:0")), "zeroes themselves are digits");
}

#[test]
fn a_single_cr_or_lf_is_no_end() {
    for end in ["\r", "\n", "\n\r", "\r\r"] {
        assert_eq!(decode(format!("PROXY TCP4 1.2.3.4 5.6.7.8 1 2{end}").as_bytes()).1, Ok(None), "{end:?}");
    }
}

#[test]
fn a_line_without_an_end_is_given_up_at_the_107th_byte() {
    let endless = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200]].concat();
    assert_eq!(decode(&endless[..LINE_LEN_MAX - 1]), (LINE_LEN_MAX - 1, Ok(None)));
    assert_eq!(decode(&endless), (LINE_LEN_MAX, Err(Fault::Line)));
    let late = [&endless[..LINE_LEN_MAX - 1], b"\r\n"].concat();
    assert_eq!(decode(&late).1, Err(Fault::Line));
}

#[test]
fn what_begins_otherwise_is_refused_at_the_first_byte_that_shows_it() {
    for (stream, shown) in [
        (b"\x16\x03\x01\x02\x00".as_slice(), 1),
        (b"POST / HTTP/1.1", 2),
        (b"PROXY\t", 6),
        (b"proxy TCP4", 1),
        (b"\r\n\r\n\0\r\nQUIT\r", 12),
    ] {
        assert_eq!(decode(stream), (shown, Err(Fault::Absent)));
    }
}

#[test]
fn what_is_encoded_is_the_canonical_line() {
    let encoded = |source: &str, destination: &str| {
        let line = line(&Addresses::new(source.parse().unwrap(), destination.parse().unwrap()));
        String::from_utf8(line.to_vec()).unwrap()
    };
    assert_eq!(encoded("192.0.2.7:51234", "198.51.100.1:443"), "PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n");
    assert_eq!(encoded("[2001:db8:0:0::7]:1", "[2001:db8::1]:443"), "PROXY TCP6 2001:db8::7 2001:db8::1 1 443\r\n");
    assert_eq!(encoded("192.0.2.7:1", "[2001:db8::1]:2"), "PROXY TCP6 ::ffff:c000:207 2001:db8::1 1 2\r\n", "hexadecimal digits alone");
}
