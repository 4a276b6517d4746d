//! A contest's secrets, as they come to a tender: two files without a name.
//!
//! One holds the flags that the guest's machine is given: it is read into the parcel, wiped here, and closed before the guest's first instruction. The other holds the
//! flag of `escape`, which no code of ours ever reads: the tender keeps it open until its end, and the jail lets it be read by pread(2) and by nothing else. Whoever
//! gets it has got code to run in the tender itself.

use core::mem;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;

use abi::limits::FLAG_LEN;
use machine::Contest;
use rustix::fs::{MemfdFlags, SealFlags};
use zeroize::Zeroizing;

use crate::order::Order;

/// How many descriptors a contest takes, in this order: the guest's flags, the flag of `escape`.
pub const DESCRIPTORS: usize = 2;

/// The file of the guest's flags, in bytes: `read`, then `exec`.
pub const FLAGS_LEN: usize = 2 * FLAG_LEN;

/// A contest's files, as a supervisor makes them; each cell is handed the same ones.
#[derive(Debug)]
pub struct Files {
    flags: OwnedFd,
    escape: OwnedFd,
}

impl Files {
    /// Files with these flags, which nobody can change any more.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn new(read: &[u8; FLAG_LEN], exec: &[u8; FLAG_LEN], escape: &[u8; FLAG_LEN]) -> io::Result<Self> {
        Ok(Self { flags: sealed(&[read, exec])?, escape: sealed(&[escape])? })
    }

    /// What is sent behind all other descriptors of an [`Order`].
    #[must_use]
    pub fn descriptors(&self) -> [BorrowedFd<'_>; DESCRIPTORS] {
        [self.flags.as_fd(), self.escape.as_fd()]
    }
}

fn sealed(pieces: &[&[u8; FLAG_LEN]]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file: File = match rustix::fs::memfd_create("flag", flags | MemfdFlags::NOEXEC_SEAL) {
        // Linux before 6.3 does not know NOEXEC_SEAL.
        Err(rustix::io::Errno::INVAL) => rustix::fs::memfd_create("flag", flags)?,
        other => other?,
    }
    .into();
    pieces.iter().try_for_each(|piece| file.write_all(&piece[..]))?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file.into())
}

/// The file with the flag of `escape`. There is no way to its bytes from here.
#[derive(Debug)]
pub(crate) struct Escape(OwnedFd);

impl Escape {
    /// Its descriptor, for the jail.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Why a contest's files are none.
#[derive(Debug)]
pub enum ContestFault {
    /// Fewer descriptors came than the order says.
    Missing,
    /// The file of the guest's flags has so many bytes, and not [`FLAGS_LEN`].
    Len(u64),
    /// It cannot be read.
    Io(io::Error),
}

impl From<io::Error> for ContestFault {
    fn from(fault: io::Error) -> Self {
        Self::Io(fault)
    }
}

/// Takes a contest's descriptors from the end of those that came with its order; `None` where the order has no contest.
pub(crate) fn take(order: &Order, descriptors: &mut Vec<OwnedFd>) -> Result<Option<(Contest, Escape)>, ContestFault> {
    let Some(crate::order::Contest { flag_address, word_address }) = order.contest else { return Ok(None) };
    let escape = Escape(descriptors.pop().ok_or(ContestFault::Missing)?);
    let flags = File::from(descriptors.pop().ok_or(ContestFault::Missing)?);
    let len = flags.metadata()?.len();
    if usize::try_from(len) != Ok(FLAGS_LEN) {
        return Err(ContestFault::Len(len));
    }
    let mut bytes = Zeroizing::new([[0; FLAG_LEN]; 2]);
    // From the start, wherever an earlier cell has left the file's position: it is the same open file.
    flags.read_exact_at(bytes.as_flattened_mut(), 0)?;
    let [read, exec] = &mut *bytes;
    let contest = Contest { flag: Zeroizing::new(mem::take(read)), flag_address, word_address, prize: Zeroizing::new(mem::take(exec)) };
    Ok(Some((contest, escape)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::order;

    fn contested() -> Order {
        Order { contest: Some(crate::order::Contest { flag_address: 0x1000, word_address: 0x2000 }), ..order() }
    }

    fn sent(files: &Files) -> Vec<OwnedFd> {
        files.descriptors().map(|file| file.try_clone_to_owned().unwrap()).into()
    }

    #[test]
    fn flags_come_out_as_they_were_put_in_for_one_cell_after_the_other() {
        let files = Files::new(&[1; 32], &[2; 32], &[3; 32]).unwrap();
        for _ in 0..3 {
            let mut descriptors = sent(&files);
            descriptors.insert(0, File::open("/dev/null").unwrap().into());
            let (contest, escape) = take(&contested(), &mut descriptors).unwrap().unwrap();
            assert_eq!((&contest.flag[..], &contest.prize[..]), (&[1; 32][..], &[2; 32][..]));
            assert_eq!((contest.flag_address, contest.word_address, descriptors.len()), (0x1000, 0x2000, 1));
            let mut read = [0; 33];
            assert_eq!(rustix::io::pread(&escape.0, &mut read, 0), Ok(32));
            assert_eq!(read[..32], [3; 32]);
        }
    }

    #[test]
    fn an_order_without_a_contest_takes_nothing() {
        let mut descriptors = sent(&Files::new(&[1; 32], &[2; 32], &[3; 32]).unwrap());
        assert!(matches!(take(&order(), &mut descriptors), Ok(None)));
        assert_eq!(descriptors.len(), 2);
    }

    #[test]
    fn files_of_another_length_are_refused() {
        for pieces in [&[][..], &[&[1; 32]], &[&[1; 32]; 3]] {
            let mut descriptors = vec![sealed(pieces).unwrap(), sealed(&[&[3; 32]]).unwrap()];
            assert!(matches!(take(&contested(), &mut descriptors), Err(ContestFault::Len(len)) if len == 32 * pieces.len() as u64));
        }
        assert!(matches!(take(&contested(), &mut Vec::new()), Err(ContestFault::Missing)));
    }

    #[test]
    fn nobody_can_change_a_flag() {
        let files = Files::new(&[1; 32], &[2; 32], &[3; 32]).unwrap();
        for file in files.descriptors() {
            assert_eq!(rustix::io::pwrite(file, &[9], 0), Err(rustix::io::Errno::PERM));
            assert_eq!(rustix::fs::ftruncate(file, 0), Err(rustix::io::Errno::PERM));
        }
    }
}
