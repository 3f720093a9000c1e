//! Pages as pictures: vector graphics that a paper can print and a browser can hover over.
//!
//! Every part that has a shape becomes a [`Picture`]: curves, matrices, trees, planes. The same
//! report gives the same bytes. Marks carry the numbers that they stand for (`data-x`, `data-y`,
//! `data-value`), and say them when they are pointed at.

mod axes;
mod colour;
mod curves;
mod drawing;
mod groups;
mod ink;
mod legend;
mod matrix;
mod plane;
mod tree;
mod words;

use std::fmt::Write;

use self::drawing::WIDTH;
use self::ink::px;

pub(super) use self::ink::escaped;
use crate::report::page::Part;

/// One picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// What it shows.
    pub title: String,
    /// What it shows, for people who do not see it.
    pub description: String,
    /// `curves`, `matrix`, `tree` or `plane`.
    pub kind: &'static str,
    height: f64,
    body: String,
}

/// The pictures of `parts`, in order; a part without a shape or without a value has none.
pub fn pictures<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Vec<Picture> {
    parts.into_iter().filter_map(picture).collect()
}

fn picture(part: &Part) -> Option<Picture> {
    let drawing = match part {
        Part::Curves(curves) => curves::draw(curves),
        Part::Matrix(matrix) => matrix::draw(matrix),
        Part::Tree(tree) => tree::draw(tree),
        Part::Plane(plane) => plane::draw(plane),
        Part::Grid(_) | Part::Notes(_) => None,
    }?;
    Some(Picture {
        title: drawing.title,
        description: drawing.description,
        kind: drawing.kind,
        height: drawing.height,
        body: drawing.ink.0,
    })
}

impl Picture {
    /// The picture by itself: a whole SVG of its own.
    pub fn svg(&self) -> String {
        document(&self.title, std::slice::from_ref(self))
    }
}

/// Pictures below each other as one SVG; `title` is what a reader of screens says first.
pub fn document(title: &str, pictures: &[Picture]) -> String {
    let height: f64 = pictures.iter().map(|picture| picture.height + 8.0).sum();
    let [width, height] = [WIDTH, height.max(20.0)].map(px);
    let described: Vec<&str> = pictures
        .iter()
        .map(|one| one.description.as_str())
        .collect();
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img"><title>{}</title><desc>{}</desc><style>{}</style><rect class="paper" width="100%" height="100%"/>"#,
        escaped(title),
        escaped(&described.join(" ")),
        colour::STYLE,
    );
    let mut top = 0.0;
    for picture in pictures {
        let kind = picture.kind;
        let _ = write!(
            out,
            r#"<g class="figure" data-kind="{kind}" transform="translate(0 {})">{}</g>"#,
            px(top),
            picture.body
        );
        top += picture.height + 8.0;
    }
    out + "</svg>\n"
}

#[cfg(test)]
mod tests;
