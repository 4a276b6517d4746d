//! A request comes in, an answer goes out. It may wait for the contest, and for nothing else.

mod asked;
mod handed;
mod refusal;

use core::net::{IpAddr, Ipv4Addr};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use hyper::{Method, StatusCode, header};
use tokio::sync::Semaphore;

use crate::answer::{Answer, HTML, JSON, Keep, MODULE, PICTURE, SCRIPT, STYLE, TEXT};
use crate::contest::Contest;
use crate::limits::{FRESH, Limits, ROOM_UNIT, TARGET_LEN_MAX};
use crate::rates::{Rates, Wait};
use crate::site::Site;
use crate::turns::Turns;
use crate::view::View;
use crate::{facts, html};
use refusal::{Budget, Refusal};

/// What matters of a request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its path, as it came.
    pub path: String,
    /// What stands behind the question mark.
    pub query: String,
    /// What it would have: the `Accept` header.
    pub accept: String,
    /// What it has already: the `If-None-Match` header.
    pub had: Option<String>,
    /// A browser says that another origin's page made it ask.
    pub is_foreign: bool,
    /// Its body.
    pub body: Bytes,
    /// Who asks, if that is known.
    pub peer: Option<IpAddr>,
}

/// See the module.
pub struct Router {
    contest: Arc<dyn Contest>,
    base: String,
    has_arbiter: bool,
    fixed: BTreeMap<&'static str, Answer>,
    /// For files of the log that are on their way.
    room: Arc<Semaphore>,
    began: Instant,
    asks: Mutex<Rates>,
    /// What is handed in has a budget for each kind: nonsense of one leaves the others.
    claims: Mutex<Rates>,
    commitments: Mutex<Rates>,
    claimants: Mutex<Rates>,
    turns: Mutex<Turns>,
    shown: Mutex<Option<Shown>>,
}

/// What was made of the facts, for a moment.
#[derive(Clone)]
struct Shown {
    at: Instant,
    view: Arc<View>,
    page: Answer,
    facts: Answer,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'a> {
    Page,
    Facts,
    Manifest,
    /// A version of it, by its digest.
    Version(&'a str),
    Operator,
    Rules,
    /// A file of the log.
    Log(&'a str),
    /// The names of a log's files, of its size.
    Files(&'a str),
    Possessions,
    /// Tier, if one is wanted, and nonce.
    Possession(Option<&'a str>, &'a str),
    Post(Post),
}

/// What can be handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Post {
    Claim,
    Commitment,
    Sign,
    Claimant,
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Option<Self> {
        Some(match path {
            "/" => Self::Page,
            "/facts.json" => Self::Facts,
            "/manifest" => Self::Manifest,
            "/operator" => Self::Operator,
            "/rules" => Self::Rules,
            "/checkpoint" => Self::Log("checkpoint"),
            "/possession" => Self::Possessions,
            "/claim" => Self::Post(Post::Claim),
            "/commitment" => Self::Post(Post::Commitment),
            "/sign" => Self::Post(Post::Sign),
            "/claimant" => Self::Post(Post::Claimant),
            _ => return Self::under(path),
        })
    }

    fn under(path: &'a str) -> Option<Self> {
        if let Some(rest) = path.strip_prefix("/possession/") {
            return Some(rest.split_once('/').map_or(Self::Possession(None, rest), |(tier, nonce)| Self::Possession(Some(tier), nonce)));
        }
        if let Some(digest) = path.strip_prefix("/manifest/") {
            return Some(Self::Version(digest));
        }
        if let Some(size) = path.strip_prefix("/files/") {
            return Some(Self::Files(size));
        }
        path.strip_prefix('/').filter(|name| name.starts_with("tile/")).map(Self::Log)
    }
}

/// What is always the same, by its path.
fn fixed(arbiter: Option<Vec<u8>>) -> BTreeMap<&'static str, Answer> {
    let text = |path, kind, text: &'static str| (path, Answer::new(kind, text).kept(Keep::Asking));
    let arbiter = arbiter.map_or_else(
        || Answer::text(StatusCode::NOT_FOUND, "this build has no arbiter for browsers\n"),
        |arbiter| Answer::new(MODULE, arbiter).kept(Keep::Asking),
    );
    BTreeMap::from([
        text("/arbiter.mjs", SCRIPT, include_str!("../../arbiter-wasm/arbiter.mjs")),
        text("/page.mjs", SCRIPT, include_str!("../assets/page.mjs")),
        text("/style.css", STYLE, include_str!("../assets/style.css")),
        text("/icon.svg", PICTURE, include_str!("../assets/icon.svg")),
        text("/check-possession", TEXT, include_str!("../../check-possession")),
        ("/arbiter.wasm", arbiter),
    ])
}

/// What there is, for who asks for something else.
const HERE: &str = "nothing here. There are\n\
    /  /facts.json  /manifest  /manifest/DIGEST  /operator  /rules\n\
    /checkpoint  /tile/..  /files/SIZE\n\
    /possession/NONCE  /possession/TIER/NONCE  /check-possession\n\
    /arbiter.wasm  /arbiter.mjs\n\
    and POST /claim  /commitment  /sign  /claimant\n";

impl Router {
    /// Answers for this contest.
    #[must_use]
    pub fn new(contest: Arc<dyn Contest>, mut site: Site, limits: &Limits) -> Self {
        let has_arbiter = site.assets.arbiter.is_some();
        let fixed = fixed(site.assets.arbiter.take());
        let room = Arc::new(Semaphore::new((limits.log_bytes / ROOM_UNIT).min(Semaphore::MAX_PERMITS)));
        let rates = |of_source, in_all| Mutex::new(Rates::new(of_source, in_all));
        Self {
            contest,
            base: site.base,
            has_arbiter,
            fixed,
            room,
            began: Instant::now(),
            asks: rates(limits.asks_of_source, limits.asks),
            claims: rates(limits.claims_of_source, limits.claims),
            commitments: rates(limits.commitments_of_source, limits.commitments),
            claimants: rates(limits.claimants_of_source, limits.claimants),
            turns: Mutex::new(Turns::new(limits.turns)),
            shown: Mutex::new(None),
        }
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Answer {
        if request.path.len().saturating_add(request.query.len()) > TARGET_LEN_MAX {
            return Answer::text(StatusCode::URI_TOO_LONG, format!("a path of at most {TARGET_LEN_MAX} bytes\n"));
        }
        if let Some(fixed) = self.fixed.get(request.path.as_str()) {
            let is_asked = matches!(request.method, Method::GET | Method::HEAD);
            return if is_asked { fixed.clone().unless(request.had.as_deref()) } else { only("GET, HEAD") };
        }
        let Some(route) = Route::of(&request.path) else { return Answer::text(StatusCode::NOT_FOUND, HERE) };
        match (route, &request.method) {
            (Route::Post(post), &Method::POST) => self.handed(post, request),
            (Route::Post(_), _) => only("POST"),
            (_, &Method::GET | &Method::HEAD) => self.asked(route, request).unless(request.had.as_deref()),
            _ => only("GET, HEAD"),
        }
    }

    /// What was made of the facts, at most a moment ago. Whoever comes while they are made waits for them.
    fn shown(&self) -> Shown {
        let mut shown = locked(&self.shown);
        if let Some(shown) = shown.as_ref().filter(|shown| shown.at.elapsed() < FRESH) {
            return shown.clone();
        }
        let view = View::new(self.contest.facts(), self.contest.log_file("checkpoint").as_deref());
        let page =
            Answer::new(HTML, html::page(&view, &html::Place { base: &self.base, has_arbiter: self.has_arbiter })).kept(Keep::Asking);
        let facts = Answer::new(JSON, format!("{}\n", facts::document(&view))).kept(Keep::Asking);
        shown.insert(Shown { at: Instant::now(), view: Arc::new(view), page, facts }).clone()
    }

    /// Something was accepted: whoever looks now is to see it.
    fn renew(&self) {
        locked(&self.shown).take();
    }

    /// Whether the guest or the disk is needed for what is asked, and it may take long.
    #[must_use]
    pub fn is_slow(request: &Request) -> bool {
        request.method == Method::POST || matches!(Route::of(&request.path), Some(Route::Possession(..) | Route::Log(_)))
    }

    /// Takes one of a source's budget, and of the budget of all.
    fn take(&self, rates: &Mutex<Rates>, peer: Option<IpAddr>) -> Result<(), Refusal> {
        self.take_of(rates, peer)?;
        self.take_of_all(rates)
    }

    fn take_of(&self, rates: &Mutex<Rates>, peer: Option<IpAddr>) -> Result<(), Refusal> {
        locked(rates).take_of(known(peer), self.began.elapsed()).map_err(|wait| match wait {
            Wait::Source(wait) => Refusal::TooOften { wait, of: Budget::Source },
            Wait::Others(wait) => Refusal::TooOften { wait, of: Budget::Others },
        })
    }

    fn take_of_all(&self, rates: &Mutex<Rates>) -> Result<(), Refusal> {
        locked(rates).take_of_all(self.began.elapsed()).map_err(|wait| Refusal::TooOften { wait, of: Budget::All })
    }

    fn take_turn(&self, peer: Option<IpAddr>) -> Result<(), Refusal> {
        locked(&self.turns).take(known(peer), self.began.elapsed()).map_err(|wait| Refusal::TooOften { wait, of: Budget::Others })
    }
}

/// All who are not known are one.
fn known(peer: Option<IpAddr>) -> IpAddr {
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn only(methods: &str) -> Answer {
    Answer::text(StatusCode::METHOD_NOT_ALLOWED, format!("only {methods}\n")).saying(header::ALLOW, methods)
}

impl core::fmt::Debug for Router {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Router").field("base", &self.base).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
