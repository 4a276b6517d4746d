//! `bountybox target`: clients of the host's TCP are served, each from the same state, and what does harm is told and kept.

use core::time::Duration;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Instant;

use e2e::{Outcome, Place, bountybox, ensure, image, images};
use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// A box that is fuzzed. It is ended when dropped.
struct Target {
    child: Child,
    address: String,
    control: String,
    state: String,
}

impl Target {
    fn start(place: &Place, image: &Path, arguments: &[&str]) -> Outcome<Self> {
        let mut command = Command::new(bountybox());
        command.args(["target", "--json", "--control", "127.0.0.1:0", "--machine", place.machine.name(), "--image"]).arg(image);
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut told = BufReader::new(child.stderr.take().ok_or("no standard error")?);
        let mut line = String::new();
        told.read_line(&mut line)?;
        // So that it never waits for a reader.
        thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        let between =
            |start: &str, end: &str| line.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map(|(text, _)| text.to_owned());
        let (Some(address), Some(control), Some(state)) = (between("tls on ", ","), between("http://", ";"), between("state ", "\n"))
        else {
            child.kill()?;
            child.wait()?;
            return Err(format!("it is not ready: {line}").into());
        };
        Ok(Self { child, address, control, state })
    }

    fn connect(&self) -> Outcome<TcpStream> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Says `bytes` and nothing more; what is answered.
    fn answer(&self, bytes: &[u8]) -> Outcome<Vec<u8>> {
        let mut stream = self.connect()?;
        stream.write_all(bytes)?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(fault) if fault.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(fault) => return Err(fault.into()),
        }
        Ok(answer)
    }

    /// Asks at the second channel: the status of the answer, and its body.
    fn ask(&self, method: &str, path: &str) -> Outcome<(u16, String)> {
        let mut stream = TcpStream::connect(&self.control)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
        Ok((status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
    }

    fn reset(&self) -> Outcome<Value> {
        let (status, body) = self.ask("POST", "/reset")?;
        ensure(status == 200, body.clone())?;
        Ok(serde_json::from_str(&body)?)
    }

    /// What it says at its end, and its exit code.
    fn stop(self) -> Outcome<(Value, i32)> {
        self.ask("POST", "/stop")?;
        self.ended()
    }

    fn ended(mut self) -> Outcome<(Value, i32)> {
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            ensure(Instant::now() < until, "it does not stop")?;
            thread::sleep(Duration::from_millis(5));
        }
        let mut text = String::new();
        self.child.stdout.take().ok_or("no standard output")?.read_to_string(&mut text)?;
        Ok((serde_json::from_str(&text)?, self.child.wait()?.code().unwrap_or(-1)))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A client hello, as the fuzzers begin with: the one act of an input.
fn hello() -> Outcome<Vec<u8>> {
    let seed = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/box/seeds/hello"))?;
    Ok(seed.get(3..).ok_or("a seed of one act")?.to_vec())
}

/// A real client is served, by the backend behind it too.
pub(crate) fn serves(place: &Place) -> Outcome {
    let target = Target::start(place, &image(), &[])?;
    let url = format!("https://{}/", target.address);
    for _ in 0..3 {
        let curl = Command::new("curl").args(["--silent", "--show-error", "--insecure", "--max-time", "20", &url]).output()?;
        ensure(curl.status.success() && curl.stdout == b"hello\n", String::from_utf8_lossy(&curl.stderr))?;
    }
    let (status, body) = target.ask("GET", "/status")?;
    let told: Value = serde_json::from_str(&body)?;
    ensure(status == 200 && told["verdict"] == "sound" && told["findings"] == 0, body)?;
    let (report, code) = target.stop()?;
    ensure(code == 0 && report["sessions"].as_u64() >= Some(3), report.to_string())
}

/// The same bytes have the same answer in each session and in each process, until the seed is another.
pub(crate) fn sessions_are_alike(place: &Place) -> Outcome {
    let hello = hello()?;
    let answers = |seed: &str| -> Outcome<(Vec<u8>, String)> {
        let target = Target::start(place, &image(), &["--seed", seed, "--session", "asked"])?;
        let mut first = None;
        for _ in 0..5 {
            let answer = target.answer(&hello)?;
            ensure(answer.first() == Some(&22), format!("no server hello: {answer:?}"))?;
            let told = target.reset()?;
            ensure(told["verdict"] == "sound" && told["state"] == *target.state, told.to_string())?;
            ensure(told["reset_ms"].as_f64().is_some_and(|ms| ms < 100.0), told.to_string())?;
            ensure(*first.get_or_insert_with(|| answer.clone()) == answer, "another answer to the same bytes")?;
        }
        Ok((first.unwrap_or_default(), target.state.clone()))
    };
    let [one, again, other] = [answers("1")?, answers("1")?, answers("2")?];
    ensure(one == again, "another process, another answer")?;
    ensure(one != other, "another seed, the same answer")
}

/// Whoever begins a key exchange runs into a trap: he is told apart from those who do not, and what he sent does it again.
pub(crate) fn harm_is_kept(place: &Place) -> Outcome {
    let folder = TempDir::new()?;
    let trapped = folder.path().join("trapped.elf");
    fs::write(&trapped, images::with_traps(&fs::read(image())?, &["x25519_public_from_private"])?)?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (findings, junit, sarif) = (path("findings"), path("junit.xml"), path("report.sarif"));
    let target = Target::start(place, &trapped, &["--findings", &findings, "--junit", &junit, "--sarif", &sarif])?;
    let hello = hello()?;
    for _ in 0..2 {
        ensure(target.answer(&hello)?.is_empty(), "a guest that crashed has answered")?;
        let alert = target.answer(b"GET / HTTP/1.1\r\n\r\n")?;
        ensure(alert == [21, 3, 3, 0, 2, 2, 10], format!("the next session is not served: {alert:?}"))?;
    }
    let (report, code) = target.stop()?;
    let found = report["found"].as_array().cloned().unwrap_or_default();
    let [one] = &found[..] else { return Err(format!("one finding was wanted: {report}").into()) };
    ensure(code == 29 && one["times"] == 2 && one["verdict"] == "crash", report.to_string())?;
    ensure(one["text"].as_str().is_some_and(|text| text.contains("x25519")), report.to_string())?;
    let input = PathBuf::from(one["input"].as_str().unwrap_or_default());
    let about: Value = serde_json::from_slice(&fs::read(input.with_extension("json"))?)?;
    ensure(about["is_whole"] == true && about["is_reproduced"] == true, about.to_string())?;
    ensure(fs::read(input.with_extension("pcapng"))?.starts_with(&0x0a0d_0d0a_u32.to_le_bytes()), "no pcapng")?;
    let mut words = about["replay"].as_str().unwrap_or_default().split(' ').skip(1);
    let again: Output = Command::new(bountybox()).args(words.by_ref()).arg("--json").output()?;
    let again_told: Value = serde_json::from_slice(&again.stdout)?;
    ensure(again.status.code() == Some(29) && again_told["found"][0]["text"] == one["text"], again_told.to_string())?;
    let junit = fs::read_to_string(junit)?;
    ensure(junit.contains("failures=\"1\"") && junit.contains("x25519"), junit)?;
    let sarif: Value = serde_json::from_slice(&fs::read(sarif)?)?;
    ensure(sarif["runs"][0]["results"][0]["ruleId"] == "crash", sarif.to_string())
}

/// A configuration of one's own, with a new RSA key.
fn own_box(folder: &Path) -> Outcome<String> {
    let extensions = "[req]\ndistinguished_name=name\nx509_extensions=leaf\n[name]\n[leaf]\nsubjectAltName=DNS:localhost\n";
    fs::write(folder.join("leaf.cnf"), extensions)?;
    let words = "req -x509 -config leaf.cnf -newkey rsa:2048 -nodes -keyout key.pem -out chain.pem -days 30 -subj /CN=localhost";
    let openssl = Command::new("openssl").args(words.split(' ')).current_dir(folder).output()?;
    ensure(openssl.status.success(), String::from_utf8_lossy(&openssl.stderr))?;
    let file = folder.join("bountybox.toml");
    let listen = "[[listen]]\naddress = \"127.0.0.1:8443\"\n[[certificate]]\nchain = \"chain.pem\"\nkey = \"key.pem\"\n";
    fs::write(&file, format!("{listen}[[route]]\nbackends = [\"127.0.0.1:8080\"]\n"))?;
    Ok(file.display().to_string())
}

/// TLS 1.2 sends an RSA modulus in the clear: that is no leak.
pub(crate) fn rsa_is_served(place: &Place) -> Outcome {
    let folder = TempDir::new()?;
    let (config, findings) = (own_box(folder.path())?, folder.path().join("findings").display().to_string());
    let target = Target::start(place, &image(), &["--config", &config, "--findings", &findings])?;
    let url = format!("https://{}/", target.address);
    for version in [&["--tls-max", "1.2"][..], &["--tlsv1.3"]] {
        let curl =
            Command::new("curl").args(["--silent", "--show-error", "--insecure", "--max-time", "20", &url]).args(version).output()?;
        ensure(curl.status.success() && curl.stdout == b"hello\n", String::from_utf8_lossy(&curl.stderr))?;
    }
    let (report, code) = target.stop()?;
    ensure(code == 0 && report["sessions"].as_u64() >= Some(2), report.to_string())
}

/// What a box of one's own did begins with its clock, which the command that does it again holds.
pub(crate) fn harm_is_done_again_by_the_clock(place: &Place) -> Outcome {
    let folder = TempDir::new()?;
    let trapped = folder.path().join("trapped.elf");
    fs::write(&trapped, images::with_traps(&fs::read(image())?, &["x25519_public_from_private"])?)?;
    let (config, findings) = (own_box(folder.path())?, folder.path().join("findings").display().to_string());
    let target = Target::start(place, &trapped, &["--config", &config, "--findings", &findings])?;
    ensure(target.answer(&hello()?)?.is_empty(), "a guest that crashed has answered")?;
    let state = target.state.clone();
    let (report, code) = target.stop()?;
    ensure(code == 29, report.to_string())?;
    let input = PathBuf::from(report["found"][0]["input"].as_str().unwrap_or_default());
    let about: Value = serde_json::from_slice(&fs::read(input.with_extension("json"))?)?;
    let words = about["replay"].as_str().unwrap_or_default().split(' ').skip(1);
    let again = Command::new(bountybox()).args(words).arg("--json").output()?;
    let told: Value = serde_json::from_slice(&again.stdout)?;
    ensure(about["state"] == *state && told["state"] == *state, format!("{about}: another state: {told}"))?;
    ensure(again.status.code() == Some(29) && told["found"][0]["text"] == about["text"], format!("{about}: {told}"))
}

/// A guest that is no more is told of at the second channel, and is there again after a reset.
pub(crate) fn liveness(place: &Place) -> Outcome {
    let folder = TempDir::new()?;
    let trapped = folder.path().join("trapped.elf");
    fs::write(&trapped, images::with_traps(&fs::read(image())?, &["x25519_public_from_private"])?)?;
    let findings = folder.path().join("findings").display().to_string();
    let target = Target::start(place, &trapped, &["--session", "asked", "--findings", &findings])?;
    ensure(target.ask("GET", "/healthz")? == (200, "sound\n".into()), "it is not well at the start")?;
    target.answer(&hello()?)?;
    let (status, told) = target.ask("GET", "/healthz")?;
    ensure(status == 503 && told.starts_with("crash: "), format!("{status}: {told}"))?;
    let told = target.reset()?;
    ensure(told["verdict"] == "crash" && told["input"].as_str().is_some() && told["state"] == *target.state, told.to_string())?;
    ensure(target.ask("GET", "/healthz")?.0 == 200, "it is not well after a reset")?;
    ensure(target.ask("GET", "/reset")?.0 == 405 && target.ask("GET", "/")?.0 == 404, "a request is not refused")?;
    ensure(target.stop()?.1 == 29, "a finding was forgotten")
}

/// A guest that does not do as all others do: a box of its own, with a folder for what is found.
struct Harmed {
    folder: TempDir,
    image: PathBuf,
}

impl Harmed {
    fn new(alter: impl FnOnce(&[u8]) -> Outcome<Vec<u8>>) -> Outcome<Self> {
        let folder = TempDir::new()?;
        let image = folder.path().join("harmed.elf");
        fs::write(&image, alter(&fs::read(e2e::image())?)?)?;
        Ok(Self { folder, image })
    }

    /// It crashes when somebody begins a key exchange.
    fn at_hellos() -> Outcome<Self> {
        let harmed = Self::new(|image| images::with_traps(image, &["x25519_public_from_private"]))?;
        fs::write(harmed.folder.path().join("hello"), hello()?)?;
        Ok(harmed)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The box without a second channel, and a command that fuzzes it.
    fn command(&self, place: &Place, arguments: &[&str], script: &str) -> Command {
        let mut command = Command::new(bountybox());
        command.args(["target", "--json", "--machine", place.machine.name(), "--findings", &self.path("findings"), "--image"]);
        command.arg(&self.image).args(arguments).args(["--", "bash", "-c", script]).current_dir(self.folder.path());
        command
    }
}

fn signal(process: u32, signal: &str) -> Outcome {
    let status = Command::new("kill").args([signal, &process.to_string()]).status()?;
    ensure(status.success(), format!("no {signal} for {process}"))
}

/// What was sent before the end counts, whoever was first to say that it is the end.
pub(crate) fn arrived(place: &Place) -> Outcome {
    let harmed = Harmed::at_hellos()?;
    // Many at once, of whom the last does harm; and one who does not wait for anything.
    let many = "for n in 1 2 3 4 5 6; do exec {door}<>/dev/tcp/{host}/{port}; printf x >&$door; done; cat hello >/dev/tcp/{host}/{port}";
    for (script, sessions) in [(many, 7), ("cat hello >/dev/tcp/{host}/{port}", 1)] {
        let output = harmed.command(place, &[], script).output()?;
        let told: Value = serde_json::from_slice(&output.stdout)?;
        ensure(output.status.code() == Some(29) && told["sessions"] == sessions, told.to_string())?;
    }
    // The box finds the input and the wish together, whichever it looks at first.
    let target = Target::start(place, &harmed.image, &["--session", "asked", "--findings", &harmed.path("findings")])?;
    signal(target.child.id(), "-STOP")?;
    target.connect()?.write_all(&hello()?)?;
    let mut wish = TcpStream::connect(&target.control)?;
    wish.write_all(b"POST /reset HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    signal(target.child.id(), "-CONT")?;
    let mut told = String::new();
    wish.read_to_string(&mut told)?;
    ensure(told.contains("\"verdict\":\"crash\""), told)?;
    // So is whoever only asks told the truth.
    signal(target.child.id(), "-STOP")?;
    target.connect()?.write_all(&hello()?)?;
    let mut question = TcpStream::connect(&target.control)?;
    question.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    signal(target.child.id(), "-CONT")?;
    let mut told = String::new();
    question.read_to_string(&mut told)?;
    ensure(told.contains(" 503 "), told)?;
    ensure(target.stop()?.1 == 29, "a finding was forgotten")
}

/// Nobody has come, and it is found all the same: what was told once is not forgotten. A guest that hears nobody is so again, but not to `fuzz`.
pub(crate) fn asked(place: &Place) -> Outcome {
    let harmed = Harmed::new(|image| images::with_traps(image, &["5greet"]))?;
    let target = Target::start(place, &harmed.image, &["--findings", &harmed.path("findings")])?;
    ensure(target.ask("GET", "/healthz")?.0 == 503, "it is well")?;
    signal(target.child.id(), "-INT")?;
    ensure(target.ended()?.1 == 29, "what was told is forgotten")?;
    let deaf = Harmed::new(|image| images::without(image, &["5greet"]))?;
    let target = Target::start(place, &deaf.image, &["--session", "asked", "--findings", &deaf.path("findings")])?;
    let told = target.reset()?;
    ensure(told["verdict"] == "deaf", told.to_string())?;
    let input = PathBuf::from(told["input"].as_str().unwrap_or_default());
    let about: Value = serde_json::from_slice(&fs::read(input.with_extension("json"))?)?;
    ensure(about["is_reproduced"] == true && about["replay"].is_null(), about.to_string())?;
    ensure(target.stop()?.1 == 29, "a finding was forgotten")
}

/// Of many at once the built-in box holds as many as docs/target.md says, and resets the rest.
pub(crate) fn room(place: &Place) -> Outcome {
    let target = Target::start(place, &image(), &["--session", "asked"])?;
    let streams = (0..40).map(|_| target.connect()).collect::<Outcome<Vec<_>>>()?;
    // What was there before the question is heard before the answer.
    ensure(target.ask("GET", "/healthz")? == (200, "sound\n".into()), "it is not well")?;
    let held = streams.iter().filter(|stream| {
        stream.set_nonblocking(true).is_ok()
            && (&**stream).read(&mut [0]).is_err_and(|fault| fault.kind() == std::io::ErrorKind::WouldBlock)
    });
    let held = held.count();
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/target.md"))?;
    ensure(page.contains(&format!("the built-in box holds {held} connections")), format!("{held} are held"))
}

/// A guest that is no more has nothing to do.
pub(crate) fn rests(place: &Place) -> Outcome {
    let harmed = Harmed::at_hellos()?;
    let target = Target::start(place, &harmed.image, &["--session", "asked", "--findings", &harmed.path("findings")])?;
    let _other = target.connect()?;
    target.answer(&hello()?)?;
    let ticks = || -> Outcome<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", target.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
        // proc_pid_stat(5): utime and stime.
        Ok(fields[12].parse::<u64>()? + fields[13].parse::<u64>()?)
    };
    let before = ticks()?;
    thread::sleep(Duration::from_secs(3));
    let spent = ticks()? - before;
    ensure(spent < 30, format!("{spent} of 300 ticks"))
}

/// What was found is told whatever comes after; and no fuzzer outlives its box.
pub(crate) fn broken_off(place: &Place) -> Outcome {
    let harmed = Harmed::at_hellos()?;
    // A folder in a file cannot be made.
    fs::write(harmed.path("findings"), "a file")?;
    // What outlives its box is not to keep the test waiting for its output.
    let script = "exec >/dev/null 2>&1; sleep 100 & echo $! >number; cat hello >/dev/tcp/{host}/{port}; wait";
    let output = harmed.command(place, &["--junit", "report.xml", "--sarif", "none/report.sarif"], script).output()?;
    let told: Value = serde_json::from_slice(&output.stdout)?;
    ensure(output.status.code() == Some(29) && told["found"][0]["verdict"] == "crash", told.to_string())?;
    let junit = fs::read_to_string(harmed.path("report.xml"))?;
    ensure(junit.contains("failures=\"1\""), junit)?;
    let number = fs::read_to_string(harmed.path("number"))?;
    // One that nobody has waited for yet has no command line any more.
    let is_gone = || fs::read(format!("/proc/{}/cmdline", number.trim())).unwrap_or_default().is_empty();
    let until = Instant::now() + PATIENCE;
    while !is_gone() {
        ensure(Instant::now() < until, "the fuzzer has outlived its box")?;
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// What one run has found the next does not write over.
pub(crate) fn runs_side_by_side(place: &Place) -> Outcome {
    let harmed = Harmed::at_hellos()?;
    let inputs = || -> Outcome<Vec<PathBuf>> {
        let output = harmed.command(place, &["--sessions", "1"], "cat hello >/dev/tcp/{host}/{port}").output()?;
        let told: Value = serde_json::from_slice(&output.stdout)?;
        Ok(told["found"].as_array().into_iter().flatten().filter_map(|one| one["input"].as_str()).map(PathBuf::from).collect())
    };
    let (first, second) = (inputs()?, inputs()?);
    ensure(first.len() == 1 && second.len() == 1 && first != second, format!("{first:?} {second:?}"))
}

/// The box ends with its fuzzer, and says if that one failed.
pub(crate) fn fuzzers(place: &Place) -> Outcome {
    let run = |arguments: &[&str]| -> Outcome<Output> {
        let output = Command::new(bountybox())
            .args(["target", "--machine", place.machine.name(), "--image"])
            .arg(image())
            .args(arguments)
            .output()?;
        Ok(output)
    };
    let curl = ["curl", "--silent", "--insecure", "--max-time", "20", "--fail", "https://{host}:{port}/"];
    for (arguments, code, words) in [
        (&[&["--"][..], &curl].concat()[..], 0, "1 sessions"),
        (&["--", "false"], 32, "the command behind `--` failed: exit status: 1"),
        (&["--", "/no/such/fuzzer"], 2, "/no/such/fuzzer cannot be started"),
        (&["--session", "asked"], 2, "--session asked wants a --control"),
        (&["--seed", "1", "--misbehave", "all"], 2, "cannot be used with"),
    ] {
        let output = run(arguments)?;
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        ensure(
            output.status.code() == Some(code) && said.contains(words),
            format!("{arguments:?}: {code} was wanted, {}: {said}", output.status),
        )?;
    }
    Ok(())
}

/// What a CI runs: the script takes every input that the action names, and ends as the box does.
pub(crate) fn action(place: &Place) -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = fs::read_to_string(root.join("action.yml"))?;
    let inputs: Vec<&str> =
        named.lines().filter_map(|line| line.trim().strip_prefix("TARGET_")?.split_once(':')).map(|(name, _)| name).collect();
    ensure(inputs.len() == 10, format!("{inputs:?}"))?;
    let script = fs::read_to_string(root.join("tools/action"))?;
    let folder = TempDir::new()?;
    let mut command = Command::new(root.join("tools/action").canonicalize()?);
    command.current_dir(folder.path()).env("BOUNTYBOX", bountybox());
    for input in inputs {
        ensure(input == "COMMAND" || script.contains(&input.to_lowercase()), format!("tools/action does not know {input}"))?;
        let value = match input {
            "COMMAND" => "curl --silent --fail --insecure --max-time 20 https://{host}:{port}/",
            "SESSIONS" => "1",
            "SESSION" => "connection",
            "CONTROL" => "127.0.0.1:0",
            "SEED" => "3",
            "MACHINE" => place.machine.name(),
            "FINDINGS" => "found",
            "JUNIT" => "report.xml",
            "SARIF" => "report.sarif",
            _ => "",
        };
        command.env(format!("TARGET_{input}"), value);
    }
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure(output.status.code() == Some(0) && output.stdout.starts_with(b"hello\n"), said)?;
    ensure(folder.path().join("report.xml").exists() && folder.path().join("report.sarif").exists(), "no report")?;
    ensure(!folder.path().join("found").exists(), "a folder for nothing")
}
