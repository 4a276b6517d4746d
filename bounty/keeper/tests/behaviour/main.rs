//! The keeper from outside: what it enters holds, whatever it is asked for; and evidence stays within its bounds.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not there")]

mod changes;
mod contest;
mod evidence;
mod power;
mod sequences;
mod verbs;
