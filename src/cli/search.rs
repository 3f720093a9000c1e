//! Flags of the neighbour search. None changes a number.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use repgeo::neighbours::{Kernel, SearchOptions};
use repgeo::{Error, Result};

/// How neighbours are searched.
#[derive(Args)]
pub struct SearchArgs {
    /// What multiplies rows; for finding faults, results are the same
    #[arg(long, hide = true, value_name = "NAME", value_parser = kernel_name(),
        default_value = "auto")]
    kernel: Kernel,
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

impl SearchArgs {
    /// The options of a search.
    pub fn options(&self) -> Result<SearchOptions> {
        if !self.kernel.is_available() {
            let name = self.kernel.as_str();
            return Err(Error::Usage(format!(
                "--kernel: this processor has no {name}; leave the flag out"
            )));
        }
        Ok(SearchOptions {
            kernel: self.kernel,
            ..SearchOptions::default()
        })
    }
}
