//! Writers of reports: JSON, CSV, text, tables for papers, pictures, a page for a browser.

pub mod csv;
pub mod html;
pub mod json;
pub mod jsonl;
pub mod latex;
pub mod markdown;
pub mod svg;
pub mod text;
