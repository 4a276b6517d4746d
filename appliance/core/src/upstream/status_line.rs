//! An HTTP/1 status line (RFC 9112 section 4), read byte by byte as far as its code. It holds no bytes.

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct StatusLine {
    at: u8,
    code: u16,
}

/// What the bytes so far come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// A status line may still come of it.
    More,
    /// The code; what follows does not matter.
    Code(u16),
    /// This is no answer of HTTP/1.
    Malformed,
}

impl StatusLine {
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Reading {
        for byte in bytes {
            match self.take(*byte) {
                Reading::More => {}
                done => return done,
            }
        }
        Reading::More
    }

    /// `HTTP/1.x`, a space, three digits, and the end of the code.
    fn take(&mut self, byte: u8) -> Reading {
        let fits = match self.at {
            at @ 0..=6 => b"HTTP/1.".get(usize::from(at)) == Some(&byte),
            7 => byte.is_ascii_digit(),
            8 => byte == b' ',
            9..=11 => self.digit(byte),
            _ => matches!(byte, b' ' | b'\r' | b'\n'),
        };
        if !fits {
            return Reading::Malformed;
        }
        if self.at == 12 {
            return Reading::Code(self.code);
        }
        self.at = self.at.saturating_add(1);
        Reading::More
    }

    fn digit(&mut self, byte: u8) -> bool {
        let digit = byte.wrapping_sub(b'0');
        self.code = self.code.saturating_mul(10).saturating_add(digit.into());
        digit <= 9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Reading {
        StatusLine::default().receive(bytes)
    }

    #[test]
    fn the_code_is_read_at_any_split() {
        let answer = b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n";
        for split in 0..=answer.len() {
            let mut line = StatusLine::default();
            let first = line.receive(&answer[..split]);
            let whole = if first == Reading::More { line.receive(&answer[split..]) } else { first };
            assert_eq!(whole, Reading::Code(204), "{split}");
        }
    }

    #[test]
    fn a_reason_and_even_the_space_before_it_may_be_missing() {
        for answer in ["HTTP/1.0 200\r\n", "HTTP/1.1 200 \r\n", "HTTP/1.1 200\n"] {
            assert_eq!(read(answer.as_bytes()), Reading::Code(200));
        }
        assert_eq!(read(b"HTTP/1.1 200"), Reading::More, "it might become 2000");
    }

    #[test]
    fn anything_else_is_malformed_at_its_first_wrong_byte() {
        for answer in [
            "\r\n",
            "http/1.1 200 ",
            "HTTP/2 200 ",
            "HTTP/1.1  200 ",
            "HTTP/1.1 20x ",
            "HTTP/1.1 2000 ",
            "SSH-2.0-x",
            "\x16\x03\x01",
            "HTTP/1.1 -20 ",
        ] {
            assert_eq!(read(answer.as_bytes()), Reading::Malformed, "{answer:?}");
        }
    }
}
