//! Host calls that the tender needs and that no safe wrapper offers: each is one checked call behind a safe function.
//!
//! The tender itself forbids `unsafe`. Nothing here touches a guest.

use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::slice;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Bytes of an interface name at most, without the closing zero.
const INTERFACE_NAME_LEN_MAX: usize = libc::IFNAMSIZ - 1;

/// The header that a TAP with [`tap_attach`]'s flags puts in front of each frame, in bytes.
pub const VNET_HEADER_LEN: usize = 10;

/// Leaves the namespaces of `flags` (`CLONE_NEW*`) for new ones.
///
/// # Errors
/// What unshare(2) says; `EINVAL` for a flag that is no namespace.
pub fn unshare_namespaces(flags: libc::c_int) -> io::Result<()> {
    let namespaces =
        libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWPID | libc::CLONE_NEWNET;
    if flags & !namespaces != 0 {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: takes no pointer; `flags` holds namespaces only, so no thread loses sight of memory or descriptors (CLONE_FILES, CLONE_VM).
    check(unsafe { libc::unshare(flags) })
}

/// A System V shared memory segment that another process made, as AFL++ does for its coverage map and its inputs.
///
/// That process writes between the requests that it makes of this one, and not while it waits for an answer; so no slice from here, taken while a
/// request is answered, changes under its reader.
#[derive(Debug)]
pub struct Segment {
    base: NonNull<u8>,
    len: usize,
}

impl Segment {
    /// Attaches the segment of this number, for reading and writing.
    ///
    /// # Errors
    /// What shmctl(2) or shmat(2) says.
    pub fn attach(id: i32) -> io::Result<Self> {
        // SAFETY: `shmid_ds` is a plain C structure for which all zeros are a value.
        let mut state: libc::shmid_ds = unsafe { MaybeUninit::zeroed().assume_init() };
        // SAFETY: IPC_STAT writes one `shmid_ds`, which outlives the call.
        check(unsafe { libc::shmctl(id, libc::IPC_STAT, &raw mut state) })?;
        // SAFETY: a null address lets the kernel choose a free range, so no mapping of this process is replaced.
        let base = unsafe { libc::shmat(id, ptr::null(), 0) };
        let base =
            NonNull::new(base.cast::<u8>()).filter(|base| base.as_ptr().addr() != usize::MAX).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { base, len: state.shm_segsz })
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is live until drop, `len` bytes long as the kernel said (a segment never changes its length), initialised
        // (zero at first), and not written by others while a request is answered (see the type).
        unsafe { slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }

    /// Its bytes, for writing.
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; and `&mut self` makes this the only slice of this process.
        unsafe { slice::from_raw_parts_mut(self.base.as_ptr(), self.len) }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, is detached only here, and no slice of it outlives `self`.
        let _ = unsafe { libc::shmdt(self.base.as_ptr().cast()) };
    }
}

/// Marks every descriptor from `first` on close-on-exec, so that a child gets those that it is handed and no other.
///
/// # Errors
/// What close_range(2) says.
pub fn mark_close_on_exec(first: u32) -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC.cast_signed();
    // SAFETY: takes no pointer, and with CLOSE_RANGE_CLOEXEC closes nothing now.
    check(unsafe { libc::close_range(first, u32::MAX, flags) })
}

/// Makes an open `/dev/net/tun` the TAP `name`, without packet information, with a virtio-net header of [`VNET_HEADER_LEN`] bytes.
///
/// # Errors
/// `EINVAL` for a name that does not fit, else what the ioctls say.
pub fn tap_attach(tun: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    let mut request = interface_request(name)?;
    let flags = libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR;
    request.ifr_ifru.ifru_flags = i16::try_from(flags).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    // SAFETY: TUNSETIFF reads and writes one `ifreq`, which `request` is and which outlives the call.
    check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, &raw mut request) })?;
    tap_offload(tun)
}

/// Sets up an already attached TAP as [`tap_attach`] does: header length and offloads (checksum, TCP segmentation of IPv4 and IPv6).
///
/// # Errors
/// What the ioctls say.
pub fn tap_offload(tap: BorrowedFd<'_>) -> io::Result<()> {
    let header_len = libc::c_int::try_from(VNET_HEADER_LEN).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    // SAFETY: TUNSETVNETHDRSZ reads one int, which outlives the call.
    check(unsafe { libc::ioctl(tap.as_raw_fd(), libc::TUNSETVNETHDRSZ, &raw const header_len) })?;
    let offloads: libc::c_ulong = (libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6).into();
    // SAFETY: TUNSETOFFLOAD takes its flags by value.
    check(unsafe { libc::ioctl(tap.as_raw_fd(), libc::TUNSETOFFLOAD, offloads) })
}

fn interface_request(name: &str) -> io::Result<libc::ifreq> {
    let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
    if name.is_empty()
        || name.len() > INTERFACE_NAME_LEN_MAX
        || !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/' && byte != b'%')
    {
        return Err(invalid());
    }
    let mut field = [0; libc::IFNAMSIZ];
    for (to, from) in field.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    Ok(libc::ifreq { ifr_name: field, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: 0 } })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_that_is_not_there_is_refused() {
        assert!(Segment::attach(-1).is_err());
    }

    #[test]
    fn flags_that_are_no_namespace_are_refused() {
        assert_eq!(unshare_namespaces(libc::CLONE_FILES).unwrap_err().raw_os_error(), Some(libc::EINVAL));
    }

    #[test]
    fn a_name_that_is_too_long_or_could_be_a_pattern_is_refused() {
        assert!(interface_request("sixteen_letters_").is_err());
        assert!(interface_request("tap%d").is_err());
        assert!(interface_request("").is_err());
        assert!(interface_request("fifteen_letters").is_ok());
    }
}
