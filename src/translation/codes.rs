//! Codes by ConceptMaps. The original coding is always kept; mapped codings stand behind it.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Mappings from one party's codes to another's.
#[derive(Clone, Debug, Default)]
pub struct CodeMaps {
    targets: HashMap<(String, String), Vec<Value>>,
}

impl CodeMaps {
    /// Reads R4 ConceptMaps. Targets that are unmatched or disjoint are left out
    /// (FHIR R4, ConceptMap.group.element.target.equivalence).
    pub fn of<'m>(concept_maps: impl IntoIterator<Item = &'m Value>) -> Self {
        let mut maps = Self::default();
        for group in concept_maps.into_iter().flat_map(|map| list(&map["group"])) {
            maps.add_group(group);
        }
        maps
    }

    /// Adds the mapped codings to every `coding` list of a resource.
    pub fn translate(&self, resource: &mut Value) {
        match resource {
            Value::Object(map) => {
                if let Some(Value::Array(codings)) = map.get_mut("coding") {
                    self.extend(codings);
                }
                map.values_mut().for_each(|child| self.translate(child));
            }
            Value::Array(items) => items.iter_mut().for_each(|child| self.translate(child)),
            _ => {}
        }
    }

    fn add_group(&mut self, group: &Value) {
        let (source, target) = (text(&group["source"]), text(&group["target"]));
        for element in list(&group["element"]) {
            let key = (source.to_owned(), text(&element["code"]).to_owned());
            let usable = list(&element["target"]).filter(|it| is_usable(it));
            let codings = usable.map(|it| {
                let mut coding = json!({ "system": target, "code": it["code"] });
                if it["display"].is_string() {
                    coding["display"] = it["display"].clone();
                }
                coding
            });
            self.targets.entry(key).or_default().extend(codings);
        }
    }

    fn extend(&self, codings: &mut Vec<Value>) {
        let mapped: Vec<Value> = codings
            .iter()
            .filter_map(|it| {
                self.targets.get(&(text(&it["system"]).to_owned(), text(&it["code"]).to_owned()))
            })
            .flatten()
            .cloned()
            .collect();
        for coding in mapped {
            let known =
                codings.iter().any(|it| it["system"] == coding["system"] && it["code"] == coding["code"]);
            if !known {
                codings.push(coding);
            }
        }
    }
}

fn is_usable(target: &Value) -> bool {
    target["code"].is_string() && !matches!(text(&target["equivalence"]), "unmatched" | "disjoint")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps() -> CodeMaps {
        CodeMaps::of([&json!({
            "resourceType": "ConceptMap",
            "group": [{ "source": "urn:a", "target": "urn:b", "element": [
                { "code": "1", "target": [{ "code": "one", "equivalence": "equal" }] },
                { "code": "2", "target": [{ "equivalence": "unmatched" }] },
            ]}],
        })])
    }

    #[test]
    fn the_original_coding_is_kept_and_the_mapped_one_added_once() {
        let mut resource = json!({ "code": { "coding": [{ "system": "urn:a", "code": "1" }] } });

        maps().translate(&mut resource);
        maps().translate(&mut resource);

        assert_eq!(
            resource["code"]["coding"],
            json!([{ "system": "urn:a", "code": "1" }, { "system": "urn:b", "code": "one" }])
        );
    }

    #[test]
    fn an_unmatched_code_stays_alone() {
        let mut resource = json!({ "code": { "coding": [{ "system": "urn:a", "code": "2" }] } });

        maps().translate(&mut resource);

        assert_eq!(resource["code"]["coding"].as_array().unwrap().len(), 1);
    }
}
