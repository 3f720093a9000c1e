//! Reads the header of the npy format: a magic string and a Python literal.

use super::dtype::Dtype;
use super::item::Item;

/// The first bytes of every npy file.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header that is read. numpy's own are 128 bytes, and never beyond this in version 1.
const MAX_HEADER: usize = 1 << 16;

/// As many bytes from the start as [`parse`] ever needs.
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
    let literal = Literal::parse(text)?;
    let (item, swapped, void_as_bf16) = element(&literal.descr)?;
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
        fortran: literal.fortran,
        shape: literal.shape,
        data_start: start + length,
        data_size,
    })
}

/// Element type, whether its bytes must be swapped, whether bfloat16 was inferred.
fn element(descr: &Descr) -> Result<(Item, bool, bool), String> {
    let Descr::Simple(descr) = descr else {
        let item = other(
            "structured records",
            "save each field as an array of its own",
        );
        return Ok((item, false, false));
    };
    let unknown = || format!("unknown dtype {descr:?}");
    let (order, code) = match descr.split_at_checked(1) {
        Some((order @ ("<" | ">" | "|" | "="), code)) => (order, code),
        _ => ("=", descr.as_str()),
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
                "save a plain array: numpy.asarray(x, dtype=numpy.float32)",
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

/// The dict in the header: exactly the keys `descr`, `fortran_order` and `shape`.
struct Literal {
    descr: Descr,
    fortran: bool,
    shape: Vec<usize>,
}

enum Descr {
    Simple(String),
    Structured,
}

impl Literal {
    fn parse(text: &[u8]) -> Result<Self, String> {
        // Version 3 allows UTF-8 (in field names only); version 1 and 2 are Latin-1.
        let text = String::from_utf8_lossy(text);
        let mut cursor = Cursor(text.trim());
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        cursor.expect("{")?;
        while !cursor.take("}") {
            let key = cursor.string()?;
            cursor.expect(":")?;
            let repeated = match key {
                "descr" => descr.replace(cursor.descr()?).is_some(),
                "fortran_order" => fortran.replace(cursor.boolean()?).is_some(),
                "shape" => shape.replace(cursor.shape()?).is_some(),
                _ => return Err(format!("unexpected key {key:?} in the header")),
            };
            if repeated {
                return Err(format!("the header repeats {key:?}"));
            }
            if !cursor.take(",") {
                cursor.expect("}")?;
                break;
            }
        }
        if !cursor.0.is_empty() {
            return Err("the header goes on after its closing brace".into());
        }
        let missing = |key: &str| format!("the header has no {key:?}");
        Ok(Self {
            descr: descr.ok_or_else(|| missing("descr"))?,
            fortran: fortran.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }
}

/// What is left of a header while it is parsed.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn take(&mut self, token: &str) -> bool {
        let rest = self.0.trim_start();
        let found = rest.strip_prefix(token);
        self.0 = found.unwrap_or(rest).trim_start();
        found.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            return Ok(());
        }
        let seen: String = self.0.chars().take(12).collect();
        Err(format!("the header has {seen:?} where {token:?} belongs"))
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let quote = if self.take("\"") { '"' } else { '\'' };
        if quote == '\'' {
            self.expect("'")?;
        }
        let (text, rest) = self
            .0
            .split_once(quote)
            .ok_or("the header has an unfinished string")?;
        self.0 = rest;
        Ok(text)
    }

    fn boolean(&mut self) -> Result<bool, String> {
        if self.take("True") {
            return Ok(true);
        }
        self.expect("False").map(|()| false)
    }

    fn shape(&mut self) -> Result<Vec<usize>, String> {
        let mut shape = Vec::new();
        self.expect("(")?;
        while !self.take(")") {
            let end = self.0.find(|c: char| !c.is_ascii_digit());
            let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
            let n = digits
                .parse()
                .map_err(|_| "the header has a shape that is no tuple of sizes")?;
            shape.push(n);
            self.0 = rest;
            // Python 2 wrote long integers as 3L.
            self.take("L");
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(shape)
    }

    /// A dtype string, or a list (of fields) that is skipped to its closing bracket.
    fn descr(&mut self) -> Result<Descr, String> {
        if !self.0.trim_start().starts_with('[') {
            return Ok(Descr::Simple(self.string()?.to_owned()));
        }
        let mut depth = 0usize;
        let mut quote = None;
        for (at, c) in self.0.char_indices() {
            match (quote, c) {
                (Some(open), _) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '[' | '(') => depth += 1,
                (None, ']' | ')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && quote.is_none() {
                self.0 = self.0[at + c.len_utf8()..].trim_start();
                return Ok(Descr::Structured);
            }
        }
        Err("the header has an unfinished list of fields".into())
    }
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
        let cases = [
            ("{'descr': '<f4', 'shape': (1,)}", "no \"fortran_order\""),
            ("{'descr': '<f4', 'descr': '<f4'}", "repeats \"descr\""),
            ("{'descr': '<f4', 'x': 1}", "unexpected key \"x\""),
            ("{'shape': (-4, 6)}", "no tuple of sizes"),
            ("{'shape': (4 6)}", "where \")\" belongs"),
            ("{'descr': [('a', '<f4')", "unfinished list"),
            ("{'descr': '<f4", "unfinished string"),
            ("__import__('os')", "where \"{\" belongs"),
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
                "after its closing brace",
            ),
        ];
        for (header, fact) in cases {
            let err = parse(&file(header)).unwrap_err();
            assert!(err.contains(fact), "{header}: {err}");
        }
    }
}
