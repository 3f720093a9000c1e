//! Finds names that stand twice: in the objects of a JSON text, and in the directory of a zip archive.

use std::collections::HashSet;
use std::fmt;
use std::io::{Read, Seek};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use zip::ZipArchive;

/// The first name that an object of a JSON text, however deep, has twice; readers keep the last
/// without a word. `None` also for what is no JSON, which its reader refuses.
pub(super) fn in_json(text: &[u8]) -> Option<String> {
    let mut found = None;
    let mut json = serde_json::Deserializer::from_slice(text);
    let _ = Values(&mut found).deserialize(&mut json);
    found
}

/// Any value, with the place for what is found.
struct Values<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if seen.contains(&name) {
                self.0.get_or_insert(name);
            } else {
                seen.insert(name);
            }
            map.next_value_seed(Values(self.0))?;
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        while list.next_element_seed(Values(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The first name that the directory of a zip archive lists twice, of which its reader sees the last.
pub(super) fn in_archive<R: Read + Seek>(archive: &ZipArchive<R>, bytes: &[u8]) -> Option<String> {
    const MAGIC: &[u8] = b"PK\x01\x02";
    let start = usize::try_from(archive.central_directory_start()).ok()?;
    let mut rest = bytes.get(start..)?;
    let mut seen = HashSet::new();
    while rest.starts_with(MAGIC) {
        let length = |at: usize| {
            let field = rest.get(at..at + 2)?;
            Some(usize::from(u16::from_le_bytes([field[0], field[1]])))
        };
        let [name, extra, comment] = [length(28)?, length(30)?, length(32)?];
        let text = rest.get(46..46 + name)?;
        if !seen.insert(text) {
            return Some(String::from_utf8_lossy(text).into_owned());
        }
        rest = rest.get(46 + name + extra + comment..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_found_at_any_depth() {
        for (text, wanted) in [
            (
                r#"{"a": 1, "b": {"a": [1, null, "x", true, -2, 0.5]}}"#,
                None,
            ),
            (r#"{"a": 1, "b": 2, "a": 1}"#, Some("a")),
            (r#"{"map": [{"x": {}, "x": []}]}"#, Some("x")),
            (r#"{"a": 1, "\u0061": 2}"#, Some("a")),
            ("no json", None),
        ] {
            assert_eq!(in_json(text.as_bytes()).as_deref(), wanted, "{text}");
        }
    }
}
