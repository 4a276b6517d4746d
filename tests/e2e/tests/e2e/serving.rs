//! What an operator configures, and sees in the log: listeners of both families, several backends, another machine, access records.

use core::net::{Ipv6Addr, SocketAddr};
use core::time::Duration;

use e2e::{Config, Outcome, Place, Running, backend, client, ensure};
use rustix::process::Signal;

fn ask(address: SocketAddr) -> Outcome {
    let answer = client::ask(&mut client::connect(address)?, "hello\n")?;
    ensure(answer == "answer to hello\n", format!("{address}: got {answer:?}"))
}

/// A second listener on IPv6 answers like the first, and both stand in the ready line.
pub(crate) fn two_listeners(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let second = SocketAddr::from((Ipv6Addr::LOCALHOST, place.front().port() + 100));
    let running = Running::start(place, &Config::one_route(&[answer.address()]).listen(second))?;
    let said = running.said();
    ensure(said.contains(&format!("https on {}, {second}", running.address())), said)?;
    ask(running.address())?;
    ask(second)?;
    ask(running.address())
}

/// Connections go round the backends of a route.
pub(crate) fn backends_in_turn(place: &Place) -> Outcome {
    const ASKED: u64 = 12;
    let (one, two) = (backend::answer()?, backend::answer()?);
    let running = Running::start(place, &Config::one_route(&[one.address(), two.address()]))?;
    for _ in 0..ASKED {
        ask(running.address())?;
    }
    let (first, second) = (one.accepted(), two.accepted());
    ensure(first + second == ASKED && first >= ASKED / 4 && second >= ASKED / 4, format!("{first} and {second} of {ASKED} connections"))
}

/// `--machine` on the command line wins over the configuration.
pub(crate) fn machine_of_the_command_line(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let config = Config::one_route(&[answer.address()]).argument("--machine").argument("process");
    let running = Running::start(place, &config)?;
    ensure(running.said().contains("(machine process, net "), running.said())?;
    ask(running.address())
}

/// The access record says who came, for which name, what was agreed on, and how much was carried.
pub(crate) fn access_record(place: &Place) -> Outcome {
    let answer = backend::answer()?;
    let mut running = Running::start(place, &Config::one_route(&[answer.address()]))?;
    let mut stream = client::connect(running.address())?;
    let own = stream.sock.local_addr()?.port();
    client::ask(&mut stream, "hello\n")?;
    drop(stream);
    running.signal(Signal::TERM)?;
    running.ended(Duration::from_secs(10))?;
    let said = running.said();
    let record = said.lines().find(|line| line.starts_with("access ")).ok_or_else(|| format!("no access record in:\n{said}"))?;
    let (port, backend) = (format!(":{own} "), format!("backend={} ", answer.address()));
    let words = [
        &*port,
        "sni=\"localhost\" ",
        "version=TLSv1.3 ",
        "suite=TLS_",
        "group=X25519MLKEM768 ",
        "resumed=false ",
        "route=\"default\" ",
        "bytes_up=6 ",
        "bytes_down=16 ",
        &*backend,
    ];
    for word in words {
        ensure(record.contains(word), format!("no {word:?} in {record}"))?;
    }
    ensure(running.counter("cell", "accepted")? == 1 && running.counter("ended", "done")? <= 1, said.clone())?;
    ensure(running.counter("back", "connects")? == 1, said)
}
