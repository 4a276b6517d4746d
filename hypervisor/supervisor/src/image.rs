//! The guest image: the embedded one, or a file's.

use std::borrow::Cow;
use std::path::Path;

use tender::Use;

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
    match read_bounded(file, IMAGE_LEN_MAX) {
        Ok(bytes) if bytes.starts_with(ELF_MAGIC) => Ok(Cow::Owned(bytes)),
        Ok(_) => Err(refuse(file, "this is no ELF file")),
        Err(fault) => Err(refuse(file, &format!("the image cannot be read: {fault}"))),
    }
}

/// The same, for bytes that are to serve: an image that no machine would load, or that gives its secrets away, is refused here, by its file's name, before anything is opened.
///
/// # Errors
/// [`Exit::Image`], after saying why.
pub fn read_to_run(file: Option<&Path>) -> Result<Cow<'static, [u8]>, Exit> {
    read_for(Use::Serving, file)
}

/// The same, for bytes that are to run for this.
///
/// # Errors
/// [`Exit::Image`], after saying why.
pub fn read_for(wanted: Use, file: Option<&Path>) -> Result<Cow<'static, [u8]>, Exit> {
    let image = read(file)?;
    let name = file.unwrap_or(Path::new(EMBEDDED_NAME));
    match (tender::check_image(&image), wanted) {
        (Err(fault), _) => Err(refuse(name, &format!("the image is refused: {fault}"))),
        (Ok(Use::GivingSecretsAway), Use::Serving) => Err(refuse(name, "this image gives its secrets away; it is for replay alone")),
        (Ok(Use::Serving), Use::GivingSecretsAway) => {
            Err(refuse(name, "this image gives no secrets away; `appliance/build-image keylog` builds one that does"))
        }
        (Ok(_), _) => Ok(image),
    }
}

/// The name of the embedded image in messages.
const EMBEDDED_NAME: &str = "(embedded)";

/// What every image begins with; the rest of it is for the tender to judge.
const ELF_MAGIC: &[u8] = b"\x7fELF";

fn refuse(file: &Path, why: &str) -> Exit {
    terminal::note(format!("error: {}: {why}", file.display()));
    terminal::note(
        "  advice: name a guest image with --image FILE, or build one with `make build`; `bountybox inspect FILE` shows what is in it",
    );
    Exit::Image
}

/// `bountybox inspect`
pub(crate) fn inspect(args: &InspectArgs) -> Exit {
    let file = args.image.as_deref().unwrap_or(Path::new(EMBEDDED_NAME));
    let image = match read(args.image.as_deref()) {
        Ok(image) => image,
        Err(exit) => return exit,
    };
    match inspect::report_bytes(&image) {
        Ok(report) => show(&report, args),
        Err(fault) => refuse(file, &fault.to_string()),
    }
}

fn show(report: &inspect::Report, args: &InspectArgs) -> Exit {
    if args.json {
        match serde_json::to_string(report) {
            Ok(json) => terminal::result(json),
            Err(_) => return Exit::Internal,
        }
    } else {
        terminal::result_lines(report);
    }
    if report.clean { Exit::Success } else { Exit::Image }
}
