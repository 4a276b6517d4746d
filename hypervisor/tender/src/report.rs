//! The crash report: what a guest did when it was stopped for good, in one line for people and one object for programs.

use machine::{Crash, Image};
use serde_json::{Map, Value};

use crate::line::{Kind, Line};

/// Why a guest was stopped, where it was not the machine that saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostileQueue {
    /// [`abi::boot::FRONT`] or [`abi::boot::BACK`].
    pub link: usize,
    /// What was wrong with what the guest left in the link's queue.
    pub fault: queue::Fault,
}

/// The report of a crash that the machine saw.
#[must_use]
pub fn of_crash(crash: &Crash, image: &Image, digest: &str) -> Line {
    let offset = crash.registers.rip.wrapping_sub(crash.image_base);
    let registers: Map<String, Value> =
        crash.registers.named().into_iter().map(|(name, value)| (name.to_owned(), format!("{value:#x}").into())).collect();
    Line::new(Kind::Crash, "error", crash.cause.to_string())
        .with("at", place(image, offset))
        .with("image_base", format!("{:#x}", crash.image_base))
        .with("registers", registers)
        .with("image_sha256", digest)
}

/// The report of a queue that no sound guest leaves.
#[must_use]
pub fn of_queue(hostile: HostileQueue, digest: &str) -> Line {
    let link = if hostile.link == abi::boot::FRONT { "front" } else { "back" };
    Line::new(Kind::Crash, "error", "hostile queue")
        .with("link", link)
        .with("fault", format!("{:?}", hostile.fault))
        .with("image_sha256", digest)
}

/// `symbol+0x12`, or the offset alone, or that it lies outside the image.
fn place(image: &Image, offset: u64) -> String {
    match image.symbol(offset) {
        Some((symbol, within)) => format!("{symbol}+{within:#x}"),
        None if offset < image.span_len() => format!("image+{offset:#x}"),
        None => "outside the image".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Lines;

    #[test]
    fn a_hostile_queue_is_named() {
        let line = of_queue(HostileQueue { link: abi::boot::BACK, fault: queue::Fault::PeerCount }, "00ff");
        assert_eq!(line.render(Lines::Text), "crash error hostile queue fault=PeerCount image_sha256=00ff link=back\n");
        let json: Value = serde_json::from_str(&line.render(Lines::Json)).unwrap();
        assert_eq!(json["fault"], "PeerCount");
    }
}
