//! What a listener is given besides the contest.

/// See the module.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where people reach the page, as `https://contest.example`, without a path: commands on the page begin with it.
    pub base: String,
    /// What comes from elsewhere in the build.
    pub assets: Assets,
}

/// How the client's address is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peers {
    /// It is whoever connects.
    Connect,
    /// A terminator stands in front, and begins every connection with a PROXY header. One that does not is closed.
    AreNamed,
}

/// What comes from elsewhere in the build.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    /// `arbiter.wasm`, as `bounty/arbiter-wasm/build` makes it. Without it the page says that the browser cannot judge.
    pub arbiter: Option<Vec<u8>>,
}
