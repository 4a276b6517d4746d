//! The course of a case: honest clients alone, beside the crowd, and alone again, on one box; and what the box says of it.

use core::time::Duration;
use std::thread;
use std::time::Instant;

use e2e::eye::Eye;
use e2e::{Machine, Outcome, Running, backend, ensure};

use crate::case::{Case, Judged, Size};
use crate::crowd::Crowd;
use crate::field::Field;
use crate::honest::{Honest, Times, percentile};
use crate::ledger::Ledger;
use crate::limits::{BOX_SETTLES, ROUNDS, VISITS_PER_ROUND};
use crate::orders::Progress;
use crate::say::Line;
use crate::verdict::{Account, Row};

/// Rounds beside a crowd that comes and goes are this far apart, so that all of its ways to end are among them.
const ROUND_PAUSE: Duration = Duration::from_millis(1000);
/// From one look at the heap to the next, when it is to come to rest: longer than idle connections keep their first rings.
const REST: Duration = Duration::from_secs(6);

const HEAP_USED: &str = "bountybox_heap_used_bytes";

/// Runs it, in a namespace of its own. An error is a case that could not be carried through; what it showed otherwise stands in the row.
pub(crate) fn run(case: &Case, machine: Machine, size: Size, line: &Line) -> Outcome<Row> {
    let field = Field::new(machine)?;
    let answer = backend::answer_at(case.honest_backend())?;
    let backends = Crowd::start(&case.backends())?;
    backends.wait_until_heard()?;
    let running = Running::start(&field.place, &case.config(answer.address(), size))?;
    let scene = Scene { case, size, field: &field, running: &running, eye: Eye::new(&running)?, line };
    let row = scene.play(machine).map_err(|fault| format!("{fault}; the box said: {}", last_words(&running.said())))?;
    drop(running);
    backends.end()?;
    Ok(row)
}

fn last_words(said: &str) -> String {
    let lines: Vec<_> = said.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
}

struct Scene<'s> {
    case: &'s Case,
    size: Size,
    field: &'s Field,
    running: &'s Running,
    eye: Eye<'s>,
    line: &'s Line,
}

/// What stood at one moment.
struct Moment {
    ledger: Ledger,
    heap: u64,
    resident: u64,
}

impl Scene<'_> {
    fn play(&self, machine: Machine) -> Outcome<Row> {
        let mut honest = Honest::new(self.field)?;
        honest.round()?;
        let (before, _) = self.phase(&mut honest, "before", Duration::ZERO)?;
        self.empty()?;
        let start = self.moment()?;
        let crowd = self.gather()?;
        let standing = self.moment()?;
        let pause = if self.case.stands() { Duration::ZERO } else { ROUND_PAUSE };
        let (during, heap_most) = self.phase(&mut honest, "during", pause)?;
        if self.case.outstays {
            crowd.wait_until_ended(|progress| self.line.show(&format!("{} stand still", progress.open)))?;
        }
        let progress = self.disperse(crowd)?;
        let end = self.moment()?;
        let (after, _) = self.phase(&mut honest, "after", Duration::ZERO)?;
        let account = Account {
            connections: self.case.connections(self.size),
            standing: standing.ledger.sum("bountybox_connections"),
            progress,
            heap_before: start.heap,
            heap_standing: standing.heap,
            heap_most: heap_most.max(standing.heap),
            heap_after: end.heap,
            resident_growth: standing.resident.saturating_sub(start.resident),
            limits: end.ledger.grown(&start.ledger, "bountybox_limit_reached_total"),
            ends: end.ledger.grown(&start.ledger, "bountybox_connections_ended_total"),
            taken_on: end.ledger.sum("bountybox_connections_total") - start.ledger.sum("bountybox_connections_total"),
            visits: u64::try_from(ROUNDS * VISITS_PER_ROUND)?,
            restarts: end.ledger.sum("bountybox_cell_restarts_total"),
            honest_failures: honest.failures().to_vec(),
        };
        Ok(Row::new(self.case, self.size, machine, [&before, &during, &after].map(|times| self.judged(times)), account))
    }

    /// Rounds of honest clients, and the most that the heap held meanwhile.
    fn phase(&self, honest: &mut Honest, name: &str, pause: Duration) -> Outcome<(Vec<Times>, u64)> {
        let (mut rounds, mut heap) = (Vec::new(), 0);
        for round in 1..=ROUNDS {
            self.line.show(&format!("{name}: round {round} of {ROUNDS}"));
            rounds.push(honest.round()?);
            heap = heap.max(self.heap()?);
            thread::sleep(pause);
        }
        Ok((rounds, heap))
    }

    /// The median of the rounds' p99.
    fn judged(&self, rounds: &[Times]) -> Duration {
        let time = |round: &Times| match self.case.judged {
            Judged::Handshake => round.handshake,
            Judged::Visit => round.visit,
        };
        percentile(rounds.iter().map(time).collect(), 50)
    }

    /// The crowd comes, and if it is one that stays, its memory comes to rest.
    fn gather(&self) -> Outcome<Crowd> {
        let wanted = self.case.connections(self.size);
        let crowd = Crowd::start(&self.case.visits(self.field, self.size))?;
        let watch = |progress: &Progress| self.line.show(&format!("{} of {wanted} stand", progress.open));
        if self.case.stands() {
            crowd.wait_until_open(wanted, watch)?;
            self.settle()?;
        } else {
            crowd.wait_until_begun(wanted, watch)?;
        }
        Ok(crowd)
    }

    /// The crowd goes, and the box sees it.
    fn disperse(&self, crowd: Crowd) -> Outcome<Progress> {
        let progress = crowd.end()?;
        self.line.show("the box comes to rest");
        self.empty()?;
        self.settle()?;
        Ok(progress)
    }

    /// Waits until the box has seen everybody go: it may hear of a client's end a little after the client.
    fn empty(&self) -> Outcome {
        let end = Instant::now() + BOX_SETTLES;
        while Ledger::read(&self.eye)?.sum("bountybox_connections") > 0 {
            ensure(Instant::now() < end, "the box still counts connections")?;
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// Waits until the heap has come to rest.
    fn settle(&self) -> Outcome {
        let end = Instant::now() + BOX_SETTLES;
        let mut before = self.heap()?;
        loop {
            self.line.show(&format!("heap at {} MiB", before >> 20));
            thread::sleep(REST);
            let now = self.heap()?;
            if now + before / 100 >= before || Instant::now() > end {
                return Ok(());
            }
            before = now;
        }
    }

    fn heap(&self) -> Outcome<u64> {
        Ok(Ledger::read(&self.eye)?.sum(HEAP_USED))
    }

    fn moment(&self) -> Outcome<Moment> {
        let ledger = Ledger::read(&self.eye)?;
        Ok(Moment { heap: ledger.sum(HEAP_USED), resident: self.running.memory(), ledger })
    }
}
