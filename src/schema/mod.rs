//! Makes `docs/report.schema.json` from the types of the reports, and tells when the file is stale.
//!
//! Types say what a report holds, doc comments what it means, [`rules`] which numbers are possible.
//! All of this is compiled for tests only.

mod rules;

use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::mechanisms::ablate::Ablation;
use crate::mechanisms::attribution::{Attribution, AttributionRuns};
use crate::mechanisms::dumped::ForwardReport;
use crate::mechanisms::lens::{LensRuns, LogitLens};
use crate::mechanisms::modify::AttentionModify;
use crate::mechanisms::patterns::HeadPattern;
use crate::neighbours::BenchReport;
use crate::overview::Overview;
use crate::profile::clones::ClonesProfile;
use crate::profile::correlate::CorrelateProfile;
use crate::profile::dynamics::DynamicsProfile;
use crate::profile::events::EventsReport;
use crate::profile::id::IdProfile;
use crate::profile::imbalance::{ImbalanceProfile, SubsetsProfile};
use crate::profile::inspect::InspectReport;
use crate::profile::landscape::{Landscape, PeakProfile};
use crate::profile::overlap::OverlapProfile;
use crate::profile::probe::ProbeProfile;
use crate::profile::similarity::SimilarityProfile;
use crate::profile::tables::NeighboursReport;
use crate::report::{Report, SCHEMA};

/// Where the schema is kept.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");

/// Makes the file anew.
const RENEW: &str = "cargo test --lib renew_the_schema -- --ignored";

/// Describes one command by what it reports.
type Make = fn(&mut Makes, &'static str);

/// Every command, and what it reports.
const COMMANDS: &[(&str, Make)] = &[
    ("id-profile", Makes::report::<IdProfile>),
    ("inspect", Makes::report::<InspectReport>),
    ("events", Makes::report::<EventsReport>),
    ("imbalance", Makes::report::<ImbalanceProfile>),
    ("imbalance-subsets", Makes::report::<SubsetsProfile>),
    ("overlap", Makes::report::<OverlapProfile>),
    ("neighbours", Makes::report::<NeighboursReport>),
    ("density-peaks", Makes::report::<PeakProfile>),
    ("landscape", Makes::report::<Landscape>),
    ("forward", Makes::report::<ForwardReport>),
    ("logit-lens", Makes::report::<LogitLens>),
    ("logit-lens-runs", Makes::report::<LensRuns>),
    ("attribution", Makes::report::<Attribution>),
    ("attribution-runs", Makes::report::<AttributionRuns>),
    ("head-pattern", Makes::report::<HeadPattern>),
    ("attention-modify", Makes::report::<AttentionModify>),
    ("ablate", Makes::report::<Ablation>),
    ("similarity", Makes::report::<SimilarityProfile>),
    ("clones", Makes::report::<ClonesProfile>),
    ("dynamics", Makes::report::<DynamicsProfile>),
    ("correlate", Makes::report::<CorrelateProfile>),
    ("probe", Makes::report::<ProbeProfile>),
    ("bench", Makes::report::<BenchReport>),
    ("report", Makes::report::<Overview>),
];

/// The schema in the making.
struct Makes {
    generator: SchemaGenerator,
    definitions: BTreeMap<String, Value>,
    branches: Vec<Value>,
}

impl Makes {
    /// Adds the report of `command`: the fields of every report, then those of `T`.
    fn report<T: JsonSchema + 'static>(&mut self, command: &'static str) {
        let mut shape = <Report<'static, T>>::json_schema(&mut self.generator).to_value();
        shape["description"] = format!("What `repgeo {command}` reports.").into();
        let fields = &mut shape["properties"];
        for (field, key, value) in [
            ("schema", "const", SCHEMA),
            ("command", "const", command),
            ("version", "pattern", r"^\d+\.\d+\.\d+"),
        ] {
            fields[field][key] = value.into();
        }
        let name = T::schema_name();
        self.branches.push(json!({
            "if": {"properties": {"command": {"const": command}}},
            "then": {"$ref": format!("#/$defs/{name}")},
        }));
        self.definitions.insert(name.into_owned(), shape);
    }
}

/// The schema of every report.
fn schema() -> Value {
    let mut makes = Makes {
        generator: SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator(),
        definitions: BTreeMap::new(),
        branches: Vec::new(),
    };
    for (command, add) in COMMANDS {
        add(&mut makes, command);
    }
    let parts = makes.generator.take_definitions(true);
    makes.definitions.extend(parts);
    let mut definitions: Map<String, Value> = makes.definitions.into_iter().collect();
    for definition in definitions.values_mut() {
        let shape: &mut Schema = definition.try_into().expect("a definition is a schema");
        Closed.transform(shape);
    }
    rules::add_to(&mut definitions);
    let commands: Vec<&str> = COMMANDS.iter().map(|(command, _)| *command).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "repgeo report",
        "description": format!(
            "A report of repgeo, schema {SCHEMA}. Numbers are finite; one that does not exist is \
             null with a reason beside it."
        ),
        "type": "object",
        "required": ["schema", "version", "command", "input"],
        "properties": {
            "command": {
                "description": "The command decides the rest of the shape.",
                "enum": commands,
            },
        },
        "allOf": makes.branches,
        "$defs": definitions,
    })
}

/// No object has other fields than its type, a field that may be absent is never null or empty,
/// and descriptions speak JSON.
struct Closed;

impl Transform for Closed {
    fn transform(&mut self, schema: &mut Schema) {
        schema.remove("format");
        if let Some(text) = schema.get("description").and_then(Value::as_str) {
            let text = in_json(text);
            schema.insert("description".into(), text.into());
        }
        // Conditions name fields as well; only what has a type is the shape of something.
        let is_shape = schema.get("type").is_some_and(|kind| kind == "object");
        let required = schema.get("required").cloned().unwrap_or_default();
        let fields = schema.get_mut("properties").filter(|_| is_shape);
        if let Some(fields) = fields.and_then(Value::as_object_mut) {
            for (name, field) in fields {
                if !required
                    .as_array()
                    .is_some_and(|all| all.contains(&json!(name)))
                {
                    present(field);
                }
                rules::by_name(name, field);
            }
            schema.insert("additionalProperties".into(), false.into());
        }
        transform_subschemas(self, schema);
    }
}

/// What the field holds where it stands at all.
fn present(field: &mut Value) {
    if let Some(types) = field["type"].as_array() {
        let types: Vec<&Value> = types.iter().filter(|name| *name != "null").collect();
        field["type"] = match types[..] {
            [one] => one.clone(),
            _ => json!(types),
        };
    }
    if field["type"] == "array" && field.get("minItems").is_none() {
        field["minItems"] = 1.into();
    }
    let shape = field.as_object_mut().expect("a field is described");
    if let Some(Value::Array(choices)) = shape.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({"type": "null"}));
        if let [Value::Object(one)] = &choices[..] {
            let one = one.clone();
            shape.remove("anyOf");
            shape.extend(one);
        }
    }
}

/// A doc comment in the words of JSON, on one line.
fn in_json(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ")
    });
    let text: Vec<String> = paragraphs.collect();
    text.join("\n\n")
        .replace("`None`", "null")
        .replace("[`", "`")
        .replace("`]", "`")
        .replace("\\[", "[")
        .replace("\\]", "]")
}

fn written() -> String {
    crate::report::write::json::pretty(&schema())
}

#[test]
fn the_schema_is_what_the_types_say() {
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        kept == written(),
        "docs/report.schema.json is stale; renew it with `{RENEW}`"
    );
}

#[test]
#[ignore = "writes docs/report.schema.json"]
fn renew_the_schema() {
    std::fs::write(FILE, written()).unwrap();
}

/// The fields that a report of `command` has beside those of every report.
fn own_fields<'a>(schema: &'a Value, command: &str) -> Vec<&'a String> {
    let common = ["schema", "version", "command", "input", "understood"];
    let branches = schema["allOf"].as_array().expect("a branch a command");
    let branch = branches
        .iter()
        .find(|branch| branch["if"]["properties"]["command"]["const"] == command)
        .expect("every command has a branch");
    let place = branch["then"]["$ref"].as_str().expect("a reference");
    let shape = schema.pointer(&place[1..]).expect("a definition");
    let fields = shape["properties"].as_object().expect("fields").keys();
    fields
        .filter(|name| !common.contains(&name.as_str()))
        .collect()
}

#[test]
fn every_field_of_a_report_is_named_where_the_documents_describe_its_command() {
    let schema = schema();
    let text = include_str!("../../docs/output.md");
    for (command, _) in COMMANDS {
        let fields = own_fields(&schema, command);
        let described = |paragraph: &str| {
            let named = [format!("`{command}`"), format!("`repgeo {command} ")];
            named.iter().any(|name| paragraph.contains(name))
                && fields
                    .iter()
                    .all(|field| paragraph.contains(&format!("`{field}`")))
        };
        assert!(
            text.lines().any(described),
            "docs/output.md: no paragraph about {command} names all of {fields:?}"
        );
    }
}

/// The part of `docs/output.md` that describes the JSON.
fn described() -> &'static str {
    let text = include_str!("../../docs/output.md");
    let start = text.find("\n## JSON\n").expect("a section about JSON");
    let end = text.find("\n## JSON lines").expect("and one after it");
    &text[start..end]
}

/// Collects the names of fields and choices that `part` and all that it refers to may hold.
fn names_in<'a>(schema: &'a Value, part: &'a Value, names: &mut BTreeSet<&'a str>) {
    match part {
        Value::Array(parts) => parts.iter().for_each(|one| names_in(schema, one, names)),
        Value::Object(parts) => {
            for (key, one) in parts {
                match (key.as_str(), one) {
                    // A reference is followed once; `#`, a whole report inside another, is not.
                    ("$ref", Value::String(place)) if place.len() > 1 && names.insert(place) => {
                        let there = schema.pointer(&place[1..]).expect("a definition");
                        names_in(schema, there, names);
                    }
                    ("properties", Value::Object(fields)) => {
                        names.extend(fields.keys().map(String::as_str));
                    }
                    ("const", Value::String(word)) => {
                        names.insert(word);
                    }
                    ("enum", Value::Array(words)) => {
                        names.extend(words.iter().filter_map(Value::as_str));
                    }
                    _ => {}
                }
                names_in(schema, one, names);
            }
        }
        _ => {}
    }
}

#[test]
fn the_documents_name_no_field_that_a_report_does_not_have() {
    let schema = schema();
    let mut checked = 0;
    for paragraph in described().lines() {
        let is_about = |command: &&str| paragraph.contains(&format!("`{command}`"));
        let commands = COMMANDS.iter().map(|(command, _)| *command);
        let about: Vec<&str> = commands.filter(is_about).collect();
        let mut names: BTreeSet<&str> = COMMANDS.iter().map(|(command, _)| *command).collect();
        for branch in schema["allOf"].as_array().expect("a branch a command") {
            let command = branch["if"]["properties"]["command"]["const"].as_str();
            if command.is_some_and(|command| about.contains(&command)) {
                names_in(&schema, &branch["then"], &mut names);
            }
        }
        let is_field = |word: &&str| {
            let mut letters = word.chars();
            letters
                .next()
                .is_some_and(|first| first.is_ascii_lowercase())
                && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        if about.is_empty() {
            continue;
        }
        for word in paragraph.split('`').skip(1).step_by(2).filter(is_field) {
            assert!(
                names.contains(word),
                "docs/output.md: no report of {about:?} has `{word}`; the fields stand in \
                 docs/report.schema.json, which `{RENEW}` renews"
            );
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked} fields");
}
