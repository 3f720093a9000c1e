//! The nonlinearities between the two products of an MLP.

/// The nonlinearity of the MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))).
    GeluTanh,
    /// 0.5 x (1 + erf(x/√2)).
    GeluErf,
    /// max(x, 0).
    Relu,
}
