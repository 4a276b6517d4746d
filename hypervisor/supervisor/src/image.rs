//! The guest image: the embedded one, or a file's.

use std::borrow::Cow;
use std::path::Path;

use crate::cli::InspectArgs;
use crate::config::read_bounded;
use crate::exit::Exit;
use crate::limits::IMAGE_LEN_MAX;
use crate::terminal;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The image that this command was built with, if it was built with one.
#[must_use]
pub const fn embedded() -> Option<&'static [u8]> {
    EMBEDDED
}

/// The bytes of a file's image, or of the embedded one. What is wrong is told, and is the error.
///
/// # Errors
/// [`Exit::Image`], after saying why.
pub fn read(file: Option<&Path>) -> Result<Cow<'static, [u8]>, Exit> {
    let Some(file) = file else {
        return embedded().map(Cow::Borrowed).ok_or_else(|| {
            terminal::note("error: this bountybox was built without a guest image");
            terminal::note("  advice: build one with `make build`, or name one with --image FILE");
            Exit::Image
        });
    };
    read_bounded(file, IMAGE_LEN_MAX).map(Cow::Owned).map_err(|fault| {
        terminal::note(format!("error: {}: the image cannot be read: {fault}", file.display()));
        terminal::note("  advice: name an existing file with --image FILE, or build one with `make build`");
        Exit::Image
    })
}

/// `bountybox inspect`
pub(crate) fn inspect(args: &InspectArgs) -> Exit {
    match read(args.image.as_deref()) {
        Ok(image) => {
            terminal::note(format!("error: {} bytes, and no inspector in this build", image.len()));
            Exit::Internal
        }
        Err(exit) => exit,
    }
}
