//! What an attack meets: the box, or something naive in its place. Both are started afresh from here, and look the same to the attacker.

use core::any::Any;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::thread;
use std::time::Instant;

use e2e::eye::Eye;
use e2e::{Machine, Net, Outcome, Place, Running, backend, ensure};

use crate::attack::{Profile, Suite};
use crate::figures::{Figures, cpu};
use crate::naive::{Naive, Server, segment};
use crate::probe::Visitor;
use crate::set_up::SetUp;
use crate::witness::Witness;

/// See the module.
pub(crate) struct Target {
    address: SocketAddr,
    pub(crate) profile: Profile,
    pub(crate) witness: Witness,
    subject: Subject,
    visitor: IpAddr,
    /// Fields are dropped in this order: what is behind it goes last.
    _keep: Vec<Box<dyn Any + Send>>,
}

enum Subject {
    /// Built from this.
    Box {
        running: Running,
        set_up: fn() -> Outcome<SetUp>,
        machine: Machine,
    },
    Naive {
        server: Box<dyn Server>,
        naive: Naive,
    },
}

impl Target {
    /// The box of a suite, in this place. On the user net it gets a port of its own.
    pub(crate) fn of_suite(suite: &Suite, place: &Place, profile: Profile) -> Outcome<Self> {
        Self::of_box(suite.set_up, place, profile)
    }

    fn of_box(set_up: fn() -> Outcome<SetUp>, place: &Place, profile: Profile) -> Outcome<Self> {
        let SetUp { config, witness, visitor, keep } = set_up()?;
        let running = Running::start(place, &config)?;
        let subject = Subject::Box { set_up, machine: place.machine, running };
        Ok(Self { address: place.front(), profile, witness, subject, visitor, _keep: keep })
    }

    /// Something naive instead.
    pub(crate) fn of_naive(naive: Naive, place: &Place, profile: Profile) -> Outcome<Self> {
        let witness = Witness::default();
        let server = naive.start(&witness, place)?;
        let visitor = if place.net == Net::User { SetUp::plain()?.visitor } else { place.client().parse()? };
        Ok(Self { address: server.address(), profile, witness, subject: Subject::Naive { server, naive }, visitor, _keep: Vec::new() })
    }

    /// A fresh one of the same kind beside this one, as after a restart.
    pub(crate) fn another(&self) -> Outcome<Self> {
        match &self.subject {
            Subject::Box { set_up, machine, .. } => Self::of_box(*set_up, &user_place(*machine)?, self.profile),
            Subject::Naive { naive, .. } => Self::of_naive(*naive, &user_place(Machine::Process)?, self.profile),
        }
    }

    /// A fresh one of the same kind on a link of its own, with the same addresses: another boot. It lasts as long as `visit`.
    pub(crate) fn on_another_link<T: Send>(&self, visit: impl Fn(&Self) -> Outcome<T> + Send) -> Outcome<T> {
        let origin = match &self.subject {
            Subject::Box { set_up, machine, .. } => Ok((*set_up, *machine)),
            Subject::Naive { naive, .. } => Err(*naive),
        };
        let profile = self.profile;
        let visited = move || {
            let place = Place::new(origin.map_or(Machine::Process, |(_, machine)| machine), Net::Tap)?;
            let target = match origin {
                Ok((set_up, _)) => Self::of_box(set_up, &place, profile),
                Err(naive) => Self::of_naive(naive, &place, profile),
            };
            visit(&target?)
        };
        thread::scope(|scope| scope.spawn(visited).join()).map_err(|_| "the visit panicked")?
    }

    /// The attackers' end of its link; with a TAP only.
    pub(crate) fn interface(&self) -> &'static str {
        match self.subject {
            Subject::Box { .. } => "bb0",
            Subject::Naive { .. } => segment::NEAR,
        }
    }

    /// Whether it is something naive, which may be less quiet than the box, and knows no TLS.
    pub(crate) fn is_naive(&self) -> bool {
        matches!(self.subject, Subject::Naive { .. })
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How long it may take to answer. Something naive may never do; that need not be waited for.
    pub(crate) fn patience(&self) -> Duration {
        match self.subject {
            Subject::Box { .. } => Duration::from_secs(6),
            Subject::Naive { .. } => Duration::from_millis(250),
        }
    }

    /// So many tries in a full run; a hundredth of them in a short one, and on something naive.
    pub(crate) fn tries(&self, full: usize) -> usize {
        match self.subject {
            Subject::Box { .. } => self.profile.choose(full / 100, full),
            Subject::Naive { .. } => full / 100,
        }
    }

    /// A legitimate client of it.
    pub(crate) fn visitor(&self) -> Outcome<Visitor> {
        Visitor::new(self.visitor, self.address)
    }

    /// A view into it, if it is the box.
    pub(crate) fn eye(&self) -> Option<Outcome<Eye<'_>>> {
        match &self.subject {
            Subject::Box { running, .. } => Some(Eye::new(running)),
            Subject::Naive { .. } => None,
        }
    }

    /// What it takes now; something naive is not asked.
    pub(crate) fn figures(&self) -> Outcome<Figures> {
        self.eye().map_or(Ok(Figures::default()), |eye| Figures::of(&eye?, &self.processes()))
    }

    /// What it has said on standard error.
    pub(crate) fn said(&self) -> String {
        match &self.subject {
            Subject::Box { running, .. } => running.said(),
            Subject::Naive { .. } => String::new(),
        }
    }

    fn processes(&self) -> Vec<u32> {
        match &self.subject {
            Subject::Box { running, .. } => running.processes(),
            Subject::Naive { server, .. } => server.processes(),
        }
    }

    /// Processor time of its processes so far.
    pub(crate) fn cpu(&self) -> Duration {
        cpu(&self.processes())
    }

    /// Fails if it works although there is nothing to do: the attacker's connections are there, and silent.
    pub(crate) fn is_quiet(&self) -> Outcome {
        const WINDOW: Duration = Duration::from_millis(400);
        let (begin, before) = (Instant::now(), cpu(&self.processes()));
        thread::sleep(WINDOW);
        let (spent, passed) = (cpu(&self.processes()).saturating_sub(before), begin.elapsed());
        // The legitimate client costs some percent, and a machine that is busy otherwise gives a spinning thread less than all.
        ensure(spent * 4 < passed, format!("it spins: {spent:?} of {passed:?}"))
    }
}

/// A place on the user net with a port that nobody else has.
pub(crate) fn user_place(machine: Machine) -> Outcome<Place> {
    Ok(Place::new(machine, Net::User)?.on_port(backend::nobody()?.port()))
}
