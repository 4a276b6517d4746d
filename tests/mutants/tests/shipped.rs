//! The image that ships has none of the mutants' flaws: every exploit ends with nothing to claim, or with a claim that does not hold.

use std::env;
use std::path::{Path, PathBuf};

use mutants::exploits::ALL;
use mutants::lab::{Lab, Parts, Verdict};

fn named(variable: &str, otherwise: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    env::var_os(variable).map_or_else(|| root.join(otherwise), PathBuf::from)
}

#[test]
fn each_exploit_wins_nothing_of_the_image_that_ships() {
    let command = named("BOUNTYBOX", "target/release/bountybox");
    let image = named("BOUNTYBOX_IMAGE", "target/image/bountybox.elf");
    let parts = Parts { command, image, machine: "auto".into() };
    for exploit in ALL {
        // A box for each: what one of them sends must not be what stops the next.
        let lab = Lab::start(&parts).unwrap_or_else(|fault| unreachable!("{}: {fault}", exploit.name));
        match lab.attack(&exploit) {
            Ok(Verdict::Nothing | Verdict::NotFalsified) => {}
            other => unreachable!("{}: {other:?}", exploit.name),
        }
    }
}

#[test]
fn each_mutant_has_its_exploit_and_each_tier_its_mutant() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bounty/mutants");
    let patches = folder.read_dir().expect("the patches").map(|entry| entry.expect("a file").path());
    let mut patches: Vec<_> = patches.filter_map(|path| Some(path.file_name()?.to_str()?.strip_suffix(".patch")?.to_owned())).collect();
    let mut exploits: Vec<_> = ALL.iter().map(|exploit| exploit.name.to_owned()).collect();
    patches.sort();
    exploits.sort();
    assert_eq!(patches, exploits);
    for tier in arbiter::Tier::ALL {
        assert!(ALL.iter().any(|exploit| exploit.tier == tier), "{tier}");
    }
    for exploit in ALL {
        let patch = std::fs::read_to_string(folder.join(exploit.name).with_extension("patch")).expect("a patch");
        assert!(patch.lines().any(|line| line == format!("tier: {}", exploit.tier)), "{}", exploit.name);
    }
}
