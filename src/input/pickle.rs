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
            let opcode = self.skip(1)?[0];
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
            0x80 => _ = self.skip(1)?,
            0x95 => _ = self.skip(8)?,
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool(opcode == 0x88)),
            b'K' => self.unsigned(1)?,
            b'M' => self.unsigned(2)?,
            b'J' => self.signed(4)?,
            0x8a => self.long(1)?,
            0x8b => self.long(4)?,
            b'G' => self.float()?,
            0x8c | b'U' => self.text(1)?,
            b'X' | b'T' => self.text(4)?,
            0x8d => self.text(8)?,
            b'C' => self.bytes(1)?,
            b'B' => self.bytes(4)?,
            0x8e | 0x96 => self.bytes(8)?,
            b'(' => self.marks.push(self.stack.len()),
            b')' | b']' | 0x8f => self.push_list(Vec::new()),
            b't' | b'l' | 0x91 => {
                let values = self.above_mark()?;
                self.push_list(values);
            }
            0x85..=0x87 => {
                let values = self.top(usize::from(opcode - 0x84))?;
                self.push_list(values);
            }
            b'a' => {
                let values = self.top(1)?;
                self.extend(values)?;
            }
            b'e' | 0x90 => {
                let values = self.above_mark()?;
                self.extend(values)?;
            }
            b'}' => self.push_dict(),
            b'd' => {
                let values = self.above_mark()?;
                self.push_dict();
                self.set(values)?;
            }
            b's' => {
                let values = self.top(2)?;
                self.set(values)?;
            }
            b'u' => {
                let values = self.above_mark()?;
                self.set(values)?;
            }
            b'c' => self.global_of_lines()?,
            0x93 => self.global_of_texts()?,
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.call(function, arguments);
            }
            0x92 => {
                let (_, arguments, function) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(function, arguments);
            }
            b'b' => self.set_state()?,
            b'Q' => self.persistent()?,
            b'q' => self.put_by_number(1)?,
            b'r' => self.put_by_number(4)?,
            0x94 => self.put(self.memo.len())?,
            b'h' => self.get(1)?,
            b'j' => self.get(4)?,
            b'0' => _ = self.pop()?,
            b'1' => _ = self.above_mark()?,
            b'2' => {
                let value = self.stack.last().cloned().ok_or_else(empty)?;
                self.push(value);
            }
            other => return Err(format!("instruction {other:#04x} of a pickle is unknown")),
        }
        Ok(())
    }

    fn skip(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(cut)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A length or number of `width` bytes, at most eight.
    fn number(&mut self, width: usize) -> Result<usize, String> {
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(self.skip(width)?);
        usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| cut())
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        let line = self.skip(end.ok_or_else(cut)?)?;
        self.skip(1)?;
        std::str::from_utf8(line).map_err(|_| "a name is not UTF-8".into())
    }

    fn bytes(&mut self, width: usize) -> Result<(), String> {
        let length = self.number(width)?;
        let start = self.length - self.rest.len();
        self.skip(length)?;
        self.push(Value::Bytes(start, length));
        Ok(())
    }

    fn text(&mut self, width: usize) -> Result<(), String> {
        let length = self.number(width)?;
        let text = String::from_utf8_lossy(self.skip(length)?);
        self.push(Value::Text(text.into()));
        Ok(())
    }

    fn float(&mut self) -> Result<(), String> {
        self.skip(8)?;
        self.push(Value::Float);
        Ok(())
    }

    fn unsigned(&mut self, width: usize) -> Result<(), String> {
        let value = i64::try_from(self.number(width)?).map_err(|_| cut())?;
        self.push(Value::Int(value));
        Ok(())
    }

    fn long(&mut self, width: usize) -> Result<(), String> {
        let length = self.number(width)?;
        self.signed(length)
    }

    /// A signed whole number of `length` bytes; beyond 64 bits it is no size or index.
    fn signed(&mut self, length: usize) -> Result<(), String> {
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

    fn global_of_lines(&mut self) -> Result<(), String> {
        let module = self.line()?;
        let name = self.line()?;
        self.push(Value::Global(format!("{module}.{name}").into()));
        Ok(())
    }

    fn global_of_texts(&mut self) -> Result<(), String> {
        let (name, module) = (self.pop()?, self.pop()?);
        let (Value::Text(module), Value::Text(name)) = (module, name) else {
            return Err("a class has no name".into());
        };
        self.push(Value::Global(format!("{module}.{name}").into()));
        Ok(())
    }

    /// The state of an object: arrays in it are found like entries of a dict.
    fn set_state(&mut self) -> Result<(), String> {
        let state = self.pop()?;
        if let Some(Value::Call(call)) = self.stack.last() {
            let key = Value::Text("state".into());
            let items = self.heap.calls[*call].items;
            self.heap.dicts[items].push((key, state));
        }
        Ok(())
    }

    fn persistent(&mut self) -> Result<(), String> {
        let Value::List(id) = self.pop()? else {
            return Err("an object outside the pickle has no description".into());
        };
        self.push(Value::Persistent(id));
        Ok(())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    fn pop(&mut self) -> Result<Value, String> {
        self.stack.pop().ok_or_else(empty)
    }

    fn top(&mut self, count: usize) -> Result<Vec<Value>, String> {
        let at = self.stack.len().checked_sub(count).ok_or_else(empty)?;
        Ok(self.stack.split_off(at))
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

    fn push_dict(&mut self) {
        let dict = self.new_dict();
        self.push(Value::Dict(dict));
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

    fn put_by_number(&mut self, width: usize) -> Result<(), String> {
        let at = self.number(width)?;
        self.put(at)
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

    fn get(&mut self, width: usize) -> Result<(), String> {
        let at = self.number(width)?;
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
