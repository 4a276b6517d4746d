//! How much memory a server's processes take.

use std::fs;

/// A process and all that it has started, by id.
#[must_use]
pub fn descendants(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children: String = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect();
    let mut all = vec![pid];
    for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
        all.extend(descendants(child));
    }
    all
}

/// What a process calls itself; nothing for one that is gone.
#[must_use]
pub fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// Resident bytes of a process, shared pages counted in proportion (`Pss`, proc(5)); 0 for one that is gone.
#[must_use]
pub fn proportional_set(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}
