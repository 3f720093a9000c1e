//! Writes options that are asked for together, with null for each of them where nobody asked.

use serde::ser::{SerializeMap, Serializer};

use crate::geometry::Fields;

/// Writes `group` as `F` shows it in a report: its fields, or null in their places.
///
/// # Errors
/// Whatever the serializer gives.
pub(super) fn asked<F, T, S>(group: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    F: Fields + From<T>,
    T: Copy,
    S: Serializer,
{
    let mut map = serializer.serialize_map(Some(F::NAMES.len()))?;
    match group {
        Some(group) => F::from(*group).write(&mut map)?,
        None => F::write_absent(&mut map)?,
    }
    map.end()
}

/// What [`asked`] writes, for the schema.
#[cfg(test)]
pub(super) struct Asked<F>(std::marker::PhantomData<F>);

#[cfg(test)]
impl<F: Fields + schemars::JsonSchema> schemars::JsonSchema for Asked<F> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Asked_{}", F::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let shape = F::json_schema(generator).to_value();
        let mut fields = shape["properties"].clone();
        for field in fields.as_object_mut().expect("fields").values_mut() {
            *field = crate::geometry::or_null(field);
        }
        schemars::json_schema!({
            "type": "object",
            "properties": fields,
            "required": F::NAMES,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::known;

    known! {
        #[derive(Debug, Clone, Copy)]
        struct Shares {
            share: f64,
            repeats: usize,
        }
    }

    #[derive(serde::Serialize)]
    struct Options {
        #[serde(flatten, serialize_with = "asked::<Shares, _, _>")]
        shares: Option<Shares>,
        seed: u64,
    }

    #[test]
    fn options_of_a_group_stand_side_by_side_or_are_null() {
        let written = |shares| serde_json::to_string(&Options { shares, seed: 1 }).unwrap();
        let shares = Shares {
            share: 0.5,
            repeats: 4,
        };
        assert_eq!(
            written(Some(shares)),
            r#"{"share":0.5,"repeats":4,"seed":1}"#
        );
        assert_eq!(written(None), r#"{"share":null,"repeats":null,"seed":1}"#);
    }
}
