//! The arbiter in WebAssembly, run by Node, and the arbiter here: the same words about every vector and every change of one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::{fs, thread};

use arbiter_wasm::question;
use contest::vectors::{self, Vector};

/// The largest module, in bytes: docs/arbiter.md says so.
const MODULE_LEN_MAX: u64 = 400_000;

/// The module, built once.
static MODULE: LazyLock<PathBuf> = LazyLock::new(|| {
    let built = Command::new(here().join("build")).stderr(Stdio::inherit()).output().expect("bash");
    assert!(built.status.success(), "the module builds");
    here().join("../..").join(String::from_utf8(built.stdout).expect("a path").trim_end())
});

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn node() -> Command {
    let mut command = Command::new("node");
    command.arg(here().join("tests/ask.mjs")).arg(&*MODULE);
    command
}

fn asked(vector: &Vector) -> Vec<u8> {
    let time = vector.now.to_le_bytes();
    let mut parts = vec![vector.operator.as_bytes(), &vector.manifest, &vector.claim, &time];
    if let Some(commitment) = &vector.commitment {
        parts.extend([&commitment.receipt[..], &commitment.opening]);
        parts.extend(commitment.write_up.as_ref().map(|digest| &digest.0[..]));
    }
    question(&parts)
}

/// What the module says to all of these, one after the other.
fn answers(vectors: &[Vector]) -> Vec<String> {
    let questions: Vec<u8> = vectors.iter().flat_map(asked).collect();
    let mut child = node().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node");
    let mut input = child.stdin.take().expect("a pipe");
    let asking = thread::spawn(move || input.write_all(&questions));
    let output = child.wait_with_output().expect("node ends");
    asking.join().expect("asked").expect("written");
    assert!(output.status.success());
    let (mut rest, mut answers) = (&output.stdout[..], Vec::new());
    while let Some((len, behind)) = rest.split_first_chunk() {
        let (answer, behind) = behind.split_at(usize::try_from(u32::from_le_bytes(*len)).expect("a length"));
        answers.push(String::from_utf8(answer.to_vec()).expect("text"));
        rest = behind;
    }
    answers
}

fn agree(vectors: &[Vector]) {
    let answers = answers(vectors);
    assert_eq!(answers.len(), vectors.len());
    for (vector, answer) in vectors.iter().zip(answers) {
        assert_eq!(answer, vector.judge().to_string(), "{}: {}", vector.about, vector.name);
    }
}

#[test]
fn native_and_wasm_agree_on_every_vector() {
    let vectors = vectors::all();
    assert!(vectors.len() > 100, "{}", vectors.len());
    agree(&vectors);
}

#[test]
fn native_and_wasm_agree_on_every_change_of_what_holds() {
    agree(&vectors::sweeps());
}

/// With nothing of ours but the module, the files and the page's JavaScript.
#[test]
fn the_files_are_judged_as_the_page_would() {
    let output = node().arg(vectors::folder()).output().expect("node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), vectors::all().len().to_string());
}

#[test]
fn the_module_is_small_and_knows_no_clock_no_file_and_no_chance() {
    assert!(fs::metadata(&*MODULE).expect("a module").len() <= MODULE_LEN_MAX);
    let script = "const m = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));
                  console.log(WebAssembly.Module.imports(m).map(({ module, name }) => module + '.' + name).sort().join('\\n'))";
    let output = Command::new("node").args(["-e", script]).arg(&*MODULE).output().expect("node");
    let imports = String::from_utf8(output.stdout).expect("text");
    let allowed =
        ["environ_get", "environ_sizes_get", "fd_read", "fd_write", "proc_exit"].map(|name| format!("wasi_snapshot_preview1.{name}"));
    assert_eq!(imports.lines().collect::<Vec<_>>(), allowed);
}

#[test]
fn the_arbiter_itself_needs_no_operating_system() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--target", "wasm32-unknown-unknown", "--target-dir", "target/wasm", "-p", "arbiter"]);
    assert!(cargo.current_dir(here().join("../..")).status().expect("cargo").success());
}
