//! A received TCP segment: flags that make sense, ports that are not 0, a checksum that holds (or that the host answers for).

use core::net::SocketAddr;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{TcpPacket, TcpRepr};

use crate::cookie::Offer;
use crate::keys::Ends;
use crate::limits::MSS_MIN;
use crate::offload::Offload;
use crate::packet::{Packet, Reject};

/// What kind of segment it is. Segments without ACK that are neither SYN nor RST mean nothing in any state (RFC 9293 section 3.10.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Syn,
    SynAck { ack: u32 },
    Reset { ack: Option<u32> },
    Ack { ack: u32, fin: Fin },
}

/// Whether it ends the peer's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fin {
    Last,
    More,
}

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) ends: Ends,
    pub(crate) kind: Kind,
    pub(crate) sequence: u32,
    pub(crate) window: u16,
    pub(crate) payload: &'a [u8],
    /// The whole IP packet.
    pub(crate) packet: &'a [u8],
    tcp: &'a [u8],
}

impl<'a> Segment<'a> {
    pub(crate) fn parse(packet: &Packet<'a>, offload: Offload) -> Result<Self, Reject> {
        let tcp = TcpPacket::new_checked(packet.payload).map_err(|_| Reject::Malformed)?;
        if tcp.src_port() == 0 || tcp.dst_port() == 0 {
            return Err(Reject::Malformed);
        }
        let kind = kind(&tcp).ok_or(Reject::Malformed)?;
        if !offload.vouched() && !packet.payload_checksum_holds() {
            return Err(Reject::Checksum);
        }
        let local = SocketAddr::new(packet.destination, tcp.dst_port());
        let peer = SocketAddr::new(packet.source, tcp.src_port());
        Ok(Self {
            ends: Ends { local, peer },
            kind,
            sequence: tcp.seq_number().0.cast_unsigned(),
            window: tcp.window_len(),
            payload: tcp.payload(),
            packet: packet.bytes,
            tcp: packet.payload,
        })
    }

    /// Sequence number behind the segment: data and FIN or SYN counted.
    pub(crate) fn end(&self) -> u32 {
        let flag = matches!(self.kind, Kind::Syn | Kind::SynAck { .. } | Kind::Ack { fin: Fin::Last, .. });
        self.sequence.wrapping_add(u32::try_from(self.payload.len()).unwrap_or(0)).wrapping_add(flag.into())
    }

    /// What the options of a SYN offer; `None` if the list of options is broken. A size below the default counts as the default.
    pub(crate) fn offer(&self) -> Option<Offer> {
        let repr = self.repr()?;
        let mss = repr.max_seg_size.unwrap_or(MSS_MIN).max(MSS_MIN);
        Some(Offer { mss, scale: repr.window_scale, sack: repr.sack_permitted })
    }

    /// Whether the SYN says its segment size.
    pub(crate) fn names_size(&self) -> bool {
        self.repr().is_some_and(|repr| repr.max_seg_size.is_some())
    }

    fn repr(&self) -> Option<TcpRepr<'a>> {
        let tcp = TcpPacket::new_checked(self.tcp).ok()?;
        let (source, destination) = (self.ends.peer.ip().into(), self.ends.local.ip().into());
        TcpRepr::parse(&tcp, &source, &destination, &ChecksumCapabilities::ignored()).ok()
    }
}

fn kind(tcp: &TcpPacket<&[u8]>) -> Option<Kind> {
    let ack = tcp.ack().then(|| tcp.ack_number().0.cast_unsigned());
    match (tcp.syn(), tcp.fin(), tcp.rst(), ack) {
        (true, false, false, None) => Some(Kind::Syn),
        (true, false, false, Some(ack)) => Some(Kind::SynAck { ack }),
        (false, false, true, ack) => Some(Kind::Reset { ack }),
        (false, true, false, Some(ack)) => Some(Kind::Ack { ack, fin: Fin::Last }),
        (false, false, false, Some(ack)) => Some(Kind::Ack { ack, fin: Fin::More }),
        _ => None,
    }
}

/// Whether `a` comes before `b` in sequence space (RFC 9293 section 3.4).
pub(crate) fn before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}
