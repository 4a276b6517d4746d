//! The machine for hosts without `/dev/kvm`: the guest in a traced child process. (Being written.)

use core::time::Duration;

use rustix::io::Errno;

use crate::cell::{Allow, Machine, Stop};
use crate::exit::Registers;
use crate::fault::{HostFault, LoadFault, Step};
use crate::image::Image;
use crate::space::{Parcel, Space};

pub(crate) struct Process {
    space: Space,
}

impl Process {
    pub(crate) fn load(_image: &Image, _parcel: &Parcel) -> Result<Self, LoadFault> {
        Err(LoadFault::Host(Step::Spawn, Errno::NOSYS))
    }
}

impl Machine for Process {
    fn space(&self) -> &Space {
        &self.space
    }

    fn space_mut(&mut self) -> &mut Space {
        &mut self.space
    }

    fn run(&mut self, _budget: Duration) -> Result<Stop, HostFault> {
        Err(HostFault::Host(Step::Run, Errno::NOSYS))
    }

    fn registers(&mut self) -> Result<Registers, HostFault> {
        Err(HostFault::Host(Step::Run, Errno::NOSYS))
    }

    fn seal(&mut self) -> Result<(), HostFault> {
        self.space.close_secrets()
    }

    fn syscalls(&self) -> Vec<Allow> {
        Vec::new()
    }
}
