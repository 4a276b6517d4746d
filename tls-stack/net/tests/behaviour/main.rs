//! What `net` does, seen from outside: two stacks on a wire, or one stack and bare hands.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "helpers of tests stop at the first surprise, and cut random numbers to size"
)]

mod budget;
mod doorman;
mod endings;
mod hostile;
mod injection;
mod link;
mod proxy;
mod sequence;
mod support;
mod transfer;
