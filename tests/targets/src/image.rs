//! Boundary: a guest image as somebody hands it to the loader.

use machine::Image;
use machine::image::Access;

/// The most that this target makes room for. What is longer in memory than in the file is only zeros.
const SPAN_MAX: usize = 1 << 20;

/// What parses can be placed, its entry is executable, and its segments are apart; what does not is told in words.
pub fn image(data: &[u8]) {
    let image = match Image::parse(data) {
        Ok(image) => image,
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    };
    let segments = image.segments();
    assert!(segments.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start), "segments overlap");
    assert!(segments.iter().all(|segment| segment.range.start % 4096 == 0 && segment.range.end % 4096 == 0));
    let entry = segments.iter().find(|segment| segment.range.contains(&image.entry()));
    assert_eq!(entry.map(|segment| segment.access), Some(Access::Execute));
    let span = usize::try_from(image.span_len()).expect("a bounded span");
    if span <= SPAN_MAX {
        let mut memory = vec![0; span];
        assert!(image.place(0x10000, &mut memory).is_some());
    }
    if let Some((name, _)) = image.symbol(image.entry()) {
        assert!(!name.contains('\0'), "{name:?}");
    }
}
