//! The licences of what is compiled in are in docs/NOTICE.txt, which ships with the program.

use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// `name version` of every package in Cargo.lock.
fn locked() -> Vec<(String, String)> {
    let lock = read("Cargo.lock");
    let field = |package: &str, name: &str| {
        let start = format!("{name} = \"");
        let line = package.lines().find_map(|line| line.strip_prefix(&start));
        line.map(|line| line.trim_end_matches('"').to_owned())
    };
    let packages = lock.split("[[package]]").skip(1);
    packages
        .filter_map(|package| Some((field(package, "name")?, field(package, "version")?)))
        .collect()
}

#[test]
fn every_dependency_stands_in_the_notice_in_the_version_that_is_compiled() {
    let (notice, manifest) = (read("docs/NOTICE.txt"), read("Cargo.toml"));
    let tables = manifest.split("\n[").filter(|table| {
        let title = table.lines().next().unwrap_or_default();
        title.ends_with("dependencies]") && !title.starts_with("dev-")
    });
    let lines = tables.flat_map(|table| table.lines().skip(1));
    let names: Vec<&str> = lines
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
        .collect();
    assert!(names.len() > 15, "{names:?}");
    let locked = locked();
    for name in names {
        let mut versions = locked.iter().filter(|(known, _)| known == name);
        let told = versions.any(|(name, version)| notice.contains(&format!("{name} {version} (")));
        assert!(told, "{name} is not in docs/NOTICE.txt; run .ci/notices");
    }
    assert!(notice.contains("Permission is hereby granted"));
}
