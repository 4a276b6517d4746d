//! Questions that a supervisor asks before it starts a tender.

use std::io;

use machine::{Cell, Image, ImageFault, Kind, LoadFault, Parcel};
use zeroize::Zeroizing;

use crate::order::Machine;

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// To serve, or to be tried in place of one that does.
    Serving,
    /// To run recorded cells again and say their secrets: `appliance/build-image keylog`.
    GivingSecretsAway,
}

/// What these bytes, as a guest image, are for.
///
/// # Errors
/// What is wrong with them.
pub fn check_image(bytes: &[u8]) -> Result<Use, ImageFault> {
    Image::parse(bytes).map(|image| if image.gives_secrets_away() { Use::GivingSecretsAway } else { Use::Serving })
}

/// Whether `machine` can be had on this host: loads the image into one, without secrets, and drops it before its first instruction.
///
/// # Errors
/// Why it cannot.
pub fn probe(machine: Machine, image: &[u8]) -> Result<(), LoadFault> {
    let kind = match machine {
        Machine::Kvm => Kind::Kvm,
        Machine::Process => Kind::Process,
    };
    let image = Image::parse(image).map_err(LoadFault::Image)?;
    let parcel = Parcel {
        heap_len: abi::limits::HEAP_LEN_MIN,
        seed: Zeroizing::new([0; 32]),
        bundle: Zeroizing::new(vec![0]),
        draw: None,
        contest: None,
    };
    Cell::load(kind, &image, parcel).map(drop)
}

/// Marks every descriptor of this process but the standard streams close-on-exec, so that a tender gets only what it is handed.
///
/// # Errors
/// What close_range(2) says.
pub fn mark_close_on_exec() -> io::Result<()> {
    machine::host::mark_close_on_exec(3)
}
