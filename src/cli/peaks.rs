//! Flags about densities and peaks, shared by `density-peaks` and `landscape`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use repgeo::geometry::density::KSTAR_ALPHA;
use repgeo::input::{Labels, TokenRows, check_files};
use repgeo::profile::LayerOptions;
use repgeo::profile::landscape::{
    DensityKind, DensityRule, DimensionRule, HaloRule, LayerPeaks, PeakOptions, Preset,
};
use repgeo::report::{RowFormat, log_density_npy, write_assignments};
use repgeo::storage::{check_writable, prepare_folder, write_atomically};
use repgeo::{Error, Result};

use super::choice::choice;
use super::ending::require_ending;

/// How densities and peaks are made.
#[derive(Args)]
#[command(next_help_heading = "Densities and peaks")]
pub struct PeakArgs {
    #[command(flatten)]
    rules: PeakRules,

    /// Neighbours of knn, or the most that kstar and pak may use [default: 10; 100]
    #[arg(short, long, value_name = "K", value_parser = super::parse::count(super::parse::MOST_ROWS))]
    k: Option<usize>,
}

/// The same without the number of neighbours, which some commands have for other uses too.
#[derive(Args)]
#[command(next_help_heading = "Densities and peaks")]
pub struct PeakRules {
    /// Constants of a paper: nucleation (arXiv 2007.03506: knn, k 30, rounded TwoNN, Z 1.65) or llm
    /// (arXiv 2409.03662: knn, k 16, Gride at n1 = 16, Z 1.6); other flags go before them
    #[arg(long, value_parser = choice::<Preset>(), value_name = "NAME")]
    preset: Option<Preset>,

    /// How the density of a row is estimated [default: pak]
    #[arg(long, value_parser = choice::<DensityKind>(), value_name = "RULE")]
    density: Option<DensityKind>,

    /// Significance at which kstar and pak call a density changed [default: 1e-6]
    #[arg(long, value_name = "A", value_parser = alpha)]
    alpha: Option<f64>,

    /// Dimension of the densities: two-nn, auto (Gride at the scale of the density), round (TwoNN,
    /// rounded) or a number [default: two-nn]
    #[arg(long, value_name = "RULE|D", allow_hyphen_values = true)]
    id: Option<IdName>,

    /// Confidence at which two peaks are two; 0 keeps every maximum of the density [default: 1.65]
    #[arg(long, value_name = "Z", value_parser = confidence)]
    z: Option<f64>,

    /// Neighbours stored to assign rows and find saddles, at least k [default: 100 for knn, k for
    /// kstar and pak]
    #[arg(long, value_name = "K", value_parser = super::parse::count(super::parse::MOST_ROWS))]
    stored: Option<usize>,

    /// Leave halo rows, those below the highest saddle of their peak, out of the scores
    #[arg(long)]
    halo: bool,

    /// Let all halo rows together be a cluster of the scores
    #[arg(long, conflicts_with = "halo")]
    halo_as_cluster: bool,

    /// Leave rows with this label out of the scores
    #[arg(
        long,
        value_name = "LABEL",
        requires = "labels",
        allow_hyphen_values = true
    )]
    noise_label: Option<String>,
}

/// Files about single rows.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct RowFileArgs {
    /// Write cluster, halo, log density and error of every input row to files in DIR, one or
    /// several a layer; a row that repeats another has its cluster
    #[arg(long, value_name = "DIR")]
    assignments: Option<PathBuf>,

    /// Files of --assignments: csv, or npy with −1 for the halo and −2 for rows that took no part
    #[arg(long, value_parser = choice::<RowFormat>(), value_name = "FORMAT",
        default_value = RowFormat::default().flag(), requires = "assignments")]
    assignments_format: RowFormat,

    /// Write the log density of every input row to an .npy file: f64, NaN where there is none
    #[arg(long, value_name = "FILE.npy")]
    log_density: Option<PathBuf>,
}

/// What may stand after `--id`.
#[derive(Clone, Copy)]
struct IdName(DimensionRule);

impl FromStr for IdName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let rule = match text {
            "auto" => DimensionRule::Auto,
            "two-nn" => DimensionRule::TwoNn,
            "round" => DimensionRule::Round,
            _ => match text.parse() {
                Ok(id) if id > 0.0 && id < 1e6 => DimensionRule::Fixed(id),
                _ => return Err("give a positive number, auto, two-nn or round".into()),
            },
        };
        Ok(Self(rule))
    }
}

fn alpha(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(alpha) if alpha > 0.0 && alpha <= 1.0 => Ok(alpha),
        _ => Err("give a probability in (0, 1]".into()),
    }
}

fn confidence(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(z) if (0.0..=1e6).contains(&z) => Ok(z),
        _ => Err("give a number from 0 on".into()),
    }
}

/// Neighbours of a plain density unless said otherwise, as in DADApy.
const KNN: usize = 10;

impl PeakArgs {
    /// The options for these labels and layers.
    pub fn options(
        &self,
        labels: Vec<Labels>,
        layers: LayerOptions,
        keep_rows: bool,
    ) -> Result<PeakOptions> {
        self.rules.options(self.k, labels, layers, keep_rows)
    }
}

impl PeakRules {
    /// The options for these labels and layers, and `k` neighbours where that was said.
    pub fn options(
        &self,
        k: Option<usize>,
        labels: Vec<Labels>,
        layers: LayerOptions,
        keep_rows: bool,
    ) -> Result<PeakOptions> {
        let preset = self.preset;
        let defaults = PeakOptions::default();
        let (density, id, z) = preset.map_or(
            (defaults.density, defaults.id, defaults.z),
            Preset::constants,
        );
        let density = self.density(density, k)?;
        if let Some(stored) = self.stored.filter(|&stored| stored < density.k()) {
            return Err(Error::Usage(format!(
                "--stored {stored} has no part in this call: the density looks at {} neighbours, and \
                 as many are stored; give more, or a smaller -k",
                density.k()
            )));
        }
        Ok(PeakOptions {
            preset,
            density,
            id: self.id.map_or(id, |id| id.0),
            z: self.z.unwrap_or(z),
            stored: self.stored,
            halo: match (self.halo, self.halo_as_cluster) {
                (true, _) => HaloRule::LeftOut,
                (false, true) => HaloRule::Cluster,
                (false, false) => HaloRule::Member,
            },
            labels,
            noise_label: self.noise_label.clone(),
            keep_rows,
            layers,
        })
    }

    /// The density asked for; what was not said is as in `otherwise`.
    fn density(&self, otherwise: DensityRule, asked: Option<usize>) -> Result<DensityRule> {
        let name = self.density.unwrap_or(otherwise.kind());
        if name == DensityKind::Knn && self.alpha.is_some() {
            return Err(Error::Usage(
                "--alpha has no part in --density knn; use kstar or pak".into(),
            ));
        }
        let alpha = self.alpha.or(otherwise.alpha()).unwrap_or(KSTAR_ALPHA);
        let adaptive = asked.unwrap_or(DensityRule::DEFAULT.k());
        Ok(match (name, otherwise) {
            (DensityKind::Knn, DensityRule::Knn { k }) => DensityRule::Knn {
                k: asked.unwrap_or(k),
            },
            (DensityKind::Knn, _) => DensityRule::Knn {
                k: asked.unwrap_or(KNN),
            },
            (DensityKind::Kstar, _) => DensityRule::Kstar { k: adaptive, alpha },
            (DensityKind::Pak, _) => DensityRule::Pak { k: adaptive, alpha },
        })
    }
}

impl RowFileArgs {
    /// Fails now, not after hours of work, if the files could not be written.
    pub fn check(&self) -> Result<()> {
        if let Some(path) = &self.log_density {
            require_ending(path, &["npy"], "--log-density")?;
            check_writable(path)?;
        }
        match &self.assignments {
            Some(path) if path.exists() && !path.is_dir() => Err(Error::Usage(format!(
                "--assignments {} is a file; name a directory",
                path.display()
            ))),
            Some(path) => prepare_folder(path),
            None => Ok(()),
        }
    }

    /// Whether anything is to be written.
    pub fn wanted(&self) -> bool {
        self.assignments.is_some() || self.log_density.is_some()
    }

    /// Writes what was asked for.
    pub fn write(&self, layers: &[LayerPeaks], tokens: Option<&TokenRows>) -> Result<()> {
        check_files()?;
        if let Some(folder) = &self.assignments {
            write_assignments(folder, layers, self.assignments_format, tokens)?;
        }
        if let Some(path) = &self.log_density {
            let bytes = log_density_npy(layers).ok_or_else(|| {
                Error::Usage("--log-density needs layers with the same number of rows".into())
            })?;
            write_atomically(path, &bytes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: PeakArgs,
        #[arg(long)]
        labels: Option<String>,
    }

    fn options(flags: &[&str]) -> Result<PeakOptions> {
        let line = Line::parse_from([&["peaks"], flags].concat());
        assert!(line.labels.is_none());
        line.args
            .options(Vec::new(), LayerOptions::default(), false)
    }

    fn good(flags: &[&str]) -> PeakOptions {
        options(flags).expect("these flags can be obeyed")
    }

    #[test]
    fn no_flags_mean_the_defaults_of_the_library() {
        let (found, defaults) = (good(&[]), PeakOptions::default());
        assert_eq!(found.density, defaults.density);
        assert_eq!(found.id, defaults.id);
        assert!((found.z - defaults.z).abs() < 1e-15);
        assert_eq!((found.stored, found.halo), (defaults.stored, defaults.halo));
        assert!(found.preset.is_none());
    }

    #[test]
    fn flags_go_before_the_constants_of_a_preset() {
        let llm = good(&["--preset", "llm"]);
        assert_eq!(llm.density, DensityRule::Knn { k: 16 });
        assert!((llm.z - 1.6).abs() < 1e-15);
        let other = good(&["--preset", "nucleation", "-k", "20", "--id", "7.5"]);
        assert_eq!(other.density, DensityRule::Knn { k: 20 });
        assert_eq!(other.id, DimensionRule::Fixed(7.5));
        let pak = good(&["--preset", "nucleation", "--density", "pak"]);
        assert_eq!(pak.density, DensityRule::DEFAULT);
        assert!(options(&["--density", "knn", "--alpha", "0.01"]).is_err());
    }
}
