//! Which key exchange and version a client gets, seen from Debian's OpenSSL 3.0 and from rustls with aws-lc-rs.

use std::process::{Command, Stdio};

use e2e::{Config, Outcome, Place, Running, backend, client, ensure, keys_dir};
use rustls_std::NamedGroup;

/// What `openssl s_client` prints, standard output and error together.
fn s_client(running: &Running, arguments: &[&str]) -> Outcome<String> {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &running.address().to_string(), "-servername", "localhost", "-CAfile"])
        .arg(keys_dir()?.join("ca.pem"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

fn box_with_echo(place: &Place) -> Outcome<(backend::Backend, Running)> {
    let echo = backend::echo()?;
    let running = Running::start(place, &Config::one_route(&[echo.address()]))?;
    Ok((echo, running))
}

pub(crate) fn openssl_gets_x25519(place: &Place) -> Outcome {
    let (_echo, running) = box_with_echo(place)?;
    let said = s_client(&running, &["-brief", "-verify_return_error"])?;
    ensure(said.contains("TLSv1.3") && said.contains("X25519") && said.contains("Verification: OK"), said)
}

pub(crate) fn hybrid(place: &Place) -> Outcome {
    let (_echo, running) = box_with_echo(place)?;
    let stream = client::connect(running.address())?;
    let group = stream.conn.negotiated_key_exchange_group().map(|group| group.name());
    ensure(group == Some(NamedGroup::X25519MLKEM768), format!("got {group:?}"))
}

pub(crate) fn tls11_refused(place: &Place) -> Outcome {
    let (_echo, running) = box_with_echo(place)?;
    let said = s_client(&running, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])?;
    ensure(said.contains("alert protocol version"), said)
}

pub(crate) fn rsa_refused(place: &Place) -> Outcome {
    let (_echo, running) = box_with_echo(place)?;
    let said = s_client(&running, &["-tls1_2", "-cipher", "AES128-GCM-SHA256:AES256-SHA"])?;
    ensure(said.contains("alert handshake failure"), said)
}
