//! Numbers for numpy: one array as the bytes of an `.npy` file.

use ndarray_npy::WritableElement;
use ndarray_npy::npy::header::{Header, Layout};

/// A number that numpy knows.
pub trait Element: WritableElement + Copy {
    /// Adds the bytes of `self`, in the order that the header says: the machine's.
    fn put(self, bytes: &mut Vec<u8>);
}

macro_rules! element {
    ($($type:ty),*) => {
        $(impl Element for $type {
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_ne_bytes());
            }
        })*
    };
}

element!(f64, f32, u8, u32, u64, i32, i64);

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
    let header = Header {
        type_descriptor: T::type_descriptor(),
        layout: Layout::Standard,
        shape: shape.to_vec(),
    };
    header
        .to_bytes()
        .expect("a few axes take far less than 64 KiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_aligned_and_says_type_and_shape() {
        for (shape, words) in [(&[3][..], "'shape': (3,)"), (&[1, 3], "'shape': (1, 3)")] {
            let bytes = npy(shape, &[1.5, f64::NAN, -2.0]);
            let (header, values) = bytes.split_at(bytes.len() - 24);
            assert_eq!(header.len() % 64, 0);
            let text = String::from_utf8_lossy(&header[10..]);
            assert!(
                text.starts_with("{'descr': '<f8'") && text.contains(words),
                "{text}"
            );
            assert!(text.ends_with('\n'));
            assert_eq!(values[..8], 1.5f64.to_ne_bytes());
        }
        let bytes = npy(&[2], &[7u32, 9]);
        assert!(String::from_utf8_lossy(&bytes[10..]).contains("'descr': '<u4'"));
        assert_eq!(bytes[bytes.len() - 8..], [7, 0, 0, 0, 9, 0, 0, 0]);
    }
}
