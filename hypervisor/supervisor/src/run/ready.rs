//! The ready line, and the same for a service manager that asks for it.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use tender::order::{Back, Front, Machine, Order};

use crate::run::opening::Opened;
use crate::terminal;

/// Says that the cell serves: where, on which machine, over which net.
pub(super) fn announce(opened: &Opened) {
    terminal::note(line(opened));
    // A service manager that is not there has nothing to be told.
    let _told = notify();
}

fn line(opened: &Opened) -> String {
    format!("ready: https on {} (machine {}, net {})", opened.addresses.join(", "), machine(&opened.order), net(&opened.order))
}

/// The machine's name.
pub(super) fn machine(order: &Order) -> &'static str {
    match order.machine {
        Machine::Kvm => "kvm",
        Machine::Process => "process",
    }
}

/// The net's name.
pub(super) fn net(order: &Order) -> &'static str {
    match (&order.front, &order.back) {
        (Front::User { .. }, Back::User { .. }) => "user",
        (Front::Tap { .. }, Back::User { .. }) => "tap, backends over user",
        (Front::Tap { .. }, Back::Tap { .. }) => "tap",
        (Front::User { .. }, Back::Tap { .. }) => "user, backends over tap",
    }
}

/// sd_notify(3): a path, or an abstract name behind `@`.
fn notify() -> std::io::Result<()> {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let name = name.to_string_lossy();
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name.as_bytes())?,
        None => SocketAddr::from_pathname(name.as_ref())?,
    };
    UnixDatagram::unbound()?.send_to_addr(b"READY=1", &address).map(|_| ())
}
