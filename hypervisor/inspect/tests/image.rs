//! The shipped image, and copies of it with something smuggled in.

#[test]
fn the_shipped_image_is_clean() {
    let report = inspect::report("../../target/image/bountybox.elf").unwrap();
    eprintln!("{report}");
    assert!(report.clean);
}
