//! The appliance: everything between the frames of two links, as one function of its inputs.

use alloc::boxed::Box;
use core::net::SocketAddr;
use core::time::Duration;

use keys::Secret;
use keys::bundle::Bundle;
use net::{Event, FlowId, Wheel};
use tls::Provider;

use crate::admission::Entry;
use crate::connection::{Client, Connection, Next, Peer};
use crate::counters::Counters;
use crate::flows::Owner;
use crate::heard::Heard;
use crate::limits::TURNS_PER_STEP;
use crate::makings::Makings;
use crate::ready::{Place, Ready};
use crate::reload::{Fixed, ReloadFault, prepare};
use crate::report::{Accepted, Budget, End, Report, Serial};
use crate::snapshot;
use crate::start::{StartFault, world};
use crate::table::{ConnectionId, Table};
use crate::upstream::PoolView;
use crate::wires::{Deadline, Link, Now, Room, Wires};
use crate::world::World;

/// See the crate's page.
#[derive(Debug)]
pub struct Appliance {
    world: World,
    makings: Makings,
    fixed: Fixed,
    table: Table,
    /// Each connection's deadline.
    wheel: Wheel<ConnectionId>,
    ready: Ready,
    serial: Serial,
    phase: Phase,
}

/// Whether new connections are taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    /// What still runs ends at this time.
    Draining(Duration),
    Drained,
}

impl Appliance {
    /// An appliance that has heard nothing yet. `seed` is its only randomness, so it must be fresh at each start.
    ///
    /// # Errors
    /// What is wrong with the bundle.
    pub fn new(bundle: Bundle, seed: [u8; 32], now: Now) -> Result<Self, StartFault> {
        Self::with_provider(bundle, seed, now, Provider::new)
    }

    /// The same, with the provider that `provide` makes of the seed's part for it: for who wants ephemeral keys from the seed, too, which ring draws
    /// from the machine.
    ///
    /// # Errors
    /// What is wrong with the bundle.
    pub fn with_provider(
        bundle: Bundle,
        seed: [u8; 32],
        now: Now,
        provide: impl FnOnce(Secret<[u8; 32]>) -> Provider,
    ) -> Result<Self, StartFault> {
        let (world, makings) = world(&bundle, seed, now, provide)?;
        Ok(Self {
            world,
            makings,
            fixed: Fixed::of(bundle),
            table: Table::default(),
            wheel: Wheel::new(now.mono),
            ready: Ready::default(),
            serial: Serial(0),
            phase: Phase::Serving,
        })
    }

    /// Takes the frames that have come in, does what is to be done, and hands out frames. Says when it wants to be called again.
    ///
    /// Only connections that an event or their deadline names cost anything, each turn and the number of turns are bounded, and what is left
    /// over has the next step, which is then asked for at once.
    pub fn step(&mut self, now: Now, wires: &mut dyn Wires) -> Deadline {
        self.set_time(now);
        self.receive(wires);
        self.expire();
        self.listen();
        self.run();
        self.tend_backends();
        self.cut_drain();
        self.world.tell_refusals();
        let room = self.transmit(wires);
        self.listen();
        if room == Room::Left {
            self.note_drained();
        }
        self.deadline(room)
    }

    /// Serves new connections by another bundle. All of it is made before anything changes, so a bundle that is refused changes nothing, and
    /// each connection sees one bundle alone: those that there are keep the one that they began with. Ticket keys, what is known of sources,
    /// and the books go on.
    ///
    /// # Errors
    /// What is wrong with the bundle, or that it differs in what a running cell cannot change.
    pub fn reload(&mut self, bundle: &Bundle, now: Now) -> Result<(), ReloadFault> {
        self.set_time(now);
        let next = prepare(bundle, &self.fixed, &mut self.makings)?;
        self.world.begin(next, &bundle.routes);
        Ok(())
    }

    /// The next thing that happened.
    pub fn poll_report(&mut self) -> Option<Report> {
        self.world.reports.pop()
    }

    /// What has been counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let (waiting, handshaking) = self.world.admission.beginning();
        Counters {
            connections: wide(self.table.len()),
            waiting: wide(waiting),
            handshaking: wide(handshaking),
            reports_lost: self.world.reports.lost_in_all(),
            backend_reports_held_back: self.world.reports.held_back(),
            front: *self.world.front.counters(),
            back: *self.world.back.counters(),
            ..self.world.counters
        }
    }

    /// The backends of each route, as things stand.
    pub fn pools(&self) -> impl Iterator<Item = PoolView> + '_ {
        self.world.pools.view(self.world.now.mono)
    }

    /// The same, and how everything stands, for whoever is outside the cell. What this crate does not know is left at 0: memory, and the
    /// batches that were malformed.
    #[must_use]
    pub fn status(&self) -> status::Status {
        let phase = match self.phase {
            Phase::Serving => status::Phase::Serving,
            Phase::Draining(_) => status::Phase::Draining,
            Phase::Drained => status::Phase::Drained,
        };
        let routes = snapshot::routes(self.pools(), &self.world.generation.routes);
        let uptime_ms = u64::try_from(self.world.now.mono.as_millis()).unwrap_or(u64::MAX);
        status::Status { phase, uptime_ms, routes, ..snapshot::of(&self.counters(), &self.world.tallies) }
    }

    /// Accepts nothing more; what runs may finish within the bundle's drain limit.
    pub fn drain(&mut self, now: Now) {
        if self.phase == Phase::Serving {
            self.set_time(now);
            self.world.front.stop_accepting();
            self.phase = Phase::Draining(self.world.now.mono.saturating_add(self.world.generation.times.drain));
        }
    }

    /// Whether a drain was asked for and nothing runs any more.
    #[must_use]
    pub fn drained(&self) -> bool {
        self.phase == Phase::Drained
    }

    /// Time never goes back, whatever the caller says.
    fn set_time(&mut self, now: Now) {
        self.world.now = Now { mono: now.mono.max(self.world.now.mono), unix: now.unix };
        self.makings.clock.set(now.unix);
    }

    fn receive(&mut self, wires: &mut dyn Wires) {
        let now = self.world.now.mono;
        for (link, net) in [(Link::Front, &mut self.world.front), (Link::Back, &mut self.world.back)] {
            while let Some((frame, offload)) = wires.receive(link) {
                net.receive(frame, offload, now);
            }
            net.handle_timeout(now);
        }
    }

    /// Wakes the connections whose deadline has come, and notes which checks are due or over.
    fn expire(&mut self) {
        self.world.pools.expire(&mut self.world.back, self.world.now.mono);
        while let Some(id) = self.wheel.expired(self.world.now.mono) {
            if let Some(connection) = self.table.get_mut(id) {
                connection.armed = None;
                self.ready.push(id, &mut connection.place);
            }
        }
    }

    /// Takes the news of both links; a net has each flow in its queue at most once.
    fn listen(&mut self) {
        while let Some(event) = self.world.front.poll_event() {
            self.hear_front(event);
        }
        while let Some(event) = self.world.back.poll_event() {
            self.hear_back(event);
        }
    }

    fn hear_front(&mut self, event: Event) {
        if let Event::Accepted { flow, local, peer } = event {
            return self.accept(flow, local, peer);
        }
        let (flow, heard) = news(event);
        let Some(Owner::Connection(id)) = self.world.front_flows.owner(flow) else { return };
        let Some(connection) = self.table.get_mut(id) else { return };
        connection.client.hear(flow, heard);
        self.ready.push(id, &mut connection.place);
    }

    fn hear_back(&mut self, event: Event) {
        let (flow, heard) = news(event);
        match self.world.back_flows.owner(flow) {
            Some(Owner::Connection(id)) => {
                let Some(connection) = self.table.get_mut(id) else { return };
                connection.hear_backend(flow, heard);
                self.ready.push(id, &mut connection.place);
            }
            Some(Owner::Check(backend)) => {
                let World { pools, back, now, .. } = &mut self.world;
                pools.hear(backend, flow, heard, back, now.mono);
            }
            None => {}
        }
    }

    /// Begins the checks that are due, lets those go on who waited for a backend, and says what has changed.
    fn tend_backends(&mut self) {
        let World { pools, back, back_flows, reports, now, .. } = &mut self.world;
        pools.check(back, back_flows, now.mono);
        pools.serve(now.mono);
        while let Some(changed) = pools.changed() {
            reports.push_of_backend(Report::BackendChanged(changed), now.mono);
        }
        while let Some(grant) = pools.granted() {
            let id = grant.connection;
            if let Some(connection) = self.table.get_mut(id) {
                connection.hear_grant(grant);
                self.ready.push(id, &mut connection.place);
            }
        }
    }

    fn accept(&mut self, flow: FlowId, local: SocketAddr, peer: SocketAddr) {
        let who = if self.world.doors.speaks_for_others(local, peer.ip()) { Peer::FrontEnd } else { Peer::Client };
        if let Err(budget) = self.admit(peer, who) {
            self.world.front.abort(flow);
            return self.world.refuse(peer, budget);
        }
        self.serial = Serial(self.serial.0.saturating_add(1));
        let accepted = Accepted { serial: self.serial, local, peer };
        let now = self.world.now.mono;
        let made = self.table.insert(|id| Connection::new(Client::new(id, flow, accepted, &self.world), who));
        let Some(id) = made else { return self.world.front.abort(flow) };
        self.world.front_flows.give(flow, Owner::Connection(id));
        self.world.counters.accepted += 1;
        self.world.reports.push(Report::Accepted(accepted));
        self.world.admission.wait(Entry { id, serial: accepted.serial, peer: peer.ip() });
        self.displace();
        let times = &self.world.generation.times;
        self.rest(id, now.saturating_add(times.first_byte.min(times.handshake)));
        // Where we are the client nothing has to come first.
        if let Some(connection) = self.table.get_mut(id).filter(|connection| connection.speaks_first()) {
            self.ready.push(id, &mut connection.place);
        }
    }

    fn admit(&mut self, peer: SocketAddr, who: Peer) -> Result<(), Budget> {
        match (self.phase, who) {
            (Phase::Serving, Peer::Client) => self.world.admission.admit(peer.ip(), self.world.now.mono),
            (Phase::Serving, Peer::FrontEnd) => self.world.admission.admit_front_end(peer.ip(), self.world.now.mono),
            (Phase::Draining(_) | Phase::Drained, _) => Err(Budget::Drain),
        }
    }

    /// Gives the connections that have something to do their turns, as many as one step does. Where thousands end at once, the rest waits until
    /// what was said of the first is fetched, so that no connection's record is lost.
    fn run(&mut self) {
        for _ in 0..TURNS_PER_STEP {
            if self.world.reports.is_crowded() {
                break;
            }
            let Some(id) = self.ready.pop() else { return };
            self.turn(id);
        }
        self.world.counters.steps_cut_short += u64::from(!self.ready.is_empty());
    }

    fn turn(&mut self, id: ConnectionId) {
        let Some(connection) = self.table.get_mut(id) else { return };
        connection.place = Place::Resting;
        self.world.counters.turns += 1;
        match connection.turn(&mut self.world) {
            Next::Rest(deadline) => self.rest(id, deadline),
            Next::Again => self.ready.push(id, &mut connection.place),
            Next::Over(end) => self.end(id, end),
        }
        self.displace();
    }

    /// Ends those that had to make way.
    fn displace(&mut self) {
        while let Some((id, budget)) = self.world.admission.next_displaced() {
            self.world.counters.refused.count(budget);
            if let Some(connection) = self.table.get_mut(id) {
                connection.abort(&mut self.world);
            }
            self.end(id, End::Displaced(budget));
        }
    }

    /// Arms the connection's deadline, unless it will be woken before it anyway.
    fn rest(&mut self, id: ConnectionId, deadline: Duration) {
        let Some(connection) = self.table.get_mut(id) else { return };
        if let Some((armed, timer)) = connection.armed {
            if armed <= deadline {
                return;
            }
            self.wheel.disarm(timer);
        }
        connection.armed = Some((deadline, self.wheel.arm(deadline, id)));
    }

    fn end(&mut self, id: ConnectionId, end: End) {
        let Some(connection) = self.table.remove(id) else { return };
        if let Some((_, timer)) = connection.armed {
            self.wheel.disarm(timer);
        }
        let now = self.world.now.mono;
        if connection.client.log.handshake.is_none() && !connection.client.log.passed {
            self.world.tallies.failure(end);
        }
        self.world.tallies.end(end);
        self.world.admission.over(connection.client.entry(), now);
        self.world.counters.end(end);
        let report = || Report::Closed(Box::new(connection.close(end, now)));
        if end.is_refusal() {
            self.world.reports.push_refusal(now, report);
        } else {
            self.world.reports.push(report());
        }
    }

    /// Hands out frames until there are none, or a link is full.
    fn transmit(&mut self, wires: &mut dyn Wires) -> Room {
        let now = self.world.now.mono;
        let mut room = Room::Left;
        for (link, net) in [(Link::Front, &mut self.world.front), (Link::Back, &mut self.world.back)] {
            let mut more = true;
            while more {
                more = false;
                let left = wires.transmit(link, &mut |buf| {
                    let frame = net.poll_transmit(buf, now);
                    more = frame.is_some();
                    frame
                });
                if left == Room::Full {
                    self.world.counters.stalls.count(link);
                    room = Room::Full;
                    break;
                }
            }
        }
        room
    }

    /// Ends what a drain has left when its time is over, as many at a time as there is room to tell of. The one place where all connections are
    /// looked at.
    fn cut_drain(&mut self) {
        if !self.is_drain_over() {
            return;
        }
        for id in self.table.ids() {
            if self.world.reports.is_crowded() {
                break;
            }
            if let Some(connection) = self.table.get_mut(id) {
                connection.abort(&mut self.world);
            }
            self.end(id, End::Drained);
        }
    }

    /// Says so when a drain has left nothing, or its time is over.
    fn note_drained(&mut self) {
        let may_end = self.world.front.counters().flows == 0 || self.is_drain_over();
        if matches!(self.phase, Phase::Draining(_)) && self.table.len() == 0 && may_end {
            self.phase = Phase::Drained;
            self.world.reports.tell_last_suppressed();
            let counters = Box::new(self.counters());
            self.world.reports.push(Report::Counters(counters));
        }
    }

    fn is_drain_over(&self) -> bool {
        matches!(self.phase, Phase::Draining(until) if until <= self.world.now.mono)
    }

    fn deadline(&self, room: Room) -> Deadline {
        if room == Room::Full || !self.ready.is_empty() {
            return Deadline::Flush;
        }
        let drain = match self.phase {
            Phase::Draining(until) => Deadline::At(until),
            Phase::Serving => Deadline::Never,
            // Nothing is left to wait for: what was queued is handed over, and the guest may end.
            Phase::Drained => Deadline::Flush,
        };
        let nets = Deadline::from(self.world.front.deadline()).min(self.world.back.deadline().into());
        let backends = self.world.pools.deadline(self.world.now.mono);
        nets.min(self.wheel.deadline().into()).min(backends.into()).min(drain)
    }
}

/// Which flow an event is of, and what it tells of its other end.
pub(crate) fn news(event: Event) -> (FlowId, Heard) {
    match event {
        Event::Accepted { flow, .. } | Event::Connected(flow) | Event::Readable(flow) | Event::Writable(flow) => (flow, Heard::Connected),
        Event::Finished(flow) => (flow, Heard::Finished),
        Event::Closed { flow, reason } => (flow, Heard::Gone(reason)),
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
