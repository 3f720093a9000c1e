//! Reads the header of the npy format: a magic string and a Python literal.
//!
//! The literal is parsed by `ndarray-npy`. What its elements are, which of them are refused and how
//! long a header may be is decided here: the crate allocates as much as a header claims.

use ndarray_npy::npy::header::{Header as Literal, ParseHeaderError, ReadHeaderError};

use super::dtype::Dtype;
use super::item::Item;

/// The first bytes of every npy file.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header that is read. numpy's own are 128 bytes, and never beyond this in version 1.
const MAX_HEADER: usize = 1 << 16;

/// The deepest nesting of a literal that is parsed. A structured type takes five; the parser's time
/// doubles with each.
const MAX_DEPTH: usize = 10;

/// The most bytes that [`parse`] reads from the start of an array.
pub(crate) const PREFIX: usize = MAX_HEADER + 12;

/// What an npy header says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub item: Item,
    pub swapped: bool,
    pub void_as_bf16: bool,
    pub fortran: bool,
    pub shape: Vec<usize>,
    pub data_start: usize,
    pub data_size: usize,
}

/// Reads the header at the start of `content`; the error says what is wrong with it.
pub(crate) fn parse(content: &[u8]) -> Result<Header, String> {
    let Some(rest) = content.strip_prefix(MAGIC) else {
        return Err(match content.len() {
            0 => "the file is empty".into(),
            _ => "this is not an npy file (no \\x93NUMPY at its start)".into(),
        });
    };
    let cut = || "the file ends inside its header".to_owned();
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
    let (length, text, start) = match version {
        [1, 0] => {
            let (length, text) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            (usize::from(u16::from_le_bytes(*length)), text, 10)
        }
        [2 | 3, 0] => {
            let (length, text) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
            (u32::from_le_bytes(*length) as usize, text, 12)
        }
        [major, minor] => return Err(format!("npy format version {major}.{minor} is unknown")),
    };
    if length > MAX_HEADER {
        return Err(format!("the header claims to be {length} bytes long"));
    }
    let text = text.get(..length).ok_or_else(|| {
        format!("the header claims to be {length} bytes long but the file ends before that")
    })?;
    let literal = literal(text)?;
    let descr = literal.type_descriptor.as_string().map(String::as_str);
    let (item, swapped, void_as_bf16) = element(descr)?;
    if matches!(item, Item::Unicode(0) | Item::Ascii(0)) {
        return Err("the text elements have no length".into());
    }
    if matches!(item, Item::Unicode(_) | Item::Ascii(_)) && item.size().is_none() {
        return Err("the text elements are impossibly large".into());
    }
    // Axes of length 0 count as 1 here, so that no later product can overflow either.
    let span = literal
        .shape
        .iter()
        .try_fold(item.size().unwrap_or(0), |product, &n| {
            product.checked_mul(n.max(1))
        })
        .ok_or_else(|| format!("the shape {:?} is impossibly large", literal.shape))?;
    let data_size = if literal.shape.contains(&0) { 0 } else { span };
    Ok(Header {
        item,
        swapped,
        void_as_bf16,
        fortran: literal.layout.is_fortran(),
        shape: literal.shape,
        data_start: start + length,
        data_size,
    })
}

/// Element type, whether its bytes must be swapped, whether bfloat16 was inferred.
fn element(descr: Option<&str>) -> Result<(Item, bool, bool), String> {
    let Some(descr) = descr else {
        let item = other(
            "structured records",
            "save each field as an array of its own",
        );
        return Ok((item, false, false));
    };
    let unknown = || format!("unknown dtype {descr:?}");
    let (order, code) = match descr.split_at_checked(1) {
        Some((order @ ("<" | ">" | "|" | "="), code)) => (order, code),
        _ => ("=", descr),
    };
    let big = match order {
        "<" => false,
        ">" => true,
        _ => cfg!(target_endian = "big"),
    };
    let swapped = big != cfg!(target_endian = "big");
    let (kind, rest) = code.split_at_checked(1).ok_or_else(unknown)?;
    let item = match code {
        "f2" => Item::Number(Dtype::F16),
        "f4" => Item::Number(Dtype::F32),
        "f8" => Item::Number(Dtype::F64),
        "i1" => Item::Number(Dtype::I8),
        "i2" => Item::Number(Dtype::I16),
        "i4" => Item::Number(Dtype::I32),
        "i8" => Item::Number(Dtype::I64),
        "u1" => Item::Number(Dtype::U8),
        "u2" => Item::Number(Dtype::U16),
        "u4" => Item::Number(Dtype::U32),
        "u8" => Item::Number(Dtype::U64),
        "b1" | "?" => Item::Number(Dtype::Bool),
        // numpy has no bfloat16: arrays made by ml_dtypes or JAX are saved as two-byte voids.
        "V2" => return Ok((Item::Number(Dtype::Bf16), swapped, true)),
        "f1" => other("8-bit floats", "convert with .astype(numpy.float32)"),
        "f10" | "f12" | "f16" => other(
            "long double elements",
            "convert with .astype(numpy.float64)",
        ),
        "c8" | "c16" | "c20" | "c24" | "c32" => other(
            "complex elements",
            "save real and imaginary parts as columns of a real array",
        ),
        _ => match kind {
            "U" => Item::Unicode(rest.parse().map_err(|_| unknown())?),
            "S" | "a" => Item::Ascii(rest.parse().map_err(|_| unknown())?),
            "O" => other(
                "Python objects (a pickle, never loaded)",
                "save a plain array: x.astype(numpy.float32), or x.astype(str) for labels",
            ),
            "M" | "m" => other("dates or time spans", "convert with .astype(numpy.int64)"),
            "V" => other("raw void elements", "save with a numeric dtype"),
            _ => return Err(unknown()),
        },
    };
    Ok((item, swapped, false))
}

fn other(what: &str, remedy: &'static str) -> Item {
    Item::Other {
        what: what.into(),
        remedy,
    }
}

/// How deep brackets stand in brackets, those in strings left out.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut quote = None;
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', Some(_)) => {
                bytes.next();
            }
            (_, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => {}
            (b'\'' | b'"', None) => quote = Some(byte),
            (b'[' | b'(' | b'{', None) => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (b']' | b')' | b'}', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The dict in the header: the keys `descr`, `fortran_order` and `shape`.
fn literal(text: &[u8]) -> Result<Literal, String> {
    if depth(text) > MAX_DEPTH {
        return Err(format!(
            "the header nests brackets more than {MAX_DEPTH} deep, as numpy's own never do"
        ));
    }
    // Version 3 allows UTF-8 (in field names only), where ASCII is a part of it.
    let mut whole = [MAGIC, &[3, 0], &[0; 4]].concat();
    let start = whole.len();
    for (at, &byte) in text.iter().enumerate() {
        // Python 2 wrote long integers as 3L.
        let after_digit = at > 0 && text[at - 1].is_ascii_digit();
        let before_end = matches!(text.get(at + 1), Some(b',' | b')' | b' '));
        if byte != b'L' || !after_digit || !before_end {
            whole.push(byte);
        }
    }
    if !whole.ends_with(b"\n") {
        whole.push(b'\n');
    }
    let length = u32::try_from(whole.len() - start).map_err(|_| "the header is too long")?;
    whole[start - 4..start].copy_from_slice(&length.to_le_bytes());
    Literal::from_reader(&mut whole.as_slice()).map_err(|error| match error {
        ReadHeaderError::Parse(ParseHeaderError::MissingKey(key)) => {
            format!("the header has no {key:?}")
        }
        ReadHeaderError::Parse(ParseHeaderError::UnknownKey(key)) => {
            format!("unexpected key {} in the header", cut(&key.to_string()))
        }
        ReadHeaderError::Parse(ParseHeaderError::IllegalValue { key, .. }) if key == "shape" => {
            "the header has a shape that is no tuple of sizes".into()
        }
        ReadHeaderError::Parse(ParseHeaderError::IllegalValue { key, .. }) => {
            format!("the header has a {key:?} that is neither True nor False")
        }
        _ => {
            let seen = cut(String::from_utf8_lossy(text).trim());
            format!("the header is not the Python dict that numpy writes: {seen:?}")
        }
    })
}

/// The beginning of a foreign text.
fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes
    }

    #[test]
    fn keys_come_in_any_order_with_either_quote_and_old_longs() {
        let header = parse(&file(
            "{\"shape\": (3L, 2L), 'fortran_order': True, 'descr': '>f4'}\n",
        ))
        .unwrap();
        assert_eq!(header.shape, [3, 2]);
        assert_eq!(header.item, Item::Number(Dtype::F32));
        assert!(header.fortran && header.swapped == cfg!(target_endian = "little"));
        assert_eq!(header.data_size, 24);
    }

    #[test]
    fn each_malformed_header_is_named_for_what_it_is() {
        let dict = "no \"fortran_order\"";
        let no_dict = "not the Python dict";
        let cases = [
            ("{'descr': '<f4', 'shape': (1,)}", dict),
            ("{'descr': '<f4', 'x': 1}", "unexpected key 'x'"),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (-4, 6)}",
                "no tuple of sizes",
            ),
            (
                "{'descr': '<f4', 'fortran_order': 0, 'shape': (4, 6)}",
                "neither True nor False",
            ),
            ("{'shape': (4 6)}", no_dict),
            ("{'descr': [('a', '<f4')", no_dict),
            ("{'descr': '<f4", no_dict),
            ("__import__('os')", no_dict),
            (
                "{'descr': '<q9', 'fortran_order': False, 'shape': ()}",
                "unknown dtype \"<q9\"",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
                "impossibly large",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': ()} + 1",
                no_dict,
            ),
        ];
        for (header, fact) in cases {
            let err = parse(&file(header)).unwrap_err();
            assert!(err.contains(fact), "{header}: {err}");
        }
    }

    /// What `element` says of a header that is well formed.
    fn item(descr: &str, shape: &str) -> Header {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
        parse(&file(&header)).unwrap()
    }

    #[test]
    fn headers_of_every_kind_are_read_or_refused_and_none_takes_the_memory_it_claims() {
        assert_eq!(item("'<f2'", "(2, 3)").item, Item::Number(Dtype::F16));
        let bf16 = item("'<V2'", "(2, 3)");
        assert!(bf16.void_as_bf16 && bf16.item == Item::Number(Dtype::Bf16));
        for refused in ["'|O'", "[('x', '<f4'), ('y', '<i8', (2,))]", "'<c8'"] {
            let other = item(refused, "(2,)").item;
            assert!(matches!(other, Item::Other { .. }), "{refused}");
        }
        let without_newline = "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }";
        assert_eq!(parse(&file(without_newline)).unwrap().shape, [5]);
        // Of a repeated key the last counts, as in numpy.
        let twice = "{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (5,)}\n";
        assert_eq!(parse(&file(twice)).unwrap().item, Item::Number(Dtype::F64));
        let nested = "[".repeat(30_000) + &"]".repeat(30_000);
        let bomb = format!("{{'descr': {nested}, 'fortran_order': False, 'shape': ()}}\n");
        assert!(parse(&file(&bomb)).is_err());
        // The parser tries each of these twice, so a few dozen would never end.
        for deep in ["[".repeat(60), "[(".repeat(30), "{'a': [".repeat(30)] {
            let err = parse(&file(&format!("{{'descr': {deep}"))).unwrap_err();
            assert!(err.contains("more than 10 deep"), "{err}");
        }
        let allowed = format!("{{'descr': {}", "[".repeat(9));
        assert!(parse(&file(&allowed)).is_err());
        // A bracket in a string is none, and one that a string seems to close stays open.
        assert_eq!(depth(br#"{'[[[': "]", 'a\'[': (1,)}"#), 2);
        assert_eq!(depth(br#"[']', [']', [']']]]"#), 3);
        let mut claims = b"\x93NUMPY\x02\x00".to_vec();
        claims.extend(u32::MAX.to_le_bytes());
        claims.extend(b"{}");
        let err = parse(&claims).unwrap_err();
        assert!(err.contains("claims to be 4294967295 bytes"), "{err}");
        let huge =
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,)}\n";
        let err = parse(&file(huge)).unwrap_err();
        assert!(err.contains("no tuple of sizes"), "{err}");
    }
}
