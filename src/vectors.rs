//! Compiling a loop for the widest vectors of the machine it runs on.

/// Runs `work`, compiled for the vectors that `arch` found.
///
/// The closure must be marked `#[inline(always)]`, and so must what it calls, or the work is compiled
/// for the narrowest machine after all. Written for `FnOnce` alone: for any other bound the compiler
/// wraps a closure in a function of its own, which the mark does not reach.
#[inline(always)]
pub(crate) fn vectorised<R>(arch: pulp::Arch, work: impl FnOnce() -> R) -> R {
    arch.dispatch(work)
}
