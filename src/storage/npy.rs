//! Numbers for numpy: one array as the bytes of an `.npy` file.

/// Headers end on a multiple of this many bytes.
const ALIGNMENT: usize = 64;

/// Magic, version and length of the header of format 1.0.
const PREFIX: usize = 10;

/// A number that numpy knows, stored with the least byte first.
pub trait Element: Copy {
    /// numpy's name of the type, e.g. `<f8`.
    const DESCR: &'static str;

    /// Adds the bytes of `self`.
    fn put(self, bytes: &mut Vec<u8>);
}

macro_rules! element {
    ($($type:ty: $descr:literal),*) => {
        $(impl Element for $type {
            const DESCR: &'static str = $descr;

            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
        })*
    };
}

element!(f64: "<f8", f32: "<f4", u8: "|u1", u32: "<u4", u64: "<u8", i32: "<i4", i64: "<i8");

/// The bytes of an `.npy` file with `values`, row after row, in an array of `shape`.
///
/// # Panics
/// Unless the shape holds as many values.
pub fn npy<T: Element>(shape: &[usize], values: &[T]) -> Vec<u8> {
    assert_eq!(
        shape.iter().product::<usize>(),
        values.len(),
        "a shape holds its values"
    );
    let mut bytes = npy_header::<T>(shape);
    bytes.reserve_exact(size_of_val(values));
    for value in values {
        value.put(&mut bytes);
    }
    bytes
}

/// What stands in an `.npy` file before the values of an array of `shape`.
pub fn npy_header<T: Element>(shape: &[usize]) -> Vec<u8> {
    // A trailing comma makes a tuple of one axis.
    let axes: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
    let mut header = format!(
        "{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
        T::DESCR,
        axes.trim_end()
    );
    let length = (PREFIX + header.len() + 1).next_multiple_of(ALIGNMENT) - PREFIX;
    header.extend(std::iter::repeat_n(' ', length - 1 - header.len()));
    header.push('\n');

    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let length = u16::try_from(length).expect("a few axes take far less than 64 KiB");
    bytes.extend(length.to_le_bytes());
    bytes.extend(header.as_bytes());
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
        let bytes = npy(&[2], &[7u32, 9]);
        assert!(String::from_utf8_lossy(&bytes[PREFIX..]).contains("'descr': '<u4'"));
        assert_eq!(bytes[bytes.len() - 8..], [7, 0, 0, 0, 9, 0, 0, 0]);
    }
}
