//! What a client's hello says of a ticket: read from the wire, because rustls' client does not tell which one it took.

const CLIENT_HELLO: u8 = 1;
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;

/// The ticket in the hello that begins `record`: the first identity of TLS 1.3 (RFC 8446 section 4.2.11), or TLS 1.2's extension (RFC 5077).
pub(crate) fn ticket(record: &[u8]) -> Option<&[u8]> {
    let mut hello = Reader(record.get(5..)?);
    if hello.take(1)?[0] != CLIENT_HELLO {
        return None;
    }
    hello.take(3 + 2 + 32)?;
    let (_session, _suites, _compressions) = (hello.vector(1)?, hello.vector(2)?, hello.vector(1)?);
    let mut extensions = Reader(hello.vector(2)?);
    let mut found = None;
    while let Some(kind) = extensions.number(2) {
        let body = extensions.vector(2)?;
        if kind == PRE_SHARED_KEY.into() {
            return Reader(Reader(body).vector(2)?).vector(2);
        }
        if kind == SESSION_TICKET.into() && !body.is_empty() {
            found = Some(body);
        }
    }
    found
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, len: usize) -> Option<usize> {
        Some(self.take(len)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    /// Behind its length.
    fn vector(&mut self, len: usize) -> Option<&'b [u8]> {
        let len = self.number(len)?;
        self.take(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(extensions: &[u8]) -> Vec<u8> {
        let head = [&[22, 3, 1, 0, 0, 1, 0, 0, 0, 3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0]].concat();
        [&head[..], &[0, u8::try_from(extensions.len()).unwrap()], extensions].concat()
    }

    #[test]
    fn the_ticket_is_found_in_both_versions_and_nowhere_else() {
        assert_eq!(ticket(&hello(&[0, 41, 0, 9, 0, 7, 0, 1, 0xaa, 0, 0, 0, 0])), Some(&[0xaa][..]));
        assert_eq!(ticket(&hello(&[0, 35, 0, 2, 8, 9])), Some(&[8, 9][..]));
        assert_eq!(ticket(&hello(&[0, 35, 0, 0, 0, 10, 0, 2, 8, 9])), None);
        assert_eq!(ticket(b"GET / HTTP/1.1"), None);
    }
}
