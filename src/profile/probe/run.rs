//! Splits the rows once, then learns and asks layer by layer.

use super::asked::Asked;
use super::forecast::{Extent, phases};
use super::memory::Held;
use super::options::{ProbeOptions, Readout};
use super::proposed::proposed;
use super::score::of_layers;
use super::shape::{Dealt, ProbeBest, ProbeLayer, ProbeParameters, ProbeProfile, ProbeTarget};
use super::targets::ProbeTargets;
use crate::error::{Error, Result};
use crate::geometry::probe::Groups;
use crate::input::Dump;
use crate::profile::bench::Bench;
use crate::profile::compare::{Comparison, LayerRef, Side};
use crate::profile::layers::LayerOptions;
use crate::profile::parameters::RowParameters;
use crate::warning::{Warning, WarningCode};

/// How columns are standardised, for the report.
const STANDARDISED: &str =
    "columns of the training rows to mean 0 and variance 1; those that are constant there left out";

/// The score of a linear read-out of every layer of `dump` on rows that it has not learned from.
///
/// All layers are asked about the same rows in the same splits; classes are spread evenly over them.
/// Rows without a target take no part.
///
/// # Errors
/// [`Error::Usage`] for numbers with a logistic read-out, and more folds than rows, or than prompts
/// where rows are tokens; [`Error::Memory`] where one fold is more than the search may hold; whatever
/// reading a layer gives.
pub fn probe(
    dump: &Dump,
    layers: &LayerOptions,
    targets: &ProbeTargets,
    options: &ProbeOptions,
    bench: &Bench<'_>,
) -> Result<ProbeProfile> {
    if matches!(targets, ProbeTargets::Numbers(..)) && options.readout == Readout::Logistic {
        return Err(Error::Usage(
            "--readout logistic reads classes; give --labels, or numbers with --readout ridge"
                .into(),
        ));
    }
    let side = Side {
        dump,
        options: layers.clone(),
    };
    let comparison = Comparison::new(side, None, bench.progress)?;
    let input = comparison.input_rows();
    let asked = Asked::of(targets, &input);
    let n = asked.places.len();
    let prompts = layers.tokens.as_ref().map(|tokens| {
        let rows = asked.places.iter().map(|&place| input[place] as usize);
        Groups::new(rows.map(|row| tokens.place(row).0))
    });
    let splits = asked.splits(options, prompts.as_ref())?;
    let mut warnings = dump.warnings().to_vec();
    asked.notice(&splits, &mut warnings);
    let extent = Extent {
        rows: asked.places.len(),
        classes: asked.n_classes,
        folds: splits.len(),
        readout: options.readout,
        ..Extent::of(comparison.left())
    };
    let columns = comparison.left().iter();
    let widest = columns.filter_map(|layer| layer.n_columns).max();
    let held = Held::of(&extent, widest.unwrap_or(0));
    let threads = rayon::current_num_threads();
    let at_once = held.at_once(threads, splits.len(), bench.search.max_memory)?;
    bench.progress.plan(&phases(&extent));
    let found = of_layers(&comparison, &asked, &splits, options, at_once, bench)?;
    for layer in comparison.left() {
        warnings.extend(
            layer
                .warnings
                .iter()
                .cloned()
                .map(|one| one.of(&layer.layer)),
        );
    }
    warnings.extend(learned_twice(&comparison));
    let best = best(&found);
    Ok(ProbeProfile {
        parameters: ProbeParameters {
            options: options.clone(),
            dealt: match layers.tokens {
                Some(_) => Dealt::Prompts,
                None => Dealt::Rows,
            },
            standardised: STANDARDISED,
            metric: bench.metric,
            rows: RowParameters::new(layers, bench.rows),
        },
        target: ProbeTarget {
            name: targets.name().to_owned(),
            score: asked.score(),
            n,
            n_missing: input.len() - n,
            n_classes: asked.classes().map(|_| asked.n_classes),
            chance: asked.chance(&splits),
        },
        proposed: proposed(dump, layers, &found, best.as_ref(), bench)?,
        layers: found,
        best,
        warnings,
    })
}

/// Warns of rows that may be asked about although they were learned.
fn learned_twice(comparison: &Comparison<'_>) -> Option<Warning> {
    let repeats = comparison.left().iter().filter_map(|one| one.n_duplicates);
    let most = repeats.max().filter(|&most| most > 0)?;
    Some(Warning::new(
        WarningCode::Duplicates,
        most,
        format!(
            "up to {most} rows of a layer repeat another: a row may be asked about that was \
             learned; --duplicates drop leaves them out"
        ),
    ))
}

/// The layer with the best score, the first on ties.
fn best(found: &[ProbeLayer]) -> Option<ProbeBest> {
    let scored = found.iter().filter_map(|layer| {
        let at = LayerRef {
            layer: layer.layer.clone(),
            index: layer.index,
            relative_depth: layer.relative_depth,
        };
        Some(ProbeBest {
            at,
            score: layer.score()?,
        })
    });
    scored.reduce(|best, one| if one.score > best.score { one } else { best })
}
