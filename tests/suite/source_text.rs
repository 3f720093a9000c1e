//! Rust source as text: its files, modules and words, without comments and strings.

use std::fs;
use std::path::{Path, PathBuf};

/// `src/geometry/id/mod.rs` becomes `[geometry, id]`; `src/lib.rs` becomes `[]`.
pub fn module_path(path: &str) -> Vec<&str> {
    path.trim_start_matches("src/")
        .trim_end_matches(".rs")
        .split('/')
        .filter(|part| !matches!(*part, "mod" | "lib"))
        .collect()
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `word` stands in `code` without being the tail or the head of a longer one.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let open_ended = !word.ends_with(is_word);
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = code[..at].chars().next_back();
            let after = code[at + word.len()..].chars().next();
            !before.is_some_and(is_word) && (open_ended || !after.is_some_and(is_word))
        })
}

/// The code before the unit tests, which close their file.
pub fn without_tests(code: &str) -> &str {
    &code[..code.find("#[cfg(test)]\nmod ").unwrap_or(code.len())]
}

/// The source with comments and the insides of strings left out.
pub fn code_only(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => 1 + string_body(&rest[1..]),
            'r' if !code.ends_with(is_word) => raw_string(rest),
            '\'' => char_literal(rest),
            _ => 0,
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            rest = &rest[skipped..];
        }
    }
    code
}

/// Length of a block comment, which may nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// Length of a string after its opening quote, closing quote included.
fn string_body(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of `r"…"` or `r#"…"#`; 0 where the `r` opens a name.
fn raw_string(text: &str) -> usize {
    let hashes = text[1..].chars().take_while(|&c| c == '#').count();
    let body = &text[1 + hashes..];
    if !body.starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body[1..].find(&close).unwrap_or(body.len() - 1);
    (1 + hashes + 1 + end + close.len()).min(text.len())
}

/// Length of `'x'` or `'\n'`; 0 for a lifetime.
fn char_literal(text: &str) -> usize {
    let mut inside = text[1..].char_indices();
    match inside.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(0, |end| 3 + end + 1),
        Some((_, c)) if text[1 + c.len_utf8()..].starts_with('\'') => c.len_utf8() + 2,
        _ => 0,
    }
}

/// Path from `root` and text of every file of `src`.
pub fn source_files(root: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect_rust_files(&root.join("src"), &mut files);
    assert!(!files.is_empty(), "no source found");
    let read = |file: PathBuf| {
        let source = fs::read_to_string(&file).expect("a source file is readable text");
        let path = file.strip_prefix(root).expect("files lie under the root");
        (path.to_string_lossy().replace('\\', "/"), source)
    };
    files.into_iter().map(read).collect()
}

fn collect_rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a source folder is readable");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a directory entry is readable").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect_rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
