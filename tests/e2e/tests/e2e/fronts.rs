//! Front ends before the box, backends that want to know the client, and TLS that the box only passes on.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use e2e::{Config, Outcome, Place, Running, backend, client, ensure, keys_dir};
use rustls_std::pki_types::ServerName;
use rustls_std::{ClientConnection, StreamOwned};

/// An IPv4 and an IPv6 client as two front ends would announce them.
const LINE: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n";
const BLOCK: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\xc8\x22\x01\xbb";

/// Opens a connection and sends these bytes one by one, each in a segment of its own.
fn trickled(address: SocketAddr, bytes: &[u8]) -> Outcome<TcpStream> {
    let mut tcp = TcpStream::connect_timeout(&address, client::PATIENCE)?;
    tcp.set_nodelay(true)?;
    for byte in bytes {
        tcp.write_all(&[*byte])?;
        thread::sleep(Duration::from_millis(1));
    }
    Ok(tcp)
}

/// Headers of both versions, byte by byte: the named client is what backend and log see.
pub(crate) fn headers_are_believed(place: &Place) -> Outcome {
    let introduced = backend::introduced()?;
    let config = Config::one_route(&[introduced.address()]).more("proxy_protocol = \"v2\"").proxy_from(place.client());
    let running = Running::start(place, &config)?;
    for (header, source, destination) in
        [(LINE, "192.0.2.7:51234", "198.51.100.1:443"), (BLOCK, "[2001:db8::7]:51234", "[2001:db8::1]:443")]
    {
        let tcp = trickled(running.address(), header)?;
        let answer = client::ask(&mut client::finish(tcp, "localhost", &client::config(None)?)?, "hello\n")?;
        ensure(answer == format!("{source} to {destination} with []: hello\n"), format!("got {answer:?}"))?;
        running.wait_for(&format!("source={source} "), client::PATIENCE)?;
    }
    Ok(())
}

/// Who is listed must send a header: TLS alone is reset, and so is a header out of grammar.
pub(crate) fn listed_must_send(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let running = Running::start(place, &Config::one_route(&[answer.address()]).proxy_from(place.client()))?;
    ensure(client::connect(running.address()).is_err(), "TLS without a header was served")?;
    let mut tcp = trickled(running.address(), b"PROXY TCP4 192.0.2.7 198.51.100.1 051234 443\r\n")?;
    tcp.set_read_timeout(Some(client::PATIENCE))?;
    let mut nothing = Vec::new();
    let _ = tcp.read_to_end(&mut nothing);
    ensure(nothing.is_empty(), "an answer to a false header")?;
    ensure(answer.accepted() == 0, "a backend was reached")
}

/// From everybody else a header is not TLS: an alert, and nothing of it is believed.
pub(crate) fn others_must_not(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let running = Running::start(place, &Config::one_route(&[answer.address()]).proxy_from("203.0.113.0/24"))?;
    for header in [LINE, BLOCK] {
        let mut tcp = trickled(running.address(), &header[..1])?;
        tcp.write_all(&header[1..])?;
        tcp.set_read_timeout(Some(client::PATIENCE))?;
        let mut alert = Vec::new();
        let _ = tcp.read_to_end(&mut alert);
        ensure(alert.starts_with(&[21, 3]), format!("no alert but {alert:02x?}"))?;
    }
    let answer = client::ask(&mut client::connect(running.address())?, "hello\n")?;
    ensure(answer == "answer to hello\n", format!("got {answer:?}"))
}

/// Each kind of header reaches the backend before the first byte, with the client's own address and port.
pub(crate) fn backends_are_told(place: &Place) -> Outcome {
    let introduced = backend::introduced()?;
    let to = [introduced.address()];
    let config = Config::default().route(&["a.example.test"], &to).more("proxy_protocol = \"v1\"");
    let config = config.route(&["b.example.test"], &to).more("proxy_protocol = \"v2\"");
    let config = config.route(&["c.example.test"], &to).more("proxy_protocol = \"v2-tls\"");
    let running = Running::start(place, &config)?;
    for (name, fields) in [("a.example.test", "[]"), ("b.example.test", "[]"), ("c.example.test", "[2, 32, 3]")] {
        let mut stream = client::connect_as(running.address(), name, &client::config(None)?)?;
        let own = stream.sock.local_addr()?;
        let answer = client::ask(&mut stream, "hello\n")?;
        let expected = format!("{own} to {} with {fields}: hello\n", running.address());
        ensure(answer == expected, format!("{name}: got {answer:?}, not {expected:?}"))?;
    }
    Ok(())
}

/// TLS passes through to OpenSSL's own server, whatever the records of the hello; every line comes back reversed, and its end too.
pub(crate) fn openssl_behind(place: &Place) -> Outcome {
    let server = Server::start()?;
    let config = Config::one_route(&[server.address]).more("mode = \"passthrough\"\nname = \"through\"");
    let running = Running::start(place, &config)?;
    for size in [16_000, 1, 50] {
        let tls_config = client::config(None)?;
        let mut tls = ClientConnection::new(Arc::clone(&tls_config), ServerName::try_from("localhost")?)?;
        let hello = client::cut_into_records(&client::hello_bytes(&mut tls)?, size);
        let mut tcp = TcpStream::connect_timeout(&running.address(), client::PATIENCE)?;
        tcp.set_read_timeout(Some(client::PATIENCE))?;
        tcp.write_all(&hello)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        let mut stream = StreamOwned::new(tls, tcp);
        stream.write_all(b"abc\nCLOSE\n")?;
        stream.flush()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure(answer == "cba\n", format!("records of {size}: got {answer:?}"))?;
    }
    running.wait_for("passthrough=true", client::PATIENCE)
}

/// One name, two routes: who offers `acme-tls/1` passes through, everybody else's TLS ends in the box.
pub(crate) fn protocols_part(place: &Place) -> Outcome {
    let (server, answer) = (Server::start()?, backend::answer()?);
    let config = Config::one_route(&[server.address]).more("alpn = [\"acme-tls/1\"]\nmode = \"passthrough\"");
    let running = Running::start(place, &config.route(&[], &[answer.address()]))?;
    let said = client::ask(&mut client::connect(running.address())?, "abc\n")?;
    ensure(said == "answer to abc\n", format!("without ALPN: got {said:?}"))?;
    let mut offering = (*client::config(None)?).clone();
    offering.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    let mut stream = client::connect_as(running.address(), "localhost", &Arc::new(offering))?;
    let said = client::ask(&mut stream, "abc\nCLOSE\n")?;
    ensure(said == "cba\n", format!("with ALPN: got {said:?}"))
}

/// `openssl s_server -rev`, with the tests' own certificate: it sends each line back reversed, and ends at `CLOSE`.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Outcome<Self> {
        let (address, keys) = (backend::nobody()?, keys_dir()?);
        let mut command = Command::new("openssl");
        command.args(["s_server", "-rev", "-quiet", "-alpn", "acme-tls/1", "-accept", &address.to_string()]);
        command.arg("-cert").arg(keys.join("chain.pem")).arg("-key").arg(keys.join("key.pem"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let server = Self { child, address };
        let end = Instant::now() + client::PATIENCE;
        while TcpStream::connect(address).is_err() {
            ensure(Instant::now() < end, "openssl s_server does not listen")?;
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
