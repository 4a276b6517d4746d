//! The specimen: a box that is there to be tried, from its image on, on a machine of this process' own. `fuzz` and `target` share it.

mod plain;

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::path::PathBuf;

use clap::Args;
use harness::limits::HEAP_LEN;
use harness::subject::{Fault, Order, Stage, Subject};
use harness::verdict::{Secrets, Verdict};
use harness::visit::{self, Links};
use harness::wire::Ends;
use harness::{Crash, Kind};
use keys::SignerFault;
use keys::bundle::{Bundle, Link};
use zeroize::Zeroizing;

use crate::cli::unix_now;
use crate::exit::Exit;
use crate::limits::CLOCK_S_MAX;
use crate::plan::MachineKind;
use crate::run::refuse;
use crate::{config, image, terminal};

/// Which box, and where.
#[derive(Debug, Clone, Args)]
pub struct SpecimenArgs {
    /// The guest image, instead of the embedded one; AFL++ wants one that counts: `appliance/build-image fuzz`.
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// A configuration whose box is tried, instead of one with a throw-away key.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The machine.
    #[arg(long, value_enum, value_name = "KIND", default_value_t = MachineKind::Process)]
    pub machine: MachineKind,
    /// What the guest's randomness and its address space come from.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// What its clock says at its start, in seconds since 1970. Without it that of a box of --config says the present, and the built-in one's is always the same.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=CLOCK_S_MAX))]
    pub clock: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Specimen {
    pub(crate) subject: Subject,
    /// What stands at the other ends of its links.
    pub(crate) links: Links,
    /// The first name that it answers to, if it has any.
    pub(crate) name: Option<String>,
}

impl SpecimenArgs {
    /// Brings it to its stage.
    pub(crate) fn start(&self, stage: Stage) -> Result<Specimen, Exit> {
        let image = image::read_to_run(self.image.as_deref())?;
        // Whole seconds, so that a finding's command can name the same.
        let present = || if self.config.is_some() { unix_now().as_secs() } else { plain::UNIX_S };
        let unix = Duration::from_secs(self.clock.unwrap_or_else(present));
        let (bundle, heap_len) = match &self.config {
            None => (plain::bundle(), HEAP_LEN),
            Some(file) => {
                let plan = config::load(file, unix).map_err(|report| {
                    report.lines().for_each(terminal::note);
                    report.exit()
                })?;
                (plan.bundle, plan.heap_len)
            }
        };
        let ends = ends(&bundle)
            .ok_or_else(|| refuse(Exit::Config, "the box has no IPv4 address to listen on, and clients of the fuzzer speak IPv4"))?;
        let secrets = secrets(&bundle).map_err(|fault| refuse(Exit::Key, fault))?;
        let links = links(&bundle);
        let name = bundle.certificates.iter().find_map(|certificate| certificate.names.first().cloned());
        let encoded = bundle.encode().map_err(|fault| refuse(Exit::Config, fault))?;
        let order = Order {
            kind: Kind::Process,
            stage,
            seed: self.seed,
            bundle: Zeroizing::new(encoded.expose().to_vec()),
            heap_len,
            unix,
            ends,
            contest: None,
        };
        let on = |kind| Subject::start(Order { kind, ..order.clone() }, &image, Secrets::clone(&secrets));
        let subject = match self.machine {
            MachineKind::Kvm => on(Kind::Kvm),
            MachineKind::Process => on(Kind::Process),
            MachineKind::Auto => match tender::probe(tender::order::Machine::Kvm, &image) {
                Ok(()) => on(Kind::Kvm),
                Err(fault) => {
                    terminal::note(format!("machine: process, as kvm is not to be had: {fault}"));
                    on(Kind::Process)
                }
            },
        }
        .map_err(|fault| of_subject(&fault))?;
        Ok(Specimen { subject, links, name })
    }
}

/// The verdict, and where in the image a crash happened.
pub(crate) fn tell(verdict: &Verdict, subject: &Subject) -> String {
    match verdict {
        Verdict::Crash(crash) => format!("{verdict}{}", place(crash, subject)),
        _ => verdict.to_string(),
    }
}

/// What tells one finding from another: a crash is the same at the same place, whatever the registers hold.
pub(crate) fn mark(verdict: &Verdict, subject: &Subject) -> String {
    match verdict {
        Verdict::Crash(crash) => format!("{}{}", crash.cause, place(crash, subject)),
        _ => verdict.to_string(),
    }
}

fn place(crash: &Crash, subject: &Subject) -> String {
    let offset = crash.registers.rip.wrapping_sub(crash.image_base);
    subject.image().symbol(offset).map_or_else(|| format!(" at {offset:#x}"), |(name, distance)| format!(" in {name}+{distance:#x}"))
}

/// Says why there is nothing to try.
pub(crate) fn of_subject(fault: &Fault) -> Exit {
    let exit = match fault {
        _ if fault.is_of_the_image() => Exit::Image,
        Fault::Load(_) | Fault::Host(_) => Exit::Machine,
        Fault::Stage(_) => Exit::Guest,
    };
    refuse(exit, fault)
}

/// The first listener that an IPv4 client reaches, and a client behind the first gateway.
fn ends(bundle: &Bundle) -> Option<Ends> {
    const CLIENT: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 7), 50_000);
    let v4 = |address: IpAddr| match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    };
    let own = bundle.front.addresses.iter().find_map(|cidr| v4(cidr.address));
    let guest = bundle.listeners.iter().find_map(|listener| {
        let address = listener.address.map_or(own, v4)?;
        Some((address, listener.port))
    })?;
    Some(Ends { guest_mac: bundle.front.mac, gateway_mac: gateway_mac(&bundle.front), guest, client: CLIENT })
}

/// The secret numbers of its keys. The rest of a key is public: TLS 1.2 sends an RSA modulus in the clear.
fn secrets(bundle: &Bundle) -> Result<Secrets, SignerFault> {
    let mut secrets = Secrets::default();
    for certificate in &bundle.certificates {
        keys::secret_numbers(&certificate.key)?.into_iter().for_each(|number| secrets.watch("a private key", number));
    }
    Ok(secrets)
}

/// The other ends of its links, as the bundle describes them.
fn links(bundle: &Bundle) -> Links {
    let backends = bundle.routes.iter().flat_map(|route| &route.backends).copied();
    let mut backends: Vec<_> = backends.collect();
    backends.sort_unstable();
    backends.dedup();
    Links { front: other_end(&bundle.front), back: other_end(&bundle.back), backends }
}

fn other_end(link: &Link) -> visit::Link {
    visit::Link {
        guest_mac: link.mac,
        guest: link.addresses.iter().map(|cidr| cidr.address).collect(),
        mac: gateway_mac(link),
        addresses: link.gateways.iter().map(|gateway| gateway.address).collect(),
        mtu: link.mtu,
    }
}

fn gateway_mac(link: &Link) -> [u8; 6] {
    const SOME_GATEWAY: [u8; 6] = [2, 0xbb, 0, 0, 0, 0xfe];
    link.gateways.iter().find_map(|gateway| gateway.mac).unwrap_or(SOME_GATEWAY)
}

/// Two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_watched_for_and_its_certificate_is_not() {
        let bundle = plain::bundle();
        let secrets = secrets(&bundle).expect("keys");
        let certificate = &bundle.certificates[0];
        assert_eq!(secrets.found_in(certificate.key.expose()), Some("a private key"));
        assert_eq!(secrets.found_in(&certificate.chain[0]), None);
    }
}
