//! What to compute of every run, and how.

use super::quantity::DynamicsQuantity;
use super::shape::DynamicsParameters;
use crate::error::{Error, Result};
use crate::geometry::id::{Estimator, GRIDE, TWO_NN};
use crate::profile::bench::Bench;
use crate::profile::compare::{RowParameters, Target};
use crate::profile::id::{IdOptions, OrderRule};
use crate::profile::imbalance::ImbalanceOptions;
use crate::profile::layers::LayerOptions;
use crate::profile::overlap::OverlapOptions;

/// What is computed of every run: the options of the command for a single dump.
#[derive(Debug, Clone)]
pub enum DynamicsOptions {
    /// Intrinsic dimension; how layers become points is asked of every run anew.
    Id(IdOptions),
    /// Information imbalance.
    Imbalance(ImbalanceOptions),
    /// Neighbour overlap.
    Overlap(OverlapOptions),
}

impl DynamicsOptions {
    /// The quantity.
    pub fn quantity(&self) -> DynamicsQuantity {
        match self {
            Self::Id(_) => DynamicsQuantity::Id,
            Self::Imbalance(_) => DynamicsQuantity::Imbalance,
            Self::Overlap(_) => DynamicsQuantity::Overlap,
        }
    }

    /// What layers are compared with, where they are.
    fn target(&self) -> Option<&Target> {
        match self {
            Self::Id(_) => None,
            Self::Imbalance(options) => Some(&options.target),
            Self::Overlap(options) => options.target.as_ref(),
        }
    }

    /// Refuses what gives a layer of a run more than one value, or none.
    ///
    /// # Errors
    /// [`Error::Usage`] for a target that needs two dumps or is no single layer, several numbers of
    /// neighbours, and labels.
    pub(super) fn check(&self) -> Result<()> {
        let k = match self {
            Self::Id(_) => &[1][..],
            Self::Imbalance(options) => &options.k,
            Self::Overlap(options) => &options.k,
        };
        if k.len() != 1 {
            return Err(Error::Usage("over runs there is one k; give one".into()));
        }
        if matches!(self, Self::Overlap(options) if options.target.is_none() || !options.labels.is_empty())
        {
            return Err(Error::Usage(
                "over runs layers are compared with layers; leave labels out and give a target"
                    .into(),
            ));
        }
        match self.target() {
            Some(target @ (Target::All | Target::Matched)) => Err(Error::Usage(format!(
                "--to {target} gives a layer no single partner in its run; give first, last, next, \
                 or a layer by name or index"
            ))),
            _ => Ok(()),
        }
    }

    /// The options as the report echoes them; `layers` are those of the first run.
    pub(super) fn parameters(
        &self,
        layers: &LayerOptions,
        bench: &Bench<'_>,
    ) -> DynamicsParameters {
        let (estimators, order, k, seed) = match self {
            Self::Id(options) => (
                estimators(options),
                options.order.map(|rule| match rule {
                    OrderRule::Fixed(order) => order.to_string(),
                    OrderRule::MatchDensity { .. } => "match_density".to_owned(),
                    OrderRule::Plateau => "plateau".to_owned(),
                }),
                options.k.into_iter().collect(),
                options.seed,
            ),
            Self::Imbalance(options) => (Vec::new(), None, options.k.clone(), options.seed),
            Self::Overlap(options) => (Vec::new(), None, options.k.clone(), options.seed),
        };
        DynamicsParameters {
            quantity: self.quantity(),
            estimators,
            order,
            to: self.target().map(ToString::to_string),
            k,
            metric: bench.metric,
            rows: RowParameters::new(layers, bench.rows),
            seed,
        }
    }
}

fn estimators(options: &IdOptions) -> Vec<&'static Estimator> {
    let two_nn = options.two_nn.map(|_| &TWO_NN);
    let gride = options.gride.then_some(&GRIDE);
    let others = options.others.iter().copied();
    two_nn.into_iter().chain(gride).chain(others).collect()
}
