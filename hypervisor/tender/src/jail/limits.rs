//! Resource limits. Address space is not limited: a cell reserves its heap and touches little of it.

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::jail::Applied;

/// Lowers what can be used up or left behind; no threads are made after it, nor processes.
pub(super) fn lower(descriptors_max: u64, file_len_max: u64, applied: &mut Applied) {
    let exactly = |value| Rlimit { current: Some(value), maximum: Some(value) };
    let may_grow = file_len_max == u64::MAX || log_is_a_file();
    let lowered = setrlimit(Resource::Nofile, exactly(descriptors_max))
        .and_then(|()| setrlimit(Resource::Core, exactly(0)))
        .and_then(|()| setrlimit(Resource::Nproc, exactly(0)))
        .and_then(|()| if may_grow { Ok(()) } else { setrlimit(Resource::Fsize, exactly(file_len_max)) });
    applied.note("rlimits", lowered);
}

/// Then it may grow.
fn log_is_a_file() -> bool {
    rustix::fs::fstat(std::io::stderr()).is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file())
}
