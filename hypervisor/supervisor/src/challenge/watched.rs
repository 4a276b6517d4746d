//! A ceremony that people watch: what is about to happen, what came of it, what witnesses write down and sign.

use std::io::BufRead;
use std::path::Path;

use arbiter::Digest;
use arbiter::note::VerifierKey;
use ceremony::{Step, Stop, Watch, files, witness};

use super::walk::Asker;
use super::{Made, refuse};
use crate::exit::Exit;
use crate::terminal;

/// See the module.
#[derive(Debug)]
pub(super) struct Watched<'a, R> {
    asker: &'a mut Asker<R>,
}

impl<'a, R: BufRead> Watched<'a, R> {
    pub(super) const fn new(asker: &'a mut Asker<R>) -> Self {
        Self { asker }
    }
}

const fn about(step: Step) -> &'static str {
    match step {
        Step::Keys => "Step 1 of 5: the operator's key, the log's key and the eight flags are drawn, in memory.",
        Step::Doors => {
            "Step 2 of 5: an authority is made for each of the three doors. Each signs one certificate of the box, and its key is wiped: nobody can have another certificate afterwards."
        }
        Step::Page => "Step 3 of 5: the page gets a certificate.",
        Step::Places => "Step 4 of 5: the addresses in the guest's memory and the word of `write` are drawn.",
        Step::Manifest => "Step 5 of 5: the operator's key signs the manifest, which promises all of this.",
    }
}

impl<R: BufRead> Watch for Watched<'_, R> {
    fn before(&mut self, step: Step) -> Result<(), Stop> {
        terminal::note("");
        terminal::note(about(step));
        if step != Step::Doors {
            return Ok(());
        }
        let goes_on = self
            .asker
            .goes_on("this cannot be taken back, and cannot be seen afterwards: witnesses are to watch. Nothing is on a disk yet");
        if goes_on == Ok(true) { Ok(()) } else { Err(Stop) }
    }

    fn told(&mut self, line: &str) {
        terminal::note(format!("  {line}"));
    }
}

/// Shows what witnesses write down, and waits until they have.
pub(super) fn show_fingerprints(made: &Made, asker: &mut Asker<impl BufRead>) -> Result<(), Exit> {
    let minted = &made.minted;
    terminal::note("");
    terminal::note("Read these aloud. Each witness writes them down by hand, and holds them later against what is published.");
    fingerprint("manifest", minted.digest());
    fingerprint("transcript", Digest::of(&[minted.transcript().as_bytes()]));
    fingerprint("image", made.image);
    fingerprint("program", made.program);
    for (what, key) in [("operator", minted.operator()), ("log", minted.log())] {
        fingerprint(what, of_key(key));
    }
    terminal::note("  of keys: SHA-256 of the verifier key's text, NAME+ID+BASE64 without a line feed");
    match asker.goes_on("the contest is written to the disk now, and until now nothing of it is there") {
        Ok(true) => Ok(()),
        Ok(false) => Err(refuse(Exit::Challenge, Stop)),
        Err(exit) => Err(exit),
    }
}

fn of_key(key: &VerifierKey) -> Digest {
    Digest::of(&[key.to_string().as_bytes()])
}

/// A digest in groups that can be read aloud.
fn fingerprint(what: &str, digest: Digest) {
    let [above, below] = lines(digest);
    terminal::note(format!("  {what:<10} {above}"));
    terminal::note(format!("  {:<10} {below}", ""));
}

fn lines(digest: Digest) -> [String; 2] {
    let digits = digest.to_string();
    let groups: Vec<&str> = (0..digits.len()).step_by(4).filter_map(|at| digits.get(at..at.saturating_add(4))).collect();
    let (above, below) = groups.split_at(groups.len() / 2);
    [above.join(" "), below.join(" ")]
}

/// What a witness signs, and how.
pub(super) fn tell_witnesses(folder: &Path) {
    terminal::note(format!(
        "Witnesses sign {}. Each takes a copy of it, as `ceremony`, to a folder of their own, and does this there, with openssl 3 and their own name in the first line:",
        folder.join(files::TRANSCRIPT).display()
    ));
    witness::SCRIPT.lines().for_each(|line| terminal::note(format!("    {line}")));
    terminal::note("`ceremony.witness` is their word, and `witness.key` the key that it is held against: both are published.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_aloud_in_groups_of_four() {
        let [above, below] = lines(Digest([0xab; 32]));
        assert_eq!(above, "abab abab abab abab abab abab abab abab");
        assert_eq!(below, above);
    }
}
