//! The intrinsic-dimension profile.

mod estimate;
mod events;
mod made;
mod options;
mod repeat;
mod rules;
mod run;
mod shape;
mod table_estimates;

pub(in crate::profile) use made::dimension_of;
pub use options::{IdOptions, LISTED};
pub(in crate::profile) use rules::OrderFields;
pub use rules::{OrderKind, OrderRule};
pub use run::{id_profile, id_profile_of_tables};
pub use shape::{
    AdaptiveStep, ControlId, DecimationPoint, Extremum, IdEstimate, IdParameters, IdProfile,
    IdSummary, IdValue, LayerId, LeadingEigenvalues, Plateau, Resampled, ScalePoint, ScaleValue,
};
