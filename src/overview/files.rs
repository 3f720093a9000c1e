//! Writes the page and what stands beside it: every report whole, and the numbers of each.

use std::path::{Path, PathBuf};

use super::chapters::chapters;
use super::shape::{Overview, OverviewParameters, OverviewParts};
use super::subject::{Chapter, Subject};
use super::topic::Topic;
use crate::error::{Error, Result};
use crate::input::{Dump, check_files};
use crate::profile::Bench;
use crate::report::write::{html, json};
use crate::report::{Report, SCHEMA, write_atomically};

/// The path of a page without its ending: what stands beside it begins so.
///
/// # Errors
/// [`Error::Usage`] for a name that does not end in `.html`.
pub fn page_stem(page: &Path) -> Result<PathBuf> {
    let ending = page.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => Ok(page.with_extension("")),
        _ => Err(Error::Usage(format!(
            "-o {}: the report is a page; let its name end in .html",
            page.display()
        ))),
    }
}

/// Does the analyses of `topics` that `subject` allows and writes the page to `page`, the reports to
/// `NAME.json` and the numbers of each topic to `NAME-TOPIC.csv`, the page last.
///
/// # Errors
/// As [`page_stem`]; [`Error::Usage`] where the subject allows none of the topics; an input that
/// changed meanwhile; whatever writing gives. An analysis that fails is no error: its part says why.
pub fn write_overview(
    page: &Path,
    subject: &Subject<'_>,
    topics: &[Topic],
    bench: &Bench<'_>,
) -> Result<()> {
    let stem = page_stem(page)?;
    let chapters = chapters(subject, topics, bench);
    if chapters.is_empty() {
        return Err(Error::Usage(format!(
            "{} allows none of the topics asked for: labels need --labels, against needs --against, \
             runs need --runs, \
             and one layer alone is compared with nothing",
            subject.dump.path
        )));
    }
    check_files()?;
    let beside = |ending: &str| {
        let mut name = stem.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let (mut parts, mut sections) = (Vec::new(), Vec::new());
    for Chapter {
        topic,
        section,
        part,
    } in chapters
    {
        if let Ok(content) = &section.outcome {
            let file = beside(&format!("-{}.csv", topic.flag()));
            write_atomically(&file, content.csv.as_bytes())?;
        }
        parts.push((topic, part));
        sections.push(section);
    }
    let labels = subject.labels.iter();
    let overview = Overview {
        parameters: OverviewParameters {
            topics: topics.to_vec(),
            labels: labels.map(|labels| labels.name.clone()).collect(),
            metric: bench.metric,
            rows: bench.rows.to_vec(),
        },
        parts: OverviewParts(parts),
    };
    let sources = || {
        [Some(&subject.dump), subject.against.as_ref()]
            .into_iter()
            .flatten()
    };
    let dumps: Vec<&Dump> = sources().map(|source| source.dump).collect();
    let read = Dump::understood_together(&dumps);
    let report = Report {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        command: "report",
        input: sources().map(|source| source.input.clone()).collect(),
        understood: read.clone(),
        body: &overview,
    };
    write_atomically(&beside(".json"), json::pretty(&report).as_bytes())?;
    let title = format!("Geometry of {}", subject.dump.input);
    let document = html::document(&title, env!("CARGO_PKG_VERSION"), &read, &sections);
    write_atomically(page, document.as_bytes())
}
