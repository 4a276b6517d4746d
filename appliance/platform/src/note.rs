//! The ELF note that marks an image as ours and names the [`abi::boot::VERSION`] it was built for.

use abi::boot::VERSION;

const OWNER: [u8; 10] = *b"bountybox\0";

/// As the ELF specification lays a note out: lengths of owner and description, type, then both, each padded to four bytes.
#[repr(C)]
struct Note {
    owner_len: u32,
    description_len: u32,
    kind: u32,
    owner: [u8; OWNER.len().next_multiple_of(4)],
    description: u32,
}

#[used]
#[unsafe(link_section = ".note.bountybox")]
static NOTE: Note = Note { owner_len: 10, description_len: 4, kind: 1, owner: *b"bountybox\0\0\0", description: VERSION };

const _: () = assert!(OWNER.len() == 10 && size_of::<Note>() == 12 + 12 + 4, "no padding");
