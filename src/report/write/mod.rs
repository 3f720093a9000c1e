//! Writers of reports: JSON, CSV, text.

pub mod csv;
pub mod json;
pub mod text;
