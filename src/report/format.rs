//! Names the formats of a report and the endings of their files.

use std::path::Path;

use crate::choice::choice;
use crate::{Error, Result};

choice! {
    /// How a report is written.
    pub enum Format {
        /// Aligned columns for people.
        Table = "table",
        /// The whole report, schema `repgeo/2`.
        Json = "json",
        /// Tidy: one number, one row.
        Csv = "csv",
        /// JSON, a line a layer or pair of layers with its numbers.
        Jsonl = "jsonl",
        /// The table for documents on the web.
        Markdown = "markdown",
        /// The table for papers, with the rules of booktabs.
        Latex = "latex",
    }
}

/// The ending of each format's files.
const ENDINGS: [(&str, Format); 6] = [
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("txt", Format::Table),
    ("jsonl", Format::Jsonl),
    ("md", Format::Markdown),
    ("tex", Format::Latex),
];

impl Format {
    /// The format that a file's ending asks for: `.json`, `.csv`, `.txt`, `.jsonl`, `.md` or `.tex`,
    /// in any case.
    ///
    /// Devices and pipes (`/dev/stdout`, a FIFO) have no ending and get JSON, like a pipe on stdout.
    ///
    /// # Errors
    /// [`Error::Usage`] for any other ending.
    pub fn from_path(path: &Path) -> Result<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let known = ENDINGS
            .iter()
            .find(|(known, _)| ending.is_some_and(|ending| ending.eq_ignore_ascii_case(known)));
        match known {
            Some((_, format)) => Ok(*format),
            None if crate::storage::is_stream(path) => Ok(Self::Json),
            None => Err(Error::Usage(format!(
                "{}: the ending does not name a format; use .json, .csv, .txt, .jsonl, .md or \
                 .tex, or pass --format",
                path.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides_the_format() {
        let format = |name: &str| Format::from_path(Path::new(name)).unwrap();
        assert_eq!(format("a/profile.json"), Format::Json);
        assert_eq!(format("profile.v2.CSV"), Format::Csv);
        assert_eq!(format("profile.txt"), Format::Table);
        for one in Format::ALL {
            assert!(ENDINGS.iter().any(|(_, format)| *format == one), "{one}");
        }
    }

    #[test]
    fn an_unknown_ending_is_a_usage_error_that_names_the_known_ones() {
        for name in ["profile.xml", "profile", ".json", "profile.json.gz"] {
            let error = Format::from_path(Path::new(name)).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{name}");
            let message = error.to_string();
            assert!(message.contains(".json, .csv, .txt"), "{message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_an_ending_gets_json() {
        assert_eq!(
            Format::from_path(Path::new("/dev/null")).unwrap(),
            Format::Json
        );
    }
}
