//! `repgeo similarity`: how alike layers are, of one network or of several.

use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::geometry::similarity::{Dissimilarity, Measure, RankCorrelation};
use repgeo::input::{Dump, SeriesChoice, SeriesFile};
use repgeo::profile::compare::{Comparison, Side, Target};
use repgeo::profile::similarity::{
    MEASURES, SimilarityOptions, SimilarityProfile, Source, join, similarity,
};
use repgeo::profile::{Bench, DuplicatePolicy, LayerOptions};
use repgeo::report::{Report, read_series};

use super::choice::{Pick, choice, choice_or};
use super::output::input_name;
use super::pairs::PairArgs;
use super::shared::SharedArgs;

/// How alike layers are over the same inputs: CKA, CCA, Procrustes, RSA and more
///
/// Between all layers of a dump, or those of two networks; several source networks can be ranked
/// by how alike they are to a target, and how deep they stay so.
#[derive(Args)]
pub struct SimilarityArgs {
    #[arg(value_name = "ACTS", help = super::layers::acts())]
    input: PathBuf,

    #[command(flatten)]
    pairs: PairArgs,

    #[command(flatten)]
    measures: MeasureArgs,

    #[command(flatten)]
    ranking: RankArgs,

    #[command(flatten)]
    shared: SharedArgs,
}

/// The word for every measure.
pub const ALL: &str = "all";

#[derive(Args)]
#[command(next_help_heading = "Similarity")]
struct MeasureArgs {
    /// Measures, comma-separated; may be repeated
    #[arg(
        long = "measure",
        value_parser = choice_or::<&'static Measure>(&[(ALL, "All of these")]),
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "cka"
    )]
    measures: Vec<Pick<&'static Measure>>,

    /// Width of the Gaussian kernel, as a fraction of the median distance
    #[arg(long, value_name = "FRACTION", default_value_t = 1.0, value_parser = above_zero)]
    bandwidth: f64,

    /// Share of variance that svcca keeps
    #[arg(long, value_name = "SHARE", default_value_t = 0.99, value_parser = super::parse::part)]
    variance: f64,

    /// What rsa compares
    #[arg(long, value_parser = choice::<Dissimilarity>(), value_name = "NAME",
        default_value = Dissimilarity::default().flag())]
    dissimilarity: Dissimilarity,

    /// How rsa compares it
    #[arg(long, value_parser = choice::<RankCorrelation>(), value_name = "NAME",
        default_value = RankCorrelation::default().flag())]
    correlation: RankCorrelation,

    /// Neighbours of imbalance and overlap [default: 1 and 30]
    #[arg(short, long, value_name = "K", value_parser = super::parse::count(super::parse::MOST_ROWS))]
    k: Option<usize>,

    /// Compute everything again in P disjoint parts of the rows
    #[arg(long, value_name = "P", value_parser = super::parse::between(2, super::parse::MOST))]
    partitions: Option<usize>,

    /// Permute the rows of the second layer S times, for a null and p-values
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = super::parse::between(0, super::parse::MOST))]
    permutations: usize,
}

#[derive(Args)]
#[command(next_help_heading = "Ranking")]
struct RankArgs {
    /// Rank these dumps by how alike their layers are to those of ACTS, matched by relative depth
    #[arg(long, value_name = "SOURCE", num_args = 1.., conflicts_with_all = ["other", "against", "to"])]
    rank: Vec<PathBuf>,

    /// Similarity down to which matched layers count as unchanged
    #[arg(long, value_name = "T", default_value_t = 0.9)]
    threshold: f64,

    /// The table of --join, which layers' flags read.
    #[arg(skip)]
    join: Option<PathBuf>,

    /// Column of --join that holds the values
    #[arg(long, value_name = "NAME", requires = "join")]
    join_column: Option<String>,
}

/// Compares and reports.
pub fn run(mut args: SimilarityArgs) -> Result<()> {
    args.ranking.join = args.shared.layers.take_join_table();
    let setting = args.shared.setting(args.pairs.words())?;
    let bench = setting.bench();
    let first = args.shared.open(&args.input)?;
    let options = args.options();
    let table = args.table()?;
    let mut input = vec![input_name(&args.input)];
    let (mut profile, second) = if args.ranking.rank.is_empty() {
        let second = args.pairs.open(&args.shared)?;
        let (left, right) = args.pairs.sides(
            &first,
            second.as_ref(),
            &args.shared.layers,
            &args.shared.rows,
        )?;
        let source = Source {
            name: None,
            comparison: Comparison::new(left, right, bench.progress)?,
        };
        input.extend(args.pairs.second().map(input_name));
        let profile = similarity(&[source], &options, &bench)?;
        (profile, second)
    } else {
        input.extend(args.ranking.rank.iter().map(|path| input_name(path)));
        (rank(&args, &first, &options, &bench)?, None)
    };
    let dumps = || [Some(&first), second.as_ref()].into_iter().flatten();
    for dump in dumps() {
        profile.warnings.extend_from_slice(dump.warnings());
    }
    if let Some(table) = table {
        profile.joined = join(&profile.ranking, &profile.layers, &table, options.seed)?;
    }
    args.shared
        .output
        .write(&Report::new("similarity", input, &profile).understood(dumps()))
}

/// Compares every source with the target over matched layers.
fn rank(
    args: &SimilarityArgs,
    target: &Dump,
    options: &SimilarityOptions,
    bench: &Bench<'_>,
) -> Result<SimilarityProfile> {
    let dumps: Vec<Dump> = args
        .ranking
        .rank
        .iter()
        .map(|path| args.shared.open(path))
        .collect::<Result<_>>()?;
    let layers: LayerOptions =
        args.shared
            .layers
            .options_or(target, &args.shared.rows, DuplicatePolicy::Keep)?;
    let mut sources = Vec::new();
    for (at, (path, dump)) in args.ranking.rank.iter().zip(&dumps).enumerate() {
        // Dumps of different folders may have one name.
        let name = input_name(path);
        let earlier = args.ranking.rank[..at].iter();
        let name = match earlier.filter(|other| input_name(other) == name).count() {
            0 => name,
            before => format!("{name} ({})", before + 1),
        };
        let side = |dump| Side {
            dump,
            options: layers.clone(),
        };
        sources.push(Source {
            name: Some(name),
            comparison: Comparison::new(side(target), Some(side(dump)), bench.progress)?,
        });
    }
    similarity(&sources, options, bench)
}

/// The measures that are meant, each once.
pub fn measures(names: &[Pick<&'static Measure>]) -> Vec<&'static Measure> {
    if names.contains(&Pick::Word(ALL)) {
        return MEASURES.to_vec();
    }
    let mut chosen = Vec::new();
    for &name in names {
        match name {
            Pick::One(measure) if !chosen.contains(&measure) => chosen.push(measure),
            _ => {}
        }
    }
    chosen
}

impl SimilarityArgs {
    fn options(&self) -> SimilarityOptions {
        let measures = measures(&self.measures.measures);
        SimilarityOptions {
            target: match self.ranking.rank.is_empty() {
                true => self.pairs.target(),
                false => Target::Matched,
            },
            measures,
            bandwidth: Some(self.measures.bandwidth),
            variance: Some(self.measures.variance),
            dissimilarity: Some(self.measures.dissimilarity),
            correlation: Some(self.measures.correlation),
            k: self.measures.k,
            partitions: self.measures.partitions,
            permutations: self.measures.permutations,
            threshold: Some(self.ranking.threshold),
            seed: self.shared.rows.seed,
        }
    }

    /// The external table, if there is one.
    fn table(&self) -> Result<Option<SeriesFile>> {
        let Some(path) = &self.ranking.join else {
            return Ok(None);
        };
        let choice = SeriesChoice {
            column: self.ranking.join_column.clone(),
            ..SeriesChoice::default()
        };
        read_series(path, &choice).map(Some)
    }
}

fn above_zero(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        Ok(_) => Err("must be above 0".into()),
        Err(error) => Err(format!("{error}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SimilarityArgs,
    }

    #[test]
    fn no_flags_mean_the_defaults_of_the_library() {
        let line = Line::parse_from(["similarity", "acts"]);
        assert_eq!(line.args.options(), SimilarityOptions::default());
    }
}
