//! Says how a file of another format becomes one that is read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::name::ending;

/// How a file of another format becomes one that is read: most often a line of Python.
pub(crate) fn conversion(path: &Path) -> Option<String> {
    const SAVE: &str = "np.savez(\"acts.npz\", **layers)";
    let python = match ending(path).as_str() {
        "h5" | "hdf5" => format!(
            "import h5py, numpy as np; layers = {{k: v[:] for k, v in h5py.File(\"…\").items()}}; {SAVE}"
        ),
        "parquet" => table("pandas.read_parquet(\"…\")"),
        "feather" => table("pandas.read_feather(\"…\")"),
        "arrow" => "import datasets, numpy as np; ds = datasets.load_from_disk(\"FOLDER\"); \
             np.save(\"layer_0.npy\", np.stack(ds[\"COLUMN\"]))"
            .into(),
        "json" => format!(
            "import json, numpy as np; layers = {{k: np.array(v) for k, v in \
             json.load(open(\"…\")).items()}}; {SAVE}"
        ),
        "mat" => format!("import scipy.io; layers = scipy.io.loadmat(\"…\"); {SAVE}"),
        "pkl" | "pickle" => {
            format!("import pickle; layers = pickle.load(open(\"…\", \"rb\")); {SAVE}")
        }
        "csv" | "tsv" | "txt" => numbers_of_text(path),
        "zarr" => format!("import zarr; layers = dict(zarr.open(\"…\").arrays()); {SAVE}"),
        "gz" | "bz2" | "xz" | "zst" | "tar" => {
            return Some("it is compressed; unpack it first".into());
        }
        "mmap" | "bin" | "dat" | "raw" | "memmap" => {
            return Some(
                "raw values have no header: say type and shape, as in FILE:f16:1000x768".into(),
            );
        }
        _ => return None,
    };
    let built = match ending(path).as_str() {
        "h5" | "hdf5" => "build repgeo with --features hdf5, or ",
        _ => "",
    };
    Some(format!("{built}convert it in Python: {python}"))
}

/// The line that reads one column of lists from a table of pandas.
fn table(reader: &str) -> String {
    format!("import numpy as np, pandas; np.save(\"layer_0.npy\", np.stack({reader}[\"COLUMN\"]))")
}

/// The line that reads numbers from text, past a header if there is one.
fn numbers_of_text(path: &Path) -> String {
    let mut start = vec![0; 4096];
    let read = match path.is_file() {
        true => File::open(path).and_then(|mut file| file.read(&mut start)),
        false => Ok(0),
    };
    let text = String::from_utf8_lossy(&start[..read.unwrap_or(0)]);
    let line = text.lines().next().unwrap_or_default();
    let (separator, delimiter) = match line {
        line if line.contains('\t') => ('\t', ", delimiter=\"\\t\""),
        line if line.contains(';') => (';', ", delimiter=\";\""),
        line if line.contains(',') => (',', ", delimiter=\",\""),
        _ => (' ', ""),
    };
    let mut cells = line.split(separator).filter(|cell| !cell.trim().is_empty());
    let skipped = match cells.all(|cell| cell.trim().parse::<f64>().is_ok()) {
        true => "",
        false => ", skiprows=1",
    };
    format!("import numpy as np; np.save(\"layer_0.npy\", np.loadtxt(\"…\"{delimiter}{skipped}))")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_by_what_its_first_line_shows() {
        let folder = tempfile::tempdir().unwrap();
        for (text, wanted, not) in [
            ("1.5,2\n3,4\n", "delimiter=\",\"", "skiprows"),
            ("a,b\n3,4\n", "delimiter=\",\", skiprows=1", "\\t"),
            ("1\t2\n", "delimiter=\"\\t\"", "skiprows"),
            ("1.5 2\n", "loadtxt(\"…\"))", "delimiter"),
        ] {
            let path = folder.path().join("acts.csv");
            std::fs::write(&path, text).unwrap();
            let line = conversion(&path).unwrap();
            assert!(line.contains(wanted) && !line.contains(not), "{line}");
        }
        assert!(
            conversion(Path::new("acts.parquet"))
                .unwrap()
                .contains("read_parquet")
        );
        assert!(conversion(Path::new("acts.npy")).is_none());
    }
}
