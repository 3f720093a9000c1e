//! Keeps the arrows of `docs/design.md`: a lower floor never names a higher one, nothing below
//! `cli` talks to the terminal or the environment, and `unsafe` stays in its rooms.
//!
//! The check reads the source as text. It blanks comments and strings, so prose may name any floor.

use std::fs;
use std::path::Path;

use super::source_text::{code_only, is_word, module_path, source_files, without_tests, words};

/// Top-level modules from the ground up; modules of one storey may use each other.
const STOREYS: [&[&str]; 8] = [
    &[
        "algebra", "choice", "error", "memory", "progress", "random", "storage", "vectors",
        "warning",
    ],
    &["input"],
    &["neighbours"],
    &["geometry", "cache", "mechanisms"],
    &["profile"],
    &["report", "cluster"],
    // What makes the schema of all reports is compiled for tests only.
    &["overview", "schema"],
    &["cli", "main"],
];

/// What only the roof may name.
const ROOF_ONLY: [&str; 9] = [
    "clap",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "dbg!",
    "std::env",
    "env::",
    "ThreadPoolBuilder",
];

/// Files with a licence for `unsafe`, and what for.
const UNSAFE_ROOMS: [(&str, &str); 15] = [
    ("src/input/bytes.rs", "maps files instead of reading them"),
    (
        "src/cli/signals.rs",
        "handles signals: sigaction and a handler are calls of C",
    ),
    (
        "src/neighbours/filter/portable.rs",
        "multiplies in place with the gemm crate",
    ),
    (
        "src/neighbours/filter/panels.rs",
        "calls the kernel that the processor was asked about",
    ),
    (
        "src/neighbours/filter/avx2.rs",
        "instructions of one processor",
    ),
    (
        "src/neighbours/filter/avx512.rs",
        "instructions of one processor",
    ),
    (
        "src/neighbours/filter/avx512_bf16.rs",
        "instructions of one processor",
    ),
    (
        "src/neighbours/filter/neon.rs",
        "instructions of one processor",
    ),
    (
        "src/neighbours/filter/amx/machine.rs",
        "asks the system for tiles, and loads them",
    ),
    (
        "src/neighbours/filter/amx/product.rs",
        "instructions of one processor",
    ),
    (
        "src/neighbours/device/cuda/gpu.rs",
        "asks whether there is a driver",
    ),
    (
        "src/neighbours/device/cuda/arguments.rs",
        "says that structs are laid out as the kernels read them",
    ),
    (
        "src/neighbours/device/cuda/machine.rs",
        "launches kernels on a GPU",
    ),
    (
        "src/neighbours/device/cuda/ranks.rs",
        "launches kernels on a GPU",
    ),
    (
        "src/neighbours/device/cuda/rows.rs",
        "memory that a GPU copies from",
    ),
];

#[test]
fn every_file_of_the_house_keeps_the_arrows() {
    let files = source_files(Path::new(env!("CARGO_MANIFEST_DIR")));
    let broken: Vec<String> = files
        .iter()
        .flat_map(|(path, source)| violations(path, source))
        .collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_module_has_a_storey_and_a_place_in_the_plan() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plan = fs::read_to_string(root.join("docs/design.md")).unwrap();
    for entry in fs::read_dir(root.join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").unwrap_or(&name);
        if module == "lib" {
            continue;
        }
        assert!(
            STOREYS.concat().contains(&module),
            "src/{name} has no storey"
        );
        let ways = [
            format!("`{module}/`"),
            format!("`{module}.rs`"),
            format!("`src/{module}`"),
        ];
        assert!(
            ways.iter().any(|way| plan.contains(way)),
            "docs/design.md does not say where src/{name} stands"
        );
    }
}

#[test]
fn every_room_for_unsafe_uses_its_licence() {
    let files = source_files(Path::new(env!("CARGO_MANIFEST_DIR")));
    for (room, reason) in UNSAFE_ROOMS {
        let source = files.iter().find(|(path, _)| path.as_str() == room);
        let used = source.is_some_and(|(_, source)| has_word(&code_only(source), "unsafe"));
        assert!(used && !reason.is_empty(), "{room} needs no licence");
    }
}

/// Products whose order of sums is that of the processor.
const FOREIGN_PRODUCTS: [&str; 4] = [".dot(", "general_mat_mul", "general_mat_vec_mul", "faer"];

#[test]
fn every_product_is_made_in_a_fixed_order() {
    let files = source_files(Path::new(env!("CARGO_MANIFEST_DIR")));
    let broken: Vec<String> = files
        .iter()
        .flat_map(|(path, source)| {
            let code = code_only(source);
            let code = code
                .split("#[cfg(test)]")
                .next()
                .unwrap_or_default()
                .to_owned();
            let found = FOREIGN_PRODUCTS
                .iter()
                .filter(move |name| code.contains(**name));
            found.map(move |name| format!("{path}: {name} (use crate::algebra)"))
        })
        .collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn each_kind_of_broken_rule_is_found() {
    for (path, source, what) in [
        (
            "src/input/npy.rs",
            "use crate::neighbours::Table;",
            "neighbours",
        ),
        ("src/error.rs", "use crate::input::Layer;", "input"),
        (
            "src/geometry/id/gride.rs",
            "fn f(_: crate::report::Record) {}",
            "report",
        ),
        (
            "src/input/npy.rs",
            "use crate::{error::Error, profile::{self, id}};",
            "profile",
        ),
        ("src/geometry/mod.rs", "use super::profile;", "profile"),
        (
            "src/neighbours/filter/gemm.rs",
            "use super::super::super::report::csv;",
            "report",
        ),
        ("src/report/csv.rs", "use repgeo::cli;", "cli"),
        ("src/report/csv.rs", "fn f() { println!(); }", "println!"),
        ("src/profile/id.rs", "use clap::Args;", "clap"),
        (
            "src/profile/id.rs",
            "use std::{env, fs}; fn f() { env::var(\"A\"); }",
            "env::",
        ),
        (
            "src/neighbours/mod.rs",
            "rayon::ThreadPoolBuilder::new()",
            "ThreadPoolBuilder",
        ),
        ("src/report/csv.rs", "fn f() { unsafe { g() } }", "unsafe"),
        ("src/attic/mod.rs", "", "no floor"),
    ] {
        let found = violations(path, source);
        assert!(
            found.iter().any(|line| line.contains(what)),
            "{path}: {source:?} passed; found {found:?}"
        );
    }
}

#[test]
fn what_the_rules_allow_passes() {
    for (path, source) in [
        (
            "src/neighbours/mod.rs",
            "use crate::input::Matrix; use crate::{Error, random::Rng};",
        ),
        (
            "src/cli/mod.rs",
            "use crate::report; fn f() { eprintln!(); std::env::args(); }",
        ),
        ("src/main.rs", "use repgeo::cli; fn main() { eprintln!() }"),
        (
            "src/input/npy.rs",
            "//! See [`crate::report`].\n/* crate::report /* nested */ */ fn f() {}",
        ),
        (
            "src/input/npy.rs",
            "const S: &str = \"crate::report \\\" println!\"; const Q: char = '\"';",
        ),
        (
            "src/input/npy.rs",
            "const S: &str = r#\"crate::report \" unsafe\"#; fn f<'a>(_: &'a str) {}",
        ),
        (
            "src/neighbours/filter/amx/product.rs",
            "#[allow(unsafe_code)] fn f() { unsafe { g() } }",
        ),
        (
            "src/report/csv.rs",
            "#![deny(unsafe_code)] fn reprintln() {}",
        ),
        (
            "src/neighbours/mod.rs",
            "#[cfg(test)]\nmod tests { fn f() { rayon::ThreadPoolBuilder::new(); } }",
        ),
        (
            "src/neighbours/tests.rs",
            "fn f() { rayon::ThreadPoolBuilder::new(); }",
        ),
        ("src/neighbours/filter/gemm.rs", "use super::super::report;"),
    ] {
        let found = violations(path, source);
        assert!(found.is_empty(), "{path}: {source:?} failed: {found:?}");
    }
}

/// Threads that wait for devices beside the roof's, as many as that has: a thread of the pool in use
/// that waited for another of the same would wait for ever.
const WAITING: (&str, &str) = ("src/neighbours/device/share.rs", "ThreadPoolBuilder");

/// Every rule that one source file breaks, in words.
fn violations(path: &str, source: &str) -> Vec<String> {
    let modules = module_path(path);
    let Some(&top) = modules.first() else {
        return Vec::new(); // lib.rs lists the floors
    };
    let Some(storey) = storey_of(top) else {
        return vec![format!(
            "{path}: {top} has no floor in tests/architecture.rs"
        )];
    };
    // A `tests.rs` is a module of unit tests in a file of its own.
    let shipped = !path.ends_with("/tests.rs");
    let code = code_only(source);
    let mut found = Vec::new();
    for name in named_modules(&code, modules.len()) {
        if storey_of(&name).is_some_and(|other| other > storey) {
            found.push(format!("{path}: {top} names {name}, which lies above it"));
        }
    }
    if shipped && storey < STOREYS.len() - 1 {
        let code = without_tests(&code);
        let roof_only = ROOF_ONLY.iter().filter(|word| has_word(code, word));
        for word in roof_only.filter(|&&word| (path, word) != WAITING) {
            found.push(format!("{path}: {word} belongs to cli"));
        }
    }
    if has_word(&code, "unsafe") && !UNSAFE_ROOMS.iter().any(|(room, _)| path == *room) {
        found.push(format!(
            "{path}: unsafe, and the file is not among UNSAFE_ROOMS with its reason"
        ));
    }
    found
}

fn storey_of(module: &str) -> Option<usize> {
    STOREYS.iter().position(|storey| storey.contains(&module))
}

/// First path segments after every way of writing the crate's root, in a file `depth` modules deep.
fn named_modules(code: &str, depth: usize) -> Vec<String> {
    let to_root = "super::".repeat(depth);
    ["crate::", "repgeo::", to_root.as_str()]
        .iter()
        .flat_map(|root| words(code, root).map(|at| &code[at + root.len()..]))
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(group) => group_heads(group),
            None => vec![leading_identifier(rest)],
        })
        .collect()
}

/// The identifiers that open each entry of `a::b, c::{d, e}, f}`.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                heads.push(leading_identifier(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads
}

fn leading_identifier(text: &str) -> String {
    let text = text.trim_start();
    text.chars().take_while(|&c| is_word(c)).collect()
}

fn has_word(code: &str, word: &str) -> bool {
    words(code, word).next().is_some()
}
