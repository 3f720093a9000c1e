//! One analysis of many runs, each by the call that its command makes, and its numbers as the command
//! writes them.

use std::cell::OnceCell;
use std::path::Path;

use crate::error::{Error, Result};
use crate::geometry::Reason;
use crate::input::{Dump, Labels, RunSource};
use crate::memory::machine_memory;
use crate::profile::clones::{CloneFiles, ClonesOptions, clones_of_files};
use crate::profile::compare::{ComparedLayer, Comparison, Side, Target};
use crate::profile::dynamics::{
    DynamicsNumber, DynamicsQuantity, DynamicsValue, RunAnalysis, RunFound, RunParameters,
};
use crate::profile::id::IdOptions;
use crate::profile::imbalance::{ImbalanceOptions, imbalance};
use crate::profile::landscape::{LayerPeaks, PeakOptions, agreement, density_peaks};
use crate::profile::overlap::{OverlapOptions, overlap};
use crate::profile::similarity::{SimilarityOptions, Source, similarity};
use crate::profile::{Bench, LayerOptions, id_profile};
use crate::report::Printable;
use crate::warning::Warning;

/// A run that is open: its dump, how its layers become points, and labels of its rows.
pub struct OpenedRun {
    /// The dump.
    pub dump: Dump,
    /// How layers become points.
    pub layers: LayerOptions,
    /// Labels of all its rows; empty without.
    pub labels: Vec<Labels>,
}

/// How a run is opened.
pub type Opening<'a> = &'a dyn Fn(&Path) -> Result<OpenedRun>;

/// What is done with every run: the options of the command for a single dump. Layers and labels are
/// those of the run.
#[derive(Debug, Clone)]
pub enum Analysis {
    /// Intrinsic dimensions.
    Id(IdOptions),
    /// Information imbalance between layers.
    Imbalance(ImbalanceOptions),
    /// Neighbour overlap between layers.
    Overlap(OverlapOptions),
    /// Neighbour overlap with labels.
    Labels(OverlapOptions),
    /// Similarity of layers.
    Similarity(SimilarityOptions),
    /// Density peaks.
    Peaks(PeakOptions),
    /// Random chunks of the one layer of each run.
    Clones(ClonesOptions),
}

impl Analysis {
    /// What it follows.
    pub fn quantity(&self) -> DynamicsQuantity {
        match self {
            Self::Id(_) => DynamicsQuantity::Id,
            Self::Imbalance(_) => DynamicsQuantity::Imbalance,
            Self::Overlap(_) => DynamicsQuantity::Overlap,
            Self::Labels(_) => DynamicsQuantity::Labels,
            Self::Similarity(_) => DynamicsQuantity::Similarity,
            Self::Peaks(_) => DynamicsQuantity::Peaks,
            Self::Clones(_) => DynamicsQuantity::Clones,
        }
    }

    /// What layers are compared with in their own run.
    fn target(&self) -> Option<&Target> {
        match self {
            Self::Imbalance(options) => Some(&options.target),
            Self::Overlap(options) => options.target.as_ref(),
            Self::Similarity(options) => Some(&options.target),
            _ => None,
        }
    }
}

/// One analysis of every run, alone or against one of the runs.
pub struct OverRuns<'a> {
    analysis: Analysis,
    open: Opening<'a>,
    reference: Option<RunSource>,
    bench: Bench<'a>,
    /// The peaks of the reference, found once.
    reference_peaks: OnceCell<Vec<LayerPeaks>>,
}

impl<'a> OverRuns<'a> {
    /// The analysis; with a `reference` every layer is compared with the layer of its name there.
    ///
    /// # Errors
    /// [`Error::Usage`] for a target that gives a layer more than one partner or that needs two dumps,
    /// several numbers of neighbours, and a reference of an analysis that compares nothing.
    pub fn new(
        analysis: Analysis,
        open: Opening<'a>,
        reference: Option<RunSource>,
        bench: Bench<'a>,
    ) -> Result<Self> {
        let k = match &analysis {
            Analysis::Imbalance(options) => options.k.len(),
            Analysis::Overlap(options) | Analysis::Labels(options) => options.k.len(),
            _ => 1,
        };
        if k != 1 {
            return Err(Error::Usage("over runs there is one k; give one".into()));
        }
        let compares = analysis.quantity().compares_layers();
        let peaks = matches!(analysis, Analysis::Peaks(_));
        match (analysis.target(), &reference) {
            (_, Some(_)) if !compares && !peaks => {
                return Err(Error::Usage(
                    "--to-run compares layers or peaks of two runs; add --quantity imbalance, \
                     overlap, similarity or peaks"
                        .into(),
                ));
            }
            (Some(target @ (Target::All | Target::Matched | Target::Same)), None) => {
                return Err(Error::Usage(format!(
                    "--to {target} gives a layer no single partner in its run; give first, last, \
                     next, or a layer by name or index, or another run with --to-run"
                )));
            }
            _ => {}
        }
        Ok(Self {
            analysis,
            open,
            reference,
            bench,
            reference_peaks: OnceCell::new(),
        })
    }

    /// The layers of a run side by side, or with those of the reference.
    fn compared<T>(
        &self,
        run: &OpenedRun,
        with: impl FnOnce(Comparison<'_>) -> Result<T>,
    ) -> Result<T> {
        let other = self.reference.as_ref().map(|run| (self.open)(&run.path));
        let other = other.transpose()?;
        if let Some(other) = &other {
            same_samples(run, other)?;
        }
        let side = |run: &'_ OpenedRun| run.layers.clone();
        let left = Side {
            dump: &run.dump,
            options: side(run),
        };
        let right = other.as_ref().map(|other| Side {
            dump: &other.dump,
            options: side(other),
        });
        with(Comparison::new(left, right, self.bench.progress)?)
    }

    /// The target within a run, or the layer of the same name in the reference.
    fn target(&self, own: &Target) -> Target {
        match self.reference {
            Some(_) => Target::Same,
            None => own.clone(),
        }
    }

    fn peaks(&self, run: &OpenedRun, options: &PeakOptions) -> Result<Numbers> {
        let options = PeakOptions {
            layers: run.layers.clone(),
            labels: run.labels.clone(),
            keep_rows: self.reference.is_some(),
            ..options.clone()
        };
        let mut profile = density_peaks(&run.dump, &options, &self.bench)?;
        if let Some(reference) = &self.reference {
            same_samples(run, &(self.open)(&reference.path)?)?;
            let others = self.peaks_of(reference, &options)?;
            for layer in &mut profile.layers {
                let same = others.iter().find(|other| other.layer == layer.layer);
                if let Some(other) = same {
                    let scores = agreement(layer, other, &reference.name, options.halo);
                    layer.scores.push(scores);
                }
            }
            profile.parameters.labels.push(reference.name.clone());
        }
        let layers = profile.layers.iter();
        let layers = layers.map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
        let warnings = named(profile.warnings.clone(), layers);
        let parameters = RunParameters::Peaks(Box::new(profile.parameters.clone()));
        Ok(Numbers::of(&profile, parameters, warnings))
    }

    fn peaks_of(&self, reference: &RunSource, options: &PeakOptions) -> Result<&[LayerPeaks]> {
        if self.reference_peaks.get().is_none() {
            let run = (self.open)(&reference.path)?;
            let options = PeakOptions {
                layers: run.layers.clone(),
                labels: Vec::new(),
                ..options.clone()
            };
            let found = density_peaks(&run.dump, &options, &self.bench)?.layers;
            let _ = self.reference_peaks.set(found);
        }
        Ok(self.reference_peaks.get().map_or(&[], Vec::as_slice))
    }

    fn chunks(&self, run: &OpenedRun, options: &ClonesOptions) -> Result<Numbers> {
        let options = ClonesOptions {
            max_memory: options.max_memory.or_else(machine_memory),
            ..options.clone()
        };
        let dump = (&run.dump, run.dump.path());
        let profile = clones_of_files(
            dump,
            &run.layers,
            &CloneFiles::default(),
            &options,
            &self.bench,
        )?;
        let parameters = RunParameters::Clones(Box::new(profile.parameters.clone()));
        Ok(Numbers::of(&profile, parameters, profile.warnings.clone()))
    }
}

impl RunAnalysis for OverRuns<'_> {
    fn layers(&self, run: &RunSource) -> Result<Vec<String>> {
        let run = (self.open)(&run.path)?;
        let layers = run.dump.layers().iter();
        Ok(layers.map(|layer| layer.name.clone()).collect())
    }

    fn analyse(&self, run: &RunSource) -> Result<RunFound> {
        let run = (self.open)(&run.path)?;
        let numbers = match &self.analysis {
            Analysis::Id(options) => {
                let options = IdOptions {
                    layers: run.layers.clone(),
                    ..options.clone()
                };
                let mut profile = id_profile(&run.dump, &options, &self.bench)?;
                if options.order.is_some() {
                    // There is a headline, so a single point of the scaling would only stand beside it.
                    for layer in &mut profile.layers {
                        layer.scaling.clear();
                        for control in &mut layer.controls {
                            control.scaling.clear();
                        }
                    }
                }
                let layers = profile.layers.iter();
                let layers = layers.map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
                let warnings = named(profile.warnings.clone(), layers);
                let parameters = RunParameters::Id(Box::new(profile.parameters.clone()));
                Numbers::of(&profile, parameters, warnings)
            }
            Analysis::Imbalance(options) => self.compared(&run, |comparison| {
                let options = ImbalanceOptions {
                    target: self.target(&options.target),
                    ..options.clone()
                };
                let profile = imbalance(&comparison, &options, &self.bench)?;
                let warnings = of_layers(run.dump.warnings(), &profile.warnings, &profile.layers);
                let parameters = RunParameters::Imbalance(Box::new(profile.parameters.clone()));
                Ok(Numbers::of(&profile, parameters, warnings))
            })?,
            Analysis::Overlap(options) | Analysis::Labels(options) => {
                self.compared(&run, |comparison| {
                    let options = OverlapOptions {
                        target: options.target.as_ref().map(|own| self.target(own)),
                        labels: match options.target {
                            None => run.labels.clone(),
                            Some(_) => Vec::new(),
                        },
                        ..options.clone()
                    };
                    let profile = overlap(&comparison, &options, &self.bench)?;
                    let warnings =
                        of_layers(run.dump.warnings(), &profile.warnings, &profile.layers);
                    let parameters = RunParameters::Overlap(Box::new(profile.parameters.clone()));
                    Ok(Numbers::of(&profile, parameters, warnings))
                })?
            }
            Analysis::Similarity(options) => self.compared(&run, |comparison| {
                let options = SimilarityOptions {
                    target: self.target(&options.target),
                    ..options.clone()
                };
                let source = Source {
                    name: None,
                    comparison,
                };
                let profile = similarity(&[source], &options, &self.bench)?;
                let warnings = of_layers(run.dump.warnings(), &profile.warnings, &profile.layers);
                let parameters = RunParameters::Similarity(Box::new(profile.parameters.clone()));
                Ok(Numbers::of(&profile, parameters, warnings))
            })?,
            Analysis::Peaks(options) => self.peaks(&run, options)?,
            Analysis::Clones(options) => self.chunks(&run, options)?,
        };
        Ok(RunFound {
            n_rows: run.dump.n_rows(),
            understood: run.dump.understood(),
            parameters: numbers.parameters,
            warnings: numbers.warnings,
            values: numbers.values,
        })
    }
}

/// Refuses runs whose chosen rows are not the same samples: row r of both must be one.
fn same_samples(run: &OpenedRun, other: &OpenedRun) -> Result<()> {
    let same = match (&run.layers.rows, &other.layers.rows) {
        (None, None) => run.dump.n_rows() == other.dump.n_rows(),
        (Some(rows), Some(others)) => rows == others,
        (Some(rows), None) | (None, Some(rows)) => {
            let all = if run.layers.rows.is_none() {
                &run.dump
            } else {
                &other.dump
            };
            let n = u32::try_from(all.n_rows()).unwrap_or(u32::MAX);
            rows.iter().copied().eq(0..n)
        }
    };
    if same {
        return Ok(());
    }
    let n = |run: &OpenedRun| run.layers.rows.as_ref().map_or(run.dump.n_rows(), Vec::len);
    let name = |run: &OpenedRun| run.dump.path().display().to_string();
    Err(Error::RowMismatch {
        first: name(run),
        n_first: n(run),
        second: name(other),
        n_second: n(other),
        remedy: "row r of both must be the same sample: choose the shared samples with --rows, or \
                 dump all runs on one set"
            .into(),
    })
}

/// Warnings of a dump, of a comparison and of its layers.
fn of_layers(dump: &[Warning], run: &[Warning], layers: &[ComparedLayer]) -> Vec<Warning> {
    let layers = layers.iter();
    let layers = layers.map(|layer| (layer.layer.as_str(), layer.warnings.as_slice()));
    named([dump, run].concat(), layers)
}

/// Warnings about a whole, then those of its layers, which name the layer.
fn named<'a>(
    mut whole: Vec<Warning>,
    layers: impl Iterator<Item = (&'a str, &'a [Warning])>,
) -> Vec<Warning> {
    for (layer, warnings) in layers {
        whole.extend(warnings.iter().cloned().map(|one| one.of(layer)));
    }
    whole
}

/// The numbers of one report, and what stands beside them.
struct Numbers {
    parameters: RunParameters,
    warnings: Vec<Warning>,
    values: Vec<DynamicsValue>,
}

impl Numbers {
    /// Every number that the report writes as a row of its CSV.
    fn of(report: &impl Printable, parameters: RunParameters, warnings: Vec<Warning>) -> Self {
        let records = report.records();
        // A number that is made of another is missing for the reason of that one.
        let of_layer = |layer: &str| {
            let mut same = records.iter().filter(|record| record.layer == layer);
            same.find_map(|record| record.reason)
        };
        let values = records
            .iter()
            .filter(|record| !record.layer.is_empty() && !record.variant.ends_with("_std_dev"))
            .map(|record| DynamicsValue {
                run: String::new(),
                layer: record.layer.to_owned(),
                other: (!record.other.is_empty()).then(|| record.other.to_owned()),
                quantity: record.quantity,
                variant: record.variant.clone().into_owned(),
                scale: record.scale,
                outcome: match (record.value, record.std_error) {
                    (Some(value), std_error) => Ok(DynamicsNumber { value, std_error }),
                    (None, _) => Err(record
                        .reason
                        .or_else(|| of_layer(record.layer))
                        .unwrap_or(Reason::NotReached)),
                }
                .into(),
                smoothed: None,
                n: record.n,
            });
        Self {
            values: values.collect(),
            parameters,
            warnings,
        }
    }
}
