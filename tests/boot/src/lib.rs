//! The shipped image on a machine, without a tender: what the tests of its boot need.
//!
//! [`Guest`] loads `target/image/bountybox.elf`, which `make image` builds, lets it take turns, and reads its log. [`bundle`] is a bundle
//! that it accepts. Nothing here opens a socket.
#![forbid(unsafe_code)]

pub mod harnessed;

use core::convert::Infallible;
use core::iter;
use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use abi::limits::{HEAP_LEN_MIN, SEED_LEN};
use abi::log::HEADER_LEN;
use defmt_decoder::{DecodeError, Table};
use keys::Secret;
use keys::bundle::{Bundle, Certificate, Cidr, Gateway, Limits, Link, LinkKind, Listener, Memory, Mode, ProxyOut, Route, Tls, Upstream};
use machine::{Cell, Exit, Image, Jailed, Kind, Parcel};
use zeroize::Zeroizing;

/// How long one turn may take. Generous: a debug build of the machine on a busy host.
const BUDGET: Duration = Duration::from_secs(20);

/// Where the image lies.
#[must_use]
pub fn image_path() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    target.join("image/bountybox.elf")
}

/// The image's file.
#[must_use]
pub fn image_file() -> Vec<u8> {
    let path = image_path();
    fs::read(&path).unwrap_or_else(|fault| unreachable!("{}: {fault}; build it with `make image`", path.display()))
}

/// A guest on a machine.
#[expect(missing_debug_implementations, reason = "the table of format strings is long and says nothing")]
pub struct Guest {
    cell: Cell<Jailed>,
    table: Table,
    /// The log so far, a line a frame.
    pub log: Vec<String>,
}

impl Guest {
    /// Loads the image with this seed and bundle; the tender's clock stands at `unix`.
    #[must_use]
    pub fn load(kind: Kind, seed: [u8; SEED_LEN], bundle: &[u8], unix: Duration) -> Self {
        Self::load_file(&image_file(), kind, HEAP_LEN_MIN, seed, bundle, unix)
    }

    /// The same for any image and heap.
    #[must_use]
    pub fn load_file(file: &[u8], kind: Kind, heap_len: usize, seed: [u8; SEED_LEN], bundle: &[u8], unix: Duration) -> Self {
        let parcel = Parcel { heap_len, seed: Zeroizing::new(seed), bundle: Zeroizing::new(bundle.to_vec()), draw: None, contest: None };
        Self::load_parcel(file, kind, parcel, unix)
    }

    /// The same for any parcel.
    #[must_use]
    pub fn load_parcel(file: &[u8], kind: Kind, parcel: Parcel, unix: Duration) -> Self {
        let image = Image::parse(file).expect("the image is one of ours");
        let cell = Cell::load(kind, &image, parcel).expect("the machine is there");
        let mut cell = cell.jailed(|| Ok::<(), Infallible>(())).expect("no jail, no failure");
        cell.set_time(Duration::ZERO, unix);
        let table = Table::parse(file).expect("a table of format strings").expect("a .defmt section");
        Self { cell, table, log: Vec::new() }
    }

    /// Lets the guest run to its next hypercall, and takes its log.
    pub fn turn(&mut self) -> Exit {
        let exit = self.cell.run(BUDGET).expect("the machine works");
        if exit == Exit::Sealed {
            self.cell.seal().expect("the secrets can be taken away");
        }
        let lines = self.take_log();
        self.log.extend(lines);
        exit
    }

    /// The cell, for windows, time and requests.
    pub fn cell(&mut self) -> &mut Cell<Jailed> {
        &mut self.cell
    }

    fn take_log(&mut self) -> Vec<String> {
        let window = self.cell.log();
        let len = window.first_chunk::<4>().map_or(0, |field| u32::from_le_bytes(*field));
        let frames = window.get(HEADER_LEN..).and_then(|rest| rest.get(..usize::try_from(len).ok()?)).unwrap_or_default().to_vec();
        window[..HEADER_LEN].fill(0);
        let mut decoder = self.table.new_stream_decoder();
        decoder.received(&frames);
        iter::from_fn(|| match decoder.decode() {
            Ok(frame) => Some(frame.display(false).to_string()),
            Err(DecodeError::UnexpectedEof) => None,
            Err(DecodeError::Malformed) => Some("(malformed)".to_owned()),
        })
        .collect()
    }
}

/// A bundle with one self-signed certificate, one listener and one backend.
#[must_use]
pub fn bundle() -> Bundle {
    let minted = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a name");
    Bundle {
        front: link([10, 0, 2, 15], [10, 0, 2, 2], 1),
        back: link([10, 0, 3, 15], [10, 0, 3, 2], 2),
        listeners: vec![Listener { address: None, port: 8443, known_as: None, proxy_from: Vec::new() }],
        certificates: vec![Certificate {
            chain: vec![minted.cert.der().to_vec()],
            key: Secret::new(minted.signing_key.serialize_der()),
            names: vec![NAME.to_owned()],
        }],
        routes: vec![Route {
            name: "default".into(),
            sni: Vec::new(),
            alpn: Vec::new(),
            mode: Mode::Terminate,
            certificates: vec![0],
            client: None,
            backends: vec![([100, 64, 0, 1], 80).into()],
            upstream: Upstream::default(),
            proxy: ProxyOut::Off,
        }],
        tls: Tls::default(),
        ticket_key: None,
        limits: MEMORY.fit(Limits::default()),
        memory: MEMORY,
        contest: None,
    }
}

/// The smallest heap there is.
const MEMORY: Memory = Memory(HEAP_LEN_MIN as u64);

/// The certificate's name.
const NAME: &str = "example.test";

fn link(address: [u8; 4], gateway: [u8; 4], last: u8) -> Link {
    Link {
        kind: LinkKind::User,
        mac: [2, 0, 0, 0, 0, last],
        addresses: vec![Cidr { address: address.into(), prefix_len: 24 }],
        gateways: vec![Gateway { address: gateway.into(), mac: Some([2, 0, 0, 0, 1, last]) }],
        mtu: 1500,
        offload: true,
    }
}
