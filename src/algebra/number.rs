//! Numbers that are multiplied in vectors: f64 and f32.

use pulp::Simd;

/// A number that can be multiplied in vectors.
pub trait Number: bytemuck::Pod + Default + PartialEq + Send + Sync {
    /// A vector of them.
    type Vector<S: Simd>: bytemuck::Pod;

    /// Numbers in a vector.
    fn lanes<S: Simd>() -> usize;
    /// x in every place.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    /// sum + x·y, rounded twice.
    fn add_product<S: Simd>(
        simd: S,
        sum: Self::Vector<S>,
        x: Self::Vector<S>,
        y: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// The whole vectors of a slice.
    fn vectors<S: Simd>(values: &[Self]) -> &[Self::Vector<S>];
    /// self + x·y, rounded twice.
    fn plus_product(self, x: Self, y: Self) -> Self;
    /// self + x.
    fn plus(self, x: Self) -> Self;
}

macro_rules! number {
    ($type:ty, $vector:ident, $lanes:ident, $splat:ident, $add:ident, $mul:ident, $as:ident) => {
        impl Number for $type {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$vector {
                simd.$splat(x)
            }
            #[inline(always)]
            fn add_product<S: Simd>(
                simd: S,
                sum: S::$vector,
                x: S::$vector,
                y: S::$vector,
            ) -> S::$vector {
                simd.$add(sum, simd.$mul(x, y))
            }
            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> &[S::$vector] {
                S::$as(values).0
            }
            #[inline(always)]
            fn plus_product(self, x: Self, y: Self) -> Self {
                self + x * y
            }
            #[inline(always)]
            fn plus(self, x: Self) -> Self {
                self + x
            }
        }
    };
}

number!(
    f64,
    f64s,
    F64_LANES,
    splat_f64s,
    add_f64s,
    mul_f64s,
    as_simd_f64s
);
number!(
    f32,
    f32s,
    F32_LANES,
    splat_f32s,
    add_f32s,
    mul_f32s,
    as_simd_f32s
);
