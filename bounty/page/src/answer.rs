//! What goes out: a status, a body, and what every answer says about itself.

use arbiter::Digest;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

/// Plain text.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// A page.
pub const HTML: &str = "text/html; charset=utf-8";
/// JSON.
pub const JSON: &str = "application/json";
/// JavaScript.
pub const SCRIPT: &str = "text/javascript; charset=utf-8";
/// A style sheet.
pub const STYLE: &str = "text/css; charset=utf-8";
/// A picture.
pub const PICTURE: &str = "image/svg+xml";
/// WebAssembly.
pub const MODULE: &str = "application/wasm";
/// Files of the log (tlog-tiles).
pub const TILE: &str = "application/octet-stream";

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its media type.
    pub kind: &'static str,
    /// Its body.
    pub body: Bytes,
    /// Who may keep it.
    pub keep: Keep,
    /// What it is called, for who asks again.
    pub tag: Option<String>,
    /// Which methods there are instead; what else an answer has to say.
    pub more: Option<(HeaderName, HeaderValue)>,
}

/// Who may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nobody: it is for whoever asked.
    Never,
    /// Anybody who asks whether it is still so.
    Asking,
    /// Anybody, for ever: it does not change.
    Always,
}

/// Nothing but what this listener has; no script, style or frame from elsewhere, none written into the page; the arbiter is WebAssembly.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

impl Answer {
    /// A body for whoever asked.
    pub fn new(kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, kind, body: body.into(), keep: Keep::Never, tag: None, more: None }
    }

    /// Text for whoever asked.
    pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, ..Self::new(TEXT, body) }
    }

    /// The same, that others may keep.
    #[must_use]
    pub fn kept(mut self, keep: Keep) -> Self {
        let name = || Digest::of(&[&self.body]).to_string();
        self.tag = (keep == Keep::Asking).then(|| format!("\"{}\"", name().get(..32).unwrap_or_default()));
        self.keep = keep;
        self
    }

    /// The same, with something else to say.
    #[must_use]
    pub fn saying(mut self, name: HeaderName, value: &str) -> Self {
        self.more = HeaderValue::from_str(value).ok().map(|value| (name, value));
        self
    }

    /// The answer to somebody who has what these tags call.
    #[must_use]
    pub fn unless(self, had: Option<&str>) -> Self {
        let is_had = |tag: &String| had.is_some_and(|had| had.split(',').any(|each| each.trim().trim_start_matches("W/") == tag));
        if self.tag.as_ref().is_some_and(is_had) { Self { status: StatusCode::NOT_MODIFIED, body: Bytes::new(), ..self } } else { self }
    }

    /// As HTTP.
    #[must_use]
    pub fn response(self) -> Response<Full<Bytes>> {
        let public = self.keep != Keep::Never;
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        let keep = match self.keep {
            Keep::Never => "no-store",
            Keep::Asking => "no-cache",
            Keep::Always => "public, max-age=31536000, immutable",
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
        for (name, value) in [
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "same-origin"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        // What anybody may keep, anybody's page may read.
        if public {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        if let Some(tag) = self.tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
            headers.insert(header::ETAG, tag);
        }
        headers.extend(self.more);
        response
    }
}
