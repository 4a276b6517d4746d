//! Certificates of every kind at every door, by both ends: exactly those that were meant get the prize.
//!
//! What should come of an order is said here, by a rule that knows nothing of the code that it judges.

use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use e2e::contest::{Contest, Door};
use e2e::peer::{Peer, authority, common_name, right};
use e2e::{Machine, Outcome, Place, ensure};
use peers::{Authority, ExtendedKeyUsage, KeyUsage, Named, Order, Path, Tamper, Validity};

/// At so many doors at a time.
const VISITORS: u8 = 8;
/// After so many that went wrong nobody goes on.
const WRONG_MAX: usize = 16;
/// Combinations at each door that are wrong in two ways. They are spread over all that there are.
const TWICE_WRONG: usize = 400;

/// Who makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    Of(Door),
    /// Another key under the name of the door's own authority.
    Namesake,
    Stranger,
}

const MAKERS: [Maker; 5] = [Maker::Of(Door::Server), Maker::Of(Door::CallBack), Maker::Of(Door::Reverse), Maker::Namesake, Maker::Stranger];

fn names(door: Door) -> Vec<Named> {
    let own = door.peer();
    let others = Door::ALL.into_iter().filter(|other| *other != door).map(Door::peer);
    let like = [
        "localhost".into(),
        "*.bountybox".into(),
        format!("*.{}.bountybox", door.word()),
        format!("a.{own}"),
        format!("{own}.example"),
        door.own(),
    ];
    let mut names: Vec<Named> = core::iter::once(own.clone()).chain(others).chain(like).map(Named::Dns).collect();
    names.dedup();
    names.push(Named::CommonName(own));
    names
}

/// In which ways it differs from what is right. The authorities of doors let no authority be below them (pathLenConstraint 0), but who trusts one does not look
/// at what it says of itself (RFC 5280, 6.1.1 (d)): one that only whoever has its key could make is as good as the direct one.
fn wrongs(door: Door, maker: Maker, order: &Order) -> usize {
    let wanted = if door == Door::Server { ExtendedKeyUsage::Client } else { ExtendedKeyUsage::Server };
    let wrongs = [
        maker != Maker::Of(door),
        !matches!(order.path, Path::Direct | Path::Intermediate),
        order.extended_key_usage != wanted,
        order.key_usage != KeyUsage::Sign,
        order.validity != Validity::Now,
        order.named != Named::Dns(door.peer()),
        order.tamper != Tamper::Nothing,
    ];
    wrongs.into_iter().filter(|wrong| *wrong).count()
}

/// All that are right, all that are wrong in one way, and some that are wrong in two.
fn orders(door: Door) -> Vec<(Maker, Order)> {
    let mut all = Vec::new();
    for maker in MAKERS {
        for path in Path::ALL {
            for extended_key_usage in ExtendedKeyUsage::ALL {
                for key_usage in KeyUsage::ALL {
                    for validity in Validity::ALL {
                        for named in names(door) {
                            for tamper in Tamper::ALL {
                                let named = named.clone();
                                all.push((maker, Order { path, extended_key_usage, key_usage, validity, named, tamper }));
                            }
                        }
                    }
                }
            }
        }
    }
    // Where there is no issuer to spoil, nothing is spoilt.
    all.retain(|(_, order)| order.tamper != Tamper::IssuerSignature || order.path.has_issuer());
    let of = |count: usize| -> Vec<_> { all.iter().filter(|(maker, order)| wrongs(door, *maker, order) == count).cloned().collect() };
    let twice = of(2);
    let step = twice.len().div_ceil(TWICE_WRONG);
    of(0).into_iter().chain(of(1)).chain(twice.into_iter().step_by(step)).collect()
}

/// The authorities: those of the laboratory, whose keys are published, and others.
struct Makers {
    doors: [Authority; 3],
    namesakes: [Authority; 3],
    stranger: Authority,
}

impl Makers {
    fn new(contest: &Contest) -> Outcome<Self> {
        let [server, call_back, reverse] = Door::ALL.map(|door| authority(contest, door));
        Ok(Self {
            doors: [server?, call_back?, reverse?],
            namesakes: Door::ALL.map(|door| Authority::new(&common_name(door))),
            stranger: Authority::new("of another house"),
        })
    }

    fn of(&self, maker: Maker, door: Door) -> &Authority {
        let place = |door| Door::ALL.iter().position(|other| *other == door).unwrap_or_default();
        match maker {
            Maker::Of(door) => &self.doors[place(door)],
            Maker::Namesake => &self.namesakes[place(door)],
            Maker::Stranger => &self.stranger,
        }
    }
}

pub(crate) fn of_all_exactly_those_that_were_meant(place: &Place) -> Outcome {
    let contest = Contest::lab(place)?;
    let makers = Makers::new(&contest)?;
    let mut visits = Vec::new();
    for door in Door::ALL {
        let orders = orders(door);
        ensure(orders.len() > 400, format!("{} combinations at {door:?}", orders.len()))?;
        // The machines differ in nothing that could tell certificates apart: one of them is asked about all.
        let step = if place.machine == Machine::Kvm { 1 } else { 4 };
        visits.extend(orders.into_iter().step_by(step).map(|(maker, order)| (door, maker, order)));
        // Without this a step could leave out all that are right.
        visits.push((door, Maker::Of(door), right(door)));
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for visitor in 0..VISITORS {
            let (contest, makers, visits, next, wrong) = (&contest, &makers, &visits, &next, &wrong);
            scope.spawn(move || {
                // An address for each: the call-back's port is the same for all of it.
                let from = Ipv4Addr::new(127, 0, 11, visitor + 1);
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    let Some((door, maker, order)) = visits.get(turn) else { return };
                    let Err(fault) = visit(contest, makers, from, turn, (*door, *maker, order)) else { continue };
                    let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                    wrong.push(format!("{door:?} {maker:?} {order:?}: {fault}"));
                    // What is wrong again and again may be slow each time.
                    if wrong.len() >= WRONG_MAX {
                        return;
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure(wrong.is_empty(), format!("{} of {} went wrong:\n{}", wrong.len(), visits.len(), wrong.join("\n")))?;
    let right = visits.iter().filter(|(door, maker, order)| wrongs(*door, *maker, order) == 0).count();
    ensure(contest.released() == right, format!("{} of {} were released, {right} are right", contest.released(), visits.len()))
}

fn visit(contest: &Contest, makers: &Makers, from: Ipv4Addr, turn: usize, (door, maker, order): (Door, Maker, &Order)) -> Outcome {
    let shown = makers.of(maker, door).make(order);
    let (told, source) = Peer::new(contest, door, &shown, turn)?.visit(contest, from)?;
    let end = contest.end_of(source)?;
    if wrongs(door, maker, order) == 0 {
        return ensure(told.is_prize() && end == "released", format!("{:?}, {end}", told.fault));
    }
    ensure(told.plain.is_empty(), format!("it was told {} bytes", told.plain.len()))?;
    // It is told why, and the box says that it was the peer's fault.
    ensure(told.fault.as_ref().is_some_and(|fault| fault.contains("alert")), format!("{:?}", told.fault))?;
    ensure(end == "client_fault", end)
}
