//! A GPU behind the door to a search: which one is asked for, and what there is.
//!
//! A device is given rows and returns finished verdicts, the same f64 sums in the same order as on
//! the processor. The plan of a search stands apart from it (`plan`), with a twin of the device in
//! plain Rust (`host`), so all but the kernels is tested on any machine.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(test)]
mod host;
#[cfg(any(test, feature = "cuda"))]
mod machine;
#[cfg(any(test, feature = "cuda"))]
mod plan;
#[cfg(feature = "cuda")]
mod searcher;

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
    /// This NVIDIA GPU, as the driver numbers it, for all that a GPU can do.
    Cuda(usize),
}

impl FromStr for Device {
    type Err = String;

    /// Reads `auto`, `cpu`, `cuda` or `cuda:I`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| "give auto, cpu, cuda or cuda:I, such as cuda:1".into()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
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
            Self::Cuda(number) => check_gpu(number),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_are_written() {
        for device in [Device::Auto, Device::Cpu, Device::Cuda(0), Device::Cuda(3)] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert_eq!("cuda".parse(), Ok(Device::Cuda(0)));
        for nonsense in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "CUDA"] {
            assert!(nonsense.parse::<Device>().is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_gpu_that_is_not_there_is_said_in_words() {
        let missing = Device::Cuda(99).check().unwrap_err();
        assert!(!missing.is_empty());
        assert_eq!(Device::Auto.check(), Ok(()));
    }
}
