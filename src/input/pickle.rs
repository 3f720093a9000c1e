//! Reads the data of a pickle without running it: names of code are never looked up.

use std::rc::Rc;

/// The most instructions that are followed.
const MAX_STEPS: usize = 20_000_000;

/// What a pickle builds; containers lie in a [`Heap`], so that no value holds another and nesting
/// without end costs no stack.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float,
    Text(Rc<str>),
    /// Bytes of the pickle: from where, and how many.
    Bytes(usize, usize),
    /// A tuple, list or set: its place among the lists.
    List(usize),
    /// A dict: its place among the dicts.
    Dict(usize),
    /// The name of a class or function.
    Global(Rc<str>),
    /// What a function would have made of its arguments: its place among the calls.
    Call(usize),
    /// An object that lies outside the pickle, by its description: the place of that list.
    Persistent(usize),
}

/// A call that was not made.
#[derive(Debug)]
pub(crate) struct Call {
    pub function: Value,
    pub arguments: Value,
    /// The dict of what was set on the result, which is how an OrderedDict is filled.
    pub items: usize,
}

/// What a pickle holds.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    pub lists: Vec<Vec<Value>>,
    pub dicts: Vec<Vec<(Value, Value)>>,
    pub calls: Vec<Call>,
}

/// Reads one pickle; the error says what is wrong with it.
pub(crate) fn read(bytes: &[u8]) -> Result<(Value, Heap), String> {
    Machine {
        heap: Heap::default(),
        rest: bytes,
        length: bytes.len(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: Vec::new(),
    }
    .run()
}

struct Machine<'a> {
    heap: Heap,
    rest: &'a [u8],
    length: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Option<Value>>,
}

impl<'a> Machine<'a> {
    fn run(mut self) -> Result<(Value, Heap), String> {
        for _ in 0..MAX_STEPS {
            let [opcode] = *self.take::<1>()?;
            if opcode == b'.' {
                let root = self.pop()?;
                return Ok((root, self.heap));
            }
            self.step(opcode)?;
        }
        Err("the pickle never ends".into())
    }

    fn step(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            // Protocol and frames.
            0x80 => {
                self.take::<1>()?;
            }
            0x95 => {
                self.take::<8>()?;
            }
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool(opcode == 0x88)),
            b'J' => {
                let value = i32::from_le_bytes(*self.take()?);
                self.push(Value::Int(value.into()));
            }
            b'K' => {
                let [value] = *self.take()?;
                self.push(Value::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(*self.take()?);
                self.push(Value::Int(value.into()));
            }
            0x8a => {
                let [length] = *self.take()?;
                self.long(length.into())?;
            }
            0x8b => {
                let length = self.length4()?;
                self.long(length)?;
            }
            b'G' => {
                self.take::<8>()?;
                self.push(Value::Float);
            }
            b'X' | b'T' => {
                let length = self.length4()?;
                self.text(length)?;
            }
            0x8c | b'U' => {
                let [length] = *self.take()?;
                self.text(length.into())?;
            }
            0x8d => {
                let length = self.length8()?;
                self.text(length)?;
            }
            b'C' => {
                let [length] = *self.take()?;
                self.bytes(length.into())?;
            }
            b'B' => {
                let length = self.length4()?;
                self.bytes(length)?;
            }
            0x8e | 0x96 => {
                let length = self.length8()?;
                self.bytes(length)?;
            }
            b'(' => self.marks.push(self.stack.len()),
            b')' | b']' | 0x8f => self.push_list(Vec::new()),
            b't' | b'l' | 0x91 => {
                let values = self.above_mark()?;
                self.push_list(values);
            }
            0x85..=0x87 => {
                let count = usize::from(opcode - 0x84);
                let at = self.floor(count)?;
                let values = self.stack.split_off(at);
                self.push_list(values);
            }
            b'a' => {
                let value = self.pop()?;
                self.extend(vec![value])?;
            }
            b'e' | 0x90 => {
                let values = self.above_mark()?;
                self.extend(values)?;
            }
            b'}' => {
                let dict = self.new_dict();
                self.push(Value::Dict(dict));
            }
            b'd' => {
                let values = self.above_mark()?;
                let dict = self.new_dict();
                self.push(Value::Dict(dict));
                self.set(values)?;
            }
            b's' => {
                let at = self.floor(2)?;
                let values = self.stack.split_off(at);
                self.set(values)?;
            }
            b'u' => {
                let values = self.above_mark()?;
                self.set(values)?;
            }
            b'c' => {
                let module = self.line()?;
                let name = self.line()?;
                self.push(Value::Global(format!("{module}.{name}").into()));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Value::Text(module), Value::Text(name)) = (module, name) else {
                    return Err("a class has no name".into());
                };
                self.push(Value::Global(format!("{module}.{name}").into()));
            }
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.call(function, arguments);
            }
            0x92 => {
                let (_, arguments, function) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(function, arguments);
            }
            // The state of an object: arrays in it are found like entries of a dict.
            b'b' => {
                let state = self.pop()?;
                if let Some(Value::Call(call)) = self.stack.last() {
                    let key = Value::Text("state".into());
                    let items = self.heap.calls[*call].items;
                    self.heap.dicts[items].push((key, state));
                }
            }
            b'Q' => {
                let Value::List(id) = self.pop()? else {
                    return Err("an object outside the pickle has no description".into());
                };
                self.push(Value::Persistent(id));
            }
            b'q' => {
                let [at] = *self.take()?;
                self.put(at.into())?;
            }
            b'r' => {
                let at = self.length4()?;
                self.put(at)?;
            }
            0x94 => self.put(self.memo.len())?,
            b'h' => {
                let [at] = *self.take()?;
                self.get(at.into())?;
            }
            b'j' => {
                let at = self.length4()?;
                self.get(at)?;
            }
            b'0' => {
                self.pop()?;
            }
            b'1' => {
                self.above_mark()?;
            }
            b'2' => {
                let value = self.stack.last().cloned().ok_or_else(empty)?;
                self.push(value);
            }
            other => return Err(format!("instruction {other:#04x} of a pickle is unknown")),
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], String> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(cut)?;
        self.rest = rest;
        Ok(taken)
    }

    fn skip(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(cut)?;
        self.rest = rest;
        Ok(taken)
    }

    fn length4(&mut self) -> Result<usize, String> {
        usize::try_from(u32::from_le_bytes(*self.take()?)).map_err(|_| cut())
    }

    fn length8(&mut self) -> Result<usize, String> {
        usize::try_from(u64::from_le_bytes(*self.take()?)).map_err(|_| cut())
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        let line = self.skip(end.ok_or_else(cut)?)?;
        self.take::<1>()?;
        std::str::from_utf8(line).map_err(|_| "a name is not UTF-8".into())
    }

    fn bytes(&mut self, length: usize) -> Result<(), String> {
        let start = self.length - self.rest.len();
        self.skip(length)?;
        self.push(Value::Bytes(start, length));
        Ok(())
    }

    fn text(&mut self, length: usize) -> Result<(), String> {
        let text = String::from_utf8_lossy(self.skip(length)?);
        self.push(Value::Text(text.into()));
        Ok(())
    }

    /// A whole number of so many bytes; beyond 64 bits it is no size or index.
    fn long(&mut self, length: usize) -> Result<(), String> {
        let digits = self.skip(length)?;
        let sign = digits.last().is_some_and(|&top| top >= 0x80);
        let mut bytes = [if sign { 0xff } else { 0 }; 8];
        if length > 8 {
            self.push(Value::Float);
            return Ok(());
        }
        bytes[..length].copy_from_slice(digits);
        self.push(Value::Int(i64::from_le_bytes(bytes)));
        Ok(())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    fn pop(&mut self) -> Result<Value, String> {
        self.stack.pop().ok_or_else(empty)
    }

    fn floor(&self, count: usize) -> Result<usize, String> {
        self.stack.len().checked_sub(count).ok_or_else(empty)
    }

    fn above_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.marks.pop().ok_or_else(empty)?;
        if mark > self.stack.len() {
            return Err(empty());
        }
        Ok(self.stack.split_off(mark))
    }

    fn push_list(&mut self, values: Vec<Value>) {
        self.heap.lists.push(values);
        self.push(Value::List(self.heap.lists.len() - 1));
    }

    fn new_dict(&mut self) -> usize {
        self.heap.dicts.push(Vec::new());
        self.heap.dicts.len() - 1
    }

    fn call(&mut self, function: Value, arguments: Value) {
        let items = self.new_dict();
        self.heap.calls.push(Call {
            function,
            arguments,
            items,
        });
        self.push(Value::Call(self.heap.calls.len() - 1));
    }

    fn extend(&mut self, values: Vec<Value>) -> Result<(), String> {
        match self.stack.last().ok_or_else(empty)? {
            Value::List(list) => self.heap.lists[*list].extend(values),
            Value::Call(call) => {
                let items = self.heap.calls[*call].items;
                let values = values.into_iter().map(|value| (Value::None, value));
                self.heap.dicts[items].extend(values);
            }
            _ => return Err("elements are added to something that is no list".into()),
        }
        Ok(())
    }

    fn set(&mut self, values: Vec<Value>) -> Result<(), String> {
        let dict = match self.stack.last().ok_or_else(empty)? {
            Value::Dict(dict) => *dict,
            Value::Call(call) => self.heap.calls[*call].items,
            _ => return Err("entries are set on something that is no dict".into()),
        };
        let mut values = values.into_iter();
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            self.heap.dicts[dict].push((key, value));
        }
        Ok(())
    }

    fn put(&mut self, at: usize) -> Result<(), String> {
        let value = self.stack.last().cloned().ok_or_else(empty)?;
        // Memo numbers count up, so that the pickle's length bounds them.
        if at > self.memo.len() + 1024 {
            return Err("the pickle refers far ahead of itself".into());
        }
        if at >= self.memo.len() {
            self.memo.resize(at + 1, None);
        }
        self.memo[at] = Some(value);
        Ok(())
    }

    fn get(&mut self, at: usize) -> Result<(), String> {
        let value = self.memo.get(at).cloned().flatten();
        self.push(value.ok_or("the pickle refers to what is not there")?);
        Ok(())
    }
}

fn cut() -> String {
    "the pickle ends early".into()
}

fn empty() -> String {
    "the pickle takes from an empty stack".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_named_and_never_run() {
        // cos\nsystem\n(S'…' written as a short string) R .
        let bytes = b"cos\nsystem\nU\x02ls\x85R.";
        let (root, heap) = read(bytes).unwrap();
        let Value::Call(call) = root else {
            panic!("a call is kept as one");
        };
        assert!(
            matches!(&heap.calls[call].function, Value::Global(name) if &**name == "os.system")
        );
    }

    #[test]
    fn what_is_damaged_is_refused() {
        for bytes in [
            &b""[..],
            b".",
            b"\x80\x02",
            b"h\x05.",
            b"t.",
            b"X\xff\xff\xff\xff.",
            b"}s.",
            b"K\x01K\x02a.",
            b"N\xff.",
            b"Nr\xff\xff\xff\xff.",
        ] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        let (number, _) = read(b"\x8a\x02\x00\x80.").unwrap();
        assert!(matches!(number, Value::Int(-32768)));
    }

    #[test]
    fn nesting_without_end_costs_no_stack() {
        let mut bytes = vec![b')'];
        bytes.extend(std::iter::repeat_n(0x85, 1_000_000));
        bytes.push(b'.');
        let (_, heap) = read(&bytes).unwrap();
        assert_eq!(heap.lists.len(), 1_000_001);
    }
}
