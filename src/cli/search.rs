//! Flags of the neighbour search. None changes a number.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use repgeo::cache::Cache;
use repgeo::memory::machine_memory;
use repgeo::neighbours::{Device, Kernel, SearchOptions};
use repgeo::{Error, Result};

/// How neighbours are searched.
#[derive(Args)]
#[command(next_help_heading = "Search")]
pub struct SearchArgs {
    /// What multiplies rows; for finding faults, results are the same
    #[arg(long, hide = true, value_name = "NAME", value_parser = kernel_name(),
        default_value = "auto")]
    kernel: Kernel,

    /// What searches neighbours: the processor or NVIDIA GPUs; results are the same
    #[arg(long, value_name = "auto|cpu|cuda[:I,J]", default_value_t = Device::Auto)]
    device: Device,

    /// Memory of one neighbour search, or of what a measure makes of layers, beside the mapped input,
    /// e.g. 4G; slower where it is short
    /// [default: what the machine, its cgroup or ulimit -v allows]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_memory: Option<u64>,
}

/// Bytes, as a number with or without a unit: 500M, 4G, 1.5GiB; units are powers of 1024.
pub fn size(text: &str) -> Result<u64, String> {
    let example = "give bytes, or a size such as 500M or 4G";
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let power = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(example.into()),
    };
    let number: f64 = digits.parse().map_err(|_| example)?;
    let bytes = number * libm::exp2(f64::from(power));
    // Far beyond any machine, and exact.
    if !(1.0..=2f64.powi(52)).contains(&bytes) {
        return Err(example.into());
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(bytes as u64)
}

/// A kernel by its name.
fn kernel_name() -> impl TypedValueParser<Value = Kernel> {
    let named = |name: String| {
        let mut all = Kernel::ALL.into_iter();
        all.find(|kernel| kernel.as_str() == name)
            .unwrap_or_default()
    };
    PossibleValuesParser::new(Kernel::ALL.map(Kernel::as_str)).map(named)
}

/// Where finished work is kept.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct CacheArgs {
    /// Keep neighbour tables and ranks in DIR and use what is there; a run that was stopped goes on
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

impl CacheArgs {
    /// The cache, if there is one.
    pub fn open(&self) -> Option<Cache> {
        self.cache.as_deref().map(Cache::open)
    }
}

impl SearchArgs {
    /// The options of a search.
    pub fn options(&self) -> Result<SearchOptions> {
        if !self.kernel.is_available() {
            let name = self.kernel.as_str();
            return Err(Error::Usage(format!(
                "--kernel: this processor has no {name}; leave the flag out"
            )));
        }
        self.device.check().map_err(|missing| {
            let device = self.device;
            Error::Usage(format!(
                "--device {device}: {missing}; leave the flag out to search on the processor"
            ))
        })?;
        Ok(SearchOptions {
            kernel: self.kernel,
            device: self.device,
            max_memory: self.max_memory.or_else(machine_memory),
            ..SearchOptions::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_powers_of_1024_and_nonsense_is_refused() {
        assert_eq!(size("500"), Ok(500));
        assert_eq!(size("4G"), Ok(4 << 30));
        assert_eq!(size("1.5GiB"), Ok(3 << 29));
        assert_eq!(size("20mb"), Ok(20 << 20));
        for nonsense in ["", "G", "-1G", "4X", "nan", "inf", "1e99T", "0"] {
            assert!(size(nonsense).is_err(), "{nonsense}");
        }
    }
}
