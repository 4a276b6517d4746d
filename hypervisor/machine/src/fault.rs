//! What can go wrong on the host's side, told apart by whose fault it is.

use core::fmt;

use abi::limits::PAGE_LEN;
use rustix::io::Errno;

use crate::image::ImageFault;
use crate::limits::{ADDRESS_MAX, ADDRESS_MIN, GUARD_LEN};

/// Why a cell could not be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadFault {
    /// The image is none of ours.
    Image(ImageFault),
    /// The heap's length is not between [`abi::limits::HEAP_LEN_MIN`] and [`abi::limits::HEAP_LEN_MAX`].
    ConfigHeap,
    /// The bundle is empty or longer than [`abi::limits::BUNDLE_LEN_MAX`].
    ConfigBundle,
    /// A contest's page cannot lie at this address.
    ConfigContest(u64),
    /// `/dev/kvm` is not there or may not be opened.
    HostNoKvm(Errno),
    /// The kernel's KVM speaks another version of the API than 12.
    HostKvmVersion(i32),
    /// The kernel's KVM lacks a capability that the machine needs.
    HostCapability(Capability),
    /// The host refused a step of the set-up.
    Host(Step, Errno),
    /// The gate did not do what it must in the probe: this host cannot run guests safely.
    HostGate,
    /// No free place was found for a region, which only a broken source of randomness explains.
    HostLayout,
}

/// What the kvm machine needs of KVM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are KVM's")]
pub enum Capability {
    UserMemory,
    ReadonlyMemory,
    SyncRegisters,
    MsrFilter,
    Xcrs,
    ImmediateExit,
}

/// A step of a machine's set-up or run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Allocating the cell's memory.
    Memory,
    /// Reading the host's randomness.
    Entropy,
    /// Making the virtual machine.
    CreateVm,
    /// Handing memory to the virtual machine.
    MemorySlot,
    /// Making the vCPU.
    CreateVcpu,
    /// Setting what CPUID says.
    Cpuid,
    /// Setting the vCPU's registers.
    Registers,
    /// Denying model-specific registers.
    Msr,
    /// Arming the timer against guests that hang.
    Timer,
    /// Blocking or taking the timer's signal.
    Signal,
    /// Making the guest's process.
    Spawn,
    /// Controlling the guest's process.
    Trace,
    /// Letting the guest run.
    Run,
    /// Taking seed and bundle from the guest.
    Seal,
    /// Watching what the guest writes, to bring it back.
    Watch,
}

/// What the host did wrong while a guest ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostFault {
    /// The host refused a step.
    Host(Step, Errno),
    /// The guest has crashed or exited before: it can never run again.
    Over,
}

impl fmt::Display for LoadFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(fault) => write!(out, "image: {fault}"),
            Self::ConfigHeap => write!(out, "the heap's length is out of bounds"),
            Self::ConfigBundle => write!(out, "the bundle is empty or too long"),
            Self::ConfigContest(address) => write!(
                out,
                "a contest's page cannot lie at {address:#x}: it must be a multiple of {PAGE_LEN}, between {ADDRESS_MIN:#x} and {ADDRESS_MAX:#x}, and {GUARD_LEN:#x} bytes \
                 from the other page"
            ),
            Self::HostNoKvm(errno) => write!(out, "/dev/kvm cannot be opened: {errno}"),
            Self::HostKvmVersion(version) => write!(out, "KVM speaks version {version}, not 12"),
            Self::HostCapability(capability) => write!(out, "KVM lacks a capability: {capability:?}"),
            Self::Host(step, errno) => write!(out, "host refused {step:?}: {errno}"),
            Self::HostGate => write!(out, "the gate does not work on this host"),
            Self::HostLayout => write!(out, "no place in the guest's address space"),
        }
    }
}

impl fmt::Display for HostFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(step, errno) => write!(out, "host refused {step:?}: {errno}"),
            Self::Over => write!(out, "the guest has ended before"),
        }
    }
}

impl core::error::Error for LoadFault {}
impl core::error::Error for HostFault {}

impl From<ImageFault> for LoadFault {
    fn from(fault: ImageFault) -> Self {
        Self::Image(fault)
    }
}

impl From<HostFault> for LoadFault {
    fn from(fault: HostFault) -> Self {
        match fault {
            HostFault::Host(step, errno) => Self::Host(step, errno),
            HostFault::Over => Self::HostGate,
        }
    }
}
