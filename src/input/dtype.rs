//! Names the number types that an array can be stored in.

use std::fmt;

use half::f16;

/// The type of a stored number; byte order is kept elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE half precision.
    F16,
    /// bfloat16.
    Bf16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// 8-bit float of 4 bits of exponent without infinities (OCP E4M3).
    F8E4m3,
    /// 8-bit float of 5 bits of exponent (OCP E5M2).
    F8E5m2,
    /// 8-bit signed integer.
    I8,
    /// 16-bit signed integer.
    I16,
    /// 32-bit signed integer.
    I32,
    /// 64-bit signed integer.
    I64,
    /// 8-bit unsigned integer.
    U8,
    /// 16-bit unsigned integer.
    U16,
    /// 32-bit unsigned integer.
    U32,
    /// 64-bit unsigned integer.
    U64,
    /// One byte, true unless zero.
    Bool,
}

impl Dtype {
    /// The short name used in reports, such as `f16` or `bool`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::F8E4m3 => "f8_e4m3",
            Self::F8E5m2 => "f8_e5m2",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::Bool => "bool",
        }
    }

    /// Bytes per number.
    pub fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool | Self::F8E4m3 | Self::F8E5m2 => 1,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// Whether this is a floating-point type.
    pub fn is_float(self) -> bool {
        matches!(
            self,
            Self::F16 | Self::Bf16 | Self::F32 | Self::F64 | Self::F8E4m3 | Self::F8E5m2
        )
    }
}

impl Dtype {
    /// The type that reports and flags call `name`, or numpy does.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let all = [
            (Self::F16, "float16"),
            (Self::Bf16, "bfloat16"),
            (Self::F32, "float32"),
            (Self::F64, "float64"),
            (Self::F8E4m3, "float8_e4m3fn"),
            (Self::F8E5m2, "float8_e5m2"),
            (Self::I8, "int8"),
            (Self::I16, "int16"),
            (Self::I32, "int32"),
            (Self::I64, "int64"),
            (Self::U8, "uint8"),
            (Self::U16, "uint16"),
            (Self::U32, "uint32"),
            (Self::U64, "uint64"),
            (Self::Bool, "bool"),
        ];
        let found = all
            .into_iter()
            .find(|(dtype, numpy)| dtype.as_str() == name || *numpy == name);
        found.map(|(dtype, _)| dtype)
    }
}

/// An E4M3 float, which f16 holds exactly.
pub(crate) fn from_e4m3(bits: u8) -> f16 {
    if bits & 0x7f == 0x7f {
        return f16::NAN;
    }
    let (exponent, mantissa) = (i32::from(bits >> 3 & 0xf), f32::from(bits & 7));
    let size = match exponent {
        0 => mantissa / 512.0,
        _ => (1.0 + mantissa / 8.0) * 2f32.powi(exponent - 7),
    };
    f16::from_f32(if bits >> 7 == 1 { -size } else { size })
}

/// An E5M2 float: the upper half of an f16.
pub(crate) fn from_e5m2(bits: u8) -> f16 {
    f16::from_bits(u16::from(bits) << 8)
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bits_are_the_floats_of_the_standard() {
        for (bits, value) in [
            (0x38, 1.0),
            (0xb8, -1.0),
            (0x7e, 448.0),
            (0x01, 0.001_953_125),
            (0x08, 0.015_625),
            (0, 0.0),
        ] {
            assert!(
                (from_e4m3(bits).to_f64() - value).abs() < 1e-12,
                "{bits:#x}"
            );
        }
        assert!(from_e4m3(0x7f).is_nan() && from_e4m3(0xff).is_nan());
        for (bits, value) in [(0x3c, 1.0), (0x7b, 57344.0), (0x01, 2f64.powi(-16))] {
            assert!(
                (from_e5m2(bits).to_f64() - value).abs() < 1e-12,
                "{bits:#x}"
            );
        }
        assert!(from_e5m2(0x7d).is_nan() && from_e5m2(0x7c).is_infinite());
    }
}
