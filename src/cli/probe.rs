//! `repgeo probe`: how well classes or numbers can be read off each layer.

use std::path::PathBuf;

use clap::Args;
use repgeo::input::Labels;
use repgeo::profile::DuplicatePolicy;
use repgeo::profile::probe::{ProbeOptions, ProbeTargets, Readout, SplitRule, probe};
use repgeo::report::Report;
use repgeo::{Error, Result};

use super::choice::choice;
use super::output::input_name;
use super::shared::SharedArgs;

/// Linear probe of every layer: accuracy of classes, or R² of numbers, on rows not learned from
///
/// Cross-validated with the spread over folds and chance beside it, and the best layer beside the one
/// that the intrinsic dimension proposes without labels.
#[derive(Args)]
pub struct ProbeArgs {
    #[arg(value_name = "ACTS", help = super::layers::acts())]
    input: PathBuf,

    #[command(flatten)]
    readout: ReadoutArgs,

    #[command(flatten)]
    shared: SharedArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Probe")]
struct ReadoutArgs {
    /// A number per row in place of --labels: .npy, .csv[:COLUMN] or .txt
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,

    /// The linear read-out [default: logistic for labels, ridge for targets]
    #[arg(long, value_parser = choice::<Readout>(), value_name = "NAME")]
    readout: Option<Readout>,

    /// What the squares of the weights cost beside the sum over training rows: alpha of ridge, 1/C of
    /// logistic regression
    #[arg(long, value_name = "L", default_value_t = 1.0, value_parser = penalty)]
    penalty: f64,

    /// Disjoint folds, each asked about once
    #[arg(long, value_name = "F", default_value_t = 5, value_parser = super::parse::between(2, super::parse::MOST),
        conflicts_with = "holdout")]
    folds: usize,

    /// One split with this share of the rows to ask about, in place of folds
    #[arg(long, value_name = "SHARE", value_parser = below_one)]
    holdout: Option<f64>,
}

fn penalty(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (1e-9..=1e12).contains(&number) => Ok(number),
        _ => Err("give a number from 1e-9 to 1e12".into()),
    }
}

fn below_one(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("give a share between 0 and 1".into()),
    }
}

impl ReadoutArgs {
    fn options(&self, seed: u64) -> ProbeOptions {
        let usual = match self.targets {
            Some(_) => Readout::Ridge,
            None => Readout::Logistic,
        };
        ProbeOptions {
            readout: self.readout.unwrap_or(usual),
            penalty: self.penalty,
            split: match self.holdout {
                Some(share) => SplitRule::Holdout(share),
                None => SplitRule::Folds(self.folds),
            },
            seed,
        }
    }
}

/// Learns, asks and reports.
pub fn run(args: ProbeArgs) -> Result<()> {
    let setting = args.shared.setting(Vec::new())?;
    let dump = args.shared.open(&args.input)?;
    let n = dump.n_rows();
    let (layers, rows) = (&args.shared.layers, &args.shared.rows);
    let layers = layers.options_or(&dump, rows, DuplicatePolicy::Keep)?;
    let labels = rows.labels_of(&dump, &layers)?;
    let targets = match (&args.readout.targets, labels.as_slice()) {
        (Some(path), _) => {
            let numbers = Labels::open(path)?;
            numbers.check_rows(n, "the dump")?;
            ProbeTargets::numbers(&numbers)?
        }
        (None, [labels]) => ProbeTargets::Classes(labels.clone()),
        (None, []) => {
            return Err(Error::Usage(
                "there is nothing to read out; give classes with --labels or numbers with --targets"
                    .into(),
            ));
        }
        (None, _) => {
            return Err(Error::Usage(
                "a probe reads out one set of labels; give one --labels".into(),
            ));
        }
    };
    let options = args.readout.options(rows.seed);
    let profile = probe(&dump, &layers, &targets, &options, &setting.bench())?;
    args.shared
        .output
        .write(&Report::new("probe", vec![input_name(&args.input)], &profile).understood([&dump]))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ProbeArgs,
    }

    #[test]
    fn no_flags_mean_the_defaults_of_the_library() {
        let args = Line::parse_from(["probe", "acts"]).args;
        assert_eq!(
            args.readout.options(args.shared.rows.seed),
            ProbeOptions::default()
        );
    }
}
