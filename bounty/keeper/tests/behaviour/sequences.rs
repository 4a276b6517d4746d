//! Whatever the keeper is asked for in whatever order, a stranger who checks its log finds nothing wrong but the silences and the flags without proof that there were.

use core::net::IpAddr;
use std::sync::Arc;

use arbiter::crash::{Crash, Ending};
use arbiter::lines::sealed;
use arbiter::{Digest, Tier, Verdict, claim};
use bounty_log::limits::HEARTBEAT_MAX;
use ceremony::{Folder, Wish, amend};
use keeper::{By, Ended, Keeper};
use proptest::prelude::*;

use crate::contest::{Contest, START, claimant};

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    Wait(u32),
    ClockBack(u32),
    Start,
    Stop,
    Heartbeat(Vec<usize>, Proofs),
    Ended(usize, String, bool),
    Commit([u8; 32]),
    Claim(usize, Claimed),
    Announce(u8, u8),
    Reopen,
    Change(u8),
}

/// What is wrong with a heartbeat.
#[derive(Debug, Clone, Copy)]
enum Proofs {
    Good,
    Old,
    OtherNonce,
    OtherFlag,
    Twice,
    Cut,
}

/// What is claimed.
#[derive(Debug, Clone)]
enum Claimed {
    Good,
    OtherFlag,
    Future,
    OtherContest,
    LastCrash(u8),
    Bytes(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let proofs = prop_oneof![
        6 => Just(Proofs::Good),
        1 => Just(Proofs::Old),
        1 => Just(Proofs::OtherNonce),
        1 => Just(Proofs::OtherFlag),
        1 => Just(Proofs::Twice),
        1 => Just(Proofs::Cut),
    ];
    let tiers = prop_oneof![Just((0..Tier::ALL.len()).collect()), prop::collection::vec(0..8_usize, 0..4)];
    let claimed = prop_oneof![
        4 => Just(Claimed::Good),
        2 => Just(Claimed::OtherFlag),
        1 => Just(Claimed::Future),
        1 => Just(Claimed::OtherContest),
        2 => (0..4_u8).prop_map(Claimed::LastCrash),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Claimed::Bytes),
    ];
    prop_oneof![
        4 => (0..5000_u32).prop_map(Step::Wait),
        1 => (0..600_u32).prop_map(Step::ClockBack),
        3 => Just(Step::Start),
        1 => Just(Step::Stop),
        6 => (tiers, proofs).prop_map(|(tiers, proofs)| Step::Heartbeat(tiers, proofs)),
        3 => (0..3_usize, ".{0,300}", any::<bool>()).prop_map(|(ending, detail, guest)| Step::Ended(ending, detail, guest)),
        2 => any::<[u8; 32]>().prop_map(Step::Commit),
        4 => (0..8_usize, claimed).prop_map(|(tier, claimed)| Step::Claim(tier, claimed)),
        3 => (0..4_u8, 0..4_u8).prop_map(|(who, from)| Step::Announce(who, from)),
        1 => Just(Step::Reopen),
        1 => (0..3_u8).prop_map(Step::Change),
    ]
}

/// The world around a keeper, and what a stranger must find in its log.
struct World {
    contest: Contest,
    keeper: Option<Keeper>,
    now: u64,
    last_crash: Vec<u8>,
    /// The last sign of life, as the log's check counts it.
    alive: Option<u64>,
    silences: usize,
    /// Heartbeats that lack a flag.
    incomplete: usize,
}

impl World {
    fn new() -> Self {
        let contest = Contest::new();
        let keeper = Some(contest.keeper(START));
        Self { contest, keeper, now: START, last_crash: Vec::new(), alive: None, silences: 0, incomplete: 0 }
    }

    fn keeper(&mut self) -> &mut Keeper {
        self.keeper.as_mut().unwrap()
    }

    /// Does one thing, and holds the keeper to what it says.
    fn take(&mut self, step: &Step) {
        let before = (self.keeper().tree().size(), self.keeper().time());
        let entered = self.act(step);
        let size = self.keeper().tree().size();
        assert_eq!(size, before.0 + u64::from(entered.is_some()), "{step:?} enters one or none, as it says");
        if let Some(after) = entered {
            self.follow(after);
        }
        assert!(self.keeper().time() >= before.1, "{step:?}");
    }

    fn act(&mut self, step: &Step) -> Option<Alive> {
        let now = self.now;
        match step {
            Step::Wait(seconds) => self.now += u64::from(*seconds),
            Step::ClockBack(seconds) => self.now -= u64::from(*seconds),
            Step::Start => return self.keeper().started(now).is_ok().then_some(Alive::Yes),
            Step::Stop => return self.keeper().stopped(now).is_ok().then_some(Alive::No),
            Step::Heartbeat(tiers, proofs) => return self.heartbeat(tiers, *proofs),
            Step::Ended(ending, detail, guest) => return self.ended(*ending, detail, *guest),
            Step::Commit(digest) => return self.keeper().commit(now, Digest(*digest)).is_ok().then_some(Alive::AsBefore),
            Step::Claim(tier, claimed) => return self.claim(Tier::ALL[*tier], claimed),
            Step::Announce(who, from) => {
                self.keeper().announce(now, &claimant(*who), IpAddr::from([192, 0, 2, *from])).unwrap();
            }
            Step::Reopen => self.reopen(),
            Step::Change(rules) => return self.change(*rules),
        }
        None
    }

    fn heartbeat(&mut self, tiers: &[usize], proofs: Proofs) -> Option<Alive> {
        let now = self.now;
        let mut nonce = self.keeper().nonce();
        nonce[0] ^= u8::from(matches!(proofs, Proofs::OtherNonce));
        let time = if matches!(proofs, Proofs::Old) { START - 1 } else { self.now.max(self.keeper().time()) };
        let mut tiers: Vec<Tier> = tiers.iter().map(|tier| Tier::ALL[*tier]).collect();
        tiers.sort_unstable();
        tiers.dedup();
        let mut document: Vec<u8> = tiers.iter().flat_map(|tier| self.contest.proof(*tier, nonce, time)).collect();
        match proofs {
            Proofs::OtherFlag => document = String::from_utf8(document).unwrap().replace("tier auth", "tier read").into_bytes(),
            Proofs::Twice => document = document.repeat(2),
            Proofs::Cut => document.truncate(document.len().saturating_sub(5)),
            _ => {}
        }
        let ran = self.keeper().is_running();
        let proven = self.keeper().heartbeat(now, &document);
        if matches!(proofs, Proofs::Good) && ran && !tiers.is_empty() && self.now + 300 >= self.keeper().time() {
            assert_eq!(proven.as_ref().unwrap(), &tiers);
        }
        let altered = matches!(proofs, Proofs::OtherFlag) && tiers.contains(&Tier::Auth);
        if altered || !matches!(proofs, Proofs::Good | Proofs::OtherFlag) || !ran || tiers.is_empty() {
            assert!(proven.is_err());
        }
        self.incomplete += usize::from(proven.as_ref().is_ok_and(|proven| *proven != Tier::ALL));
        proven.is_ok().then_some(Alive::Yes)
    }

    fn ended(&mut self, ending: usize, detail: &str, guest: bool) -> Option<Alive> {
        let now = self.now;
        let by = if guest { By::Guest } else { By::Other };
        let announced = self.keeper().announced(now);
        let ended = Ended { ending: Ending::ALL[ending], by, detail, evidence: Digest::of(&[detail.as_bytes()]) };
        self.last_crash = self.keeper().ended(now, &ended).ok()?;
        let named = Crash::parse(&self.last_crash).unwrap().body.claimants.len();
        assert!(guest || named == 0, "{named} named");
        assert_eq!(self.keeper().announced(now), if guest { 0 } else { announced });
        Some(Alive::AsBefore)
    }

    fn claim(&mut self, tier: Tier, claimed: &Claimed) -> Option<Alive> {
        let now = self.now;
        let time = now.max(self.keeper().time());
        let other = if tier == Tier::Auth { Tier::Read } else { Tier::Auth };
        let claim = match claimed {
            Claimed::Good => self.contest.claim(tier, tier, &format!("at {}", self.now), time),
            Claimed::OtherFlag => self.contest.claim(tier, other, "mine", time),
            Claimed::Future => self.contest.claim(tier, tier, "soon", time + 100_000),
            Claimed::OtherContest => foreign(&self.contest, tier, time),
            Claimed::LastCrash(seed) => self.contest.crash_claim(&self.last_crash, *seed, time),
            Claimed::Bytes(bytes) => bytes.clone(),
        };
        let had = Tier::ALL.map(|tier| self.keeper().won(tier).cloned());
        let judged = self.keeper().claim(now, &claim);
        let holds = matches!(judged.verdict, Verdict::Falsified { .. });
        if matches!(claimed, Claimed::OtherFlag | Claimed::OtherContest | Claimed::Bytes(_)) {
            assert!(!holds && judged.entry.is_err(), "{claimed:?} for {tier}: {}", judged.verdict);
        }
        assert!(!matches!(claimed, Claimed::Future) || judged.entry.is_err(), "it holds later, and is handed in then");
        for (tier, had) in Tier::ALL.into_iter().zip(had).filter(|(_, had)| had.is_some()) {
            assert_eq!(self.keeper().won(tier), had.as_ref(), "the first win stays");
        }
        judged.entry.is_ok().then_some(Alive::AsBefore)
    }

    /// The operator changes the rules, and the box is started anew with them.
    fn change(&mut self, rules: u8) -> Option<Alive> {
        let now = self.now;
        // With a clock that is set back so far nothing is entered, and no log is opened that has something to enter.
        if now + 300 < self.keeper().time() {
            return None;
        }
        let path = self.contest.folder.path().to_owned();
        let key = std::fs::read(path.join(ceremony::files::OPERATOR_KEY)).unwrap();
        let rules = format!("Rules, number {rules}.\n");
        let made = amend(&path, &key, &Wish { rules: Some(&rules), ..Wish::default() }, now);
        // Before the start nothing is changed, and the same rules are no change.
        made.ok()?;
        self.keeper = None;
        self.contest.folder = Arc::new(Folder::open(&path).unwrap());
        self.keeper = Some(self.contest.keeper(now));
        assert_eq!(self.contest.folder.rules(), rules);
        Some(Alive::AsBefore)
    }

    /// What it knows comes out of the log, and not out of its memory.
    fn reopen(&mut self) {
        let state = |keeper: &Keeper| {
            let won = Tier::ALL.map(|tier| (keeper.holding(tier), keeper.wins(tier).cloned().collect::<Vec<_>>()));
            let alive = (keeper.is_running(), keeper.heartbeat_due(), keeper.answered());
            (keeper.nonce(), keeper.tree().size(), keeper.time(), alive, won)
        };
        let before = state(self.keeper());
        self.keeper = None;
        self.keeper = Some(self.contest.keeper(self.now));
        assert_eq!(state(self.keeper()), before);
    }

    /// The rule of docs/log.md, written down again: an hour and five minutes may pass without a sign of life, and a silence is counted once.
    fn follow(&mut self, after: Alive) {
        let time = self.keeper().time();
        let silent = self.alive.is_some_and(|alive| time - alive > HEARTBEAT_MAX);
        self.silences += usize::from(silent);
        self.alive = match after {
            Alive::Yes => Some(time),
            Alive::No => None,
            Alive::AsBefore if silent => Some(time),
            Alive::AsBefore => self.alive,
        };
    }
}

/// What an entry says of the box's life.
#[derive(Debug, Clone, Copy)]
enum Alive {
    Yes,
    No,
    AsBefore,
}

/// A claim by the right flag, for another manifest.
fn foreign(contest: &Contest, tier: Tier, time: u64) -> Vec<u8> {
    let body = claim::Body { manifest: Digest([7; 32]), tier, claimant: "x", text: "x", time, record: None };
    let body = claim::Body { record: (tier == Tier::Down).then(|| vec![b'x']), ..body }.to_string();
    sealed(&body, &contest.folder.flags().sign(tier, body.as_bytes()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_log_holds(runs in any::<bool>(), steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        if runs {
            world.take(&Step::Start);
        }
        for step in &steps {
            world.take(step);
        }
        let report = world.contest.checked();
        let (silent, others): (Vec<_>, Vec<_>) = report.findings.iter().partition(|finding| finding.code == "silent");
        let (incomplete, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|finding| finding.code == "incomplete");
        prop_assert!(others.is_empty(), "{others:?}");
        prop_assert_eq!((silent.len(), incomplete.len()), (world.silences, world.incomplete));
        prop_assert_eq!(report.head.map(|head| head.size), Some(world.keeper().tree().size()));
    }
}
