//! The one error type of the crate: every message names the file, the fact and the way out.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between a file and a report.
///
/// A variant that touches a file holds its path; a variant that a flag can mend names the flag.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, mapped or read.
    #[error("{}: {}", path.display(), unread(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A report could not be written.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// The file, or `stdout`.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The bytes of a file are not what its format promises.
    #[error("{}: {fact}; {remedy}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fact: String,
        /// What the user can do.
        remedy: String,
    },

    /// A well-formed array of a kind that has no geometry (text, records, complex numbers, …).
    #[error("{}: {name} has {fact}; {remedy}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The array inside it.
        name: String,
        /// What it holds.
        fact: String,
        /// What the user can do.
        remedy: String,
    },

    /// Three or four axes, and nobody said how they become rows and columns.
    #[error(
        "{}: {name} has shape {shape:?}; if its axes are rows and tokens or pixels, say how they become rows with --pool last|mean|max|first|token:I|tokens|flatten|gap; if one holds layers, say which with --axes, e.g. LND or NLD",
        path.display()
    )]
    NeedsPooling {
        /// The file.
        path: PathBuf,
        /// The array inside it.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },

    /// One of several runs could not be analysed.
    #[error("{}: {source}", path.display())]
    Run {
        /// The run.
        path: PathBuf,
        /// What was wrong in it.
        source: Box<Error>,
    },

    /// Nothing to analyse was found, or the selection left nothing.
    #[error("{}: {fact}; {remedy}", path.display())]
    NoLayers {
        /// Where layers were sought.
        path: PathBuf,
        /// What was found instead.
        fact: String,
        /// What the user can do.
        remedy: String,
    },

    /// Arrays that must describe the same rows do not have the same number of them.
    #[error("{second} has {n_second} rows but {first} has {n_first}; {remedy}")]
    RowMismatch {
        /// The array that sets the number of rows.
        first: String,
        /// Its number of rows.
        n_first: usize,
        /// The array that disagrees.
        second: String,
        /// Its number of rows.
        n_second: usize,
        /// What the user can do.
        remedy: String,
    },

    /// NaN or infinity among the values.
    #[error(
        "layer {layer}: row {row}, column {column} is {value} ({n_rows} of {n} rows hold NaN or infinity); {remedy}"
    )]
    NonFinite {
        /// The layer.
        layer: String,
        /// First offending row, counted in the input from 0.
        row: usize,
        /// First offending column of that row.
        column: usize,
        /// The value found there.
        value: f64,
        /// How many rows hold such values.
        n_rows: usize,
        /// How many rows the layer has.
        n: usize,
        /// What the user can do.
        remedy: NonFiniteRemedy,
    },

    /// A value whose square leaves the range of f64.
    #[error(
        "layer {layer}: row {row}, column {column} is {value:e}, whose square overflows; rescale the dump (|x| must stay below 1e150)"
    )]
    TooLarge {
        /// The layer.
        layer: String,
        /// Row of the value, counted in the input from 0.
        row: usize,
        /// Its column.
        column: usize,
        /// The value.
        value: f64,
    },

    /// Values whose squared differences vanish in f64.
    #[error(
        "layer {layer}: no value reaches 1e-140, so squared differences lose their digits; rescale the dump"
    )]
    TooSmall {
        /// The layer.
        layer: String,
    },

    /// A row without a direction under the cosine metric.
    #[error(
        "layer {layer}: row {row} is all zero and has no direction; drop it with --rows or use --metric euclidean"
    )]
    ZeroRow {
        /// The layer.
        layer: String,
        /// The row, counted in the input from 0.
        row: usize,
    },

    /// Equal rows under `--duplicates refuse`.
    #[error(
        "layer {layer}: {count} of {n} rows repeat an earlier row (first: row {row}); use --duplicates drop or keep"
    )]
    Duplicates {
        /// The layer.
        layer: String,
        /// Rows that repeat an earlier one.
        count: usize,
        /// Rows of the layer.
        n: usize,
        /// First repeating row, counted in the input from 0.
        row: usize,
    },

    /// A precomputed neighbour table that contradicts itself.
    #[error("{}: row {row}: {fact}; {remedy}", path.display())]
    BadTable {
        /// The file.
        path: PathBuf,
        /// The first row that fails.
        row: usize,
        /// What is wrong with it.
        fact: String,
        /// What the user can do.
        remedy: String,
    },

    /// A file was written to while it was read, so numbers would mix two contents.
    #[error(
        "{}: the file changed while it was read, so numbers would mix old values and new; run again when nothing writes to it",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },

    /// Less memory than the work needs, known before it starts.
    #[error(
        "{work} need {}, and the limit is {} (--max-memory, or else what this machine or its cgroup has); {remedy}",
        readable(*needed),
        readable(*limit)
    )]
    Memory {
        /// What is to be held, as words that go before "need".
        work: String,
        /// Bytes.
        needed: u64,
        /// Bytes.
        limit: u64,
        /// What the user can do.
        remedy: String,
    },

    /// A device that was asked for by name could not do its part.
    #[error("{layer}: {device}: {fact}; leave --device out to go on without it")]
    Device {
        /// The layer.
        layer: String,
        /// The device, as it was asked for.
        device: String,
        /// What happened.
        fact: String,
    },

    /// NaN or infinity on its way into a report: a fault of repgeo, never of the data.
    #[error("{field} {fact}; this is a fault in repgeo, please report it with the command")]
    NonFiniteReport {
        /// Where in the report, e.g. `layers[3].estimates[0].id`.
        field: String,
        /// What stands there.
        fact: String,
    },

    /// A report whose numbers have no shape, or that has no number at all.
    #[error("{}: this report of {command} has no figure; its numbers are written, leave --plot out", path.display())]
    NothingToDraw {
        /// The picture that was asked for.
        path: PathBuf,
        /// The command.
        command: &'static str,
    },

    /// Parts of a divided run that are not there, or not whole.
    #[error("{}: {fact}; {remedy}", run.display())]
    Holes {
        /// The folder of the run.
        run: PathBuf,
        /// What is missing.
        fact: String,
        /// What the user can do.
        remedy: String,
    },

    /// An input that is not what it was when a run was planned.
    #[error("{what}: {fact}; bring the planned values back, or plan anew in another folder")]
    InputChanged {
        /// The layer or the file, as words.
        what: String,
        /// What differs.
        fact: String,
    },

    /// A file of a divided run that says it is of something else.
    #[error("{}: {fact}; {remedy}", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What it says.
        fact: String,
        /// What the user can do.
        remedy: String,
    },

    /// Something that another try may not meet: a full disk, a file server that went away.
    #[error("{source}; nothing is lost, run the same command again when that is over")]
    TryAgain {
        /// What was met.
        source: Box<Self>,
    },

    /// A combination of flags that cannot be obeyed.
    #[error("{0}")]
    Usage(String),
}

/// What helps where values are not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonFiniteRemedy {
    /// Mending the dump, or leaving rows out.
    Drop,
    /// Saying which tokens count: several rows hold nothing but NaN.
    Padding,
}

impl fmt::Display for NonFiniteRemedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drop => "fix the dump or pass --drop-nonfinite",
            Self::Padding => {
                "several hold nothing but NaN, as padding does: if so, leave it out with --pool \
                 tokens --mask FILE or with --rows, else pass --drop-nonfinite"
            }
        })
    }
}

impl Error {
    /// The process exit code: 2 for usage, 1 for everything about data and files; of divided runs 3 for
    /// holes, 4 for inputs that changed, 5 for files of something else, 75 for another try.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Holes { .. } => 3,
            Self::InputChanged { .. } => 4,
            Self::Identity { .. } => 5,
            Self::TryAgain { .. } => 75,
            Self::Run { source, .. } => match source.exit_code() {
                2 => 1,
                code => code,
            },
            _ => 1,
        }
    }

    /// What is wrong, without the file and the way out.
    pub(crate) fn fact(&self) -> String {
        match self {
            Self::Malformed { fact, .. }
            | Self::Unsupported { fact, .. }
            | Self::NoLayers { fact, .. }
            | Self::BadTable { fact, .. } => fact.clone(),
            other => other.to_string(),
        }
    }

    /// Whether the reader of the output went away, which is no failure of ours.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Why a file could not be read, and what to look at.
fn unread(source: &io::Error) -> String {
    // What is our own is said in words already.
    let kind = source.raw_os_error().map(|_| source.kind());
    match kind {
        Some(io::ErrorKind::NotFound) => "no such file or folder; check the path".into(),
        Some(io::ErrorKind::NotADirectory) => {
            "what stands before the last / is a file and no folder; check the path".into()
        }
        Some(io::ErrorKind::PermissionDenied) => {
            "permission denied; check who may read it and open the folders above it".into()
        }
        _ => format!("{source}; check the path and its permissions"),
    }
}

/// Bytes in whole MiB, rounded up; in KiB where that would be less than one.
fn readable(bytes: u64) -> String {
    match bytes < 1 << 20 {
        true => format!("{} KiB", bytes.div_ceil(1 << 10)),
        false => format!("{} MiB", bytes.div_ceil(1 << 20)),
    }
}
