//! Boundary: a guest image as somebody hands it to the loader.
#![no_main]
#![forbid(unsafe_code)]

use libfuzzer_sys::fuzz_target;
use machine::Image;
use machine::image::Access;

fuzz_target!(|data: &[u8]| {
    let Ok(image) = Image::parse(data) else { return };
    // What parses can be placed, and its entry is executable.
    let span = usize::try_from(image.span_len()).unwrap();
    let mut memory = vec![0; span];
    assert!(image.place(0x10000, &mut memory).is_some());
    let entry = image.segments().iter().find(|segment| segment.range.contains(&image.entry()));
    assert_eq!(entry.map(|segment| segment.access), Some(Access::Execute));
});
