//! `[reload]`: what a running box may be given later, and whether it looks by itself.

use super::section::Section;
use crate::limits::LATER_PORTS_MAX;
use crate::report::Report;
use crate::rule::Rule;

/// The section's words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reload {
    /// `watch`
    pub watch: bool,
    /// `backend_ports`, as ports.
    pub backend_ports: Vec<u16>,
}

/// Reads the section.
pub(super) fn read(section: &mut Section<'_>, report: &mut Report) -> Reload {
    let watch = section.switch("watch", report).unwrap_or_default();
    let wanted = "a port, as \"8080\", or a range of ports, as \"9000-9099\"";
    let ranges = section.parsed_list("backend_ports", wanted, parse_ports, report).unwrap_or_default();
    let backend_ports: Vec<u16> = ranges.into_iter().flat_map(|range| range.value).take(LATER_PORTS_MAX.saturating_add(1)).collect();
    if backend_ports.len() > LATER_PORTS_MAX {
        report.add(Rule::TooMany, &section.place_at("backend_ports"), format!("more than {LATER_PORTS_MAX} ports"));
    }
    Reload { watch, backend_ports }
}

fn parse_ports(text: &str) -> Option<core::ops::RangeInclusive<u16>> {
    let port = |text: &str| text.parse().ok().filter(|port| *port != 0);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(port(first)?..=port(last)?).filter(|range| !range.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_ranges_are_read_and_what_is_neither_is_not() {
        assert_eq!(parse_ports("8080"), Some(8080..=8080));
        assert_eq!(parse_ports("9000-9002"), Some(9000..=9002));
        for wrong in ["", "0", "65536", "9-8", "1-", "-1", "a", "1-2-3"] {
            assert_eq!(parse_ports(wrong), None, "{wrong}");
        }
    }
}
