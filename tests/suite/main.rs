//! The integration tests, one program: linking thirteen cost more time than running them.

#![allow(
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::excessive_precision,
    clippy::float_cmp,
    clippy::unwrap_used,
    missing_docs
)]

mod architecture;
mod browser;
mod cases;
mod cli;
mod clones;
mod cluster;
mod common;
mod correlate;
mod density;
mod dimensions;
mod documents;
mod dumps;
mod dynamics;
mod events;
mod every_report;
mod examples;
mod formats;
mod hand_made;
mod hdf5_files;
mod help;
mod id;
mod input;
mod kernels;
mod mechanisms;
mod misread;
mod misread_arrays;
mod options;
mod pictures;
mod probe;
mod profile_golden;
mod published_runs;
mod relations;
mod reliability;
mod replication;
mod report_read;
mod report_schema;
mod report_text;
mod rings;
mod rounded;
mod same_bytes;
mod similarity;
mod source_text;
mod tables;
mod torch_files;
mod tree_oracle;
mod twins;
mod which_dumps;
