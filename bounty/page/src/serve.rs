//! The thread, the connections, and who the client is.

mod crowd;
mod peer;

use core::convert::Infallible;
use core::net::{IpAddr, SocketAddr};
use core::pin::pin;
use core::time::Duration;
use std::io;
use std::net::TcpListener;
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::answer::Answer;
use crate::contest::Contest;
use crate::limits::{BODY_LEN_MAX, HEAD_LEN_MAX, HEADERS_MAX, LAST_ANSWER, Limits, REST, SLOW_MAX, THREADS_MAX};
use crate::router::{Request, Router};
use crate::site::{Peers, Site};
use crowd::{Crowd, Place};

/// A page that is served. It ends when this is dropped, with whatever it was answering.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    end: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// A page that is ready to be served: all of its threads are there, and no more will be made; nobody is let in yet. Nobody ever is where this is dropped.
#[derive(Debug)]
pub struct Ready {
    /// Dropped first: the thread is waiting for it.
    begin: mpsc::Sender<()>,
    served: Served,
}

/// Serves the page of a contest on this listener; `peers` says how its clients' addresses are known.
///
/// # Errors
/// When the listener cannot be used, or no thread can be had.
pub fn serve(listener: TcpListener, peers: Peers, contest: Arc<dyn Contest>, site: Site, limits: Limits) -> io::Result<Served> {
    Ok(Ready::new(vec![(listener, peers)], contest, site, limits)?.serve())
}

impl Ready {
    /// A page on these listeners, the first of which gives [`Served::address`]. Each has its own crowd; budgets are shared, and so are the threads on which the contest is asked.
    ///
    /// # Errors
    /// When a listener cannot be used, there is none, or no thread can be had.
    pub fn new(listeners: Vec<(TcpListener, Peers)>, contest: Arc<dyn Contest>, site: Site, limits: Limits) -> io::Result<Self> {
        let address = listeners.first().ok_or(io::ErrorKind::InvalidInput)?.0.local_addr()?;
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_io().enable_time().max_blocking_threads(THREADS_MAX).thread_keep_alive(Duration::MAX).build()?;
        let router = Arc::new(Router::new(contest, site, &limits));
        let slow = Arc::new(Semaphore::new(SLOW_MAX));
        let halls = listeners.into_iter().map(|(listener, peers)| {
            let _within = runtime.enter();
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let hall = Hall { peers, router: Arc::clone(&router), limits, crowd: Arc::new(Crowd::new(&limits)), slow: Arc::clone(&slow) };
            Ok((listener, Arc::new(hall)))
        });
        let halls = halls.collect::<io::Result<Vec<_>>>()?;
        gather(&runtime);
        let (end, ended) = oneshot::channel();
        let (begin, begun) = mpsc::channel();
        let there = Arc::new(Barrier::new(2));
        let here = Arc::clone(&there);
        let served = move || {
            here.wait();
            if begun.recv().is_ok() {
                run(runtime, halls, ended);
            }
        };
        let thread = thread::Builder::new().name("page".into()).spawn(served)?;
        // A thread that is only just made still asks the kernel for this and that.
        there.wait();
        Ok(Self { begin, served: Served { address, end: Some(end), thread: Some(thread) } })
    }

    /// Lets people in.
    #[must_use]
    pub fn serve(self) -> Served {
        // A thread that is gone has nobody to let in.
        let _gone = self.begin.send(());
        self.served
    }
}

/// Has the runtime make all threads that it may make: whoever wants to may then forbid that there be more.
fn gather(runtime: &Runtime) {
    let all = Arc::new(Barrier::new(THREADS_MAX.saturating_add(1)));
    for _ in 0..THREADS_MAX {
        let all = Arc::clone(&all);
        drop(runtime.spawn_blocking(move || all.wait()));
    }
    all.wait();
}

impl Served {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What all connections of a listener share.
struct Hall {
    peers: Peers,
    router: Arc<Router>,
    limits: Limits,
    crowd: Arc<Crowd>,
    /// Turns of those who ask for what is slow.
    slow: Arc<Semaphore>,
}

/// Takes connections until the other end of `ended` is dropped.
fn run(runtime: Runtime, halls: Vec<(tokio::net::TcpListener, Arc<Hall>)>, ended: oneshot::Receiver<Infallible>) {
    for (listener, hall) in halls {
        runtime.spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, from)) => {
                        hall.crowd.admit(|place| tokio::spawn(attend(Arc::clone(&hall), place, stream, from)).abort_handle());
                        // Whoever made way gives the descriptor back before the next one takes one.
                        yield_now().await;
                    }
                    Err(_) => sleep(REST).await,
                }
            }
        });
    }
    let _ = runtime.block_on(ended);
    // What waits for a contest that does not answer is not waited for.
    runtime.shutdown_background();
}

/// A connection, from the first byte to the last.
async fn attend(hall: Arc<Hall>, place: Place, mut stream: TcpStream, from: SocketAddr) {
    let peer = match hall.peers {
        Peers::Connect => Some(from.ip()),
        Peers::AreNamed => match timeout(hall.limits.head, peer::named(&mut stream)).await {
            Ok(Ok(peer)) => peer,
            _ => return,
        },
    };
    if !place.sit(peer) {
        return;
    }
    let place = &place;
    let answers = service_fn(|request| {
        let hall = Arc::clone(&hall);
        async move { Ok::<_, Infallible>(respond(hall, request, peer, place).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(hall.limits.head).max_buf_size(HEAD_LEN_MAX).max_headers(HEADERS_MAX);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), answers));
    // What a client does wrong ends its connection, and nobody else's.
    let over = timeout(hall.limits.connection, connection.as_mut()).await;
    if over.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(LAST_ANSWER, connection).await;
    }
}

async fn respond(hall: Arc<Hall>, request: hyper::Request<Incoming>, peer: Option<IpAddr>, place: &Place) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = match timeout(hall.limits.body, Limited::new(body, BODY_LEN_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(fault)) if fault.is::<LengthLimitError>() => return too_large().response(),
        Ok(Err(_)) => return closing(StatusCode::BAD_REQUEST, "the body ends early\n").response(),
        Err(_) => return closing(StatusCode::REQUEST_TIMEOUT, "the body took too long\n").response(),
    };
    let patience = hall.limits.answer;
    let request = Request {
        path: head.uri.path().into(),
        query: head.uri.query().unwrap_or_default().into(),
        accept: text(&head.headers, &header::ACCEPT).unwrap_or_default().into(),
        had: text(&head.headers, &header::IF_NONE_MATCH).map(Into::into),
        is_foreign: is_foreign(&head.headers),
        method: head.method,
        body,
        peer,
    };
    place.is_asking();
    let answer = timeout(patience, answer(hall, request)).await;
    place.is_answered();
    let late = || Answer::text(StatusCode::SERVICE_UNAVAILABLE, "the box does not answer in time\n");
    answer.ok().flatten().unwrap_or_else(late).response()
}

/// The contest's answer. Who asks for what is slow waits in a line of its own, and is in it until the contest has answered, not only while somebody waits for that.
async fn answer(hall: Arc<Hall>, request: Request) -> Option<Answer> {
    let turn = if Router::is_slow(&request) { Some(Arc::clone(&hall.slow).acquire_owned().await.ok()?) } else { None };
    let answering = move || {
        let answer = hall.router.answer(&request);
        drop(turn);
        answer
    };
    tokio::task::spawn_blocking(answering).await.ok()
}

/// Whether a browser says that another origin's page made it ask. A page on plain HTTP is told by `Origin` alone.
fn is_foreign(headers: &HeaderMap) -> bool {
    let fetch = text(headers, &HeaderName::from_static("sec-fetch-site"));
    let origin = text(headers, &header::ORIGIN).map(|origin| origin.split_once("://").map_or(origin, |(_, authority)| authority));
    matches!(fetch, Some("cross-site" | "same-site")) || origin.is_some() && origin != text(headers, &header::HOST)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn too_large() -> Answer {
    closing(StatusCode::PAYLOAD_TOO_LARGE, "a body of at most 65536 bytes\n")
}

/// An answer behind which nothing follows: what the client still sends is not read.
fn closing(status: StatusCode, text: &'static str) -> Answer {
    Answer::text(status, text).saying(header::CONNECTION, "close")
}
