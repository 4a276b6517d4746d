//! Bytes arrive as they were sent, in both directions, however many connections there are.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;

use e2e::{Config, Outcome, Place, Running, backend, client, ensure};

/// 64 MiB.
const BULK: usize = 64 << 20;

/// Bytes that differ at every position, so that a shifted or repeated piece is seen.
fn pattern(offset: usize, block: &mut [u8]) {
    for (index, byte) in block.iter_mut().enumerate() {
        let at = (offset + index) as u64;
        *byte = at.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
    }
}

pub(crate) fn echo_exact(place: &Place) -> Outcome {
    let echo = backend::echo()?;
    let running = Running::start(place, &Config::one_route(&[echo.address()]))?;
    let mut stream = client::connect(running.address())?;
    stream.sock.set_nonblocking(true)?;
    let (mut sent, mut received) = (0, 0);
    let (mut block, mut expected) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let mut idle = 0;
    while received < BULK {
        let mut moved = false;
        if sent < BULK && !stream.conn.wants_write() {
            pattern(sent, &mut block);
            let count = stream.conn.writer().write(&block[..block.len().min(BULK - sent)])?;
            sent += count;
            moved |= count > 0;
        }
        moved |= pump(&mut stream)?;
        let count = match stream.conn.reader().read(&mut block) {
            Ok(count) => count,
            Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => 0,
            Err(fault) => return Err(fault.into()),
        };
        pattern(received, &mut expected[..count]);
        ensure(block[..count] == expected[..count], format!("wrong bytes after {received}"))?;
        received += count;
        moved |= count > 0;
        idle = if moved { 0 } else { idle + 1 };
        ensure(idle < 60_000, format!("stuck: {sent} sent, {received} received"))?;
        if !moved {
            thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}

/// Moves TLS bytes between the connection and its non-blocking socket; whether any moved.
fn pump(stream: &mut client::Stream) -> Outcome<bool> {
    let mut moved = false;
    while stream.conn.wants_write() {
        match stream.conn.write_tls(&mut stream.sock) {
            Ok(count) => moved |= count > 0,
            Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => break,
            Err(fault) => return Err(fault.into()),
        }
    }
    match stream.conn.read_tls(&mut stream.sock) {
        Ok(0) => return Err("closed in the middle".into()),
        Ok(_) => moved = true,
        Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => {}
        Err(fault) => return Err(fault.into()),
    }
    stream.conn.process_new_packets()?;
    Ok(moved)
}

pub(crate) fn thousand_answers(place: &Place) -> Outcome {
    const CONNECTIONS: usize = 1_000;
    let answer = backend::answer()?;
    let running = Running::start(
        place,
        &Config::one_route(&[answer.address()]).limit("connections_per_source", 2_000).limit("new_per_source_per_s", 5_000),
    )?;
    let config = client::config(None)?;
    let address = running.address();
    // All are connected before the first asks: they are open at the same time.
    let workers: Vec<_> = (0..8)
        .map(|worker| {
            let config = Arc::clone(&config);
            thread::spawn(move || -> Outcome<Vec<(usize, client::Stream)>> {
                let mine = (worker..CONNECTIONS).step_by(8);
                mine.map(|n| Ok((n, client::connect_as(address, "localhost", &config)?))).collect()
            })
        })
        .collect();
    let mut open = Vec::new();
    for worker in workers {
        open.extend(worker.join().map_err(|_| "a worker panicked")??);
    }
    ensure(open.len() == CONNECTIONS, "not all are open")?;
    for (n, stream) in &mut open {
        let answer = client::ask(stream, &format!("question {n}\n"))?;
        ensure(answer == format!("answer to question {n}\n"), format!("connection {n} got {answer:?}"))?;
    }
    Ok(())
}

pub(crate) fn client_half_closes(place: &Place) -> Outcome {
    // The backend answers only after it has seen the end of what the client sends.
    let counting = backend::Backend::start(|mut stream| {
        let count = std::io::copy(&mut stream, &mut std::io::sink())?;
        write!(stream, "{count} bytes and the end")
    })?;
    let running = Running::start(place, &Config::one_route(&[counting.address()]))?;
    let mut stream = client::connect(running.address())?;
    stream.write_all(&[7; 100_000])?;
    stream.conn.send_close_notify();
    stream.flush()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure(answer == "100000 bytes and the end", format!("got {answer:?}"))
}

pub(crate) fn backend_half_closes(place: &Place) -> Outcome {
    let seen = Arc::new(AtomicU64::new(u64::MAX));
    let closer = backend::half_closer(Arc::clone(&seen))?;
    let running = Running::start(place, &Config::one_route(&[closer.address()]))?;
    let mut stream = client::connect(running.address())?;
    let mut bye = String::new();
    stream.read_to_string(&mut bye)?;
    ensure(bye == "bye", format!("got {bye:?}"))?;
    // The box has said close_notify; what we still send reaches the backend. (rustls' own stream would try to read before it writes.)
    for _ in 0..10 {
        stream.conn.writer().write_all(&[7; 10_000])?;
        client::write_out(&mut stream)?;
    }
    stream.conn.send_close_notify();
    client::write_out(&mut stream)?;
    for _ in 0..1_000 {
        if seen.load(Ordering::SeqCst) != u64::MAX {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    let seen = seen.load(Ordering::SeqCst);
    ensure(seen == 100_000, format!("the backend saw {seen} bytes"))
}
