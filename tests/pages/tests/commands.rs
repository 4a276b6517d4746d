//! The commands on the page, run as they stand there.

use std::fs;
use std::path::Path;
use std::process::Command;

use arbiter::{Digest, Tier};
use bounty_log::check::{Trust, check};
use bounty_log::store::Folder;
use bounty_page::Assets;
use pages::held::{self, Open};
use pages::http::get;

/// The commands of a name, as a person copies them.
fn commands(open: &Open, name: &str) -> String {
    let page = get(open.served.address(), "/").text();
    let begins = format!("<pre class=\"commands\" data-commands=\"{name}\"><code>");
    let (_, rest) = page.split_once(&begins).expect(name);
    let (text, _) = rest.split_once("</code>").expect("an end");
    let text = text.replace("<span class=\"line\">", "").replace("</span>", "");
    ["&lt;", "<", "&gt;", ">", "&quot;", "\"", "&amp;", "&"].chunks(2).fold(text, |text, pair| text.replace(pair[0], pair[1]))
}

/// What they print.
fn run(folder: &Path, commands: &str) -> String {
    let output = Command::new("sh").args(["-eu", "-c", commands]).current_dir(folder).output().expect("a shell");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{commands}\n{told}\n{}", String::from_utf8_lossy(&output.stderr));
    told
}

#[test]
fn the_manifest_is_checked_by_openssl_alone() {
    let (open, folder) = (Open::plain(Assets::default()), tempfile::tempdir().expect("a folder"));
    let commands = commands(&open, "manifest");
    let told = run(folder.path(), &commands);
    assert!(told.contains("Signature Verified Successfully") && told.contains(&held::manifest_digest().to_string()), "{told}");
    // One that was altered is not.
    let altered = commands.replacen('\n', "\nsed -i 's/prize honour/prize nothing/' manifest\n", 1);
    let output = Command::new("sh").args(["-eu", "-c", &altered]).current_dir(folder.path()).output().expect("a shell");
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_flag_answers_and_the_script_says_so() {
    let (open, folder) = (Open::plain(Assets::default()), tempfile::tempdir().expect("a folder"));
    let told = run(folder.path(), &commands(&open, "possession"));
    assert!(told.starts_with("read: its flag answered this nonce"), "{told}");
}

#[test]
fn a_flag_becomes_a_claim_that_holds() {
    let (open, folder) = (Open::plain(Assets::default()), tempfile::tempdir().expect("a folder"));
    fs::write(folder.path().join("flag"), contest::seed("read")).expect("written");
    // The contest's clock is not this machine's.
    let told = run(folder.path(), &commands(&open, "claim").replace("$(date +%s)", &held::NOW.to_string()));
    assert!(told.starts_with("Falsified\ntier read\nclaimant your name, key or address\n") && told.ends_with("entry 2\n"), "{told}");
    // And is committed to, with a write-up.
    fs::write(folder.path().join("write-up"), contest::WRITE_UP).expect("written");
    run(folder.path(), &commands(&open, "commitment"));
    let file = |name: &str| fs::read(folder.path().join(name)).expect(name);
    let salt: [u8; 32] = file("salt").try_into().expect("32 bytes");
    let commitment = arbiter::commitment::commit(&file("claim"), &Digest::of(&[contest::WRITE_UP]), &salt);
    assert!(String::from_utf8(file("receipt")).expect("text").contains(&format!("commitment {commitment}\n")));
    // And shown, with what shows when.
    let told = run(folder.path(), &commands(&open, "reveal"));
    assert!(told.starts_with("Falsified\ntier read\n") && told.contains(&format!("\ncommitted {}\n", held::NOW)), "{told}");
}

/// A server that would write elsewhere than into the folder of the log: into the home directory, into keys, where a shell takes a name apart.
#[test]
fn no_name_that_the_server_says_leads_out_of_the_log() {
    let (open, folder) = (Open::plain(Assets::default()), tempfile::tempdir().expect("a folder"));
    let hostile = "../../.ssh/authorized_keys\n/etc/passwd\ntile/../../.bashrc\ntile/0/../../x\ntile/0/000 -o evil\n-o evil\ncheckpoint\n\
                   tile/0/000.p/../1\ntile/0/000;id\ntile/0/$(id)\ntile/0/x001/\ntile/0/0000\n tile/0/000\ntile/0/*\n";
    let good = "tile/0/000\ntile/entries/x001/234.p/5\n";
    fs::write(folder.path().join("names"), format!("{hostile}{good}tile/0/001\r\n")).expect("written");
    // What stands for curl tells what it is asked, and answers as the server does.
    let curl = "curl() { echo \"$*\" >>asked; case \"$*\" in *checkpoint*) printf 'origin\\n%s\\n' \"$SIZE\" >log/checkpoint;; *files*) cat names;; esac; }\n";
    let commands = commands(&open, "log");
    let (fetch, _) = commands.split_once("bountybox log verify").expect("two parts");
    let asked = |size: &str| {
        let _none = fs::remove_file(folder.path().join("asked"));
        let script = format!("SIZE='{size}'\n{curl}{fetch}");
        let output = Command::new("sh").args(["-u", "-c", &script]).current_dir(folder.path()).output().expect("a shell");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        fs::read_to_string(folder.path().join("asked")).expect("asked")
    };
    let base = format!("http://{}", open.served.address());
    let told = asked("3");
    let (_, fetched) = told.split_once(&format!("-sS {base}/files/3\n")).expect("the names");
    let wanted: String = good.lines().map(|name| format!("-sS --create-dirs {base}/{name} -o log/{name}\n")).collect();
    assert_eq!(fetched, wanted);
    for size in ["../x", "3 -o evil", "", "-1", "3;id"] {
        let told = asked(size);
        assert_eq!(told.lines().nth(1), Some(format!("-sS {base}/files/").as_str()), "{size}: {told}");
    }
}

#[test]
fn the_log_is_fetched_whole_and_holds() {
    let (open, folder) = (Open::plain(Assets::default()), tempfile::tempdir().expect("a folder"));
    bounty_page::Contest::claim(&*open.held, &held::claim(Tier::Read, "It was there.")).expect("judged");
    let commands = commands(&open, "log");
    let (fetch, verify) = commands.split_once("bountybox log verify log --log '").expect("two parts");
    run(folder.path(), fetch);
    let keys: Vec<&str> = verify.trim_end().trim_end_matches('\'').split("' \\\n  --operator '").collect();
    assert_eq!(keys, [contest::named("log").to_string(), contest::operator()], "the command of docs/log.md");
    let (log, operator) = (contest::named("log"), contest::named("operator"));
    let report = check(&Folder::new(folder.path().join("log")), &Trust { log: &log, operator: Some(&operator), earlier: Vec::new() });
    assert_eq!((report.entries.len(), report.findings), (3, Vec::new()));
}
