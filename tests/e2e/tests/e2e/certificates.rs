//! Certificates of both sides, and what is negotiated: seen from OpenSSL 3.0 and from rustls.

use core::net::SocketAddr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::{Config, Outcome, Place, Running, backend, client, ensure, keys_dir};
use rustls_std::pki_types::CertificateDer;
use rustls_std::pki_types::pem::PemObject;
use tempfile::TempDir;

/// The route that asks for certificates, and one that does not; the minted certificate covers both.
const INTERNAL: &str = "internal.example.test";
const OPEN: &str = "open.example.test";

/// A folder with an authority for clients, what it has issued, and its revocation list.
struct Pki(TempDir);

impl Pki {
    /// `robot` is good, `lost` is revoked, `server` is for servers.
    fn new() -> Outcome<Self> {
        let pki = Self(tempfile::tempdir()?);
        pki.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=clients -days 30 -addext keyUsage=critical,keyCertSign,cRLSign")?;
        for (name, serial, purpose) in [("robot", 7, "clientAuth"), ("lost", 8, "clientAuth"), ("server", 9, "serverAuth")] {
            fs::write(
                pki.path("ext"),
                format!("keyUsage=critical,digitalSignature\nextendedKeyUsage={purpose}\nsubjectAltName=DNS:{name}.clients.test\n"),
            )?;
            pki.openssl(&format!(
                "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /O=Example/CN={name}"
            ))?;
            pki.openssl(&format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -set_serial {serial} -days 30 -extfile ext -out {name}.pem"
            ))?;
        }
        fs::write(pki.path("index.txt"), "R\t491231235959Z\t200101000000Z\t08\tunknown\t/O=Example/CN=lost\n")?;
        fs::write(pki.path("crlnumber"), "01\n")?;
        fs::write(
            pki.path("ca.cnf"),
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=30\n",
        )?;
        pki.openssl("ca -gencrl -config ca.cnf -keyfile ca.key -cert ca.pem -out crl.pem")?;
        Ok(pki)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn openssl(&self, command: &str) -> Outcome {
        openssl(self.0.path(), command)
    }

    /// Both routes to one backend.
    fn config(&self, backend: SocketAddr) -> Config {
        Config::default().route(&[OPEN], &[backend]).route(&[INTERNAL], &[backend]).more(&self.required())
    }

    /// What a route asks of its clients.
    fn required(&self) -> String {
        let (ca, crl) = (self.path("ca.pem"), self.path("crl.pem"));
        format!("[route.client]\nmode = \"required\"\nca = {ca:?}\ncrls = [{crl:?}]\nnames = [\"*.clients.test\"]\n")
    }

    /// The arguments with which a client shows a certificate.
    fn shown(&self, name: &str) -> [String; 4] {
        let path = |suffix| self.path(&format!("{name}.{suffix}")).display().to_string();
        ["-cert".into(), path("pem"), "-key".into(), path("key")]
    }
}

fn openssl(dir: &Path, command: &str) -> Outcome {
    let output = Command::new("openssl").args(command.split_whitespace()).current_dir(dir).stdin(Stdio::null()).output()?;
    ensure(output.status.success(), format!("openssl {command}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Asks as `name`, and gives back all that `openssl s_client` prints until the box has closed.
fn s_client(running: &Running, name: &str, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Outcome<String> {
    let mut child = Command::new("openssl")
        .args(["s_client", "-ign_eof", "-connect", &running.address().to_string(), "-servername", name, "-CAfile"])
        .arg(keys_dir()?.join("ca.pem"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // It may have ended already: then there is nobody to take the question.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(b"hello\n"));
    let output = child.wait_with_output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

fn answered(said: &str) -> bool {
    said.contains("answer to hello")
}

const VERSIONS: [&str; 2] = ["-tls1_2", "-tls1_3"];

/// Whoever shows a good certificate is served, by name; everybody else is told why not.
pub(crate) fn enforced(place: &Place) -> Outcome {
    let (pki, answer) = (Pki::new()?, backend::answer()?);
    let running = Running::start(place, &pki.config(answer.address()))?;
    let showing = client::showing(&pki.path("robot.pem"), &pki.path("robot.key"))?;
    let got = client::ask(&mut client::connect_as(running.address(), INTERNAL, &showing)?, "hello\n")?;
    ensure(got == "answer to hello\n", format!("rustls got {got:?}"))?;
    for version in VERSIONS {
        let of = |name: &str| -> Outcome<String> {
            let mut arguments = vec![version.to_owned()];
            arguments.extend(pki.shown(name));
            s_client(&running, INTERNAL, &arguments)
        };
        let said = of("robot")?;
        ensure(answered(&said), said)?;
        let said = s_client(&running, INTERNAL, &[version])?;
        ensure(!answered(&said) && said.contains("alert number 116"), said)?;
        let said = of("lost")?;
        ensure(!answered(&said) && said.contains("certificate revoked"), said)?;
        let said = of("server")?;
        ensure(!answered(&said) && said.contains("unsupported certificate"), said)?;
        let said = s_client(&running, OPEN, &[version])?;
        ensure(answered(&said), said)?;
    }
    let accepted = answer.accepted();
    ensure(accepted == 5, format!("the backend saw {accepted} connections, and 5 clients were let in"))
}

/// The backend hears of the certificate: its common name, and all of it.
pub(crate) fn told_to_the_backend(place: &Place) -> Outcome {
    let pki = Pki::new()?;
    // It sends back what the PROXY header held behind its first 16 bytes.
    let mirror = backend::Backend::start(|mut stream| {
        let mut head = [0; 16];
        stream.read_exact(&mut head)?;
        let mut fields = vec![0; u16::from_be_bytes([head[14], head[15]]).into()];
        stream.read_exact(&mut fields)?;
        stream.write_all(&fields)
    })?;
    let words = "proxy_protocol = \"v2-tls\"\n".to_owned() + &pki.required();
    let running = Running::start(place, &Config::default().route(&[INTERNAL], &[mirror.address()]).more(&words))?;
    let showing = client::showing(&pki.path("robot.pem"), &pki.path("robot.key"))?;
    let mut fields = Vec::new();
    client::connect_as(running.address(), INTERNAL, &showing)?.read_to_end(&mut fields)?;
    let der = CertificateDer::from_pem_file(pki.path("robot.pem"))?;
    let holds = |kind: u8, value: &[u8]| {
        let field = [&[kind], &u16::try_from(value.len()).unwrap_or_default().to_be_bytes()[..], value].concat();
        fields.windows(field.len()).any(|window| window == field)
    };
    ensure(holds(0x22, b"robot"), format!("no common name in {fields:?}"))?;
    ensure(holds(0x28, &der), format!("no certificate in {fields:?}"))
}

/// The class of CVE-2025-23419, both ways, with a client that offers its ticket whatever name it asks for.
pub(crate) fn no_way_round(place: &Place) -> Outcome {
    let (pki, answer) = (Pki::new()?, backend::answer()?);
    let running = Running::start(place, &pki.config(answer.address()))?;
    for version in VERSIONS {
        let (kept, proven) = (pki.path(&format!("open{version}")), pki.path(&format!("internal{version}")));
        let path = |path: &Path| path.display().to_string();
        let said = s_client(&running, OPEN, &[version, "-sess_out", &path(&kept)])?;
        ensure(answered(&said) && said.contains("New, TLSv1."), said)?;
        let said = s_client(&running, OPEN, &[version, "-sess_in", &path(&kept)])?;
        ensure(answered(&said) && said.contains("Reused, TLSv1."), said)?;
        let said = s_client(&running, INTERNAL, &[version, "-sess_in", &path(&kept)])?;
        ensure(!answered(&said) && said.contains("alert number 116") && !said.contains("Reused"), said)?;
        // With a certificate, and back: nothing of what was proven is carried anywhere.
        let mut arguments = vec![version.to_owned(), "-sess_out".into(), path(&proven)];
        arguments.extend(pki.shown("robot"));
        let said = s_client(&running, INTERNAL, &arguments)?;
        ensure(answered(&said), said)?;
        if proven.exists() {
            for name in [OPEN, INTERNAL] {
                let said = s_client(&running, name, &[version, "-sess_in", &path(&proven)])?;
                ensure(!said.contains("Reused") && answered(&said) == (name == OPEN), said)?;
            }
        }
    }
    Ok(())
}

/// A session of one box goes on at another that has the same file, and at no other.
pub(crate) fn shared_tickets(place: &Place) -> Outcome {
    let (dir, answer) = (tempfile::tempdir()?, backend::answer()?);
    let key = dir.path().join("tickets.key");
    openssl(dir.path(), "rand -hex -out tickets.key 32")?;
    let sharing = Config::one_route(&[answer.address()]).more(&format!("[tls]\nticket_key = {key:?}\n"));
    for version in VERSIONS {
        let kept = dir.path().join(version).display().to_string();
        let first = Running::start(place, &sharing)?;
        let said = s_client(&first, "localhost", &[version, "-sess_out", &kept])?;
        ensure(answered(&said) && said.contains("New, TLSv1."), said)?;
        drop(first);
        let second = Running::start(place, &sharing)?;
        let said = s_client(&second, "localhost", &[version, "-sess_in", &kept])?;
        ensure(answered(&said) && said.contains("Reused, TLSv1."), said)?;
        drop(second);
        let stranger = Running::start(place, &Config::one_route(&[answer.address()]))?;
        let said = s_client(&stranger, "localhost", &[version, "-sess_in", &kept])?;
        ensure(answered(&said) && said.contains("New, TLSv1."), said)?;
    }
    Ok(())
}

/// One name, two certificates.
pub(crate) fn both_kinds(place: &Place) -> Outcome {
    let (dir, answer, keys) = (tempfile::tempdir()?, backend::answer()?, keys_dir()?);
    openssl(dir.path(), "req -new -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.csr -subj /CN=rsa")?;
    fs::write(dir.path().join("ext"), "subjectAltName=DNS:localhost\n")?;
    let (ca, ca_key) = (keys.join("ca.pem"), keys.join("ca.key.pem"));
    let sign =
        format!("x509 -req -in rsa.csr -CA {} -CAkey {} -set_serial 7 -days 30 -extfile ext -out rsa.pem", ca.display(), ca_key.display());
    openssl(dir.path(), &sign)?;
    let certificate = format!("[[certificate]]\nchain = {:?}\nkey = {:?}\n", dir.path().join("rsa.pem"), dir.path().join("rsa.key"));
    let running = Running::start(place, &Config::one_route(&[answer.address()]).more(&certificate))?;
    let cases: [(&[&str], &str); 4] = [
        (&["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"], "Peer signature type: RSA-PSS"),
        (&["-tls1_3"], "Peer signature type: ECDSA"),
        (&["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "Cipher is ECDHE-RSA-AES128-GCM-SHA256"),
        (&["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"], "Cipher is ECDHE-ECDSA-AES128-GCM-SHA256"),
    ];
    for (arguments, expected) in cases {
        let said = s_client(&running, "localhost", arguments)?;
        ensure(answered(&said) && said.contains(expected) && said.contains("Verify return code: 0"), format!("{arguments:?}: {said}"))?;
    }
    Ok(())
}

/// `modern` speaks TLS 1.3 alone; suites and groups that are written are all there is.
pub(crate) fn profiles(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let modern = Config::one_route(&[answer.address()]).more("[tls]\nprofile = \"modern\"\n");
    let running = Running::start(place, &modern)?;
    let said = s_client(&running, "localhost", &["-tls1_3"])?;
    ensure(answered(&said), said)?;
    let said = s_client(&running, "localhost", &["-tls1_2"])?;
    ensure(!answered(&said) && said.contains("alert protocol version"), said)?;
    drop(running);
    let own =
        "[tls]\nsuites = [\"TLS13_CHACHA20_POLY1305_SHA256\", \"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\"]\ngroups = [\"secp384r1\"]\n";
    let running = Running::start(place, &Config::one_route(&[answer.address()]).more(own))?;
    for (version, suite) in [("-tls1_3", "TLS_CHACHA20_POLY1305_SHA256"), ("-tls1_2", "ECDHE-ECDSA-AES256-GCM-SHA384")] {
        let said = s_client(&running, "localhost", &[version])?;
        ensure(answered(&said) && said.contains(suite) && said.contains("secp384r1"), said)?;
    }
    let said = s_client(&running, "localhost", &["-tls1_3", "-groups", "X25519"])?;
    ensure(!answered(&said) && said.contains("alert handshake failure"), said)
}
