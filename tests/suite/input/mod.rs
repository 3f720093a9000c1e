//! Reads every fixture file, and files made here.

mod any_bytes;
mod encodings;
mod folders;
mod pooling;
mod rows;

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use repgeo::Result;
use repgeo::input::{Dump, Layer, Matrix, ReadOptions};
use repgeo::warning::WarningCode;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::common::fixture;

pub(super) fn widen(matrix: &Matrix) -> Vec<f64> {
    let mut values = vec![0.0; matrix.n_rows() * matrix.n_columns()];
    for (row, out) in values.chunks_exact_mut(matrix.n_columns()).enumerate() {
        matrix.widen_row(row, out);
    }
    values
}

pub(super) fn read_with(path: &Path, options: &ReadOptions) -> Result<Layer> {
    let dump = Dump::open(path)?;
    dump.read(&dump.layers()[0], options)
}

pub(super) fn read(path: &Path) -> Result<Layer> {
    read_with(path, &ReadOptions::default())
}

pub(super) fn codes(layer: &Layer) -> Vec<WarningCode> {
    layer.warnings.iter().map(|warning| warning.code).collect()
}

/// An npy file of version 1.
pub(super) fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

pub(super) fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

pub(super) fn i64s(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

pub(super) fn npz(members: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(*name, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub(super) fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

pub(super) fn content() -> Vec<f64> {
    widen(&read(&fixture("formats/c_f64.npy")).unwrap().matrix)
}
