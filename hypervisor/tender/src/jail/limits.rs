//! Resource limits. Address space is not limited: a cell reserves its heap and touches little of it.

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::jail::Applied;

/// Lowers what can be used up or left behind; no threads are made after it, nor processes.
pub(super) fn lower(descriptors_max: u64, file_len_max: u64, applied: &mut Applied) {
    let may_grow = file_len_max == u64::MAX || log_is_a_file();
    let lowered = exactly(Resource::Nofile, descriptors_max)
        .and_then(|()| exactly(Resource::Nproc, 0))
        .and_then(|()| if may_grow { Ok(()) } else { exactly(Resource::Fsize, file_len_max) });
    applied.note("rlimits", lowered);
}

/// So much and no more, for good.
pub(super) fn exactly(resource: Resource, value: u64) -> rustix::io::Result<()> {
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
}

/// Then it may grow.
fn log_is_a_file() -> bool {
    rustix::fs::fstat(std::io::stderr()).is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file())
}
