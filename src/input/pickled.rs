//! Reads numpy arrays out of a pickle that was not run.

use std::sync::Arc;

use super::bytes::Bytes;
use super::dtype::Dtype;
use super::item::{Item, dense_strides};
use super::pickle::{Call, Heap, Value};

/// An array as its pickle describes it, with its values.
pub(super) struct Pickled {
    pub item: Item,
    /// Whether its bytes are in the opposite order of this machine's.
    pub swapped: bool,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
    pub bytes: Arc<Bytes>,
}

/// Whether a function begins a numpy array, whose values are set on it afterwards.
pub(super) fn begins_array(function: &str) -> bool {
    matches!(
        function,
        "numpy.core.multiarray._reconstruct" | "numpy._core.multiarray._reconstruct"
    )
}

/// The array that a call of such a function stands for.
///
/// The error says what is wrong with it.
pub(super) fn array(heap: &Heap, call: &Call, pickle: &[u8]) -> Result<Pickled, String> {
    let state = state(heap, call).ok_or("has no values")?;
    let [_, shape, dtype, fortran, data] = state else {
        return Err("has a state of another kind".into());
    };
    let Value::List(shape) = shape else {
        return Err("has no shape".into());
    };
    let size = |value: &Value| match value {
        Value::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    };
    let shape: Option<Vec<usize>> = heap.lists[*shape].iter().map(size).collect();
    let shape = shape.ok_or("has no sizes")?;
    let (item, swapped) = element(heap, dtype)?;
    let strides = dense_strides(&shape, matches!(fortran, Value::Bool(true)));
    if matches!(item, Item::Other { .. }) {
        let bytes = Arc::new(Bytes::Owned(Vec::new()));
        return Ok(Pickled {
            item,
            swapped,
            shape,
            strides,
            bytes,
        });
    }
    let bytes = data_of(heap, data, pickle).ok_or("has no readable values")?;
    let mut elements = shape.iter();
    let wanted = elements
        .try_fold(1usize, |all, &n| all.checked_mul(n))
        .and_then(|all| all.checked_mul(item.size()?));
    if wanted != Some(bytes.len()) {
        return Err(format!(
            "of shape {shape:?} has {} bytes of values",
            bytes.len()
        ));
    }
    Ok(Pickled {
        item,
        swapped,
        shape,
        strides,
        bytes: Arc::new(Bytes::Owned(bytes)),
    })
}

/// What was set on the result of a call.
fn state<'h>(heap: &'h Heap, call: &Call) -> Option<&'h [Value]> {
    let items = &heap.dicts[call.items];
    items.iter().find_map(|(key, value)| match (key, value) {
        (Value::Text(key), Value::List(state)) if &**key == "state" => {
            Some(heap.lists[*state].as_slice())
        }
        _ => None,
    })
}

/// The elements of a dtype, and whether their bytes are in the other order.
fn element(heap: &Heap, dtype: &Value) -> Result<(Item, bool), String> {
    let Value::Call(call) = dtype else {
        return Err("has no dtype".into());
    };
    let call = &heap.calls[*call];
    let Value::List(arguments) = call.arguments else {
        return Err("has no dtype".into());
    };
    let Some(Value::Text(name)) = heap.lists[arguments].first() else {
        return Err("has no dtype".into());
    };
    let big = match state(heap, call).and_then(|state| state.get(1)) {
        Some(Value::Text(order)) => &**order == ">",
        _ => false,
    };
    let known = match &**name {
        "f2" => Dtype::F16,
        "f4" => Dtype::F32,
        "f8" => Dtype::F64,
        "i1" => Dtype::I8,
        "i2" => Dtype::I16,
        "i4" => Dtype::I32,
        "i8" => Dtype::I64,
        "u1" => Dtype::U8,
        "u2" => Dtype::U16,
        "u4" => Dtype::U32,
        "u8" => Dtype::U64,
        "b1" => Dtype::Bool,
        other => {
            let item = Item::Other {
                what: format!("numpy {other} elements"),
                remedy: "save numbers: numpy.asarray(x, dtype=numpy.float32)",
            };
            return Ok((item, false));
        }
    };
    Ok((Item::Number(known), big != cfg!(target_endian = "big")))
}

/// The bytes of an array: as they are, or spelt as the letters of Latin-1, as the second protocol has
/// them.
fn data_of(heap: &Heap, data: &Value, pickle: &[u8]) -> Option<Vec<u8>> {
    match data {
        Value::Bytes(start, length) => {
            let end = start.checked_add(*length)?;
            pickle.get(*start..end).map(<[u8]>::to_vec)
        }
        Value::Call(call) => {
            let call = &heap.calls[*call];
            let (Value::Global(function), Value::List(arguments)) =
                (&call.function, &call.arguments)
            else {
                return None;
            };
            let [Value::Text(text), Value::Text(encoding)] = heap.lists[*arguments].as_slice()
            else {
                return None;
            };
            let is_latin = &**function == "_codecs.encode" && &**encoding == "latin1";
            let letters = text.chars().map(|letter| u8::try_from(letter).ok());
            is_latin.then(|| letters.collect()).flatten()
        }
        _ => None,
    }
}
