//! Chooses GPUs by the driver's numbers.

use std::fmt;

/// Some of a machine's first 64 GPUs, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gpus(u64);

impl Gpus {
    /// The first GPU.
    pub const FIRST: Self = Self(1);

    /// One GPU; `None` for a number beyond 63.
    pub fn one(number: usize) -> Option<Self> {
        let bit = u32::try_from(number).ok()?;
        1u64.checked_shl(bit).map(Self)
    }

    /// Numbers with commas between them, each once.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut all = 0;
        for part in text.split(',') {
            // Digits alone: `parse` takes a sign.
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            let Self(one) = Self::one(part.parse().ok().filter(|_| digits)?)?;
            if all & one != 0 {
                return None;
            }
            all |= one;
        }
        Some(Self(all))
    }

    /// Their numbers, ascending.
    pub fn numbers(self) -> impl Iterator<Item = usize> {
        (0..64).filter(move |number| self.0 >> number & 1 == 1)
    }
}

impl fmt::Display for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, number) in self.numbers().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{number}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::neighbours::Device;

    #[test]
    fn devices_are_read_as_they_are_written() {
        for text in ["auto", "cpu", "cuda:0", "cuda:3", "cuda:0,1", "cuda:2,5,63"] {
            let device: Device = text.parse().unwrap();
            assert_eq!(device.to_string(), text);
        }
        assert_eq!("cuda".parse::<Device>(), "cuda:0".parse());
        assert_eq!("cuda:1,0".parse::<Device>(), "cuda:0,1".parse());
        let nonsense = [
            "", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:+1", "CUDA", "cuda:1,", "cuda:0,0",
            "cuda:64",
        ];
        for nonsense in nonsense {
            assert!(nonsense.parse::<Device>().is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_gpu_that_is_not_there_is_said_in_words() {
        let missing = "cuda:63".parse::<Device>().unwrap().check().unwrap_err();
        assert!(!missing.is_empty());
        assert_eq!(Device::Auto.check(), Ok(()));
    }
}
