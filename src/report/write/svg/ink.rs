//! The pen: elements of SVG, with coordinates of one decimal and text that is only ever text.

use std::fmt::Write;

/// Elements in the order in which they were drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Ink(pub String);

/// Where a text is held by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    Start,
    Middle,
    End,
}

impl Ink {
    /// Opens `<g …>`; `attributes` are ours, never a name from outside.
    pub fn open(&mut self, attributes: &str) {
        let _ = write!(self.0, "<g {attributes}>");
    }

    /// Closes the innermost group.
    pub fn close(&mut self) {
        self.0 += "</g>";
    }

    /// A straight line.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2], class: &str) {
        let [[x1, y1], [x2, y2]] = [from.map(px), to.map(px)];
        let _ = write!(
            self.0,
            r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#
        );
    }

    /// A path through pieces of `d`.
    pub fn path(&mut self, d: &str, attributes: &str) {
        let _ = write!(self.0, r#"<path {attributes} d="{d}"/>"#);
    }

    /// A rectangle that says `tip` when it is pointed at.
    pub fn rect(&mut self, at: [f64; 2], size: [f64; 2], attributes: &str, tip: Option<&str>) {
        let [[x, y], [width, height]] = [at.map(px), size.map(px)];
        let shape =
            format!(r#"<rect {attributes} x="{x}" y="{y}" width="{width}" height="{height}""#);
        self.shape(&shape, "rect", tip);
    }

    /// A circle that says `tip` when it is pointed at.
    pub fn circle(&mut self, at: [f64; 2], radius: f64, attributes: &str, tip: Option<&str>) {
        let ([x, y], r) = (at.map(px), px(radius));
        let shape = format!(r#"<circle {attributes} cx="{x}" cy="{y}" r="{r}""#);
        self.shape(&shape, "circle", tip);
    }

    fn shape(&mut self, open: &str, element: &str, tip: Option<&str>) {
        self.0 += open;
        match tip {
            None => self.0 += "/>",
            Some(tip) => {
                let _ = write!(self.0, "><title>{}</title></{element}>", escaped(tip));
            }
        }
    }

    /// A line of text whose base line is at `at`.
    pub fn text(&mut self, at: [f64; 2], hold: Hold, class: &str, text: &str) {
        self.place(at, hold, class, "", text);
    }

    /// A line of text that is read from bottom to top.
    pub fn upright(&mut self, at: [f64; 2], hold: Hold, class: &str, text: &str) {
        let [x, y] = at.map(px);
        let turn = format!(r#" transform="rotate(-90 {x} {y})""#);
        self.place(at, hold, class, &turn, text);
    }

    fn place(&mut self, at: [f64; 2], hold: Hold, class: &str, more: &str, text: &str) {
        let [x, y] = at.map(px);
        let anchor = match hold {
            Hold::Start => "",
            Hold::Middle => r#" text-anchor="middle""#,
            Hold::End => r#" text-anchor="end""#,
        };
        let text = escaped(text);
        let _ = write!(
            self.0,
            r#"<text class="{class}" x="{x}" y="{y}"{anchor}{more}>{text}</text>"#
        );
    }
}

/// A coordinate with one decimal, without a trailing `.0` or a negative zero.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    match text {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

/// Text as it stands between tags or quotes. Characters that XML has no place for are gone by
/// then: names reach the pen spelt for a screen.
pub(in crate::report::write) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            // Lines of a table or of a title are lines; nothing else that is invisible passes.
            c if c.is_control() && c != '\n' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_have_one_decimal_and_no_negative_zero() {
        let text = [0.0, -0.04, 12.0, 12.34, -3.26].map(px);
        assert_eq!(text, ["0", "0", "12", "12.3", "-3.3"]);
    }

    #[test]
    fn names_cannot_leave_their_element() {
        let hostile = "</text><script>alert('x')</script>\u{1b}\"&";
        assert_eq!(
            escaped(hostile),
            "&lt;/text&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\u{fffd}&quot;&amp;"
        );
    }
}
