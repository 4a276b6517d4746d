//! "Did you mean ..?"

/// The word among these that is nearest to what was written, if one is near enough to be meant.
pub(crate) fn nearest<'a>(written: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near_enough = |word: &str| (word.len() / 3).clamp(1, 3);
    let scored = words.into_iter().map(|word| (distance(&written.to_lowercase(), word), word));
    scored.filter(|&(distance, word)| distance <= near_enough(word)).min().map(|(_, word)| word)
}

/// Insertions, deletions, replacements, and swaps of neighbours, that lead from one word to the other (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().take(WORD_LEN_MAX).collect(), to.chars().collect());
    let mut older = vec![0; to.len().saturating_add(1)];
    let mut old: Vec<usize> = (0..=to.len()).collect();
    for (i, &a) in from.iter().enumerate() {
        let mut new = vec![i + 1];
        for (j, &b) in to.iter().enumerate() {
            let mut least = (old[j] + usize::from(a != b)).min(old[j + 1] + 1).min(new[j] + 1);
            if i > 0 && j > 0 && a == to[j - 1] && from[i - 1] == b {
                least = least.min(older[j - 1] + 1);
            }
            new.push(least);
        }
        older = core::mem::replace(&mut old, new);
    }
    old.last().copied().unwrap_or_default()
}

/// Keys that are longer than this are near to none of ours.
const WORD_LEN_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 4] = ["machine", "net", "listen", "certificate"];

    #[test]
    fn slips_of_a_finger_are_understood() {
        for (written, meant) in
            [("lisen", "listen"), ("machien", "machine"), ("Net", "net"), ("certificates", "certificate"), ("listne", "listen")]
        {
            assert_eq!(nearest(written, WORDS), Some(meant));
        }
    }

    #[test]
    fn another_word_is_not_guessed_at() {
        for written in ["", "x", "backend", "lantern", "ne", &"n".repeat(10_000)] {
            let expected = (written == "ne").then_some("net");
            assert_eq!(nearest(written, WORDS), expected, "{written}");
        }
    }
}
