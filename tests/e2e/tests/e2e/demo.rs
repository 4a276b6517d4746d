//! The embedded default, as a person meets it: the printed curl line, OpenSSL, GnuTLS, rustls, Ctrl-C.

use core::net::SocketAddr;
use core::time::Duration;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use e2e::{Outcome, Place, bountybox, client, ensure};
use rustix::process::{Pid, Signal, kill_process};
use rustls_std::pki_types::CertificateDer;
use rustls_std::pki_types::pem::PemObject;
use rustls_std::{ClientConfig, RootCertStore};

/// A started demo and the curl line that it printed.
struct Demo {
    child: Child,
    curl: String,
}

impl Demo {
    /// `command` is the program, with whatever has to stand before `demo`.
    fn start(mut command: Command, machine: &str, place: &Place, dir: &Path) -> Outcome<Self> {
        let mut child = command
            .args(["demo", "--machine", machine, "--listen", &place.front().to_string(), "--dir"])
            .arg(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (stdout, stderr) = (child.stdout.take().ok_or("no stdout")?, child.stderr.take().ok_or("no stderr")?);
        let both = BufReader::new(stdout).lines().map_while(Result::ok);
        let drain = std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).collect::<Vec<_>>().join("\n"));
        for line in both {
            if let Some(at) = line.find("curl ") {
                return Ok(Self { child, curl: line[at..].to_owned() });
            }
        }
        let _ = child.wait();
        Err(format!("no curl line; it said: {}", drain.join().unwrap_or_default()).into())
    }

    fn interrupt(mut self) -> Outcome {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        let start = Instant::now();
        kill_process(pid, Signal::INT)?;
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure(status.code() == Some(0), format!("Ctrl-C ended it with {status}"))?;
                return ensure(start.elapsed() < Duration::from_secs(2), "Ctrl-C took longer than 2 s");
            }
            ensure(start.elapsed() < Duration::from_secs(10), "Ctrl-C did not end it")?;
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shell(line: &str) -> Outcome<String> {
    let output = Command::new("sh").args(["-c", line]).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure(output.status.success(), format!("{line}: {}\n{said}", output.status))?;
    Ok(said)
}

pub(crate) fn answers(place: &Place) -> Outcome {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(Command::new(bountybox()), place.machine.name(), place, dir.path())?;
    let ca = dir.path().join("ca.pem");
    let page = shell(&format!("{} --silent --show-error --include --max-time 20", demo.curl))?;
    ensure(page.contains(" 200") && page.to_lowercase().contains("<!doctype html"), page)?;
    let address = place.front();
    let request = "printf 'GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'";
    let said = shell(&format!(
        "({request}; sleep 1) | openssl s_client -connect {address} -servername localhost -CAfile {} -verify_return_error -ign_eof -quiet 2>&1",
        ca.display()
    ))?;
    ensure(said.contains("200 OK"), said)?;
    let said = shell(&format!("({request}; sleep 1) | gnutls-cli --x509cafile {} --port {} localhost 2>&1", ca.display(), address.port()))?;
    ensure(said.contains("200 OK") && said.contains("Handshake was completed"), said)?;
    rustls_gets_the_page(address, &ca)?;
    demo.interrupt()
}

fn rustls_gets_the_page(address: SocketAddr, ca: &Path) -> Outcome {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(ca)?)?)?;
    let provider = Arc::new(rustls_std::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?.with_root_certificates(roots);
    let mut stream = client::connect_as(address, "localhost", &Arc::new(config.with_no_client_auth()))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    ensure(page.starts_with("HTTP/1.1 200"), page)
}

/// Nobody, on Debian.
const NOBODY: &str = "65534";

/// The default needs no root, and no `/dev/kvm` either: `auto` says which machine it took.
pub(crate) fn unprivileged(place: &Place) -> Outcome {
    let dir = tempfile::tempdir()?;
    let (program, keys) = (dir.path().join("bountybox"), dir.path().join("demo"));
    fs::copy(bountybox(), &program)?;
    fs::create_dir(&keys)?;
    let mut command = Command::new(&program);
    if rustix::process::geteuid().is_root() {
        shell(&format!("chmod 755 {0} {0}/bountybox && chown {NOBODY}:{NOBODY} {0}/demo", dir.path().display()))?;
        command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(&program);
    }
    let demo = Demo::start(command, "auto", place, &keys)?;
    let page = shell(&format!("{} --silent --show-error --include --max-time 20", demo.curl))?;
    ensure(page.contains(" 200"), page)?;
    demo.interrupt()
}
