//! The challenge's page: what a stranger sees of a contest and may ask of it, over HTTP/1.1 on a listener that the caller gives.
//!
//! TLS is the box's own affair: its terminator stands in front and says by the PROXY protocol who the client is. Nothing here holds a secret, signs, or keeps a file; all of that is the
//! [`Contest`]'s.
//!
//! | module | what it holds |
//! |---|---|
//! | [`contest`] | what the page asks of whoever runs the contest |
//! | [`site`] | what it is given besides: where it is reached, who says who the client is, the arbiter for browsers |
//! | [`serve()`] | the thread, the connections, the client's address |
//! | [`remote`] | the contest in another process than the one that strangers speak to |
//! | [`router`] | a request comes in, an answer goes out; [`answer`] is what goes out |
//! | [`rates`], [`turns`] | who may ask how often; who is looked at although nothing can be known of him |
//! | [`form`], [`tiles`] | fields out of bodies; which paths are files of the log |
//! | [`view`], [`facts`], [`html`], [`words`] | the facts held against the manifest; as JSON; as a page; as words |
//! | [`limits`] | every bound |
//!
//! `docs/page.md` has every route and every field. Nothing panics, whatever is sent.
//!
//! A request is answered without a socket, too:
//!
//! ```
//! use std::sync::Arc;
//! use bounty_page::router::{Request, Router};
//! use bounty_page::{Assets, Contest, Facts, Judged, Limits, Site};
//!
//! /// There is nothing yet but a manifest that nobody signed.
//! struct Unsigned;
//!
//! impl Contest for Unsigned {
//!     fn facts(&self) -> Facts {
//!         Facts::new(b"bountybox-manifest 1\n".to_vec(), "example.org/contest+00000000+AA==".into())
//!     }
//!     fn manifest(&self, _: arbiter::Digest) -> Result<Option<Vec<u8>>, String> { Ok(None) }
//!     fn claim(&self, _: &[u8]) -> Result<Judged, String> { Err("there is no log".into()) }
//!     fn prove(&self, _: [u8; 32]) -> Result<Vec<u8>, String> { Err("there are no flags".into()) }
//!     fn sign(&self, _: &[u8]) -> Result<Vec<u8>, String> { Err("there are no flags".into()) }
//!     fn commit(&self, _: [u8; 32]) -> Result<Vec<u8>, String> { Err("there is no log".into()) }
//!     fn announce(&self, _: &str, _: Option<core::net::IpAddr>) -> Result<(), String> { Ok(()) }
//!     fn log_file(&self, _: &str) -> Option<Vec<u8>> { None }
//! }
//!
//! let site = Site { base: "https://contest.example".into(), assets: Assets::default() };
//! let router = Router::new(Arc::new(Unsigned), site, &Limits::default());
//! let ask = |path: &str| router.answer(&Request { path: path.into(), ..Request::default() });
//!
//! assert_eq!(ask("/checkpoint").status, 404);
//! let page = ask("/");
//! assert_eq!(page.status, 200);
//! assert!(String::from_utf8_lossy(&page.body).contains("There is nothing to judge by"));
//! ```
#![forbid(unsafe_code)]

pub mod answer;
mod coded;
pub mod contest;
pub mod facts;
pub mod form;
pub mod html;
pub mod limits;
pub mod rates;
pub mod remote;
pub mod router;
pub mod serve;
pub mod site;
pub mod tiles;
pub mod turns;
pub mod view;
pub mod words;

pub use contest::{Contest, Facts, Judged};
pub use limits::Limits;
pub use serve::{Ready, Served, serve};
pub use site::{Assets, Peers, Site};
