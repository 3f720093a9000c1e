//! Reads what `torch.save` writes: tensors in tuples, lists and dicts, without running the pickle.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use super::bytes::Bytes;
use super::dtype::Dtype;
use super::entry::{Entry, Place};
use super::item::Item;
use super::name;
use super::order::OwnOrder;
use super::pickle::{self, Call, Heap, Value};
use super::pickled;
use crate::{Error, Result};

/// The longest pickle that is read: it holds names and shapes, no values.
const MAX_PICKLE: u64 = 256 << 20;
/// The most objects that are looked at, shared ones each time they are met.
const MAX_VISITS: usize = 2_000_000;
/// How deep containers may be nested.
const MAX_DEPTH: usize = 64;

/// Whether a file is an archive of `torch.save`: its first member is a pickle.
pub(crate) fn recognises(bytes: &[u8]) -> bool {
    let length = bytes
        .get(26..28)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let name = length.and_then(|length| bytes.get(30..30 + usize::from(length)));
    bytes.starts_with(b"PK\x03\x04") && name.is_some_and(|name| name.ends_with(b"data.pkl"))
}

/// Every tensor of a file, in its order: a tensor is called by the file, one in a list by its place,
/// one in a dict by its key.
///
/// # Errors
/// [`Error::Malformed`] if the archive or its pickle is damaged, or a tensor reaches beyond its
/// storage.
pub(crate) fn entries(path: &Path, bytes: &Arc<Bytes>) -> Result<(Vec<Entry>, OwnOrder)> {
    let malformed = |fact: String| Error::Malformed {
        path: path.to_owned(),
        fact,
        remedy: "write it again with torch.save".into(),
    };
    let mut archive = ZipArchive::new(Cursor::new(&bytes[..]))
        .map_err(|error| malformed(format!("this is no readable zip archive: {error}")))?;
    let mut stores = HashMap::new();
    let mut pickle = None;
    let mut swapped = cfg!(target_endian = "big");
    for member in 0..archive.len() {
        let file = archive
            .by_index(member)
            .map_err(|error| malformed(format!("member {member} is out of reach: {error}")))?;
        let name = String::from_utf8_lossy(file.name_raw()).into_owned();
        if name.ends_with("data.pkl") {
            let mut content = Vec::new();
            let read = file.take(MAX_PICKLE + 1).read_to_end(&mut content);
            read.map_err(|error| malformed(format!("its pickle does not unpack: {error}")))?;
            if content.len() as u64 > MAX_PICKLE {
                return Err(malformed("its pickle is beyond 256 MiB".into()));
            }
            pickle = Some(content);
        } else if name.ends_with("/byteorder") {
            let mut order = String::new();
            let read = file.take(16).read_to_string(&mut order);
            read.map_err(|error| malformed(format!("its byte order does not unpack: {error}")))?;
            swapped = (order.trim() == "big") != cfg!(target_endian = "big");
        } else if let Some((_, key)) = name.rsplit_once("/data/")
            && file.compression() == CompressionMethod::Stored
            && let Some(start) = file.data_start().and_then(|at| usize::try_from(at).ok())
            && let Ok(size) = usize::try_from(file.size())
            && start
                .checked_add(size)
                .is_some_and(|end| end <= bytes.len())
        {
            stores.insert(key.to_owned(), (start, size));
        }
    }
    let pickle = pickle.ok_or_else(|| malformed("there is no data.pkl inside".into()))?;
    let (root, heap) = pickle::read(&pickle).map_err(malformed)?;
    let mut walk = Walk {
        heap: &heap,
        pickle: &pickle,
        path,
        bytes,
        stores,
        swapped,
        entries: Vec::new(),
        lists: Vec::new(),
        visits: 0,
    };
    walk.visit(&root, &name::stem(path), true, 0)
        .map_err(malformed)?;
    Ok((walk.entries, OwnOrder::Perhaps))
}

/// Where a cache of TransformerLens keeps its activations.
const CACHE: &str = "cache_dict";

/// The dict of activations of a cache of TransformerLens.
fn cache_of(heap: &Heap, function: &str, call: &Call) -> Option<usize> {
    let state = state_of(heap, call).filter(|_| function.ends_with(".ActivationCache"))?;
    let mut all = heap.dicts[state].iter();
    all.find_map(|(key, value)| match value {
        Value::Dict(dict) if text_of(key) == CACHE => Some(*dict),
        _ => None,
    })
}

/// The attributes that were set on the object of a call.
fn state_of(heap: &Heap, call: &Call) -> Option<usize> {
    let mut items = heap.dicts[call.items].iter();
    items.find_map(|(key, value)| match value {
        Value::Dict(state) if text_of(key) == "state" => Some(*state),
        _ => None,
    })
}

/// Whether a class is one of the outputs of models of transformers, dicts under names of their own.
fn is_output(function: &str) -> bool {
    function.starts_with("transformers.") && function.contains("Output")
}

/// Whether an object is a dict: all that it holds was set on it by key.
fn is_dict(heap: &Heap, function: &str, call: &Call) -> bool {
    let is_plain = matches!(
        function,
        "collections.OrderedDict" | "collections.defaultdict"
    );
    let named = |(key, _): &(Value, Value)| matches!(key, Value::Text(key) if &**key != "state");
    is_plain || is_output(function) && heap.dicts[call.items].iter().any(named)
}

struct Walk<'a> {
    heap: &'a Heap,
    pickle: &'a [u8],
    path: &'a Path,
    bytes: &'a Arc<Bytes>,
    /// Where each storage lies, and its bytes.
    stores: HashMap<String, (usize, usize)>,
    swapped: bool,
    entries: Vec<Entry>,
    /// Where in the name of what is visited places in lists stand.
    lists: Vec<(usize, usize)>,
    visits: usize,
}

impl Walk<'_> {
    fn visit(&mut self, value: &Value, name: &str, root: bool, depth: usize) -> Result<(), String> {
        self.visits += 1;
        if self.visits > MAX_VISITS || depth > MAX_DEPTH {
            return Err("its objects are nested without end".into());
        }
        let below = |key: &str| match root {
            true => key.to_owned(),
            false => format!("{name}.{key}"),
        };
        let heap = self.heap;
        match value {
            Value::List(list) => {
                for (at, value) in heap.lists[*list].iter().enumerate() {
                    let below = format!("{name}.{at}");
                    self.lists.push((name.len() + 1, below.len()));
                    self.visit(value, &below, false, depth + 1)?;
                    self.lists.pop();
                }
            }
            Value::Dict(dict) => {
                for (key, value) in &heap.dicts[*dict] {
                    self.visit(value, &below(&text_of(key)), false, depth + 1)?;
                }
            }
            Value::Call(call) => {
                let call = &heap.calls[*call];
                let function = match &call.function {
                    Value::Global(function) => &**function,
                    _ => "",
                };
                if let Some(tensor) = self.tensor(function, &call.arguments, name, depth)? {
                    self.entries.push(tensor);
                } else if pickled::begins_array(function) {
                    let array = pickled::array(heap, call, self.pickle)
                        .map_err(|fact| format!("array {name:?} {fact}"))?;
                    let entry = Entry {
                        item: array.item,
                        swapped: array.swapped,
                        place: Place::Plain {
                            bytes: array.bytes,
                            offset: 0,
                        },
                        ..self.entry(name, array.shape, array.strides)
                    };
                    self.entries.push(entry);
                } else if let Some(dict) = cache_of(heap, function, call) {
                    self.cache(dict, call, name, root, depth)?;
                } else if is_dict(heap, function, call) {
                    for (key, value) in &heap.dicts[call.items] {
                        let key = text_of(key);
                        match key.as_str() {
                            // What hooks and versions a module has, or attributes that an output
                            // of transformers holds a second time.
                            "state" => {}
                            "past_key_values" if is_output(function) => {
                                self.opaque(&below(&key), "keys and values".into(), Vec::new());
                            }
                            _ => self.visit(value, &below(&key), false, depth + 1)?,
                        }
                    }
                } else {
                    let what = format!("an object of {function} (a pickle, never run)");
                    self.opaque(name, what, vec![0, 0]);
                }
            }
            Value::Global(_) | Value::Persistent(_) | Value::Bytes(..) => {
                self.opaque(name, "no tensor".into(), vec![0, 0]);
            }
            // Numbers and words stand beside tensors; they are named among what is left out.
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Float | Value::Text(_) => {
                self.opaque(name, "a single value".into(), Vec::new());
            }
        }
        Ok(())
    }

    /// What a cache of TransformerLens keeps: its activations, and by name whatever stands beside.
    fn cache(
        &mut self,
        dict: usize,
        call: &Call,
        name: &str,
        root: bool,
        depth: usize,
    ) -> Result<(), String> {
        self.visit(&Value::Dict(dict), name, root, depth + 1)?;
        let Some(state) = state_of(self.heap, call) else {
            return Ok(());
        };
        for (key, _) in &self.heap.dicts[state] {
            let key = text_of(key);
            if key != CACHE {
                self.opaque(&format!("{name}.{key}"), "no activation".into(), Vec::new());
            }
        }
        Ok(())
    }

    /// The tensor that a call would have built, if it builds one.
    fn tensor(
        &self,
        function: &str,
        arguments: &Value,
        name: &str,
        depth: usize,
    ) -> Result<Option<Entry>, String> {
        let Value::List(arguments) = arguments else {
            return Ok(None);
        };
        match (function, self.heap.lists[*arguments].as_slice()) {
            (
                "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor",
                [
                    Value::Persistent(storage),
                    Value::Int(offset),
                    size,
                    stride,
                    ..,
                ],
            ) => self
                .view(*storage, None, *offset, (size, stride), name)
                .map(Some),
            (
                "torch._utils._rebuild_tensor_v3",
                [
                    Value::Persistent(storage),
                    Value::Int(offset),
                    size,
                    stride,
                    _,
                    _,
                    Value::Global(dtype),
                    ..,
                ],
            ) => self
                .view(*storage, Some(dtype), *offset, (size, stride), name)
                .map(Some),
            // A parameter, or a subclass of a tensor, around the tensor itself.
            ("torch._utils._rebuild_parameter", [Value::Call(inner), ..]) if depth < MAX_DEPTH => {
                let inner = &self.heap.calls[*inner];
                let Value::Global(function) = &inner.function else {
                    return Ok(None);
                };
                self.tensor(function, &inner.arguments, name, depth + 1)
            }
            ("torch._tensor._rebuild_from_type_v2", [Value::Global(function), _, inner, ..])
                if depth < MAX_DEPTH =>
            {
                self.tensor(function, inner, name, depth + 1)
            }
            _ => Ok(None),
        }
    }

    fn view(
        &self,
        storage: usize,
        dtype: Option<&str>,
        offset: i64,
        (size, stride): (&Value, &Value),
        name: &str,
    ) -> Result<Entry, String> {
        let wrong = |fact: &str| format!("tensor {name:?} {fact}");
        let storage = self.heap.lists[storage].as_slice();
        let [_, Value::Global(kind), Value::Text(key), ..] = storage else {
            return Err(wrong("has no storage"));
        };
        let dtype = dtype.unwrap_or(kind);
        let (Some(shape), Some(strides)) = (self.sizes(size), self.sizes(stride)) else {
            return Err(wrong("has no sizes"));
        };
        let origin = usize::try_from(offset).map_err(|_| wrong("begins before its storage"))?;
        if shape.len() != strides.len() {
            return Err(wrong("has other strides than axes"));
        }
        let Some(item) = item(dtype) else {
            let mut entry = self.entry(name, shape, strides);
            entry.item = Item::Other {
                what: format!("{dtype} elements"),
                remedy: "convert with .to(torch.float32) before saving",
            };
            return Ok(entry);
        };
        let &(start, length) = self
            .stores
            .get(&**key)
            .ok_or_else(|| wrong("has a storage that is not there, or is compressed"))?;
        let last = shape
            .iter()
            .zip(&strides)
            .try_fold(origin, |last, (&n, &stride)| {
                n.saturating_sub(1).checked_mul(stride)?.checked_add(last)
            });
        let end = last
            .and_then(|last| last.checked_add(1))
            .and_then(|end| end.checked_mul(item.size()?));
        let elements = shape
            .iter()
            .try_fold(1usize, |all, &n| all.checked_mul(n.max(1)));
        let fits = end.is_some_and(|end| end <= length) || shape.contains(&0);
        // An expanded tensor repeats values; a small file that does so a thousandfold is a bomb.
        let most = self.bytes.len().saturating_mul(1000);
        let bounded = elements.is_some_and(|all| all <= most);
        if !fits || !bounded {
            return Err(wrong("reaches beyond its storage"));
        }
        Ok(Entry {
            item,
            origin,
            place: Place::Plain {
                bytes: Arc::clone(self.bytes),
                offset: start,
            },
            ..self.entry(name, shape, strides)
        })
    }

    fn sizes(&self, value: &Value) -> Option<Vec<usize>> {
        let Value::List(sizes) = value else {
            return None;
        };
        let size = |value: &Value| match value {
            Value::Int(size) => usize::try_from(*size).ok(),
            _ => None,
        };
        self.heap.lists[*sizes].iter().map(size).collect()
    }

    fn entry(&self, name: &str, shape: Vec<usize>, strides: Vec<usize>) -> Entry {
        Entry {
            path: self.path.to_owned(),
            name: name.to_owned(),
            item: Item::Number(Dtype::F32),
            swapped: self.swapped,
            shape,
            strides,
            origin: 0,
            trailing: 0,
            void_as_bf16: false,
            lists: self.lists.clone(),
            place: Place::Plain {
                bytes: Arc::clone(self.bytes),
                offset: 0,
            },
        }
    }

    /// An object that can be named but not read.
    fn opaque(&mut self, name: &str, what: String, shape: Vec<usize>) {
        let strides = vec![0; shape.len()];
        let mut entry = self.entry(name, shape, strides);
        entry.item = Item::Other {
            what,
            remedy: "save tensors: torch.save({name: tensor, …}), or numpy.savez(**arrays)",
        };
        self.entries.push(entry);
    }
}

fn text_of(key: &Value) -> String {
    match key {
        Value::Text(key) => key.to_string(),
        Value::Int(key) => key.to_string(),
        _ => "?".into(),
    }
}

fn item(kind: &str) -> Option<Item> {
    Some(Item::Number(match kind {
        "torch.FloatStorage" | "torch.float32" => Dtype::F32,
        "torch.DoubleStorage" | "torch.float64" => Dtype::F64,
        "torch.HalfStorage" | "torch.float16" => Dtype::F16,
        "torch.BFloat16Storage" | "torch.bfloat16" => Dtype::Bf16,
        "torch.LongStorage" | "torch.int64" => Dtype::I64,
        "torch.IntStorage" | "torch.int32" => Dtype::I32,
        "torch.ShortStorage" | "torch.int16" => Dtype::I16,
        "torch.CharStorage" | "torch.int8" => Dtype::I8,
        "torch.ByteStorage" | "torch.uint8" => Dtype::U8,
        "torch.BoolStorage" | "torch.bool" => Dtype::Bool,
        "torch.uint16" => Dtype::U16,
        "torch.uint32" => Dtype::U32,
        "torch.uint64" => Dtype::U64,
        "torch.float8_e4m3fn" => Dtype::F8E4m3,
        "torch.float8_e5m2" => Dtype::F8E5m2,
        _ => return None,
    }))
}
