//! A GPU behind the door to a search: which one is asked for, and what there is.
//!
//! A device is given rows and returns finished verdicts, the same f64 sums in the same order as on
//! the processor. The plan of a search stands apart from it (`plan`), with a twin of the device in
//! plain Rust (`host`), so all but the kernels is tested on any machine.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(test, feature = "cuda"))]
mod cut;
mod gpus;
#[cfg(test)]
mod host;
#[cfg(test)]
mod host_ranks;
#[cfg(any(test, feature = "cuda"))]
mod machine;
#[cfg(any(test, feature = "cuda"))]
mod plan;
#[cfg(test)]
mod ranked;
#[cfg(any(test, feature = "cuda"))]
mod ranking;
#[cfg(any(test, feature = "cuda"))]
mod searcher;
#[cfg(any(test, feature = "cuda"))]
mod share;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod tests;

pub use gpus::Gpus;
#[cfg(feature = "cuda")]
pub(super) use searcher::OnDevice;

/// What searches neighbours. Every device gives the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// A GPU where there is one and the layer is large enough to gain by it, else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// These NVIDIA GPUs, for all that a GPU can do; several share the rows of a search.
    Cuda(Gpus),
}

impl FromStr for Device {
    type Err = String;

    /// Reads `auto`, `cpu`, `cuda`, the first GPU, or `cuda:I,J,…`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(Gpus::FIRST)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(Gpus::read)
                .map(Self::Cuda)
                .ok_or_else(|| {
                    "give auto, cpu, cuda or cuda:I,J, such as cuda:1 or cuda:0,1".into()
                }),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(gpus) => write!(f, "cuda:{gpus}"),
        }
    }
}

impl Device {
    /// Whether it can be asked for on this machine; if not, why not.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn check(self) -> Result<(), String> {
        match self {
            Self::Auto | Self::Cpu => Ok(()),
            Self::Cuda(gpus) => gpus.numbers().try_for_each(check_gpu),
        }
    }
}

#[cfg(feature = "cuda")]
fn check_gpu(number: usize) -> Result<(), String> {
    cuda::gpu(number).map(drop).map_err(|fault| fault.0)
}

#[cfg(not(feature = "cuda"))]
fn check_gpu(_number: usize) -> Result<(), String> {
    Err(BUILT_WITHOUT.into())
}

#[cfg(not(feature = "cuda"))]
const BUILT_WITHOUT: &str = "this repgeo was built without the feature `cuda`";

/// The GPUs of this machine, one line each.
///
/// # Errors
/// Why there is none, in words.
#[cfg(feature = "cuda")]
pub fn gpus() -> Result<Vec<String>, String> {
    cuda::describe().map_err(|fault| fault.0)
}

/// The GPUs of this machine, one line each.
///
/// # Errors
/// Why there is none, in words.
#[cfg(not(feature = "cuda"))]
pub fn gpus() -> Result<Vec<String>, String> {
    Err(BUILT_WITHOUT.into())
}
