//! A browser: headless Chromium, which trusts a throw-away authority through an NSS database of its own, loads a page and is asked what it has.

use std::fs;
use std::path::Path;

use e2e::{Config, Outcome, Place, Running, bountybox, ensure};
use pages::devtools::Devtools;
use serde_json::Value;
use tempfile::TempDir;

use crate::authority::{Authority, Key};
use crate::client::{ALPN, NAME};
use crate::served::Served;
use crate::summary::{self, Cell, Table};
use crate::{command, page};

const TITLE: &str = "Browser";
const ROW: &str = "chromium";
const COLUMNS: [&str; 3] = ["says it is", "the demo's page", "rsa, TLS 1.2"];

/// Why there is none, if so.
pub(crate) fn missing() -> Option<String> {
    ["chromium", "certutil"].into_iter().find(|program| command::find(program).is_none()).map(|program| format!("no {program}"))
}

/// The table of it.
pub(crate) fn table() -> Table {
    Table {
        title: TITLE,
        preface: "Headless, told by its own developer tools: the page's DOM is the expected one, the connection is \"secure\", and this was agreed on.",
        rows: vec![ROW.into()],
        columns: COLUMNS.map(str::to_owned).to_vec(),
    }
}

/// What a browser says of a page that it loaded.
#[derive(Debug)]
struct Loaded {
    /// Protocol, group and cipher.
    agreed: String,
    heading: String,
    text: String,
    alpn: String,
}

/// The embedded default, as a person meets it.
pub(crate) fn demo(place: &Place) -> Outcome {
    let dir = tempfile::tempdir()?;
    let mut command = std::process::Command::new(bountybox());
    command.args(["demo", "--machine", place.machine.name(), "--listen", &place.front().to_string(), "--dir"]).arg(dir.path());
    let _demo = Served::start(command, place.front())?;
    let home = home(&dir.path().join("ca.pem"))?;
    let loaded = load(home.path(), &[], &format!("https://{NAME}:{}/", place.front().port()))?;
    ensure(loaded.heading == "It works.", format!("{loaded:?}"))?;
    ensure(loaded.text.contains("a guest that has no kernel"), format!("{loaded:?}"))?;
    ensure(loaded.agreed.starts_with("TLS 1.3, X25519MLKEM768, "), loaded.agreed.clone())?;
    note(COLUMNS[1], &loaded.agreed)
}

/// An RSA certificate and the older version, with ALPN.
pub(crate) fn rsa_over_tls_1_2(place: &Place, authority: &Authority) -> Outcome {
    let (page, server) = (page::server()?, authority.server(Key::Rsa));
    let config = Config::one_route(&[page.address()]).certificate(&server.chain, &server.key);
    let running = Running::start(place, &config.more(&format!("[tls]\nalpn = [\"{ALPN}\"]")))?;
    let home = home(&authority.root())?;
    let loaded = load(home.path(), &["--ssl-version-max=tls1.2"], &format!("https://{NAME}:{}/browser", running.address().port()))?;
    ensure(loaded.text.trim() == String::from_utf8_lossy(&page::of("/browser")).trim(), format!("{} bytes", loaded.text.len()))?;
    ensure(loaded.agreed.starts_with("TLS 1.2, ECDHE_RSA, X25519, ") && loaded.alpn == ALPN, format!("{} {}", loaded.agreed, loaded.alpn))?;
    note(COLUMNS[2], &loaded.agreed)
}

fn note(column: &str, agreed: &str) -> Outcome {
    let cell = |column: &str| Cell { table: TITLE, row: ROW.to_owned(), column: column.to_owned() };
    summary::note(&cell(COLUMNS[0]), command::check(Path::new("chromium"), &["--version"])?.trim());
    summary::note(&cell(column), agreed);
    Ok(())
}

/// A home whose NSS database trusts `root`.
fn home(root: &Path) -> Outcome<TempDir> {
    let home = tempfile::tempdir()?;
    let database = home.path().join(".pki/nssdb");
    fs::create_dir_all(&database)?;
    let (database, root) = (format!("sql:{}", database.display()), root.display().to_string());
    command::check(Path::new("certutil"), &["-d", &database, "-N", "--empty-password"])?;
    command::check(Path::new("certutil"), &["-d", &database, "-A", "-t", "C,,", "-n", "interop", "-i", &root])?;
    Ok(home)
}

fn load(home: &Path, flags: &[&str], url: &str) -> Outcome<Loaded> {
    let mut tools = Devtools::start(home, flags)?;
    tools.call("Network.enable", &Value::Null)?;
    tools.call("Page.enable", &Value::Null)?;
    let gone = tools.call("Page.navigate", &serde_json::json!({"url": url}))?;
    ensure(gone.get("errorText").is_none(), format!("{url}: {gone}"))?;
    let response = tools.event("Network.responseReceived", |event| event["type"] == "Document")?["response"].take();
    tools.event("Page.loadEventFired", |_| true)?;
    ensure(response["securityState"] == "secure" && response["status"] == 200, format!("not secure: {response}"))?;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let security = &response["securityDetails"];
    let agreed = ["protocol", "keyExchange", "keyExchangeGroup", "cipher"].map(|key| word(&security[key]));
    Ok(Loaded {
        agreed: agreed.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(", "),
        alpn: word(&response["protocol"]),
        heading: word(&tools.evaluate("document.querySelector('h1')?.innerText ?? ''")?),
        text: word(&tools.evaluate("document.body.innerText")?),
    })
}
