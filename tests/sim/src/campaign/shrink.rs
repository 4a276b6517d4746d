//! The smallest part of a scenario that still fails: Zeller's delta debugging, over its acts.

/// The acts, by their places, that are left when none can be left out any more without the failure going away. `fails` is asked for at most
/// `tries` runs.
#[must_use]
pub fn shrink(acts: usize, tries: usize, mut fails: impl FnMut(&[usize]) -> bool) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..acts).collect();
    let (mut parts, mut left) = (2, tries);
    while kept.len() > 1 && left > 0 {
        let len = kept.len().div_ceil(parts);
        let starts: Vec<usize> = (0..kept.len()).step_by(len).collect();
        let smaller = starts.iter().find_map(|start| {
            left = left.checked_sub(1)?;
            let without: Vec<usize> =
                kept.iter().enumerate().filter(|(at, _)| !(*start..start + len).contains(at)).map(|(_, act)| *act).collect();
            fails(&without).then_some(without)
        });
        match smaller {
            Some(without) => (kept, parts) = (without, parts.saturating_sub(1).max(2)),
            None if len == 1 => break,
            None => parts = (parts * 2).min(kept.len()),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_acts_that_matter_are_left_and_no_others() {
        let fails = |acts: &[usize]| acts.contains(&3) && acts.contains(&17) && acts.contains(&18);
        assert_eq!(shrink(40, 1000, fails), [3, 17, 18]);
    }

    #[test]
    fn tries_are_bounded_and_what_is_left_still_fails() {
        let mut runs = 0;
        let fails = |acts: &[usize]| {
            runs += 1;
            acts.contains(&7)
        };
        let left = shrink(100, 5, fails);
        assert!(left.contains(&7) && runs <= 5);
    }
}
