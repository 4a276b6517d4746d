//! A box that the attacks of a suite share, on a thread of its own: with a TAP, thread and box live in a network namespace. One stands at a time; after a failure
//! the next attack gets a fresh one.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use e2e::{Machine, Net, Outcome, Place};

use crate::attack::{Profile, Suite};
use crate::judge::{Record, judge};
use crate::probe::Probe;
use crate::target::{Target, user_place};

/// Which attack of the suite, and where the record goes.
type Order = (usize, Sender<Outcome<Record>>);

struct Stage {
    suite: &'static str,
    machine: Machine,
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

static STANDING: Mutex<Option<Stage>> = Mutex::new(None);

/// Mounts one attack of a suite, on the box that stands if it is the suite's.
pub(crate) fn run(suite: &Arc<Suite>, index: usize, machine: Machine, profile: Profile) -> Outcome<Record> {
    let mut standing = STANDING.lock().unwrap_or_else(PoisonError::into_inner);
    if standing.as_ref().is_some_and(|stage| stage.suite != suite.name || stage.machine != machine) {
        *standing = None;
    }
    let record = standing.get_or_insert_with(|| Stage::open(Arc::clone(suite), machine, profile)).order(index);
    if record.as_ref().map_or(true, |record| record.fault.is_some()) {
        *standing = None;
    }
    record
}

/// Ends the box that stands.
pub(crate) fn close() {
    *STANDING.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

impl Stage {
    fn open(suite: Arc<Suite>, machine: Machine, profile: Profile) -> Self {
        let (orders, received) = mpsc::channel::<Order>();
        let name = suite.name;
        let thread = thread::spawn(move || {
            let opened = open(&suite, machine, profile);
            for (index, reply) in received {
                let record = match &opened {
                    Ok((probe, target, _)) => {
                        suite.attacks.get(index).map_or(Err("no such attack".into()), |attack| judge(attack, target, probe))
                    }
                    Err(fault) => Err(fault.to_string().into()),
                };
                let _ = reply.send(record.map_err(|fault| with_last_words(&fault.to_string(), opened.as_ref().ok())));
            }
        });
        Self { suite: name, machine, orders: Some(orders), thread: Some(thread) }
    }

    fn order(&self, index: usize) -> Outcome<Record> {
        let (reply, record) = mpsc::channel();
        let orders = self.orders.as_ref().ok_or("the stage is closed")?;
        orders.send((index, reply)).map_err(|_| "the stage is gone")?;
        record.recv().map_err(|_| "the attack panicked")?
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Dropped in this order: who visits, the box, the place.
fn open(suite: &Suite, machine: Machine, profile: Profile) -> Outcome<(Probe, Target, Place)> {
    let place = place(machine, suite.net)?;
    let target = Target::of_suite(suite, &place, profile)?;
    let probe = Probe::start(target.visitor()?);
    Ok((probe, target, place))
}

/// A place in which several boxes may run, as far as its net can do that.
pub(crate) fn place(machine: Machine, net: Net) -> Outcome<Place> {
    match net {
        Net::User => user_place(machine),
        Net::Tap => Ok(Place::new(machine, net)?),
    }
}

fn with_last_words(fault: &str, opened: Option<&(Probe, Target, Place)>) -> Box<dyn core::error::Error + Send + Sync> {
    let said = opened.map(|(_, target, _)| target.said()).unwrap_or_default();
    let last: Vec<_> = said.lines().rev().take(20).collect();
    format!("{fault}\nthe box said last:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n")).into()
}
