//! Namespaces and an empty root: nothing of the host's files, IPC objects, names or (where no sockets are needed) networks is there.

use machine::host::unshare_namespaces;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount};
use rustix::process::{chdir, pivot_root};

use crate::jail::Applied;

/// A folder that every host has, to mount the empty root on. Nobody else sees that mount.
const STEPPING_STONE: &str = "/proc";

/// What of the host a process still needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    /// Its network: sockets are made or connected later on. Those that are there need none.
    pub(super) network: bool,
    /// Its process numbers: threads are made later on, which the kernel allows nobody who has left them.
    pub(super) processes: bool,
}

/// Leaves the host's namespaces and root, as far as the host allows.
pub(super) fn raise(kept: Kept, applied: &mut Applied) {
    let mut namespaces = libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    if !kept.network {
        namespaces |= libc::CLONE_NEWNET;
    }
    if !kept.processes {
        namespaces |= libc::CLONE_NEWPID;
    }
    // Without privilege only a user namespace gives the right to the others; root has it, and wants no more capabilities.
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        namespaces |= libc::CLONE_NEWUSER;
    }
    let name = match (is_root, kept.processes) {
        (true, false) => "namespaces(mnt,ipc,uts,pid)",
        (false, false) => "namespaces(user,mnt,ipc,uts,pid)",
        (true, true) => "namespaces(mnt,ipc,uts)",
        (false, true) => "namespaces(user,mnt,ipc,uts)",
    };
    if applied.note(name, unshare_namespaces(namespaces)) {
        applied.note("empty-root", empty_root());
    }
}

fn empty_root() -> rustix::io::Result<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
    mount("none", STEPPING_STONE, "tmpfs", flags, Some(c"mode=0555,size=4k"))?;
    chdir(STEPPING_STONE)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")
}
