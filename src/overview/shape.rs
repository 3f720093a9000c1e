//! Shapes what `repgeo report` writes for programs: `NAME.json`.

use serde::ser::{Serialize, Serializer};

use super::topic::Topic;
use crate::neighbours::Metric;

/// The reports of several commands about one dump.
#[derive(Debug, Clone, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Overview {
    /// What was asked for, defaults included.
    pub parameters: OverviewParameters,
    /// Topic by topic: the whole report as its command prints it, or why there is none.
    pub parts: OverviewParts,
}

/// What was asked for.
#[derive(Debug, Clone, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverviewParameters {
    /// The topics; those that the dump does not allow have no part.
    pub topics: Vec<Topic>,
    /// Sets of labels.
    pub labels: Vec<String>,
    /// The distance.
    pub metric: Metric,
    /// How rows were chosen, in words of the flags.
    pub rows: Vec<String>,
}

/// Parts in the order of the page.
#[derive(Debug, Clone)]
pub struct OverviewParts(pub Vec<(Topic, OverviewPart)>);

/// The report of one topic.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum OverviewPart {
    /// The report of its command.
    Report(serde_json::Value),
    /// There is none.
    Failed {
        /// Why.
        error: String,
    },
}

impl Serialize for OverviewParts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(topic, part)| (topic.name(), part)))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for OverviewParts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OverviewParts".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Topic by topic: the whole report of its command, or an error.",
            "type": "object",
            "propertyNames": {"enum": Topic::ALL.map(Topic::name)},
            "minProperties": 1,
            "additionalProperties": {"anyOf": [
                {"$ref": "#"},
                {
                    "type": "object",
                    "properties": {"error": {"type": "string"}},
                    "required": ["error"],
                },
            ]},
        })
    }
}
