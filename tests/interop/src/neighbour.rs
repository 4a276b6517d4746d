//! nginx and HAProxy as the box's neighbours: behind it as plain backends.

use e2e::{Config, Outcome, Place, Running, ensure};

use crate::authority::{Authority, Key};
use crate::client::{self, ALPN, Answer, Ask, Client};
use crate::page;
use crate::server::{Proxy, Server, Software};
use crate::summary::{self, Cell, Table};

const TITLE: &str = "Servers";
const VERSION: &str = "says it is";
const PLAIN: &str = "behind us";

/// The one that asks: it tells its own address, which the headers must show.
const CURL: Client = client::ALL[0];

/// The table of them.
pub(crate) fn table() -> Table {
    Table {
        title: TITLE,
        preface: "curl asks through both, and gets a page of 200 KB.",
        rows: Software::BOTH.map(|software| software.name().to_owned()).to_vec(),
        columns: [VERSION, PLAIN].map(str::to_owned).to_vec(),
    }
}

fn note(software: Software, column: &str, text: &str) -> Outcome {
    let cell = |column: &str| Cell { table: TITLE, row: software.name().to_owned(), column: column.to_owned() };
    summary::note(&cell(VERSION), &software.version()?);
    summary::note(&cell(column), text);
    Ok(())
}

/// A box in front of `behind`, with these further lines for its route.
fn start(place: &Place, authority: &Authority, behind: core::net::SocketAddr, more: &str) -> Outcome<Running> {
    let server = authority.server(Key::Ecdsa);
    let config = Config::one_route(&[behind]).certificate(&server.chain, &server.key);
    Running::start(place, &config.more(&format!("{more}\n[tls]\nalpn = [\"{ALPN}\"]")))
}

/// A page through the box, whole.
fn page_through(running: &Running, authority: &Authority, path: &str) -> Outcome<Answer> {
    let answer = CURL.ask(&Ask::new(running.address(), authority.root(), path))?;
    ensure(answer.body == page::of(path), format!("another page, of {} bytes", answer.body.len()))?;
    Ok(answer)
}

/// A backend like any other.
pub(crate) fn behind(software: Software, place: &Place, authority: &Authority) -> Outcome {
    let page = page::server()?;
    let server = software.behind(page.address(), Proxy::Off, None)?;
    let running = start(place, authority, server.address, "")?;
    page_through(&running, authority, "/behind")?;
    seen(&server, "/behind")?;
    note(software, PLAIN, "the page is whole")
}

/// What the server logged of the request for `path`.
fn seen(server: &Server, path: &str) -> Outcome<String> {
    server.served.wait_for(|line| line.starts_with("seen ") && line.ends_with(&format!("path={path}")))
}
