//! Finds files of `src` that need each other in a circle, through whatever re-exports.
//!
//! A reference is a path in a `use` or in the code; unit tests may name anything. Calls of methods
//! leave no path and are not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::source_text::{code_only, is_word, module_path, source_files, without_tests, words};

/// Rooms that still have rings of their own; an entry whose rings are gone must go too.
const KNOWN: [&str; 0] = [];

#[test]
fn no_two_files_need_each_other() {
    let files = source_files(Path::new(env!("CARGO_MANIFEST_DIR")));
    let found = rings(&references(&files));
    let inside = |room: &str, ring: &Vec<String>| ring.iter().all(|file| file.starts_with(room));
    let known = |ring: &&Vec<String>| KNOWN.iter().any(|room| inside(room, ring));
    let new: Vec<&Vec<String>> = found.iter().filter(|ring| !known(ring)).collect();
    assert!(new.is_empty(), "files in a ring: {new:#?}");
    for room in KNOWN {
        let open = !found.iter().any(|ring| inside(room, ring));
        assert!(!open, "{room} has no ring any more: take it out of KNOWN");
    }
}

#[test]
fn no_two_rooms_of_one_floor_need_each_other() {
    let files = source_files(Path::new(env!("CARGO_MANIFEST_DIR")));
    let room = |file: &String| file.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let mut between = References::new();
    for (file, others) in references(&files) {
        let own = between.entry(room(&file)).or_default();
        own.extend(others.iter().map(room));
    }
    let folders = |ring: &Vec<String>| ring.iter().all(|room| !room.ends_with(".rs"));
    let found: Vec<Vec<String>> = rings(&between).into_iter().filter(folders).collect();
    assert_eq!(found, Vec::<Vec<String>>::new());
}

#[test]
fn rings_are_found_through_re_exports_and_only_where_they_are() {
    let rings_of = |sources: &[(&str, &str)]| {
        let files: Vec<(String, String)> = sources
            .iter()
            .map(|&(path, source)| (path.to_owned(), source.to_owned()))
            .collect();
        rings(&references(&files))
    };
    let room = "mod a;\nmod b;\npub use a::{A, one};\npub use b::B as C;";
    let straight = [
        ("src/lib.rs", "pub mod room;"),
        ("src/room/mod.rs", room),
        ("src/room/a.rs", "pub struct A;"),
        (
            "src/room/b.rs",
            "use super::{A, a::{self}};\n// crate::room::C\nstruct B(A);",
        ),
    ];
    assert_eq!(rings_of(&straight), Vec::<Vec<String>>::new());
    for back in [
        "use crate::room::C;",
        "use crate::{other, room::{C as D}};",
        "fn f() { super::b::f() }",
        "fn f(_: &crate::room::C) {}",
    ] {
        let mut round = straight;
        round[2].1 = back;
        assert_eq!(
            rings_of(&round),
            [["src/room/a.rs", "src/room/b.rs"]],
            "{back}"
        );
    }
    let mut inside = straight;
    inside[1].1 = "mod a;\nmod b;\npub use a::A;\nuse b::f;\npub static S: u8 = 0;";
    inside[3].1 = "mod inner {\n use super::T; fn g() { super::T }\n}\nstatic T: u8 = 0;";
    assert_eq!(rings_of(&inside), Vec::<Vec<String>>::new());
    inside[3].1 = "mod inner {\n use super::super::S;\n}";
    assert_eq!(rings_of(&inside), [["src/room/b.rs", "src/room/mod.rs"]]);
    let mut with_parent = straight;
    with_parent[1].1 = "mod a;\nmod b;\npub use a::A;\npub struct C;\nfn f() { b::f() }";
    with_parent[3].1 = "use super::C;\npub fn f() {}";
    let ring = [["src/room/b.rs", "src/room/mod.rs"]];
    assert_eq!(rings_of(&with_parent), ring);
    let mut tested = straight;
    tested[2].1 = "pub struct A;\n#[cfg(test)]\nmod tests { use super::super::b::B; }";
    assert_eq!(rings_of(&tested), Vec::<Vec<String>>::new());
}

/// The files that each file names.
type References = BTreeMap<String, BTreeSet<String>>;

/// A path from the root of the crate.
type ModulePath = Vec<String>;

/// What the files `(path, source)` name of each other.
fn references(files: &[(String, String)]) -> References {
    let mut house = House::default();
    let mut named: Vec<(&String, Vec<Named>)> = Vec::new();
    let module_of = |path: &str| -> ModulePath {
        let names = module_path(path).into_iter();
        names.map(str::to_owned).collect()
    };
    for (path, _) in files {
        house.files.insert(module_of(path), path.clone());
    }
    for (path, source) in files {
        let module = module_of(path);
        let code = code_only(source);
        let below = |other: &&ModulePath| other.split_last().is_some_and(|(_, up)| up == module);
        let children = house.files.keys().filter(below);
        let children: Vec<&str> = children
            .filter_map(|other| Some(other.last()?.as_str()))
            .collect();
        let code = without_inner_modules(&without_visibility(without_tests(&code)));
        let found = named_paths(&code, &module, &children);
        for one in found.iter().filter(|one| one.public) {
            let name = [module.clone(), vec![one.alias.clone()]].concat();
            house.exports.insert(name, one.path.clone());
        }
        named.push((path, found));
    }
    let mut all = References::new();
    for (file, paths) in named {
        let others = all.entry(file.clone()).or_default();
        // A re-export hands on, it does not need.
        let needed = paths.iter().filter(|one| !one.public);
        others.extend(needed.filter_map(|one| house.file_of(&one.path, 0)));
        others.remove(file);
    }
    all
}

/// `code` without the places in `pub(in place)`: who may see a name is nothing that its file needs.
fn without_visibility(code: &str) -> String {
    let mut parts = code.split("pub(in ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |code, part| {
        let seen = part.split_once(')').map_or(part, |(_, rest)| rest);
        code + "pub(crate)" + seen
    })
}

/// `code` as if its inner modules, `mod name { … }`, were not modules: `super` is one step less.
fn without_inner_modules(code: &str) -> String {
    let mut code = code.to_owned();
    let opened: Vec<usize> = words(&code, "mod ")
        .filter(|&at| code[at + 4..].trim_start_matches(is_word).starts_with(" {"))
        .collect();
    // From the last on, so that what is changed lies behind what is still to do.
    for at in opened.into_iter().rev() {
        let mut depth = 0usize;
        let end = code[at..].char_indices().find_map(|(place, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            (c == '}' && depth == 0).then_some(at + place)
        });
        let end = end.unwrap_or(code.len());
        let inner = code[at..end].replace("super::super::", "\u{0}");
        let inner = inner.replace("super::", "self::");
        code.replace_range(at..end, &inner.replace('\u{0}', "super::"));
    }
    code
}

/// Where modules and re-exported names lie.
#[derive(Default)]
struct House {
    files: BTreeMap<ModulePath, String>,
    exports: BTreeMap<ModulePath, ModulePath>,
}

impl House {
    /// The file in which `path` is written; `None` for a path of another crate.
    fn file_of(&self, path: &[String], depth: usize) -> Option<String> {
        for length in (0..=path.len()).rev() {
            let head = &path[..length];
            if let Some(target) = self.exports.get(head).filter(|_| depth < 8) {
                let target = [target.as_slice(), &path[length..]].concat();
                if target != path {
                    return self.file_of(&target, depth + 1);
                }
            }
            if length > 0
                && let Some(file) = self.files.get(head)
            {
                return Some(file.clone());
            }
        }
        None
    }
}

/// A path that a file names, and under which name it is known there.
struct Named {
    path: ModulePath,
    alias: String,
    /// Named by a `pub use`.
    public: bool,
}

/// All paths that `code`, of the module `module` with `children`, takes from this crate.
fn named_paths(code: &str, module: &[String], children: &[&str]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut rest = String::new();
    let mut from = 0;
    for at in words(code, "use ") {
        let Some(length) = code[at..].find(';').filter(|_| at >= from) else {
            continue;
        };
        rest.push_str(&code[from..at]);
        from = at + length;
        let public = code[..at].trim_end();
        let public = public.ends_with("pub") || public.ends_with(')') && public.contains("pub(");
        let tree: String = code[at + 4..from]
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let mut paths = Vec::new();
        flatten(&[], &tree, &mut paths);
        found.extend(paths.into_iter().map(|(path, alias)| Named {
            path: absolute(&path, module),
            alias,
            public,
        }));
    }
    rest.push_str(&code[from..]);
    let roots = ["crate", "repgeo", "super", "self"];
    for root in roots.iter().chain(children).map(|name| format!("{name}::")) {
        for at in words(&rest, &root).filter(|&at| !rest[..at].ends_with("::")) {
            let text: String = rest[at..]
                .chars()
                .take_while(|&c| is_word(c) || c == ':')
                .collect();
            let path: ModulePath = text.split("::").map(str::to_owned).collect();
            found.push(Named {
                path: absolute(&path, module),
                alias: String::new(),
                public: false,
            });
        }
    }
    found
}

/// The paths of the tree of a `use`, each with the name it gets.
fn flatten(head: &[String], tree: &str, paths: &mut Vec<(ModulePath, String)>) {
    let tree = tree.trim();
    if let Some((before, group)) = tree.split_once('{') {
        let names = before
            .split("::")
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let head = [head, &names.map(str::to_owned).collect::<Vec<_>>()].concat();
        let (mut depth, mut start) = (0usize, 0);
        let group = group.strip_suffix('}').unwrap_or(group);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    flatten(&head, &group[start..at], paths);
                    start = at + 1;
                }
                _ => {}
            }
        }
        return flatten(&head, &group[start..], paths);
    }
    if tree.is_empty() {
        return;
    }
    let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
    let names = path.split("::").map(|name| name.trim().to_owned());
    let names = names.filter(|name| name != "self" && name != "*" || head.is_empty());
    let path = [head, &names.collect::<Vec<_>>()].concat();
    let alias = match alias {
        "" => path.last().cloned().unwrap_or_default(),
        alias => alias.trim().to_owned(),
    };
    paths.push((path, alias));
}

/// `path` of a file of `module`, from the root of the crate.
fn absolute(path: &[String], module: &[String]) -> ModulePath {
    let ups = path.iter().take_while(|name| *name == "super").count();
    match path.first().map(String::as_str) {
        Some("crate" | "repgeo") => path[1..].to_vec(),
        Some("self") => [module, &path[1..]].concat(),
        Some("super") => {
            let kept = module.len().saturating_sub(ups);
            [&module[..kept], &path[ups..]].concat()
        }
        // A module below this one, or another crate, which no file answers to.
        _ => [module, path].concat(),
    }
}

/// The groups of files that reach each other, and so themselves.
fn rings(references: &References) -> Vec<Vec<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> = references
        .keys()
        .map(|file| (file, reached(references, file)))
        .collect();
    let ring = |file: &String| -> Vec<String> {
        let back = |other: &&&String| reach.get(**other).is_some_and(|far| far.contains(file));
        let members = reach[file].iter().filter(back);
        members.map(|&other| other.clone()).collect()
    };
    let all: BTreeSet<Vec<String>> = references.keys().map(ring).collect();
    all.into_iter().filter(|ring| ring.len() > 1).collect()
}

/// The files that `start` needs, directly or through others.
fn reached<'a>(references: &'a References, start: &String) -> BTreeSet<&'a String> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&String> = references[start].iter().collect();
    while let Some(file) = next.pop() {
        if seen.insert(file) {
            next.extend(references.get(file).into_iter().flatten());
        }
    }
    seen
}
