//! Whatever the bytes, no panic.

use proptest::prelude::*;
use repgeo::input::{Dump, Pooling, ReadOptions};
use zip::CompressionMethod;

use super::{f32s, npy, npz, safetensors};

fn poke(mut bytes: Vec<u8>, edits: &[(usize, u8)], cut: usize) -> Vec<u8> {
    let n = bytes.len();
    edits.iter().for_each(|&(at, value)| bytes[at % n] = value);
    bytes.truncate(n - cut % n);
    bytes
}

fn survives(bytes: &[u8]) {
    if let Ok(dump) = Dump::from_reader(bytes, "poked") {
        for layer in dump.layers() {
            for pool in [Pooling::Mean, Pooling::Last, Pooling::Flatten, Pooling::Gap] {
                let options = ReadOptions {
                    pool: Some(pool),
                    ..ReadOptions::default()
                };
                let _ = dump.read(layer, &options);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_corruption_of_a_file_panics(
        edits in proptest::collection::vec((0usize..4000, any::<u8>()), 0..6),
        cut in prop_oneof![Just(0usize), 0usize..4000],
    ) {
        let data = f32s(&[1.0; 24]);
        for fortran in [false, true] {
            survives(&poke(npy("<f4", fortran, "(4, 3, 2)", &data), &edits, cut));
        }
        // Edits of the header alone reach its parser, which edits of zip tables rarely do.
        let digits: Vec<(usize, u8)> = edits.iter().map(|&(at, x)| (10 + at % 60, b"0123456789(),'<>fiuV:L "[x as usize % 23])).collect();
        survives(&poke(npy("<f4", false, "(4, 3, 2)", &data), &digits, cut));
        let header = r#"{"x":{"dtype":"F32","shape":[4,6],"data_offsets":[0,96]},"y":{"dtype":"I64","shape":[4,3],"data_offsets":[96,192]}}"#;
        survives(&poke(safetensors(header, &[1; 192]), &edits, cut));
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let archive = npz(&[("a.npy", npy("<f4", false, "(4, 6)", &data)), ("b.npy", npy("<i8", true, "(4, 3)", &[2; 96]))], method);
            survives(&poke(archive, &edits, cut));
        }
    }
}
