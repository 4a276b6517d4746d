//! nginx and HAProxy as the box's neighbours: behind it as plain backends, decoding its PROXY headers, and with TLS of their own that passes
//! through; before it, sending PROXY headers themselves.

use core::net::SocketAddr;

use e2e::{Config, Outcome, Place, Running, backend, ensure};

use crate::authority::{Authority, Key};
use crate::client::{self, ALPN, Answer, Ask, Client, NAME};
use crate::server::{Proxy, Server, Software};
use crate::suite::Version;
use crate::summary::{self, Cell, Table};
use crate::{page, suite};

const TITLE: &str = "Servers";
const VERSION: &str = "says it is";
const PLAIN: &str = "behind us";
const PASSTHROUGH: &str = "its TLS passes through us";

/// The one that asks: it tells its own address, which the headers must show.
const CURL: Client = client::HERE[0];

/// The table of them.
pub(crate) fn table() -> Table {
    let behind = [Proxy::V1, Proxy::V2, Proxy::V2Tls].map(decoding);
    let before = [Proxy::V1, Proxy::V2].map(sending);
    let columns = [vec![VERSION.into(), PLAIN.into()], behind.to_vec(), vec![PASSTHROUGH.into()], before.to_vec()];
    Table {
        title: TITLE,
        preface: "curl asks through both, and gets a page of 200 KB. The addresses that they log, and those that they send, are the client's own.",
        rows: Software::BOTH.map(|software| software.name().to_owned()).to_vec(),
        columns: columns.concat(),
    }
}

fn decoding(proxy: Proxy) -> String {
    format!("decodes our PROXY {proxy}")
}

fn sending(proxy: Proxy) -> String {
    format!("sends us PROXY {proxy}")
}

fn note(software: Software, column: &str, text: &str) -> Outcome {
    let cell = |column: &str| Cell { table: TITLE, row: software.name().to_owned(), column: column.to_owned() };
    summary::note(&cell(VERSION), &software.version()?);
    summary::note(&cell(column), text);
    Ok(())
}

/// A box with one route to `behind`, which has these further lines.
fn start(place: &Place, authority: &Authority, behind: SocketAddr, lines: &str) -> Outcome<Running> {
    let server = authority.server(Key::Ecdsa);
    let config = Config::one_route(&[behind]).certificate(&server.chain, &server.key);
    Running::start(place, &config.more(&format!("{lines}\n[tls]\nalpn = [\"{ALPN}\"]")))
}

/// A page, whole, from whoever answers at `address`.
fn ask(address: SocketAddr, authority: &Authority, path: &str) -> Outcome<Answer> {
    let answer = CURL.ask(&Ask::new(address, authority.root(), path))?;
    ensure(answer.body == page::of(path), format!("another page, of {} bytes", answer.body.len()))?;
    Ok(answer)
}

/// A backend like any other.
pub(crate) fn behind(software: Software, place: &Place, authority: &Authority) -> Outcome {
    let page = page::server()?;
    let server = software.behind(page.address(), Proxy::Off, None)?;
    let running = start(place, authority, server.address, "")?;
    ask(running.address(), authority, "/behind")?;
    seen(&server, "/behind")?;
    note(software, PLAIN, "the page is whole")
}

/// A backend that wants our PROXY header, and logs what it says.
pub(crate) fn decodes(software: Software, proxy: Proxy, place: &Place, authority: &Authority) -> Outcome {
    let page = page::server()?;
    let server = software.behind(page.address(), proxy, None)?;
    let running = start(place, authority, server.address, &format!("proxy_protocol = \"{proxy}\""))?;
    let answer = ask(running.address(), authority, "/decodes")?;
    let line = seen(&server, "/decodes")?;
    let mut words = vec![format!("source={}", told(&answer)?), format!("target={}", running.address())];
    let authority_is_logged = software == Software::Haproxy && proxy == Proxy::V2Tls;
    words.extend(authority_is_logged.then(|| format!("authority={NAME}")));
    for word in &words {
        ensure(line.contains(&format!("{word} ")), format!("no {word} in {line}"))?;
    }
    note(software, &decoding(proxy), if authority_is_logged { "source, target, authority" } else { "source, target" })
}

/// A server with TLS of its own behind us: the client sees its certificate and not ours.
pub(crate) fn passes_through(software: Software, place: &Place, authority: &Authority) -> Outcome {
    let (page, own) = (page::server()?, authority.server(Key::Rsa));
    let server = software.behind(page.address(), Proxy::V2, Some(&own))?;
    let nobody = backend::nobody()?;
    let ours = authority.server(Key::Ecdsa);
    let config = Config::default().certificate(&ours.chain, &ours.key).route(&[NAME], &[server.address]);
    let config = config.more("mode = \"passthrough\"\nproxy_protocol = \"v2\"").route(&[], &[nobody]);
    let running = Running::start(place, &config)?;
    let answer = ask(running.address(), authority, "/through")?;
    ensure(answer.chain == own.certificates()?, "another certificate than the server's own")?;
    let line = seen(&server, "/through")?;
    ensure(line.contains(&format!("source={} ", told(&answer)?)), line)?;
    note(software, PASSTHROUGH, "its own certificate; source in PROXY v2")
}

/// A TCP proxy before us, which says whose connection it is; we say it to the backend.
pub(crate) fn sends(software: Software, proxy: Proxy, place: &Place, authority: &Authority) -> Outcome {
    let page = page::server()?;
    let backend = Software::Haproxy.behind(page.address(), Proxy::V2, None)?;
    let (server, listen) = (authority.server(Key::Ecdsa), backend::nobody()?);
    let front = software.before(listen, proxy)?;
    let config = Config::one_route(&[backend.address]).certificate(&server.chain, &server.key);
    let listener = format!("proxy_protocol = \"v2\"\n[[listen]]\naddress = \"{listen}\"\nproxy_from = [\"127.0.0.0/8\"]");
    let running = Running::start(place, &config.more(&listener))?;
    let answer = ask(front.address, authority, "/sends")?;
    let line = seen(&backend, "/sends")?;
    ensure(line.contains(&format!("source={} ", told(&answer)?)), line)?;
    // Whoever is listed must send a header, and whoever is not must not.
    ensure(ask(listen, authority, "/without").is_err(), "served a listed front end without a header")?;
    let unlisted = software.before(running.address(), proxy)?;
    ensure(ask(unlisted.address, authority, "/unlisted").is_err(), "believed a header of somebody who is not listed")?;
    if software == Software::Nginx {
        note(software, &sending(Proxy::V2), "it sends version 1 only")?;
    }
    note(software, &sending(proxy), "believed, and told on")
}

/// Every TLV of version 2, by a decoder of the tests' own, with and without a client's certificate.
pub(crate) fn tlvs(place: &Place, authority: &Authority) -> Outcome {
    let reader = page::header_reader()?;
    let client = format!("[route.client]\nmode = \"optional\"\nca = \"{}\"", authority.root().display());
    let running = start(place, authority, reader.address(), &format!("proxy_protocol = \"v2-tls\"\n{client}"))?;
    let robot = authority.client("robot")?;
    for version in Version::BOTH {
        let ask = Ask::new(running.address(), authority.root(), "/").version(version);
        let without = CURL.ask(&ask)?;
        let lines = header_lines(&without);
        let suite = suite::openssl(without.suite);
        let mut wanted = vec!["proxy=2".into(), format!("source={}", told(&without)?), format!("target={}", running.address())];
        wanted.extend([format!("alpn={ALPN}"), format!("authority={NAME}"), "checksum=right".into()]);
        wanted.extend([format!("ssl.version=TLSv{version}"), format!("ssl.cipher={suite}"), "ssl.group=x25519".into()]);
        let own = |client: &str, verify: &str| [format!("ssl.client={client}"), format!("ssl.verify={verify}")];
        has_lines(&lines, &[wanted.clone(), own("0x01", "1").to_vec()].concat())?;
        ensure(!lines.contains("ssl.cn=") && !lines.contains("ssl.certificate="), lines)?;
        let with = header_lines(&CURL.ask(&ask.identity(&robot))?);
        let certificate = ["ssl.cn=robot".into(), format!("ssl.certificate={}", robot.leaf()?)];
        has_lines(&with, &[wanted[3..].to_vec(), own("0x07", "0").to_vec(), certificate.to_vec()].concat())?;
    }
    Ok(())
}

fn header_lines(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn has_lines(lines: &str, wanted: &[String]) -> Outcome {
    let absent: Vec<_> = wanted.iter().filter(|wanted| !lines.lines().any(|line| line == *wanted)).collect();
    ensure(absent.is_empty(), format!("no {absent:?} in\n{lines}"))
}

/// The client's address, as it told.
fn told(answer: &Answer) -> Outcome<SocketAddr> {
    answer.local.ok_or_else(|| "curl did not tell its address".into())
}

/// What the server logged of the request for `path`.
fn seen(server: &Server, path: &str) -> Outcome<String> {
    server.served.wait_for(|line| line.starts_with("seen ") && line.ends_with(&format!("path={path}")))
}
