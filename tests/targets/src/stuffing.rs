//! rzCOBS, as a guest's encoder makes it (<https://github.com/Dirbaio/rzcobs>): for frames whose content the fuzzer chooses.

/// The longest run without a zero that one control byte stands for.
const RUN_MAX: usize = 134;

/// `plain` without zeros; what it is padded with at its end comes back as zeros.
pub(crate) fn stuffed(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = plain;
    while !rest.is_empty() {
        let run = rest.iter().take(RUN_MAX).take_while(|byte| **byte != 0).count();
        let taken = match run {
            0..7 => group(rest, &mut out),
            RUN_MAX => {
                out.extend_from_slice(&rest[..RUN_MAX]);
                out.push(0xff);
                RUN_MAX
            }
            _ => {
                out.extend_from_slice(&rest[..run]);
                out.push(0x80 | u8::try_from(run - 7).unwrap_or(0));
                run + 1
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Seven bytes, at least one of them zero: those that are not, and which they are.
fn group(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let mut mask = 0;
    for bit in 0..7 {
        match rest.get(bit).copied().unwrap_or(0) {
            0 => mask |= 1 << bit,
            byte => out.push(byte),
        }
    }
    out.push(mask);
    7
}
