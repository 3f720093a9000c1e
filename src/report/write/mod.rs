//! Writers of reports: JSON, CSV, text, pictures, a page for a browser.

pub mod csv;
pub mod html;
pub mod json;
pub mod svg;
pub mod text;
