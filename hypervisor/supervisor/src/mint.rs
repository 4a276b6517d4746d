//! `bountybox mint`: makes an authority and a server certificate, and says where they are.

use core::time::Duration;

use keys::mint::{Algorithm, MintFault, Order, Overwrite};

use crate::cli::{KeyKind, MintArgs, unix_now};
use crate::exit::Exit;
use crate::terminal;

pub(crate) fn mint(args: &MintArgs) -> Exit {
    let algorithm = match args.key {
        KeyKind::P256 => Algorithm::EcdsaP256,
        KeyKind::P384 => Algorithm::EcdsaP384,
        KeyKind::Ed25519 => Algorithm::Ed25519,
    };
    let validity = Duration::from_secs(u64::from(args.days).saturating_mul(24 * 3600));
    let order = Order { names: &args.names, algorithm, now: unix_now(), validity };
    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    match keys::mint::mint(&order).and_then(|minted| minted.write(&args.dir, overwrite)) {
        Ok(files) => {
            files.iter().for_each(|file| terminal::result(file.display()));
            Exit::Success
        }
        Err(fault) => refuse(&fault),
    }
}

fn refuse(fault: &MintFault) -> Exit {
    terminal::note(format!("error: {fault}"));
    let (advice, exit) = match fault {
        MintFault::Name(_) | MintFault::TooManyNames | MintFault::Validity => {
            ("give host names, `*.` and a host name, or IP addresses, and 1 to 3650 days", Exit::Usage)
        }
        MintFault::Exists(_) => ("choose another --dir, or write over it with --force", Exit::Output),
        MintFault::Write(..) => ("choose a --dir that can be written to", Exit::Output),
        MintFault::Making => ("this is a fault of bountybox; please report it", Exit::Internal),
    };
    terminal::note(format!("  advice: {advice}"));
    exit
}
