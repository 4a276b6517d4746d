//! defmt's global logger: the log window.

use crate::log::Log;
use crate::sole::Sole;

static LOG: Sole<Option<Log<'static>>> = Sole::new(None);

/// Sets the window that the log goes to. Before that, frames go nowhere.
pub(crate) fn install(window: &'static mut [u8]) {
    LOG.with(|slot| *slot = Some(Log::new(window)));
}

/// For the panic handler: the frame that was being written will never end.
pub(crate) fn reclaim() {
    LOG.reclaim();
}

/// How many bytes of log this turn may still make.
#[must_use]
pub fn room() -> usize {
    LOG.with(|slot| slot.as_ref().map(Log::room)).flatten().unwrap_or(0)
}

fn with(step: impl FnOnce(&mut Log<'static>)) {
    LOG.with(|slot| slot.as_mut().map(step));
}

#[defmt::global_logger]
struct Window;

// SAFETY: there is one execution context, so a frame is never begun inside another but by a panic, and `Log` gives up the open one then.
unsafe impl defmt::Logger for Window {
    fn acquire() {
        with(Log::start_frame);
    }

    unsafe fn flush() {}

    unsafe fn release() {
        with(Log::end_frame);
    }

    unsafe fn write(bytes: &[u8]) {
        with(|log| log.write(bytes));
    }
}

defmt::timestamp!("{=u64:us}", u64::try_from(crate::clock::mono().as_micros()).unwrap_or(u64::MAX));
