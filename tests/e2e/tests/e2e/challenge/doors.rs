//! The right peer at each door, with openssl and with rustls; what it gets; and whom the box calls back.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use arbiter::wallet::{Network, WalletKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use e2e::contest::{Contest, Door, find, public_half};
use e2e::peer::{self, Peer, accept, authority, connect, files, listen, right};
use e2e::{Outcome, Place, ensure};

/// OpenSSL and rustls are let in at each door, in both versions of TLS, and get the prize, which is what the manifest promises.
pub(crate) fn prizes(place: &Place) -> Outcome {
    let contest = Contest::lab(place)?;
    let from: Ipv4Addr = place.client().parse()?;
    let mut prizes = Vec::new();
    for door in Door::ALL {
        for (turn, version) in ["-tls1_3", "-tls1_2"].into_iter().enumerate() {
            prizes.push(openssl(&contest, door, from, version).map_err(|fault| format!("openssl at {door:?}, {version}: {fault}"))?);
            let shown = authority(&contest, door)?.make(&right(door));
            let (told, source) = Peer::new(&contest, door, &shown, turn)?.visit(&contest, from)?;
            ensure(told.is_prize(), format!("rustls at {door:?}, {version}: {:?}", told.fault))?;
            let end = contest.end_of(source)?;
            ensure(end == "released", end)?;
            prizes.push(told.plain);
        }
    }
    is_as_promised(&contest, &prizes[0])?;
    for (turn, prize) in prizes.iter().enumerate() {
        ensure(*prize == prizes[0], format!("prize {turn} is another: {}", String::from_utf8_lossy(prize)))?;
    }
    ensure(contest.released() == prizes.len(), format!("{} were released: {}", contest.released(), contest.running().said()))
}

/// The prize holds the flags of auth and wallet, by the manifest and by what the laboratory publishes.
fn is_as_promised(contest: &Contest, prize: &[u8]) -> Outcome {
    let prize = String::from_utf8(prize.to_vec())?;
    ensure(prize.starts_with(&format!("bountybox-prize 1\nmanifest {}\n", contest.digest()?)), prize.clone())?;
    let keys: Vec<String> = prize
        .split("-----BEGIN ")
        .skip(1)
        .map(|rest| {
            let rest =
                rest.split_inclusive('\n').take_while(|line| !line.starts_with("This") && !line.starts_with("The ")).collect::<String>();
            format!("-----BEGIN {rest}")
        })
        .collect();
    let [auth, wallet] = &keys[..] else { return Err(format!("{} keys in the prize", keys.len()).into()) };
    ensure(*auth == contest.text("lab/auth.pem")? && *wallet == contest.text("lab/wallet.pem")?, "other keys than the laboratory's")?;
    for (tier, key) in [("auth", auth), ("wallet", wallet)] {
        let flag = BASE64_STANDARD.encode(public_half(key)?);
        ensure(flag == contest.manifest(&format!("{tier}.flag"))?, format!("{flag} is not the flag of {tier}"))?;
    }
    let flag: [u8; 33] = BASE64_STANDARD.decode(contest.manifest("wallet.flag")?)?.try_into().map_err(|_| "no point of a curve")?;
    let address = WalletKey::new(&flag).map_err(|_| "no point of the curve")?.address(Network::Regtest);
    ensure(address == contest.manifest("wallet.address")?, address)
}

/// What openssl reads at a door: `s_client` at the server's, `s_server` at the others. Each verifies the box's certificate.
fn openssl(contest: &Contest, door: Door, from: Ipv4Addr, version: &str) -> Outcome<Vec<u8>> {
    let dir = tempfile::tempdir()?;
    let shown = files(&authority(contest, door)?.make(&right(door)), dir.path())?;
    let trusted = contest.path(&format!("public/authority-{}.pem", door.issuer().word())).display().to_string();
    let mut command = Command::new("openssl");
    if door == Door::Server {
        command.args(["s_client", "-connect", &contest.door(door).to_string(), "-verify_hostname", &door.own()]);
        command.args(["-quiet", "-verify_return_error", "-CAfile", &trusted, version]).args(shown);
        let output = command.stdin(Stdio::piped()).output()?;
        ensure(output.status.success(), String::from_utf8_lossy(&output.stderr))?;
        return Ok(output.stdout);
    }
    // At the call-back's door it is called itself, at the other over a connection that is made for it. It ends as soon as it has nothing more to read from us, so
    // its input stays open.
    let port = if door == Door::CallBack { contest.dials() } else { free(from)? };
    command.args(["s_server", "-accept", &format!("{from}:{port}"), "-naccept", "1", "-quiet", "-Verify", "1", "-verify_return_error"]);
    let out = dir.path().join("out");
    command.args(["-CAfile", &trusted, version]).args(shown).stdin(Stdio::piped()).stdout(fs::File::create(&out)?);
    let mut server = Ended(command.stderr(Stdio::null()).spawn()?);
    is_listening(SocketAddr::from((from, port)))?;
    if door == Door::CallBack {
        let knocked = connect(from, contest.door(door))?;
        server.within(Duration::from_secs(10))?;
        let end = contest.end_of(knocked.local_addr()?)?;
        ensure(end == "released", end)?;
    } else {
        let (behind, before) = (TcpStream::connect((from, port))?, connect(from, contest.door(door))?);
        peer::bridge(&before, &behind, |_| ())?;
        server.within(Duration::from_secs(10))?;
    }
    Ok(fs::read(out)?)
}

/// A process that does not outlive the test.
struct Ended(Child);

impl Ended {
    fn within(&mut self, patience: Duration) -> Outcome {
        let end = Instant::now() + patience;
        while self.0.try_wait()?.is_none() {
            ensure(Instant::now() < end, "openssl does not end")?;
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free(at: Ipv4Addr) -> Outcome<u16> {
    Ok(TcpListener::bind((at, 0))?.local_addr()?.port())
}

/// Waits until somebody listens, without a connection: `-naccept` counts them.
fn is_listening(address: SocketAddr) -> Outcome {
    let SocketAddr::V4(v4) = address else { return Err("an address of IPv4 is wanted".into()) };
    let entry = format!("{:08X}:{:04X} 00000000:0000 0A", u32::from_le_bytes(v4.ip().octets()), v4.port());
    let end = Instant::now() + Duration::from_secs(10);
    while !fs::read_to_string("/proc/thread-self/net/tcp")?.contains(&entry) {
        ensure(Instant::now() < end, format!("nobody listens on {address}"))?;
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Whoever knocks is called back at his own address and the port that was promised, and nobody else is.
pub(crate) fn calls_back(place: &Place) -> Outcome {
    let contest = Contest::lab(place)?;
    let (one, two) = (Ipv4Addr::new(127, 0, 9, 1), Ipv4Addr::new(127, 0, 9, 2));
    let shown = authority(&contest, Door::CallBack)?.make(&right(Door::CallBack));
    let peer = Peer::new(&contest, Door::CallBack, &shown, 0)?;
    // All of them listen: who knocks, somebody else, and who knocks on the port beside the promised one.
    let promised = [listen(one, contest.dials())?, listen(two, contest.dials())?];
    let others = [listen(one, contest.dials() - 2)?, listen(one, contest.dials() + 1)?];
    for (at, from) in [one, two, one].into_iter().enumerate() {
        let mut knocked = connect(from, contest.door(Door::CallBack))?;
        let (called, by) = accept(&promised[usize::from(from == two)])?;
        ensure(by.ip() == contest.door(Door::CallBack).ip(), format!("called by {by}"))?;
        let told = peer.talk(called)?;
        ensure(told.is_prize(), format!("call {at}: {:?}", told.fault))?;
        // The connection that knocked has been ended in order, and nothing was said on it.
        let mut nothing = Vec::new();
        knocked.read_to_end(&mut nothing)?;
        ensure(nothing.is_empty(), format!("{nothing:?} to whoever knocked"))?;
        let end = contest.end_of(knocked.local_addr()?)?;
        ensure(end == "released", end)?;
    }
    let [first, second] = promised;
    for listener in others.into_iter().chain([first, second]) {
        let address = listener.local_addr()?;
        let called = listener.accept();
        ensure(called.is_err_and(|fault| fault.kind() == std::io::ErrorKind::WouldBlock), format!("{address} was called as well"))?;
    }
    Ok(())
}

/// Who shows nothing, speaks no TLS, or does not listen where he is called back, gets no prize at any door.
pub(crate) fn strangers(place: &Place) -> Outcome {
    let contest = Contest::lab(place)?;
    let from: Ipv4Addr = place.client().parse()?;
    for version in ["-tls1_3", "-tls1_2"] {
        let output = Command::new("openssl")
            .args(["s_client", "-quiet", version, "-connect", &contest.door(Door::Server).to_string()])
            .stdin(Stdio::piped())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure(output.stdout.is_empty() && said.contains("alert"), format!("{version}: {said}"))?;
    }
    for door in [Door::Server, Door::Reverse] {
        let mut tcp = connect(from, contest.door(door))?;
        std::io::Write::write_all(&mut tcp, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut said = Vec::new();
        let _ = tcp.read_to_end(&mut said);
        ensure(find(&said, b"prize").is_none(), format!("{door:?}: {said:?}"))?;
        let end = contest.end_of(tcp.local_addr()?)?;
        ensure(end != "released", format!("{door:?}: {end}"))?;
    }
    let mut knocked = connect(from, contest.door(Door::CallBack))?;
    let mut nothing = Vec::new();
    knocked.read_to_end(&mut nothing)?;
    let end = contest.end_of(knocked.local_addr()?)?;
    ensure(nothing.is_empty() && end == "not_answered", format!("{nothing:?}, {end}"))?;
    ensure(contest.released() == 0, contest.running().said())
}
