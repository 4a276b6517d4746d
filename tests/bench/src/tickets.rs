//! The session tickets that the generator's clients share: each is used once, the oldest first.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use rustls_std::NamedGroup;
use rustls_std::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls_std::pki_types::ServerName;

/// Tickets kept at most; later ones are dropped.
const TICKETS_MAX: usize = 1024;

/// See the module's page.
#[derive(Debug, Default)]
pub(crate) struct Tickets(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    tickets: VecDeque<Tls13ClientSessionValue>,
    fresh: bool,
}

impl Tickets {
    fn with<R>(&self, look: impl FnOnce(&mut Kept) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a ticket has come since this was asked last.
    pub(crate) fn take_fresh(&self) -> bool {
        self.with(|kept| core::mem::take(&mut kept.fresh))
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.with(|kept| {
            kept.fresh = true;
            if kept.tickets.len() < TICKETS_MAX {
                kept.tickets.push_back(ticket);
            }
        });
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.with(|kept| kept.tickets.pop_front())
    }
}
