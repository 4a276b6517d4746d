//! The log window: whole defmt frames, as many as fit, the rest counted.

use abi::log::HEADER_LEN;
use defmt::Encoder;

/// The window's writer. A frame becomes visible to the tender when it is whole, or not at all.
pub struct Log<'w> {
    window: &'w mut [u8],
    encoder: Encoder,
    /// End of the frame being written, from the header's end in bytes; `None` while it does not fit.
    end: Option<usize>,
    open: bool,
}

impl<'w> Log<'w> {
    /// A writer over `window`, which the tender has zeroed.
    #[must_use]
    pub const fn new(window: &'w mut [u8]) -> Self {
        Self { window, encoder: Encoder::new(), end: None, open: false }
    }

    /// Starts a frame. One that is still open is given up: it was a panic that came between.
    pub fn start_frame(&mut self) {
        if self.open {
            self.encoder = Encoder::new();
        }
        self.open = true;
        self.end = Some(self.len());
        self.encode(|encoder, sink| encoder.start_frame(sink));
    }

    /// Goes on with the frame.
    pub fn write(&mut self, bytes: &[u8]) {
        self.encode(|encoder, sink| encoder.write(bytes, sink));
    }

    /// Ends the frame, and shows it to the tender if it fitted.
    pub fn end_frame(&mut self) {
        self.encode(|encoder, sink| encoder.end_frame(sink));
        self.open = false;
        match self.end.take() {
            Some(end) => self.store(0, end),
            None => self.store(4, self.load(4).saturating_add(1)),
        }
    }

    fn encode(&mut self, step: impl FnOnce(&mut Encoder, &mut dyn FnMut(&[u8]))) {
        let Self { window, encoder, end, .. } = self;
        step(encoder, &mut |bytes| *end = end.and_then(|at| append(window, at, bytes)));
    }

    /// How many bytes still fit.
    #[must_use]
    pub fn room(&self) -> usize {
        self.window.len().saturating_sub(HEADER_LEN).saturating_sub(self.len())
    }

    fn len(&self) -> usize {
        self.load(0)
    }

    fn load(&self, offset: usize) -> usize {
        let field = self.window.get(offset..).and_then(<[u8]>::first_chunk::<4>);
        field.map_or(0, |field| usize::try_from(u32::from_le_bytes(*field)).unwrap_or(usize::MAX))
    }

    fn store(&mut self, offset: usize, value: usize) {
        if let Some(field) = self.window.get_mut(offset..).and_then(<[u8]>::first_chunk_mut::<4>) {
            *field = u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
        }
    }
}

/// Puts `bytes` at `at` behind the header; returns where they end, or `None` if they do not fit.
fn append(window: &mut [u8], at: usize, bytes: &[u8]) -> Option<usize> {
    let end = at.checked_add(bytes.len())?;
    let space = window.get_mut(HEADER_LEN..)?.get_mut(at..end)?;
    space.copy_from_slice(bytes);
    Some(end)
}

impl core::fmt::Debug for Log<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Log").field("len", &self.len()).field("open", &self.open).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn frame(log: &mut Log<'_>, bytes: &[u8]) {
        log.start_frame();
        log.write(bytes);
        log.end_frame();
    }

    fn header(window: &[u8]) -> (usize, usize) {
        let field = |at: usize| u32::from_le_bytes(*window[at..].first_chunk().unwrap()) as usize;
        (field(0), field(4))
    }

    /// Frames as the tender sees them: what stands between two zero bytes.
    fn seen(window: &[u8]) -> Vec<&[u8]> {
        let (len, _) = header(window);
        window[HEADER_LEN..][..len].split(|byte| *byte == 0).filter(|frame| !frame.is_empty()).collect()
    }

    #[test]
    fn whole_frames_stand_behind_each_other() {
        let mut window = vec![0; 64];
        let mut log = Log::new(&mut window);
        frame(&mut log, &[1, 2]);
        frame(&mut log, &[3, 4]);
        assert_eq!(seen(&window), [[1, 2, 0x7c], [3, 4, 0x7c]]);
    }

    #[test]
    fn room_is_what_the_frames_have_left() {
        let mut window = vec![0; HEADER_LEN + 64];
        let mut log = Log::new(&mut window);
        assert_eq!(log.room(), 64);
        frame(&mut log, &[1; 5]);
        assert_eq!(log.room(), 64 - 8);
    }

    #[test]
    fn an_open_frame_is_not_seen() {
        let mut window = vec![0; 64];
        let mut log = Log::new(&mut window);
        log.start_frame();
        log.write(&[1, 2, 3]);
        assert_eq!(header(&window), (0, 0));
    }

    #[test]
    fn a_frame_that_fits_exactly_is_kept_and_one_byte_more_is_dropped_and_counted() {
        // A frame of n < 7 bytes takes n + 2, and the very first one a separator more.
        for (len, expected) in [(5, (8, 0)), (6, (0, 1))] {
            let mut window = vec![0; HEADER_LEN + 8];
            frame(&mut Log::new(&mut window), &vec![1; len]);
            assert_eq!(header(&window), expected, "{len} bytes");
        }
    }

    #[test]
    fn after_a_dropped_frame_a_shorter_one_is_kept() {
        let mut window = vec![0; HEADER_LEN + 16];
        let mut log = Log::new(&mut window);
        frame(&mut log, &[7; 100]);
        frame(&mut log, &[5]);
        assert_eq!(header(&window), (3, 1));
        assert_eq!(seen(&window), [[5, 0x7e]]);
    }

    #[test]
    fn once_the_tender_has_taken_them_there_is_room_again() {
        let mut window = vec![0; HEADER_LEN + 8];
        frame(&mut Log::new(&mut window), &[1; 5]);
        window[..HEADER_LEN].fill(0);
        frame(&mut Log::new(&mut window), &[2; 5]);
        assert_eq!(header(&window), (8, 0));
    }

    #[test]
    fn a_frame_that_a_panic_cut_short_is_given_up() {
        let mut window = vec![0; 64];
        let mut log = Log::new(&mut window);
        log.start_frame();
        log.write(&[9, 9, 9]);
        frame(&mut log, &[1, 2]);
        assert_eq!(seen(&window), [[1, 2, 0x7c]]);
    }

    #[test]
    fn a_length_that_lies_beyond_the_window_costs_only_the_frame() {
        let mut window = vec![0; HEADER_LEN + 8];
        window[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        frame(&mut Log::new(&mut window), &[1]);
        assert_eq!(header(&window).1, 1);
    }
}
