//! The page's process: what it has, what it may do, and what becomes of the contest when it ends.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::fs;
use std::time::Instant;

use e2e::contest::{Contest, openssl};
use e2e::running::PAGE;
use e2e::{Outcome, Place, ensure};

use crate::secrets::{memory_of, needle};

const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 7, 1);

/// It is another process than the one that has the keys, sees no file, and holds no descriptor but sockets and what waits for them. Killed, it comes back, and the log has not noticed.
pub(crate) fn is_jailed_and_comes_back(place: &Place) -> Outcome {
    let contest = Contest::lab(place)?;
    ensure(contest.curl(FROM, "/", &[])?.status == 200, "no page")?;
    for round in 1..=2 {
        let running = contest.running();
        let pid = running.process(PAGE)?;
        is_jailed(pid)?;
        knows_no_flag(&contest, pid)?;
        ensure(running.kill(PAGE)? == pid, "another one already")?;
        running.wait_for_count("page: jailed", 1 + round, Duration::from_secs(10))?;
        ensure(running.process(PAGE)? != pid, "the killed one is still there")?;
        let answer = contest.curl(FROM, "/facts.json", &[])?;
        ensure(answer.status == 200, format!("{}: {}", answer.status, answer.text()))?;
    }
    // Nobody but the page has noticed.
    ensure(contest.entries()?.iter().all(|entry| e2e::contest::find(entry, b"\nkind restart\n").is_none()), "the log has a restart")?;
    contest.wait_for_entries("heartbeat", 2)?;
    let dir = tempfile::tempdir()?;
    contest.fetch_log(dir.path())?;
    let output = contest.log_verify(dir.path(), &[])?;
    ensure(output.status.success(), String::from_utf8_lossy(&output.stdout))?;
    ends_with_the_box(contest)
}

fn is_jailed(pid: u32) -> Outcome {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    for line in ["Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000"] {
        ensure(status.lines().any(|has| has == line), format!("not {line} in:\n{status}"))?;
    }
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))?.flatten();
    for task in tasks {
        let status = fs::read_to_string(task.path().join("status"))?;
        ensure(status.contains("\nSeccomp:\t2\n"), format!("a thread without a filter:\n{status}"))?;
    }
    for descriptor in fs::read_dir(format!("/proc/{pid}/fd"))?.flatten() {
        let is = fs::read_link(descriptor.path())?.display().to_string();
        let number: u32 = descriptor.file_name().to_string_lossy().parse()?;
        let fits = number <= 2 || is.starts_with("socket:") || is == "anon_inode:[eventpoll]" || is == "anon_inode:[eventfd]";
        ensure(fits, format!("descriptor {number} is {is}"))?;
    }
    ensure(fs::read_dir(format!("/proc/{pid}/root"))?.count() == 0, "its root has files")
}

/// Nothing that the supervisor signs with is in its memory; it is in the supervisor's, as the same search finds.
fn knows_no_flag(contest: &Contest, page: u32) -> Outcome {
    let flags = ["exec", "escape", "down"].map(|tier| {
        let path = contest.path(&format!("lab/{tier}.pem")).display().to_string();
        let der = openssl(&["pkey", "-in", &path, "-outform", "DER"], &[])?;
        // RFC 8410: the seed is what stands last.
        Ok(needle(tier, der.last_chunk::<32>().ok_or("no key of Ed25519")?))
    });
    let flags = flags.into_iter().collect::<Outcome<Vec<_>>>()?;
    let supervisor = *contest.running().processes().first().ok_or("no supervisor")?;
    let (there, here) = (memory_of(supervisor, &flags)?, memory_of(page, &flags)?);
    ensure(there == ["down", "escape", "exec"], format!("the search is blind: {there:?}"))?;
    ensure(here.is_empty(), format!("the page's process knows {here:?}"))
}

/// A supervisor that is killed takes the page with it.
fn ends_with_the_box(mut contest: Contest) -> Outcome {
    let pid = contest.running().process(PAGE)?;
    contest.running().signal(rustix::process::Signal::KILL)?;
    contest.running_mut().ended(Duration::from_secs(10))?;
    let end = Instant::now() + Duration::from_secs(10);
    while e2e::memory::name(pid) == PAGE {
        ensure(Instant::now() < end, "the page is still served by a process without a box")?;
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
