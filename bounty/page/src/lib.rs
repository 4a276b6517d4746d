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
//! | [`router`] | a request comes in, an answer goes out; [`answer`] is what goes out |
//! | [`rates`] | who may ask how often |
//! | [`form`], [`tiles`] | fields out of bodies; which paths are files of the log |
//! | [`view`], [`facts`], [`html`], [`words`] | the facts held against the manifest; as JSON; as a page; as words |
//! | [`limits`] | every bound |
//!
//! `docs/page.md` has every route and every field. Nothing panics, whatever is sent.
#![forbid(unsafe_code)]

pub mod answer;
pub mod contest;
pub mod facts;
pub mod form;
pub mod html;
pub mod limits;
pub mod rates;
pub mod router;
pub mod serve;
pub mod site;
pub mod tiles;
pub mod view;
pub mod words;

pub use contest::{Contest, Facts, Judged};
pub use limits::Limits;
pub use serve::{Served, serve};
pub use site::{Assets, Peers, Site};
