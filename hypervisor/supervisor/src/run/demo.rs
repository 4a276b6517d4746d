//! `bountybox demo`: a throw-away authority and certificate, a backend of our own, and the curl line that fetches its page.

use core::net::SocketAddr;
use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use keys::mint::{Algorithm, Order, Overwrite};

use crate::cli::{DemoArgs, unix_now};
use crate::exit::Exit;
use crate::run::source::Source;
use crate::run::{backend, refuse, serve};
use crate::terminal;

/// How long the throw-away certificate is good for.
const VALIDITY: Duration = Duration::from_secs(30 * 24 * 3600);

/// `bountybox demo`
pub(crate) fn demo(args: &DemoArgs) -> Exit {
    prepare(args).map_or_else(|exit| exit, |source| serve(source, tender::order::Lines::Text))
}

fn prepare(args: &DemoArgs) -> Result<Source, Exit> {
    mint(&args.dir, args.listen)?;
    let backend = backend::start().map_err(|fault| refuse(Exit::Net, format!("the demo's backend cannot listen: {fault}")))?;
    let file = write_configuration(args, backend)?;
    if args.listen.port() != 0 {
        terminal::result(format!("curl --cacert {} https://localhost:{}/", args.dir.join("ca.pem").display(), args.listen.port()));
    }
    Ok(Source { machine: Some(args.machine), image: args.image.clone(), ..Source::new(file) })
}

fn mint(dir: &Path, listen: SocketAddr) -> Result<(), Exit> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !listen.ip().is_loopback() && !listen.ip().is_unspecified() {
        names.push(listen.ip().to_string());
    }
    let order = Order { names: &names, algorithm: Algorithm::EcdsaP256, now: unix_now(), validity: VALIDITY };
    let written = keys::mint::mint(&order).and_then(|minted| minted.write(dir, Overwrite::Replace));
    written.map(|_| ()).map_err(|fault| refuse(Exit::Output, fault))
}

/// The demo is an ordinary configuration, which stays there to be read and changed.
fn write_configuration(args: &DemoArgs, backend: SocketAddr) -> Result<PathBuf, Exit> {
    let text = format!(
        "# Written by `bountybox demo`; the backend is the demo's own and ends with it.\n\
         [[listen]]\naddress = \"{}\"\n\n[[certificate]]\nchain = \"chain.pem\"\nkey = \"key.pem\"\n\n[[route]]\nbackends = [\"{backend}\"]\n",
        args.listen
    );
    let file = args.dir.join("bountybox.toml");
    fs::write(&file, text).map_err(|fault| refuse(Exit::Output, format!("{} cannot be written: {fault}", file.display())))?;
    Ok(file)
}
