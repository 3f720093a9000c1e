//! Linear algebra in a fixed order: the same bits on every processor, for any number of threads.
//!
//! Matrix libraries choose how they add by the processor they find: with fused multiply-add or
//! without, in vectors of two, four or eight. Here every element is the same sums of the same
//! products in the same order everywhere; wider vectors only make several elements at a time.

mod bidiagonal;
mod eigen;
mod exponential;
mod number;
mod product;
mod qr;
mod reflect;
mod rotate;
mod svd;

pub use eigen::{eigenvalues, symmetric_eigen};
pub use exponential::{exp_f32, exp_f64};
pub use number::Number;
pub use product::{Accumulate, Part, multiply, multiply_part, product};
pub use qr::Qr;
pub use svd::{singular_values, thin_svd};

/// Runs `work` on a thread of the pool: its many short parallel steps then begin there, without a
/// hand-over each.
fn within_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::join(work, || ()).0
}
