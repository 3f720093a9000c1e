//! Direct logit attribution: the last lens as a sum over blocks, MLPs, heads, embeddings, biases.

mod check;
mod rows;
mod runs;
mod shape;
mod sources;

use rayon::prelude::*;

pub use runs::{AttributionRuns, RunAttribution, attribution_over_runs};
pub use shape::{
    Attribution, AttributionOptions, AttributionParameters, Check, ComponentKind, ComponentRow,
    Parts, PlaceContributions,
};

use self::check::logit_error;
use self::sources::Sources;
use super::dump::StreamDump;
use super::readout::Readout;
use super::scale::{Scales, refuse_mixed};
use super::spots::spots;
use super::stat::groups;
use crate::Result;
use crate::progress::{Phase, Progress};

/// Takes the last lens of the two targets apart.
///
/// # Errors
/// Missing or unfit tensors, targets outside the vocabulary, values that are no numbers.
pub fn attribution(
    dump: &StreamDump,
    readout: &Readout,
    options: &AttributionOptions,
    progress: &dyn Progress,
) -> Result<Attribution> {
    refuse_mixed(dump, readout)?;
    let targets = dump.prompts.need_targets()?;
    let directions = readout.directions(targets.iter().flatten().copied())?;
    let scales = Scales::of_dump(dump, readout)?;
    let sources = Sources::open(dump, readout, &directions, options)?;
    let spots = spots(options.positions, &dump.prompts, &dump.lengths)?;
    let groups = groups(dump.n, options.groups.as_ref());
    let mut rows = Vec::new();
    let mut examples = Vec::new();
    let mut check = Check::NONE;
    let phase = Phase::new("attribution", spots.len());
    progress.plan(&[phase]);
    for spot in &spots {
        progress.step(phase.name, &spot.name);
        progress.begin(&spot.name, dump.n as u64);
        let found: Vec<Option<Vec<[f64; 2]>>> = (0..dump.n)
            .into_par_iter()
            .map(|example| sources.read(dump, readout, &scales, &directions, spot, example))
            .inspect(|_| progress.advance(1))
            .collect::<Result<_>>()?;
        sources.compare(&found, &mut check);
        for group in &groups {
            rows.extend(sources.rows(spot, group, &found));
        }
        if options.keep_examples {
            examples.push(sources.at_place(spot, found));
        }
        progress.end();
    }
    let check = if options.check {
        check.logits = logit_error(dump, readout, &scales, &directions, &sources.last)?;
        Some(check)
    } else {
        None
    };
    Ok(Attribution {
        parameters: AttributionParameters {
            options: options.clone(),
            centred: readout.centred,
        },
        n: dump.n,
        components: rows,
        check,
        warnings: [dump.prompts.warnings(dump.n), readout.warnings()].concat(),
        examples,
    })
}
