//! Horizontal bars in groups, as SVG; a line at 1 is where the peer that all are compared with stands.

use core::fmt::Write as _;

/// The bars of one job.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) bars: Vec<Bar>,
}

/// One subject's bar.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    /// bountybox's, not a peer's.
    pub(crate) ours: bool,
    pub(crate) ratio: f64,
    pub(crate) value: f64,
    /// The generator had no time left: the server might have done more.
    pub(crate) limited: bool,
}

/// The height of a bar with its gap.
const ROW: usize = 20;
/// Where bars begin.
const LEFT: f64 = 110.0;
/// The length of a ratio of 1.
const UNIT: f64 = 200.0;
/// Longer bars are cut; the number beside them is right.
const RATIO_MAX: f64 = 3.0;

/// The whole picture.
pub(crate) fn svg(groups: &[Group]) -> String {
    let mut body = String::new();
    let mut top = 40;
    for group in groups {
        let _ = writeln!(body, "<text x=\"8\" y=\"{}\" font-weight=\"bold\">{}</text>", top + 14, group.title);
        top += ROW;
        let first = top;
        for bar in &group.bars {
            body.push_str(&row(bar, top));
            top += ROW;
        }
        let one = LEFT + UNIT;
        let _ = writeln!(body, "<line x1=\"{one}\" y1=\"{first}\" x2=\"{one}\" y2=\"{}\" stroke=\"#444\"/>", top - 2);
        top += ROW / 2;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"{top}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"18\">ratio to nginx (1 = the same, longer is better); green: bountybox; pale: the generator had no time left</text>\n{body}</svg>\n"
    )
}

fn row(bar: &Bar, top: usize) -> String {
    let width = bar.ratio.min(RATIO_MAX) * UNIT;
    let colour = if bar.ours { "#2a7f62" } else { "#7a7f87" };
    let opacity = if bar.limited { 0.5 } else { 1.0 };
    let base = top + 12;
    format!(
        "<text x=\"8\" y=\"{base}\">{}</text><rect x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" height=\"15\" fill=\"{colour}\" opacity=\"{opacity}\"/>\
         <text x=\"{:.1}\" y=\"{base}\">{:.2} ({:.1})</text>\n",
        bar.name,
        LEFT + width + 6.0,
        bar.ratio,
        bar.value
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(ratio: f64, limited: bool) -> Bar {
        Bar { name: "kvm/tap", ours: true, ratio, value: 12.5, limited }
    }

    #[test]
    fn a_bar_is_as_long_as_its_ratio_until_it_is_cut() {
        assert!(row(&bar(0.5, false), 0).contains("width=\"100.0\""));
        assert!(row(&bar(99.0, false), 0).contains("width=\"600.0\""));
        assert!(row(&bar(99.0, false), 0).contains("99.00 (12.5)"));
    }

    #[test]
    fn what_the_generator_held_back_is_pale() {
        assert!(row(&bar(1.0, true), 0).contains("opacity=\"0.5\""));
        assert!(row(&bar(1.0, false), 0).contains("opacity=\"1\""));
    }

    #[test]
    fn each_group_has_its_title_bars_and_line() {
        let group = |title: &str| Group { title: title.into(), bars: vec![bar(1.0, false), bar(2.0, false)] };
        let picture = svg(&[group("one"), group("two")]);
        assert_eq!((picture.matches("<line").count(), picture.matches("<rect x").count()), (2, 4));
        assert!(picture.contains(">one<") && picture.contains(">two<"));
    }
}
