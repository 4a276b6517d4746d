//! Why something is not done, and what is answered then.

use core::time::Duration;
use std::borrow::Cow;

use hyper::{StatusCode, header};

use crate::answer::Answer;

/// See the module.
#[derive(Debug)]
pub(super) enum Refusal {
    /// This, for a reason that is a sentence.
    Says(StatusCode, Cow<'static, str>),
    /// It was asked for too often.
    TooOften {
        /// How long to wait.
        wait: Duration,
        /// Whose budget is used up.
        of: Budget,
    },
}

/// Whose budget.
#[derive(Debug, Clone, Copy)]
pub(super) enum Budget {
    /// That of who asks.
    Source,
    /// What those have used up that who asks cannot be told from.
    Others,
    /// That of all.
    All,
}

impl Refusal {
    pub(super) const fn bad(why: &'static str) -> Self {
        Self::Says(StatusCode::BAD_REQUEST, Cow::Borrowed(why))
    }

    pub(super) const fn missing(why: &'static str) -> Self {
        Self::Says(StatusCode::NOT_FOUND, Cow::Borrowed(why))
    }

    pub(super) const fn told(status: StatusCode, why: String) -> Self {
        Self::Says(status, Cow::Owned(why))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Says(status, why) => Self::text(status, format!("{why}\n")),
            Refusal::TooOften { wait, of } => {
                let seconds = wait.as_secs().saturating_add(1);
                let who = match of {
                    Budget::Source => "your address has",
                    Budget::Others => "others have",
                    Budget::All => "all together have",
                };
                let text = format!("{who} asked too often; again in {seconds} s\n");
                Self::text(StatusCode::TOO_MANY_REQUESTS, text).saying(header::RETRY_AFTER, &seconds.to_string())
            }
        }
    }
}
