//! The guard before every writer: no NaN or infinity in a report.
//!
//! serde_json writes NaN as `null`, which would pass for a number that does not exist. So every
//! report first goes through a serializer that writes nothing and stops at the first such number.

use std::fmt::{self, Display};

use serde::Serialize;
use serde::ser::{self, Serializer};

use crate::{Error, Result};

/// Fails with the place of the first number that is NaN or infinite.
pub(super) fn check(report: &impl Serialize) -> Result<()> {
    let mut guard = Guard { path: Vec::new() };
    report
        .serialize(&mut guard)
        .map_err(|Found(fact)| Error::NonFiniteReport {
            field: guard.path.concat(),
            fact,
        })
}

/// Walks a value; `path` leads to the part it is in and stays there when the walk stops.
struct Guard {
    path: Vec<String>,
}

impl Guard {
    fn enter<T: Serialize + ?Sized>(&mut self, step: String, value: &T) -> Result<(), Found> {
        self.path.push(step);
        value.serialize(&mut *self)?;
        self.path.pop();
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Found> {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.enter(format!("{dot}{name}"), value)
    }

    fn items(&mut self) -> Items<'_> {
        Items {
            guard: self,
            seen: 0,
            key: String::new(),
        }
    }
}

/// What stopped the walk.
#[derive(Debug)]
struct Found(String);

impl Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Found {}

impl ser::Error for Found {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

macro_rules! pass {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, _: $type) -> Result<(), Found> { Ok(()) })*
    };
}

impl<'a> Serializer for &'a mut Guard {
    type Ok = ();
    type Error = Found;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeStructVariant = Items<'a>;

    fn serialize_f64(self, value: f64) -> Result<(), Found> {
        if value.is_finite() {
            Ok(())
        } else {
            Err(Found(format!("is {value}")))
        }
    }

    fn serialize_f32(self, value: f32) -> Result<(), Found> {
        self.serialize_f64(value.into())
    }

    pass!(
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str
    );

    fn serialize_none(self) -> Result<(), Found> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Found> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &str, _: u32, _: &str) -> Result<(), Found> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Found> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Found> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Found> {
        self.field(variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Found> {
        Ok(self.items())
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, Found> {
        Ok(self.items())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Found> {
        Ok(self.items())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Items<'a>, Found> {
        Ok(self.items())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a>, Found> {
        Ok(self.items())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Found> {
        Ok(self.items())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Items<'a>, Found> {
        Ok(self.items())
    }
}

/// The parts of a list, a map or a struct.
struct Items<'a> {
    guard: &'a mut Guard,
    seen: usize,
    key: String,
}

impl Items<'_> {
    fn next<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Found> {
        self.guard.enter(format!("[{}]", self.seen), value)?;
        self.seen += 1;
        Ok(())
    }
}

macro_rules! list {
    ($($trait:ident: $method:ident),*) => {
        $(impl ser::$trait for Items<'_> {
            type Ok = ();
            type Error = Found;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Found> {
                self.next(value)
            }

            fn end(self) -> Result<(), Found> {
                Ok(())
            }
        })*
    };
}

list!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

macro_rules! record {
    ($($trait:ident),*) => {
        $(impl ser::$trait for Items<'_> {
            type Ok = ();
            type Error = Found;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Found> {
                self.guard.field(name, value)
            }

            fn end(self) -> Result<(), Found> {
                Ok(())
            }
        })*
    };
}

record!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Found;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Found> {
        let key = serde_json::to_value(key).map_err(ser::Error::custom)?;
        self.key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Found> {
        let key = std::mem::take(&mut self.key);
        self.guard.field(&key, value)
    }

    fn end(self) -> Result<(), Found> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Outer {
        name: &'static str,
        #[serde(flatten)]
        inner: Inner,
    }

    #[derive(Serialize)]
    struct Inner {
        layers: Vec<Layer>,
    }

    #[derive(Serialize)]
    struct Layer {
        id: Option<f64>,
        quantiles: (f64, f32),
    }

    fn report(id: Option<f64>, quantile: f32) -> Outer {
        let good = Layer {
            id: None,
            quantiles: (1.0, 2.0),
        };
        let suspect = Layer {
            id,
            quantiles: (1.0, quantile),
        };
        Outer {
            name: "r",
            inner: Inner {
                layers: vec![good, suspect],
            },
        }
    }

    #[test]
    fn finite_numbers_and_missing_ones_pass() {
        assert!(check(&report(None, 1.0)).is_ok());
        assert!(check(&report(Some(1e300), 0.0)).is_ok());
        assert_eq!(report(None, 1.0).name, "r");
    }

    #[test]
    fn the_place_of_a_number_that_is_none_is_named() {
        let nan = check(&report(Some(f64::NAN), 1.0)).unwrap_err();
        assert!(nan.to_string().starts_with("layers[1].id is NaN"), "{nan}");
        let infinite = check(&report(None, f32::NEG_INFINITY)).unwrap_err();
        assert!(
            infinite
                .to_string()
                .starts_with("layers[1].quantiles[1] is -inf"),
            "{infinite}"
        );
    }
}
