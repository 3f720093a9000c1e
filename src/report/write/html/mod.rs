//! Several reports as one page for a browser: self-contained, no request leaves it.
//!
//! Styles and the script stand in the page; figures are the same SVG as on paper. Names are text
//! wherever they stand. Without a script everything is still there to be read.

use std::fmt::Write;
use std::io::Write as _;

use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::svg::{Picture, escaped};
use super::text::{Style, plain};
use crate::report::page::{Cell, Grid, Kind, Note, Notes, Page, Part, Phrase};

const CSS: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// One part of the page: what a command found, or why it could not.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// A short name, unique within the page: part of its address and of file names.
    pub id: &'static str,
    /// The heading.
    pub title: &'static str,
    /// What the reader learns here, in a sentence.
    pub about: &'static str,
    /// The command that repeats it.
    pub command: String,
    /// What was found, or why nothing could be.
    pub outcome: Result<Content, String>,
}

/// What a command found.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Its page.
    pub page: Page,
    /// What it says in a few sentences: they open the page.
    pub summary: Vec<Phrase>,
    /// Its figures.
    pub pictures: Vec<Picture>,
    /// Its numbers as tidy CSV.
    pub csv: String,
}

/// Nothing is fetched: a page from disk must not try.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src data: blob:";

/// The whole page, in the order of `sections`; `read` says what each dump was understood to be.
pub fn document(title: &str, version: &str, read: &[String], sections: &[Section]) -> String {
    let (title, version) = (escaped(title), escaped(version));
    let mut out = format!(
        r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{title}</title>
<style>{CSS}</style></head><body>
<header><h1>{title}</h1><p class="quiet">Made by repgeo {version}. Point at a mark for its value; the head of a column sorts its table.</p><nav>"#
    );
    for Section { id, title, .. } in sections {
        let _ = write!(out, r##"<a href="#{id}">{title}</a>"##);
    }
    out += "</nav>";
    for line in read {
        out += &paragraph("", &format!("Read: {line}."));
    }
    out += "</header>\n<main><section id=\"summary\"><h2>What stands out</h2><dl>";
    for one in sections {
        let Ok(content) = &one.outcome else { continue };
        let lines = content.summary.iter().map(words);
        let lines = escaped(&lines.collect::<Vec<_>>().join(" "));
        if !lines.is_empty() {
            let (id, title) = (one.id, one.title);
            let _ = write!(
                out,
                r##"<dt><a href="#{id}">{title}</a></dt><dd>{lines}</dd>"##
            );
        }
    }
    out += "</dl>";
    let shared = shared_warnings(sections);
    if !shared.is_empty() {
        out += "<h3>Warnings</h3>";
        for warning in &shared {
            out += &paragraph("quiet", warning);
        }
    }
    out += "</section>\n";
    for one in sections {
        section(&mut out, one, &shared);
    }
    out + "</main>\n<script>" + SCRIPT + "</script></body></html>\n"
}

/// What several commands warn of: it stands once, at the top.
fn shared_warnings(sections: &[Section]) -> Vec<String> {
    let mut seen: Vec<(String, usize)> = Vec::new();
    for content in sections.iter().filter_map(|one| one.outcome.as_ref().ok()) {
        for warning in content.page.closing.lines.iter().filter_map(warning) {
            match seen.iter_mut().find(|(known, _)| *known == warning) {
                Some((_, n)) => *n += 1,
                None => seen.push((warning, 1)),
            }
        }
    }
    let shared = seen.into_iter().filter(|(_, n)| *n > 1);
    shared.map(|(warning, _)| warning).collect()
}

/// A warning in words.
fn warning(note: &Note) -> Option<String> {
    match note {
        Note::Warning {
            message, layers, ..
        } if layers.is_empty() => Some(format!("Warning: {message}")),
        Note::Warning {
            message, layers, ..
        } => Some(format!("Warning: {message} ({})", layers.join(", "))),
        _ => None,
    }
}

fn section(out: &mut String, section: &Section, shared: &[String]) {
    let Section {
        id, title, about, ..
    } = section;
    let _ = write!(out, r#"<section id="{id}"><h2>{title}</h2><p>{about}</p>"#);
    match &section.outcome {
        Err(why) => *out += &paragraph("failed", &format!("Not done: {why}")),
        Ok(content) => found(out, id, content, shared),
    }
    let command = escaped(&section.command);
    let _ = writeln!(
        out,
        r#"<p class="quiet">To repeat it: <code>{command}</code></p></section>"#
    );
}

fn found(out: &mut String, id: &str, content: &Content, shared: &[String]) {
    if !content.pictures.is_empty() {
        *out += r#"<div class="figures">"#;
        for (at, picture) in content.pictures.iter().enumerate() {
            let (kind, svg, number) = (picture.kind, picture.svg(), at + 1);
            let _ = write!(
                out,
                r#"<figure data-kind="{kind}">{svg}<div class="take"><button type="button" data-take="svg" data-name="{id}-{number}">SVG</button></div></figure>"#
            );
        }
        *out += "</div>";
    }
    for part in &content.page.parts {
        match part {
            Part::Grid(grid) => table(out, grid),
            Part::Notes(lines) => notes(out, lines, shared),
            Part::Plane(plane) => {
                let captions = plane.caption.iter();
                captions.for_each(|caption| *out += &paragraph("", &words(caption)));
            }
            // They are pictures.
            Part::Curves(_) | Part::Matrix(_) | Part::Tree(_) => {}
        }
    }
    notes(out, &content.page.closing, shared);
    *out += r#"<div class="take"><button type="button" data-take="csv">CSV</button></div>"#;
    numbers(out, &content.csv);
}

/// Text that is longer is packed: all pairs of 200 layers take 6 MB as they are, and 0.9 MB so.
const PLAIN: usize = 64 << 10;

/// The numbers that a button hands out: as they are where they are few, else base64 of gzip, which
/// the script unpacks.
fn numbers(out: &mut String, csv: &str) {
    if csv.len() <= PLAIN {
        // A browser drops one line break at the beginning of a text area.
        let _ = write!(
            out,
            "<textarea hidden readonly>\n{}</textarea>",
            escaped(csv)
        );
        return;
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    // A vector takes all that it is given.
    let packed = packed
        .write_all(csv.as_bytes())
        .and_then(|()| packed.finish());
    let packed = BASE64.encode(&packed.expect("memory can be written"));
    let _ = write!(
        out,
        "<textarea hidden readonly data-packed>{packed}</textarea>"
    );
}

fn paragraph(class: &str, text: &str) -> String {
    let text = escaped(text);
    match class {
        "" => format!("<p>{text}</p>"),
        _ => format!(r#"<p class="{class}">{text}</p>"#),
    }
}

fn table(out: &mut String, grid: &Grid) {
    *out += r#"<div class="sheet"><table>"#;
    if let Some(title) = &grid.title {
        let _ = write!(out, "<caption>{}</caption>", escaped(&words(title)));
    }
    *out += "<thead><tr>";
    for column in &grid.columns {
        let class = class(column.kind, false);
        let head = escaped(&words(&column.header));
        let _ = write!(out, r#"<th scope="col"{class}>{head}</th>"#);
    }
    *out += "</tr></thead><tbody>";
    for row in &grid.rows {
        *out += "<tr>";
        for (cell, column) in row.iter().zip(&grid.columns) {
            data(out, cell, column.kind);
        }
        *out += "</tr>";
    }
    *out += "</tbody></table></div>";
}

fn data(out: &mut String, cell: &Cell, kind: Kind) {
    let value = match kind {
        Kind::Words => None,
        Kind::Number | Kind::Bytes => cell.phrase.value(),
    };
    let value = value.map_or_else(String::new, |value| format!(r#" data-value="{value}""#));
    let class = class(kind, cell.marked);
    let text = escaped(&words(&cell.phrase));
    let _ = write!(out, "<td{class}{value}>{text}</td>");
}

fn class(kind: Kind, marked: bool) -> &'static str {
    match (kind, marked) {
        (Kind::Words, false) => "",
        (Kind::Words, true) => r#" class="marked""#,
        (_, false) => r#" class="number""#,
        (_, true) => r#" class="number marked""#,
    }
}

fn notes(out: &mut String, notes: &Notes, shared: &[String]) {
    for line in &notes.lines {
        match line {
            Note::Line(phrase) | Note::Prose(phrase) => *out += &paragraph("", &words(phrase)),
            Note::Context(phrase) => *out += &paragraph("quiet", &words(phrase)),
            Note::Series { words: beside, .. } if beside.is_empty() => {}
            Note::Series {
                label,
                words: beside,
                ..
            } => *out += &paragraph("", &format!("{}: {}", words(label), words(beside))),
            Note::Warning { .. } => {
                let words = warning(line).filter(|words| !shared.contains(words));
                words
                    .iter()
                    .for_each(|words| *out += &paragraph("quiet", words));
            }
        }
    }
}

fn words(phrase: &Phrase) -> String {
    plain(phrase, Style::default())
}
