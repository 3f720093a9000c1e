//! One analysis each, by the call that its command makes.

use serde_json::Value;

use super::runs::{Analysis, OverRuns};
use super::shape::OverviewPart;
use super::subject::{Chapter, Subject};
use super::summary;
use super::topic::Topic;
use crate::geometry::id::TWO_NN;
use crate::input::Series;
use crate::profile::compare::{Comparison, Side};
use crate::profile::dynamics::{DynamicsOptions, DynamicsQuantity, dynamics};
use crate::profile::events::EventOptions;
use crate::profile::imbalance::{ImbalanceOptions, imbalance};
use crate::profile::landscape::{PeakOptions, density_peaks};
use crate::profile::overlap::{OverlapOptions, overlap};
use crate::profile::similarity::{SimilarityOptions, Source, similarity};
use crate::profile::{Bench, DuplicatePolicy, IdOptions, LayerOptions, id_profile};
use crate::progress::{Phase, Within};
use crate::report::page::Phrase;
use crate::report::write::html::{Content, Section};
use crate::report::{Format, Printable, Report, Style};
use crate::warning::Warning;
use crate::{Error, Result};

/// The chapters of `topics` in their order; those that the subject does not allow are left out.
///
/// Without labels there is no chapter about labels, without a second dump none against it, and one
/// layer alone is compared with nothing.
pub fn chapters(subject: &Subject<'_>, topics: &[Topic], bench: &Bench<'_>) -> Vec<Chapter> {
    let allowed = |topic: &Topic| match topic {
        Topic::Labels => !subject.labels.is_empty(),
        Topic::Against => subject.against.is_some(),
        Topic::Runs => subject.runs.is_some(),
        Topic::Imbalance | Topic::Overlap | Topic::Similarity => {
            subject.dump.dump.layers().len() > 1
        }
        Topic::Dimension | Topic::Peaks => true,
    };
    let topics = Topic::ALL.iter().filter(|topic| topics.contains(topic));
    let topics: Vec<Topic> = topics.copied().filter(allowed).collect();
    let phase = Phase::new("topics", topics.len());
    bench.progress.plan(&[phase]);
    let within = Within::new(bench.progress);
    let inner = Bench {
        progress: &within,
        ..*bench
    };
    let chapters = topics.into_iter().map(|topic| {
        bench.progress.step(phase.name, topic.flag());
        chapter(subject, topic, &inner)
    });
    chapters.collect()
}

/// The chapter of one topic, whether it can be done or not.
fn chapter(subject: &Subject<'_>, topic: Topic, bench: &Bench<'_>) -> Chapter {
    let words = words(topic);
    let done = match topic {
        Topic::Dimension => dimension(subject, bench),
        Topic::Imbalance => imbalances(subject, false, bench),
        Topic::Against => imbalances(subject, true, bench),
        Topic::Overlap => overlaps(subject, false, bench),
        Topic::Labels => overlaps(subject, true, bench),
        Topic::Similarity => similarities(subject, bench),
        Topic::Peaks => peaks(subject, bench),
        Topic::Runs => over_runs(subject, bench),
    };
    let (outcome, part) = match done {
        Ok(Done { content, report }) => (Ok(content), OverviewPart::Report(report)),
        Err(error) => {
            let error = error.to_string();
            let (input, topic) = (&subject.dump.input, topic.flag());
            bench
                .progress
                .note(&format!("{input}: {topic} left out: {error}"));
            (Err(error.clone()), OverviewPart::Failed { error })
        }
    };
    Chapter {
        topic,
        section: Section {
            id: topic.flag(),
            title: words.title,
            about: words.about,
            command: command(subject, topic, &words),
            outcome,
        },
        part,
    }
}

struct Words {
    title: &'static str,
    about: &'static str,
    command: &'static str,
}

fn words(topic: Topic) -> Words {
    let of = |title, about, command| Words {
        title,
        about,
        command,
    };
    match topic {
        Topic::Dimension => of(
            "Intrinsic dimension",
            "How many directions the points of a layer really use near each point (TwoNN), and how \
             that changes at larger neighbourhoods (Gride).",
            "id-profile",
        ),
        Topic::Imbalance => of(
            "Information imbalance",
            "How well the nearest neighbours in one layer predict those in another: near 0 they \
             do, at 1 they say nothing.",
            "imbalance",
        ),
        Topic::Overlap => of(
            "Neighbour overlap",
            "The share of nearest neighbours that two layers have in common.",
            "overlap",
        ),
        Topic::Similarity => of(
            "Similarity",
            "Linear centred kernel alignment of layers.",
            "similarity",
        ),
        Topic::Peaks => of(
            "Density peaks",
            "How many peaks of density a layer has, and what they hold.",
            "density-peaks",
        ),
        Topic::Labels => of(
            "Neighbours of the same class",
            "The share of a row's neighbours that have its own label, with chance beside it.",
            "overlap",
        ),
        Topic::Against => of(
            "Against the other dump",
            "Which layers of the two dumps know the same.",
            "imbalance",
        ),
        Topic::Runs => of(
            "Over runs",
            "The intrinsic dimension (TwoNN) of every layer of every run: checkpoints, widths, \
             models or seeds.",
            "dynamics",
        ),
    }
}

/// The command line that repeats a chapter.
fn command(subject: &Subject<'_>, topic: Topic, words: &Words) -> String {
    let of = match (topic, &subject.runs) {
        (Topic::Runs, Some(runs)) => {
            let typed = runs.typed.iter().map(|word| quoted(word));
            typed.collect::<Vec<_>>().join(" ") + " --keep-going"
        }
        _ => quoted(&subject.dump.path),
    };
    let mut line = format!("repgeo {} {of}", words.command);
    if let (Some(other), Topic::Against) = (&subject.against, topic) {
        line += &format!(" --against {}", quoted(&other.path));
    }
    for [flag, value] in &subject.flags {
        if flag != "--labels" || matches!(topic, Topic::Peaks | Topic::Labels) {
            line += &format!(" {flag}");
            if !value.is_empty() {
                line += &format!(" {}", quoted(value));
            }
        }
    }
    line
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@".contains(c);
    match !path.is_empty() && path.chars().all(plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// What an analysis gave.
struct Done {
    content: Content,
    report: Value,
}

fn done<T: Printable>(
    command: &'static str,
    subject: &Subject<'_>,
    with_other: bool,
    body: &T,
    summary: Vec<Phrase>,
) -> Result<Done> {
    let other = subject.against.as_ref().filter(|_| with_other);
    let sources = || [&subject.dump].into_iter().chain(other);
    let input = sources().map(|source| source.input.clone()).collect();
    let dumps = sources().map(|source| source.dump);
    rendered(
        &Report::new(command, input, body).understood(dumps),
        body,
        summary,
    )
}

/// The report as JSON, CSV, pictures and a page.
fn rendered<T: Printable>(report: &Report<'_, T>, body: &T, summary: Vec<Phrase>) -> Result<Done> {
    let plain = Style::default();
    Ok(Done {
        report: serde_json::from_str(&report.render(Format::Json, &plain)?)
            .expect("a report is valid JSON"),
        content: Content {
            csv: report.render(Format::Csv, &plain)?,
            pictures: report.pictures(),
            page: body.page(),
            summary,
        },
    })
}

impl Subject<'_> {
    /// Rows that repeat another are left out of what is measured layer by layer.
    fn layers(&self) -> LayerOptions {
        LayerOptions {
            duplicates: DuplicatePolicy::Drop,
            ..self.layers.clone()
        }
    }

    /// Warnings from listing the dumps.
    fn noticed(&self, with_other: bool) -> Vec<Warning> {
        let other = self.against.as_ref().filter(|_| with_other);
        let sources = [&self.dump].into_iter().chain(other);
        sources
            .flat_map(|source| source.dump.warnings().to_vec())
            .collect()
    }

    /// The layers side by side, over the rows that all of them have.
    fn comparison(&self, with_other: bool, bench: &Bench<'_>) -> Result<Comparison<'_>> {
        let side = |dump| Side {
            dump,
            options: LayerOptions {
                duplicates: DuplicatePolicy::Keep,
                ..self.layers.clone()
            },
        };
        let other = self.against.as_ref().filter(|_| with_other);
        Comparison::new(
            side(self.dump.dump),
            other.map(|other| side(other.dump)),
            bench.progress,
        )
    }
}

fn dimension(subject: &Subject<'_>, bench: &Bench<'_>) -> Result<Done> {
    let options = IdOptions {
        layers: subject.layers(),
        ..IdOptions::default()
    };
    let profile =
        id_profile(subject.dump.dump, &options, bench)?.with_events(&EventOptions::default());
    let summary = summary::dimension(&profile);
    done("id-profile", subject, false, &profile, summary)
}

/// One run that cannot be read is listed, and takes nothing else down.
fn over_runs(subject: &Subject<'_>, bench: &Bench<'_>) -> Result<Done> {
    let Some(runs) = &subject.runs else {
        return Err(Error::Usage("there are no runs; add --runs".into()));
    };
    let options = IdOptions {
        estimators: vec![&TWO_NN],
        ..IdOptions::default()
    };
    let analysis = OverRuns::new(Analysis::Id(options), runs.open, None, *bench)?;
    let options = DynamicsOptions {
        keep_going: true,
        ..DynamicsOptions::new(DynamicsQuantity::Id, &[])?
    };
    let events = |_: &Series| Ok(EventOptions::default());
    let profile = dynamics(&runs.sources, &analysis, &options, &events, bench.progress)?;
    let summary = summary::over_runs(&profile);
    let report = Report::new("dynamics", runs.input.clone(), &profile);
    rendered(&report, &profile, summary)
}

fn imbalances(subject: &Subject<'_>, with_other: bool, bench: &Bench<'_>) -> Result<Done> {
    let comparison = subject.comparison(with_other, bench)?;
    let mut profile = imbalance(&comparison, &ImbalanceOptions::default(), bench)?;
    profile.warnings.extend(subject.noticed(with_other));
    let summary = match with_other {
        true => summary::against(&profile),
        false => summary::imbalance(&profile),
    };
    done("imbalance", subject, with_other, &profile, summary)
}

fn overlaps(subject: &Subject<'_>, by_label: bool, bench: &Bench<'_>) -> Result<Done> {
    let defaults = OverlapOptions::default();
    let options = OverlapOptions {
        target: defaults.target.clone().filter(|_| !by_label),
        labels: if by_label {
            subject.labels.clone()
        } else {
            Vec::new()
        },
        ..defaults
    };
    let mut profile = overlap(&subject.comparison(false, bench)?, &options, bench)?;
    profile.warnings.extend(subject.noticed(false));
    let summary = match by_label {
        true => summary::labels(&profile),
        false => summary::overlap(&profile),
    };
    done("overlap", subject, false, &profile, summary)
}

fn similarities(subject: &Subject<'_>, bench: &Bench<'_>) -> Result<Done> {
    let source = Source {
        name: None,
        comparison: subject.comparison(false, bench)?,
    };
    let mut profile = similarity(&[source], &SimilarityOptions::default(), bench)?;
    profile.warnings.extend(subject.noticed(false));
    let summary = summary::similarity(&profile);
    done("similarity", subject, false, &profile, summary)
}

fn peaks(subject: &Subject<'_>, bench: &Bench<'_>) -> Result<Done> {
    let options = PeakOptions {
        labels: subject.labels.clone(),
        layers: subject.layers(),
        ..PeakOptions::default()
    };
    let profile =
        density_peaks(subject.dump.dump, &options, bench)?.with_events(&EventOptions::default());
    let summary = summary::peaks(&profile);
    done("density-peaks", subject, false, &profile, summary)
}
