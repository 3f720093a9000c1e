//! HDF5 files: read where the feature is built in, and answered with both ways where it is not.

use super::common;

fn acts() -> String {
    let path = common::fixture("formats/hdf5/acts.h5");
    common::path(&path).to_owned()
}

#[cfg(feature = "hdf5")]
mod built_in {
    use super::super::dumps::{Folder, dimensions, made, names, near, refusal, run};
    use super::acts;
    use std::fs;

    #[test]
    fn datasets_are_layers_however_they_are_stored() {
        let folder = Folder::new();
        let wanted = ["layer_0", "layer_1", "layer_2", "layer_3"];
        assert_eq!(names(&[&acts()]), wanted);
        let found = dimensions(&[&acts()]);
        for (layer, found) in found.into_iter().enumerate() {
            let path = folder.file(&format!("made_{layer}.npy"), made(layer));
            let by = if layer == 3 { 0.2 } else { 1e-6 };
            near(found, dimensions(&[&path])[0], by);
        }
        let labels = format!("{}#labels", acts());
        let layer = format!("{}#layer_1", acts());
        let output = run(&["overlap", &layer, "--labels", &labels, "-k", "3"]);
        assert!(output.status.success());
    }

    #[test]
    fn a_cut_file_is_refused() {
        let folder = Folder::new();
        let whole = fs::read(acts()).unwrap();
        for part in [9, 600, whole.len() / 2] {
            let file = folder.file("acts.h5", &whole[..part]);
            assert!(refusal(&["id-profile", &file]).contains("acts.h5"));
        }
    }
}

#[cfg(not(feature = "hdf5"))]
#[test]
fn without_the_feature_both_ways_are_named() {
    let error = super::dumps::refusal(&["id-profile", &acts()]);
    assert!(
        error.contains("--features hdf5") && error.contains("h5py"),
        "{error}"
    );
}
