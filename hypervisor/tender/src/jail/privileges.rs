//! Users, groups and capabilities: all given up.

use rustix::process::{Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::jail::{Applied, JailFault};

/// Nobody, on every Linux.
const NOBODY: u32 = 65_534;

/// Stops being root, if this process is, and gives up every capability.
pub(super) fn drop_all(applied: &mut Applied) -> Result<(), JailFault> {
    let bounded = drop_bounding_set();
    if rustix::process::geteuid().is_root() {
        become_nobody().map_err(|_| JailFault::Privileges)?;
        applied.done.push("nobody");
    }
    let empty =
        CapabilitySets { effective: CapabilitySet::empty(), permitted: CapabilitySet::empty(), inheritable: CapabilitySet::empty() };
    applied.note("no-capabilities", bounded.and_then(|()| rustix::thread::set_capabilities(None, empty)));
    Ok(())
}

/// The process has one thread, so what holds for the thread holds for the process.
fn become_nobody() -> rustix::io::Result<()> {
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)
}

/// Without privilege the bounding set cannot be changed, and need not: no new privileges are to be had anyway.
fn drop_bounding_set() -> rustix::io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // A capability that this kernel does not know, or no right to change the set.
            Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::PERM) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
