//! Namespaces and an empty root: nothing of the host's files, IPC objects, names or (where no sockets are needed) networks is there.

use machine::host::unshare_namespaces;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount};
use rustix::process::{chdir, pivot_root};

use crate::jail::{Applied, Needs, Sockets};

/// A folder that every host has, to mount the empty root on. Nobody else sees that mount.
const STEPPING_STONE: &str = "/proc";

/// Leaves the host's namespaces and root, as far as the host allows.
pub(super) fn raise(needs: &Needs, applied: &mut Applied) {
    let mut namespaces = libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWPID;
    if needs.sockets == Sockets::None {
        namespaces |= libc::CLONE_NEWNET;
    }
    // Without privilege only a user namespace gives the right to the others; root has it, and wants no more capabilities.
    let name = if rustix::process::geteuid().is_root() {
        "namespaces(mnt,ipc,uts,pid)"
    } else {
        namespaces |= libc::CLONE_NEWUSER;
        "namespaces(user,mnt,ipc,uts,pid)"
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
