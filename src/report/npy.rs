//! Numbers for numpy: one f64 array as the bytes of an `.npy` file.

/// Headers end on a multiple of this many bytes.
const ALIGNMENT: usize = 64;

/// Magic, version and length of the header of format 1.0.
const PREFIX: usize = 10;

/// The bytes of an `.npy` file with `values`, row after row, in an array of `shape`.
///
/// # Panics
/// Unless the shape holds as many values.
pub fn npy(shape: &[usize], values: &[f64]) -> Vec<u8> {
    assert_eq!(
        shape.iter().product::<usize>(),
        values.len(),
        "a shape holds its values"
    );
    // A trailing comma makes a tuple of one axis.
    let axes: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
    let mut header = format!(
        "{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}",
        axes.trim_end()
    );
    let length = (PREFIX + header.len() + 1).next_multiple_of(ALIGNMENT) - PREFIX;
    header.extend(std::iter::repeat_n(' ', length - 1 - header.len()));
    header.push('\n');

    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let length = u16::try_from(length).expect("a few axes take far less than 64 KiB");
    bytes.extend(length.to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_aligned_and_says_type_and_shape() {
        for (shape, words) in [(&[3][..], "'shape': (3,)"), (&[1, 3], "'shape': (1, 3,)")] {
            let bytes = npy(shape, &[1.5, f64::NAN, -2.0]);
            let (header, values) = bytes.split_at(bytes.len() - 24);
            assert_eq!(header.len() % ALIGNMENT, 0);
            let text = String::from_utf8_lossy(&header[PREFIX..]);
            assert!(
                text.starts_with("{'descr': '<f8'") && text.contains(words),
                "{text}"
            );
            assert!(text.ends_with('\n'));
            assert_eq!(values[..8], 1.5f64.to_le_bytes());
        }
    }
}
