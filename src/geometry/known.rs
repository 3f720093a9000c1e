//! Keeps a value or the reason why there is none, from an estimator to the JSON of a report.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Reason;

/// What was found, or why nothing was.
///
/// In a report it stands flattened: the fields of the value, null where there is none, and beside
/// them the reason, null where there is a value. So neither can be without the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known<T>(pub Result<T, Reason>);

impl<T> Known<T> {
    /// What was found.
    pub fn ok(&self) -> Option<&T> {
        self.0.as_ref().ok()
    }

    /// Why nothing was.
    pub fn reason(&self) -> Option<Reason> {
        self.0.as_ref().err().copied()
    }
}

impl<T> From<Result<T, Reason>> for Known<T> {
    fn from(outcome: Result<T, Reason>) -> Self {
        Self(outcome)
    }
}

/// The fields of a value that may be missing, as `known!` declares them.
pub trait Fields {
    /// Their names in reports.
    const NAMES: &'static [&'static str];

    /// The name of the reason beside them.
    const REASON: &'static str = "reason";

    /// Writes them, in the order of `NAMES`.
    ///
    /// # Errors
    /// Whatever the serializer gives.
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;

    /// Writes null in their places.
    ///
    /// # Errors
    /// Whatever the serializer gives.
    fn write_absent<M: SerializeMap>(map: &mut M) -> Result<(), M::Error> {
        let mut names = Self::NAMES.iter();
        names.try_for_each(|name| map.serialize_entry(name, &None::<()>))
    }
}

impl<T: Fields> Serialize for Known<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(T::NAMES.len() + 1))?;
        match &self.0 {
            Ok(value) => value.write(&mut map)?,
            Err(_) => T::write_absent(&mut map)?,
        }
        map.serialize_entry(T::REASON, &self.reason())?;
        map.end()
    }
}

/// A struct whose fields stand in a report as [`Known`] writes them; `else "name"` after it names
/// the reason where a report has several.
macro_rules! known {
    (
        $(#[$meta:meta])*
        $visible:vis struct $Name:ident $(<$F:ident>)? {
            $( $(#[$about:meta])* $open:vis $field:ident: $type:ty ),+ $(,)?
        }
        $(else $reason:literal)?
    ) => {
        $(#[$meta])*
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        $visible struct $Name $(<$F>)? {
            $( $(#[$about])* $open $field: $type ),+
        }

        impl $(<$F: serde::Serialize>)? $crate::geometry::Fields for $Name $(<$F>)? {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];
            $(const REASON: &'static str = $reason;)?

            fn write<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                $(map.serialize_entry(stringify!($field), &self.$field)?;)+
                Ok(())
            }
        }
    };
}

pub(crate) use known;

#[cfg(test)]
pub(crate) use schema::or_null;

#[cfg(test)]
mod schema {
    //! The fields and the reason, and that they exclude each other.

    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator};
    use serde_json::{Value, json};

    use super::{Fields, Known};
    use crate::geometry::Reason;

    impl<T: Fields + JsonSchema> JsonSchema for Known<T> {
        fn schema_name() -> Cow<'static, str> {
            format!("Known_{}", T::schema_name()).into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let mut reason = generator.subschema_for::<Option<Reason>>().to_value();
            reason["description"] = "Why there is none; null where there is.".into();
            let mut shape = T::json_schema(generator).to_value();
            let fields = shape["properties"].as_object_mut().expect("fields");
            let (mut with, mut without) = (json!({}), json!({}));
            for (name, field) in fields.iter_mut() {
                without[name] = json!({"type": "null"});
                if !may_be_null(field) {
                    with[name] = json!({"not": {"type": "null"}});
                    *field = or_null(field);
                }
            }
            fields.insert(T::REASON.into(), reason);
            with[T::REASON] = json!({"type": "null"});
            without[T::REASON] = json!({"not": {"type": "null"}});
            let names: Vec<&str> = T::NAMES.iter().copied().chain([T::REASON]).collect();
            json!({
                "type": "object",
                "description": "The value, or why there is none.",
                "properties": fields.clone(),
                "required": names,
                "allOf": [{"oneOf": [{"properties": with}, {"properties": without}]}],
            })
            .try_into()
            .expect("an object is a schema")
        }
    }

    fn may_be_null(field: &Value) -> bool {
        let null = json!({"type": "null"});
        let has = |key: &str, one: &Value| {
            let all = field[key].as_array();
            all.is_some_and(|all| all.contains(one))
        };
        has("type", &json!("null")) || has("anyOf", &null)
    }

    /// The field, or null; as it is where it may be null already.
    pub(crate) fn or_null(field: &Value) -> Value {
        let mut field = field.clone();
        if may_be_null(&field) {
            return field;
        }
        if let Some(kind) = field["type"]
            .as_str()
            .filter(|_| field.get("enum").is_none())
        {
            field["type"] = json!([kind, "null"]);
            return field;
        }
        let parts = field.as_object_mut().expect("a field is described");
        let about = parts.remove("description");
        let mut nullable = json!({"anyOf": [field, {"type": "null"}]});
        if let Some(about) = about {
            nullable["description"] = about;
        }
        nullable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    known! {
        #[derive(Debug, Clone, Copy, PartialEq)]
        struct Length {
            metres: f64,
            error: Option<f64>,
        }
        else "length_reason"
    }

    #[derive(serde::Serialize)]
    struct Rod {
        name: &'static str,
        #[serde(flatten)]
        length: Known<Length>,
        n: usize,
    }

    fn written(length: Result<Length, Reason>) -> String {
        let rod = Rod {
            name: "rod",
            length: length.into(),
            n: 1,
        };
        serde_json::to_string(&rod).unwrap()
    }

    #[test]
    fn a_value_or_its_reason_is_written_and_the_other_is_null() {
        let found = Length {
            metres: 2.0,
            error: None,
        };
        assert_eq!(
            written(Ok(found)),
            r#"{"name":"rod","metres":2.0,"error":null,"length_reason":null,"n":1}"#
        );
        assert_eq!(
            written(Err(Reason::TooFewRows)),
            r#"{"name":"rod","metres":null,"error":null,"length_reason":"too_few_rows","n":1}"#
        );
    }
}
