//! Frames as pcapng (draft-ietf-opsawg-pcapng): a section, an interface for each link, and a block for each frame; and what opens them, where that is known.

use std::io::{self, Write};

use abi::limits::FRAME_LEN_MAX;

/// Which way a frame went, seen from the guest; the numbers are those of the format's `epb_flags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It came to the guest.
    ToGuest = 1,
    /// The guest sent it.
    FromGuest = 2,
}

/// A file of frames.
#[derive(Debug)]
pub struct Pcap<W: Write> {
    to: io::BufWriter<W>,
}

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
const SECRETS: u32 = 0x0a;
/// "TLSK": an NSS key log.
const TLS_KEY_LOG: u32 = 0x544c_534b;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const LINKTYPE_ETHERNET: u16 = 1;
const OPTION_NAME: u16 = 2;
const OPTION_FLAGS: u16 = 2;
const OPTION_RESOLUTION: u16 = 9;
/// Ten to the minus nine.
const NANOSECONDS: u8 = 9;
const NAMES: [&str; abi::limits::LINKS] = ["front", "back"];

/// The file's beginning, as bytes, for who writes blocks himself: they may stand one behind the other in any file that begins so.
///
/// ```
/// use recording::pcap::{self, Way};
/// assert_eq!(pcap::head()[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
/// let block = pcap::frame(0, Way::ToGuest, 1, b"frame");
/// assert_eq!(block[4..8], u32::try_from(block.len()).unwrap().to_le_bytes());
/// ```
#[must_use]
pub fn head() -> Vec<u8> {
    let version = [BYTE_ORDER.to_le_bytes(), [1, 0, 0, 0]].concat();
    let mut head = block(SECTION, &[&version, &u64::MAX.to_le_bytes()]);
    for name in NAMES {
        let snap_len = u32::try_from(FRAME_LEN_MAX).unwrap_or(0).to_le_bytes();
        let kind = [LINKTYPE_ETHERNET.to_le_bytes(), [0, 0]].concat();
        let options = [option(OPTION_NAME, name.as_bytes()), option(OPTION_RESOLUTION, &[NANOSECONDS]), option(0, &[])].concat();
        head.extend(block(INTERFACE, &[&kind, &snap_len, &options]));
    }
    head
}

/// One frame's block. `unix_ns` are nanoseconds since 1970.
#[must_use]
pub fn frame(link: usize, way: Way, unix_ns: u64, bytes: &[u8]) -> Vec<u8> {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = unix_ns.to_le_bytes();
    let len = u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes();
    let link = u32::try_from(link).unwrap_or(0).to_le_bytes();
    let fixed = [link, [t4, t5, t6, t7], [t0, t1, t2, t3], len, len].concat();
    let flags = option(OPTION_FLAGS, &(way as u32).to_le_bytes());
    block(PACKET, &[&fixed, bytes, padding(bytes.len()), &flags, &option(0, &[])])
}

fn block(kind: u32, parts: &[&[u8]]) -> Vec<u8> {
    let body: usize = parts.iter().map(|part| part.len()).sum();
    let len = u32::try_from(body.saturating_add(12)).unwrap_or(0).to_le_bytes();
    let mut block = Vec::with_capacity(body.saturating_add(12));
    block.extend_from_slice(&kind.to_le_bytes());
    block.extend_from_slice(&len);
    parts.iter().for_each(|part| block.extend_from_slice(part));
    block.extend_from_slice(&len);
    block
}

impl<W: Write> Pcap<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// Those of `to`, as everywhere here.
    pub fn begin(to: W) -> io::Result<Self> {
        let mut pcap = Self { to: io::BufWriter::new(to) };
        pcap.to.write_all(&head())?;
        Ok(pcap)
    }

    /// Adds a frame of this link; `unix_ns` are nanoseconds since 1970.
    ///
    /// # Errors
    /// See [`begin`](Self::begin).
    pub fn frame(&mut self, link: usize, way: Way, unix_ns: u64, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(&frame(link, way, unix_ns, bytes))
    }

    /// Adds lines of an NSS key log. They open what stands behind them.
    ///
    /// # Errors
    /// See [`begin`](Self::begin).
    pub fn secrets(&mut self, lines: &[u8]) -> io::Result<()> {
        let len = u32::try_from(lines.len()).unwrap_or(0).to_le_bytes();
        self.to.write_all(&block(SECRETS, &[&TLS_KEY_LOG.to_le_bytes(), &len, lines, padding(lines.len())]))
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// See [`begin`](Self::begin).
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).unwrap_or(0);
    [&code.to_le_bytes()[..], &len.to_le_bytes(), value, padding(value.len())].concat()
}

/// What is missing to a multiple of four.
fn padding(len: usize) -> &'static [u8] {
    const ZEROS: [u8; 3] = [0; 3];
    const { &ZEROS }.get(..len.next_multiple_of(4).saturating_sub(len)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind and body of each block.
    fn blocks(mut file: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut blocks = Vec::new();
        while !file.is_empty() {
            let word = |at: usize| u32::from_le_bytes(*file[at..].first_chunk().unwrap());
            let len = word(4) as usize;
            assert_eq!((len % 4, word(len - 4) as usize), (0, len), "a block says its length twice");
            blocks.push((word(0), file[8..len - 4].to_vec()));
            file = &file[len..];
        }
        blocks
    }

    #[test]
    fn a_file_has_a_section_two_interfaces_and_its_frames() {
        let mut file = Vec::new();
        let mut pcap = Pcap::begin(&mut file).unwrap();
        pcap.frame(1, Way::FromGuest, 0x0102_0304_0506_0708, b"frame").unwrap();
        pcap.frame(0, Way::ToGuest, 1, &[7; 64]).unwrap();
        pcap.flush().unwrap();
        drop(pcap);
        let blocks = blocks(&file);
        assert_eq!(blocks.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [SECTION, INTERFACE, INTERFACE, PACKET, PACKET]);
        assert_eq!(blocks[0].1[..8], [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0]);
        assert_eq!(blocks[1].1[..4], [1, 0, 0, 0]);
        assert!(blocks[1].1.windows(5).any(|name| name == b"front") && blocks[2].1.windows(4).any(|name| name == b"back"));
        let frame = &blocks[3].1;
        assert_eq!(frame[..4], [1, 0, 0, 0], "the interface");
        assert_eq!(frame[4..12], [4, 3, 2, 1, 8, 7, 6, 5], "the time's upper half, then its lower");
        assert_eq!(frame[12..20], [5, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(
            frame[20..],
            [b"frame\0\0\0".as_slice(), &[2, 0, 4, 0, 2, 0, 0, 0], &[0; 4]].concat()[..],
            "padding, direction, the end"
        );
    }

    #[test]
    fn secrets_stand_before_what_they_open() {
        let mut file = Vec::new();
        let mut pcap = Pcap::begin(&mut file).unwrap();
        pcap.secrets(b"LABEL 00 11\n1").unwrap();
        pcap.frame(0, Way::ToGuest, 1, &[7; 64]).unwrap();
        pcap.flush().unwrap();
        drop(pcap);
        let blocks = blocks(&file);
        assert_eq!((blocks[3].0, blocks[4].0), (SECRETS, PACKET));
        assert_eq!(blocks[3].1, [&b"KSLT\x0d\0\0\0"[..], b"LABEL 00 11\n1\0\0\0"].concat());
    }
}
