//! What must not leave the box, and what must not stay in it (ATTACKS H3): keys, their parts, ticket secrets, the secrets of sessions that are over.
//!
//! The scanner is shown first that it finds what is there.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use e2e::eye::{ADMIN, Eye};
use e2e::{Config, Machine, Outcome, Place, Running, TAP, backend, client, ensure, keys_dir};
use rawnet::Wire;
use rustix::process::Signal;
use rustls_std::pki_types::pem::PemObject as _;
use rustls_std::pki_types::{CertificateDer, PrivateKeyDer};
use rustls_std::{ClientConfig, KeyLog};

const PATIENCE: Duration = Duration::from_secs(20);
/// What nobody may see but the client and the backend.
const CANARY: &str = "canary-5d0f7c1be2a94386";
/// So many bytes of a process are read at once, and so many again, where a needle may lie across.
const CHUNK_LEN: usize = 1 << 20;
const OVERLAP_LEN: usize = 256;
const PAGE_LEN: usize = 4096;
const ZEROS: [u8; PAGE_LEN] = [0; PAGE_LEN];

/// Something to look for.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    what: String,
    bytes: Vec<u8>,
}

pub(crate) fn stay_inside(place: &Place) -> Outcome {
    let (dir, answer, keys) = (tempfile::tempdir()?, backend::answer()?, keys_dir()?);
    let ticket_key: String = (0..32_u8).map(|n| format!("{:02x}", n.wrapping_mul(151).wrapping_add(43))).collect();
    let ticket_file = dir.path().join("tickets.key");
    fs::write(&ticket_file, &ticket_key)?;
    let recorder = Recorder::start()?;
    let config = Config::one_route(&[answer.address()]).more(ADMIN).more(&format!("[tls]\nticket_key = {ticket_file:?}\n"));
    let running = Running::start(place, &config)?;
    let eye = Eye::new(&running)?;

    let mut sessions = talk(&running)?;
    running.signal(Signal::HUP)?;
    running.wait_for("reloaded: new connections", PATIENCE)?;
    sessions.extend(talk(&running)?);
    eye.wait_for("bountybox_connections", &[], |count| count == 0.0)?;

    let mut own = key_parts(&keys.join("key.pem"))?;
    own.push(needle("the ticket key", &unhex(&ticket_key)));
    own.push(needle("the ticket key's text", ticket_key.as_bytes()));
    let canary = needle("the plaintext", CANARY.as_bytes());
    let all: Vec<Needle> = own.iter().chain(&sessions).chain([&canary]).cloned().collect();

    let wire = recorder.stop()?;
    ensure(find(&wire, &[needle("a name in the clear", b"localhost")]).len() == 1, "the recorder heard no hello")?;
    let status = eye.command(&["status", "--json"])?;
    let mut told = vec![("the wire".to_owned(), wire), ("the log".to_owned(), running.said().into_bytes())];
    told.push(("metrics".to_owned(), eye.get("/metrics")?.1.into_bytes()));
    told.push(("status".to_owned(), [status.stdout, status.stderr].concat()));
    for pid in running.processes() {
        for file in ["cmdline", "environ", "maps", "status"] {
            told.push((format!("{file} of process {pid}"), fs::read(format!("/proc/{pid}/{file}"))?));
        }
    }
    let mut hits = Vec::new();
    for (place, bytes) in &told {
        hits.extend(find(bytes, &all).into_iter().map(|what| format!("{what} in {place}")));
    }
    let chain = CertificateDer::from_pem_file(keys.join("chain.pem"))?;
    hits.extend(remembered(place, &running, &own, &sessions, &needle("the certificate", chain.as_ref()))?);
    ensure(hits.is_empty(), format!("{hits:#?}"))
}

/// What the box's processes still know: all of them of sessions that are over, and the tender, where the guest's memory is not mapped into it, of the keys
/// that went through its hands. (The supervisor has them, for the next cell.)
fn remembered(place: &Place, running: &Running, own: &[Needle], sessions: &[Needle], control: &Needle) -> Outcome<Vec<String>> {
    let (mut hits, mut found) = (Vec::new(), false);
    for (n, pid) in running.processes().into_iter().enumerate() {
        let is_tender_alone = place.machine == Machine::Process && n == 1;
        let own = if is_tender_alone { own } else { &[] };
        let needles: Vec<Needle> = own.iter().chain(sessions).chain([control]).cloned().collect();
        for what in memory_of(pid, &needles)? {
            if what == control.what {
                found = true;
            } else {
                hits.push(format!("{what} in the memory of process {pid} (number {n} of the box)"));
            }
        }
    }
    ensure(found, "no process of the box has its certificate in memory: the scanner is blind")?;
    Ok(hits)
}

/// Sessions of both versions, full and resumed; gives the secrets of all of them.
fn talk(running: &Running) -> Outcome<Vec<Needle>> {
    let mut secrets = Vec::new();
    for (version, config) in [("1.3", client::config(None)?), ("1.2", client::tls12_only()?)] {
        let log = Arc::new(Notes::default());
        let mut config = ClientConfig::clone(&config);
        config.key_log = Arc::<Notes>::clone(&log);
        let config = Arc::new(config);
        for _ in 0..2 {
            let mut stream = client::connect_as(running.address(), "localhost", &config)?;
            let line = format!("{CANARY}\n");
            ensure(client::ask(&mut stream, &line)? == format!("answer to {line}"), "no answer")?;
        }
        let notes = log.0.lock().unwrap_or_else(PoisonError::into_inner);
        ensure(notes.len() >= 2, format!("TLS {version}: secrets of {} sessions", notes.len()))?;
        for (label, secret) in notes.iter() {
            secrets.push(needle(&format!("TLS {version}: {label}"), secret));
            secrets.extend(traffic_keys(version, label, secret));
        }
    }
    Ok(secrets)
}

/// The AEAD keys that come of a traffic secret of TLS 1.3 (RFC 8446 section 7.3), for suites with either hash.
fn traffic_keys(version: &str, label: &str, secret: &[u8]) -> Option<Needle> {
    use aws_lc_rs::hkdf::{HKDF_SHA256, HKDF_SHA384, KeyType, Prk};
    struct Len(usize);
    impl KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }
    let (algorithm, key_len) = match (label.contains("TRAFFIC"), secret.len()) {
        (true, 32) => (HKDF_SHA256, 16),
        (true, 48) => (HKDF_SHA384, 32),
        _ => return None,
    };
    let info = [&[0, u8::try_from(key_len).ok()?, 9][..], b"tls13 key", &[0]].concat();
    let mut key = vec![0; key_len];
    Prk::new_less_safe(algorithm, secret).expand(&[&info], Len(key_len)).ok()?.fill(&mut key).ok()?;
    Some(needle(&format!("TLS {version}: the key of {label}"), &key))
}

/// A private key of P-256 as it lies in its file, its number, that number as a machine holds it, and both halves of each.
fn key_parts(file: &Path) -> Outcome<Vec<Needle>> {
    let der = PrivateKeyDer::from_pem_file(file)?;
    let der = der.secret_der();
    // ECPrivateKey (RFC 5915): version 1, and the number in 32 bytes.
    let head = [2, 1, 1, 4, 32];
    let at = der.windows(head.len()).position(|window| window == head).ok_or("no P-256 key")? + head.len();
    let number = der.get(at..at + 32).ok_or("a key that is cut")?;
    let limbs: Vec<u8> = number.iter().rev().copied().collect();
    let text = fs::read_to_string(file)?;
    let body = text.lines().nth(1).ok_or("no key in the file")?;
    let mut parts = vec![needle("the key's text", body.as_bytes())];
    for (what, bytes) in [("the private number", number), ("the private number's limbs", &limbs)] {
        let (first, second) = bytes.split_at(16);
        parts.extend([needle(&format!("{what}, first half"), first), needle(&format!("{what}, second half"), second)]);
    }
    Ok(parts)
}

/// Something to look for.
pub(super) fn needle(what: &str, bytes: &[u8]) -> Needle {
    Needle { what: what.to_owned(), bytes: bytes.iter().take(OVERLAP_LEN).copied().collect() }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).filter_map(|n| u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()).collect()
}

/// The names of those that occur.
fn find(hay: &[u8], needles: &[Needle]) -> Vec<String> {
    let mut found = Vec::new();
    let mut sought: Vec<&Needle> = needles.iter().collect();
    // Most places of the hay are the beginning of none.
    let mut begins = vec![false; 1 << 16];
    let begin = |bytes: &[u8]| bytes.first_chunk().map_or(0, |pair| usize::from(u16::from_le_bytes(*pair)));
    sought.iter().for_each(|needle| begins[begin(&needle.bytes)] = true);
    // Most pages of a process are empty.
    let pages = (0..hay.len()).step_by(PAGE_LEN).filter(|at| !ZEROS.starts_with(&hay[*at..hay.len().min(at + PAGE_LEN)]));
    for at in pages.flat_map(|at| at..hay.len().min(at + PAGE_LEN)) {
        let rest = &hay[at..];
        if begins[begin(rest)] {
            sought.retain(|needle| {
                let here = rest.starts_with(&needle.bytes);
                found.extend(here.then(|| needle.what.clone()));
                !here
            });
        }
    }
    found
}

/// The same in a process' memory.
pub(super) fn memory_of(pid: u32, needles: &[Needle]) -> Outcome<Vec<String>> {
    let (maps, memory) = (fs::read_to_string(format!("/proc/{pid}/maps"))?, File::open(format!("/proc/{pid}/mem"))?);
    let (mut found, mut chunk) = (Vec::new(), vec![0; CHUNK_LEN + OVERLAP_LEN]);
    for line in maps.lines().filter(|line| !line.contains("[v")) {
        let (from, to) = line.split(' ').next().and_then(|range| range.split_once('-')).ok_or("a line of maps without a range")?;
        let (mut at, to) = (u64::from_str_radix(from, 16)?, u64::from_str_radix(to, 16)?);
        while at < to {
            // What may not be read, or has no page, holds nothing.
            let len = memory.read_at(&mut chunk, at).unwrap_or(0);
            found.extend(find(chunk.get(..len).unwrap_or_default(), needles));
            at += CHUNK_LEN as u64;
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Secrets as the client's TLS tells them.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<(String, Vec<u8>)>>);

impl KeyLog for Notes {
    fn log(&self, label: &str, _client_random: &[u8], secret: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((label.to_owned(), secret.to_vec()));
    }
}

/// Hears the place's link, in a thread of its own.
struct Recorder {
    over: Arc<AtomicBool>,
    thread: JoinHandle<std::io::Result<Vec<u8>>>,
}

impl Recorder {
    fn start() -> Outcome<Self> {
        let mut wire = Wire::open(TAP)?;
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut heard = Vec::new();
            while !seen.load(Ordering::Relaxed) {
                while let Some(frame) = wire.receive(Instant::now() + Duration::from_millis(50))? {
                    heard.extend_from_slice(frame);
                }
            }
            Ok(heard)
        });
        Ok(Self { over, thread })
    }

    /// Everything that it heard, one frame behind the other.
    fn stop(self) -> Outcome<Vec<u8>> {
        self.over.store(true, Ordering::Relaxed);
        Ok(self.thread.join().map_err(|_| "the recorder panicked")??)
    }
}
