//! What the manifest of a contest promises of the programs, held against what is about to run, before anything is opened.
//!
//! The guest image must be the promised one. So must this command, which is the tender too; a laboratory, which is built anew all day, is only told. That the
//! configuration is another is a finding about the file (`assemble`): `check` says it, and each start and reload.

use arbiter::Digest;
use ceremony::Mode;

use crate::challenge::own_program;
use crate::exit::Exit;
use crate::plan::Challenge;
use crate::run::refuse;
use crate::terminal;

/// Holds image and program against the manifest. Gives the image's digest.
///
/// # Errors
/// [`Exit::Challenge`] if either is another than was promised; the program only where the contest is sealed.
pub(in crate::run) fn keep(plan: &Challenge, image: &[u8]) -> Result<Digest, Exit> {
    let manifest = plan.folder.manifest();
    let folder = plan.folder.path().display();
    let image = Digest::of(&[image]);
    if image != manifest.image {
        let promised = manifest.image;
        let why =
            format!("{folder}: the manifest names another guest image: {promised}, and this is {image}: run the image that was promised");
        return Err(refuse(Exit::Challenge, why));
    }
    let (promised, program) = (manifest.tender, own_program()?);
    if program == promised {
        return Ok(image);
    }
    let file = std::env::current_exe().map_or_else(|_| "this program".into(), |path| path.display().to_string());
    let why = format!("{folder}: the manifest names another program: {promised}, and {file} is {program}");
    match plan.folder.mode() {
        Mode::Sealed => Err(refuse(Exit::Challenge, format!("{why}: run the program that was promised, or mint another contest"))),
        Mode::Lab => {
            terminal::note(format!("warning: {why}; a sealed contest would not be served"));
            Ok(image)
        }
    }
}
