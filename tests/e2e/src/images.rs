//! Guest images that were tampered with: what a defect or an intruder would do to a good one, done to its file. And the one that is built to give its secrets away.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use elf::ElfBytes;
use elf::abi::{STT_FUNC, STT_NOTYPE};
use elf::endian::LittleEndian;

use crate::{Outcome, ensure, image};

/// The image that gives the secrets of its sessions away, built once per test process.
///
/// # Errors
/// When it does not build.
pub fn keylog() -> Outcome<PathBuf> {
    static BUILT: Mutex<bool> = Mutex::new(false);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !*built {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../appliance/build-image");
        let output = Command::new(script).arg("keylog").output()?;
        ensure(output.status.success(), String::from_utf8_lossy(&output.stderr))?;
        *built = true;
    }
    Ok(image().with_file_name("keylog.elf"))
}

/// The names of its symbols, as far as they are text.
///
/// # Errors
/// When the file is no ELF file with symbols.
pub fn symbols(image: &[u8]) -> Outcome<Vec<String>> {
    let file = ElfBytes::<LittleEndian>::minimal_parse(image)?;
    let (symbols, strings) = file.symbol_table()?.ok_or("the image has no symbols")?;
    Ok(symbols.iter().filter_map(|symbol| strings.get(usize::try_from(symbol.st_name).ok()?).ok()).map(str::to_owned).collect())
}

/// `ud2`: raises #UD (Intel SDM volume 2).
const UD2: [u8; 2] = [0x0f, 0x0b];
/// `xor eax, eax` and `ret`: returns zero.
const NOTHING: [u8; 3] = [0x31, 0xc0, 0xc3];

/// The image with `ud2` at the start of every function whose symbol holds one of `names`: a guest that is sound until it calls one.
///
/// # Errors
/// When the file is no ELF file with symbols, or has no such function.
pub fn with_traps(image: &[u8], names: &[&str]) -> Outcome<Vec<u8>> {
    with_code(image, names, &UD2)
}

/// The same with a return of zero: a guest that leaves out what these functions do. Zero must be something that they may return.
///
/// # Errors
/// When the file is no ELF file with symbols, or has no such function.
pub fn without(image: &[u8], names: &[&str]) -> Outcome<Vec<u8>> {
    with_code(image, names, &NOTHING)
}

fn with_code(image: &[u8], names: &[&str], instruction: &[u8]) -> Outcome<Vec<u8>> {
    let file = ElfBytes::<LittleEndian>::minimal_parse(image)?;
    let (symbols, strings) = file.symbol_table()?.ok_or("the image has no symbols")?;
    let segments = file.segments().ok_or("the image has no segments")?;
    let mut altered = image.to_vec();
    let mut count = 0;
    for symbol in symbols.iter().filter(|symbol| matches!(symbol.st_symtype(), STT_FUNC | STT_NOTYPE)) {
        let name = strings.get(usize::try_from(symbol.st_name)?)?;
        let code = segments.iter().find(|segment| {
            segment.p_flags & elf::abi::PF_X != 0 && (segment.p_vaddr..segment.p_vaddr + segment.p_filesz).contains(&symbol.st_value)
        });
        if let Some(code) = code.filter(|_| names.iter().any(|wanted| name.contains(wanted))) {
            let at = usize::try_from(symbol.st_value - code.p_vaddr + code.p_offset)?;
            altered.get_mut(at..at + instruction.len()).ok_or("a symbol outside the file")?.copy_from_slice(instruction);
            count += 1;
        }
    }
    ensure(count > 0, format!("no function of the image is named like {names:?}"))?;
    Ok(altered)
}

/// The image with `new` in place of the bytes that begin with `magic`, which stand in it once.
///
/// # Errors
/// When they stand there not at all or more than once.
pub fn with_slot(image: &[u8], magic: &[u8], new: &[u8]) -> Outcome<Vec<u8>> {
    let places: Vec<_> = image.windows(magic.len()).enumerate().filter(|(_, bytes)| *bytes == magic).map(|(at, _)| at).collect();
    let [at] = places[..] else { return Err(format!("the slot stands at {places:?}").into()) };
    let mut written = image.to_vec();
    written.get_mut(at..at + new.len()).ok_or("the slot is cut off")?.copy_from_slice(new);
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_written_only_where_it_is_the_only_one() {
        assert_eq!(with_slot(b"..ab...", b"ab", b"abcd").ok(), Some(b"..abcd.".to_vec()));
        assert!(with_slot(b"..ab", b"ab", b"abc").is_err());
        assert!(with_slot(b"abab", b"ab", b"ab").is_err());
        assert!(with_slot(b"none", b"ab", b"ab").is_err());
    }
}
