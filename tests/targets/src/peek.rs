//! Boundary: the first bytes of a TCP stream, beside what rustls reads in them. Where both read a hello, they read the same in it.

use rustls_std::server::Acceptor;
use tls::{Alert, Event, Fault, Session};

use crate::peer::records;

/// A server name and the protocols.
type Read = (Option<String>, Vec<Vec<u8>>);

/// What rustls takes, we take, but for what `may_be_refused` lists. What we take and rustls does not is refused later, when rustls gets the same
/// message: nothing is decided by it but the route.
pub fn peek(data: &[u8]) {
    match (ours(data), theirs(data)) {
        (Some(Ok(ours)), Some(Ok(theirs))) => assert_eq!(ours, theirs),
        (Some(Err(fault)), Some(Ok(theirs))) => assert!(may_be_refused(fault, data, &theirs), "{fault:?}, and rustls reads {theirs:?}"),
        (Some(Ok(ours)), None) => unreachable!("rustls waits for the rest of {ours:?}"),
        (None, Some(Ok(theirs))) => unreachable!("we wait for the rest of {theirs:?}"),
        _ => {}
    }
}

/// We refuse where rustls does not: hellos of nothing newer than TLS 1.1 (rustls says so once it has its configuration), a record in which
/// something follows the hello, hellos longer than any client's, and a list of server names in which something follows the first.
fn may_be_refused(fault: Fault, data: &[u8], (name, _): &Read) -> bool {
    match fault {
        Fault::Peer(Alert::PROTOCOL_VERSION) => whole(data).is_some_and(|(hello, _)| speaks(&hello) == Some(false)),
        Fault::Peer(Alert::UNEXPECTED_MESSAGE) => whole(data).is_some_and(|(_, more)| more),
        Fault::Peer(Alert::ILLEGAL_PARAMETER) => {
            data.len() > tls::limits::HELLO_LEN_MAX || name.as_ref().is_some_and(|name| has_more_than(name, data))
        }
        _ => false,
    }
}

/// The hello as it stands in its records, and whether more stands behind it in the last of them.
fn whole(data: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut message = Vec::new();
    for record in records(data) {
        message.extend_from_slice(&record[5..]);
        let Some([_, high, mid, low]) = message.first_chunk() else { continue };
        let len = 4 + usize::from(*high) * 65536 + usize::from(*mid) * 256 + usize::from(*low);
        if message.len() >= len {
            let more = message.len() > len;
            message.truncate(len);
            return Some((message, more));
        }
    }
    None
}

/// Whether a hello offers TLS 1.2 or 1.3: by its list of versions, or where there is none by its old field (RFC 8446 section 4.2.1).
fn speaks(hello: &[u8]) -> Option<bool> {
    let (old, mut rest) = hello.get(4..)?.split_first_chunk::<2>()?;
    rest = rest.get(32..)?;
    for len_of_len in [1, 2, 1] {
        vector(&mut rest, len_of_len)?;
    }
    if !rest.is_empty() {
        let mut extensions = vector(&mut rest, 2)?;
        while let Some((kind, behind)) = extensions.split_first_chunk::<2>() {
            extensions = behind;
            let body = vector(&mut extensions, 2)?;
            if *kind == [0, 43] {
                return Some(body.get(1..)?.chunks_exact(2).any(|version| version == [3, 3] || version == [3, 4]));
            }
        }
    }
    Some(*old >= [3, 3])
}

/// Takes a vector from the front, whose length stands in so many bytes before it.
fn vector<'t>(rest: &mut &'t [u8], len_of_len: usize) -> Option<&'t [u8]> {
    let (len, behind) = rest.split_at_checked(len_of_len)?;
    let (vector, behind) = behind.split_at_checked(len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)))?;
    *rest = behind;
    Some(vector)
}

/// Whether a list that begins with this name has more in it (RFC 6066 section 3). Rustls has taken a dot from the name's end.
fn has_more_than(name: &str, data: &[u8]) -> bool {
    let message: Vec<u8> = records(data).flat_map(|record| &record[5..]).copied().collect();
    [name, &format!("{name}.")].into_iter().any(|name| {
        let len = u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes();
        let entry = [&[0], &len[..], name.as_bytes()].concat();
        let list_len = |list: &[u8]| usize::from(u16::from_be_bytes([list[0], list[1]]));
        message.windows(2 + entry.len()).any(|list| list[2..].eq_ignore_ascii_case(&entry) && list_len(list) > entry.len())
    })
}

/// What we make of it.
fn ours(data: &[u8]) -> Option<Result<Read, Fault>> {
    let mut session = Session::new();
    session.receive(&mut data.to_vec(), &mut Vec::new());
    match session.poll_event()? {
        Event::Hello(hello) => {
            let alpn = hello.alpn().map(<[u8]>::to_vec).collect();
            Some(Ok((hello.server_name, alpn)))
        }
        Event::Fault(fault) => Some(Err(fault)),
        Event::Established(_) | Event::PeerClosed => None,
    }
}

fn theirs(mut data: &[u8]) -> Option<Result<Read, rustls_std::Error>> {
    let mut acceptor = Acceptor::default();
    while !data.is_empty() {
        if acceptor.read_tls(&mut data).is_err() {
            return None;
        }
        match acceptor.accept() {
            Ok(None) => {}
            Ok(Some(accepted)) => {
                let hello = accepted.client_hello();
                let alpn = hello.alpn().into_iter().flatten().take(tls::limits::ALPN_OFFERED_MAX).map(<[u8]>::to_vec).collect();
                return Some(Ok((hello.server_name().map(str::to_owned), alpn)));
            }
            Err((error, _)) => return Some(Err(error)),
        }
    }
    None
}
