//! Flags of the neighbour search. None changes a number.

use clap::Args;
use clap::builder::PossibleValue;
use clap::{ValueEnum, value_parser};
use repgeo::neighbours::{Kernel, SearchOptions};
use repgeo::{Error, Result};

/// How neighbours are searched.
#[derive(Args)]
pub struct SearchArgs {
    /// What multiplies rows: auto, portable, avx512-bf16; for finding faults, results are the same
    #[arg(long, hide = true, value_name = "NAME", value_parser = value_parser!(KernelName),
        default_value = "auto")]
    kernel: KernelName,
}

/// A kernel by its name.
#[derive(Clone)]
pub struct KernelName(pub Kernel);

const NAMES: [KernelName; 3] = [
    KernelName(Kernel::Auto),
    KernelName(Kernel::Portable),
    KernelName(Kernel::Avx512Bf16),
];

impl ValueEnum for KernelName {
    fn value_variants<'a>() -> &'a [Self] {
        &NAMES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.as_str()))
    }
}

impl SearchArgs {
    /// The options of a search.
    pub fn options(&self) -> Result<SearchOptions> {
        let KernelName(kernel) = self.kernel;
        if !kernel.is_available() {
            let name = kernel.as_str();
            return Err(Error::Usage(format!(
                "--kernel: this processor has no {name}; leave the flag out"
            )));
        }
        Ok(SearchOptions {
            kernel,
            ..SearchOptions::default()
        })
    }
}
