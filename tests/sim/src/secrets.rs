//! What may not be seen, by name, and the search for all of it: what is searched is read once for each [`TOGETHER_MAX`] of them.

use aho_corasick::packed::Searcher;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    list: Vec<(String, Vec<u8>)>,
    /// Each of so many that follow one another; made when they are first needed.
    searches: Option<Vec<Searcher>>,
}

/// So many are looked for at once, by vectors of bytes that pass over nearly all of what they read.
const TOGETHER_MAX: usize = 64;

impl Secrets {
    /// From now on this may not be seen.
    pub(crate) fn forbid(&mut self, name: &str, pattern: &[u8]) {
        self.list.push((name.to_owned(), pattern.to_vec()));
        self.searches = None;
    }

    /// The name of one that is in these bytes.
    pub(crate) fn find(&mut self, bytes: &[u8]) -> Option<&str> {
        let searches = self.searches.get_or_insert_with(|| self.list.chunks(TOGETHER_MAX).map(search).collect());
        let mut together = self.list.chunks(TOGETHER_MAX).zip(searches);
        together.find_map(|(list, search)| Some(list.get(search.find(bytes)?.pattern().as_usize())?.0.as_str()))
    }
}

fn search(list: &[(String, Vec<u8>)]) -> Searcher {
    Searcher::new(list.iter().map(|(_, pattern)| pattern)).expect("as many as go together, and none of them empty")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as a long run forbids, and more than go together.
    #[test]
    fn each_of_many_is_found_by_its_name_at_any_place_and_what_is_nearly_one_is_not() {
        let mut rng = crate::Rng::new(1);
        for count in [1, 13, 64, 200] {
            let patterns: Vec<Vec<u8>> = (0..count).map(|_| rng.bytes(16)).collect();
            let mut secrets = Secrets::default();
            (0..).zip(&patterns).for_each(|(n, pattern)| secrets.forbid(&format!("{n}"), pattern));
            for (n, pattern) in patterns.iter().enumerate() {
                let (before, behind) = (rng.bytes(n), rng.bytes(200 - n));
                let mut other = pattern.clone();
                other[15] ^= 1;
                assert_eq!(secrets.find(&[&before[..], &other, &behind].concat()), None, "{n} of {count}");
                assert_eq!(secrets.find(&[&before[..], pattern, &behind].concat()), Some(n.to_string().as_str()), "of {count}");
            }
        }
    }

    #[test]
    fn what_is_forbidden_later_is_found_as_well_and_nothing_is_where_nothing_is_forbidden() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.find(b"anything"), None);
        for word in ["one", "another"] {
            secrets.forbid(word, word.as_bytes());
            assert_eq!(secrets.find(format!("__{word}__").as_bytes()), Some(word));
        }
        assert_eq!(secrets.find(b"on"), None, "shorter than any");
    }
}
