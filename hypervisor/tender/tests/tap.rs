//! The TAP net against the kernel's own stack, in a network namespace that this test makes. Without a harness, for it runs itself anew in there.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test without the harness")]

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::Instant;

use queue::{Batch, Frame, Offload, frames};
use tender::egress::{Egress, Link};
use tender::nets::Net;
use tender::nets::tap::{self, Tap};
use tender::order::Wire;
use tender::poller::Poller;

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const GUEST: [u8; 4] = [192, 0, 2, 15];
const HOST: [u8; 4] = [192, 0, 2, 2];
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("inside") {
        frames_that_the_kernel_refuses_are_counted();
        the_kernel_answers_over_the_tap();
        the_filter_stands_in_front_of_the_kernel();
        say("tap: 3 tests passed, in a namespace of their own\n");
        return ExitCode::SUCCESS;
    }
    let user = if rustix::process::geteuid().is_root() { "--net" } else { "-rn" };
    let status = Command::new("unshare").arg(user).arg(std::env::current_exe().unwrap()).arg("inside").status().unwrap();
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(text: &str) {
    let _gone = std::io::stderr().write_all(text.as_bytes());
}

fn ip(arguments: &str) {
    assert!(Command::new("ip").args(arguments.split(' ')).status().unwrap().success(), "ip {arguments}");
}

fn egress() -> Egress {
    Egress::new(Wire { mac: MAC, addresses: vec![IpAddr::V4(Ipv4Addr::from(GUEST))] }, Link::Front { ports: vec![443] })
}

/// An ARP frame of the guest, asking for the host's address.
fn who_has(sender: [u8; 4]) -> Vec<u8> {
    [&[0xff; 6][..], &MAC, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &MAC, &sender, &[0; 6], &HOST].concat()
}

fn send(tap: &mut Tap, bytes: &[u8]) {
    tap.transmit(Frame { bytes, offload: Offload::default() }, Duration::ZERO);
}

fn frames_that_the_kernel_refuses_are_counted() {
    let mut tap = Tap::new(tap::open("bbdown").unwrap(), egress());
    send(&mut tap, &who_has(GUEST));
    assert_eq!((tap.dropped().host, tap.dropped().filtered), (1, 0), "the interface is down: EIO");
}

fn the_kernel_answers_over_the_tap() {
    let mut tap = Tap::new(tap::open("bbup").unwrap(), egress());
    ip("link set bbup up");
    ip("addr add 192.0.2.2/24 dev bbup");
    let mut poller = Poller::new().unwrap();
    tap.watch(&poller, 0).unwrap();
    send(&mut tap, &who_has(GUEST));
    let reply = wait_for(&mut tap, &mut poller, |frame| frame.get(12..14) == Some(&[8, 6]) && frame.get(20..22) == Some(&[0, 2]));
    assert_eq!((reply.get(..6), reply.get(28..32)), (Some(&MAC[..]), Some(&HOST[..])));
    assert_eq!(tap.dropped().total(), 0);
}

fn the_filter_stands_in_front_of_the_kernel() {
    let mut tap = Tap::new(tap::open("bbfilter").unwrap(), egress());
    ip("link set bbfilter up");
    send(&mut tap, &who_has(HOST));
    send(&mut tap, b"no frame");
    assert_eq!((tap.dropped().host, tap.dropped().filtered), (0, 2));
}

fn wait_for(tap: &mut Tap, poller: &mut Poller, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut window = vec![0; abi::limits::QUEUE_WINDOW_LEN];
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        for index in 0..poller.poll(Duration::from_millis(50)).unwrap() {
            let (token, readiness) = poller.event(index).unwrap();
            tap.ready(token, readiness);
        }
        tap.receive(&mut Batch::new(&mut window).unwrap(), Duration::ZERO);
        if let Some(frame) = frames(&window).unwrap().map(Result::unwrap).find(|frame| wanted(frame.bytes)) {
            return frame.bytes.to_vec();
        }
    }
    Vec::new()
}
