//! One ConceptMap of FHIR R4, read strictly: a map with a fault is not used at all.

use serde_json::Value;

use super::equivalence::Equivalence;

/// The system of the usage context that limits a map to elements; its code is `element`, and the element stands
/// as text: `Task.businessStatus`.
pub const ELEMENT_CONTEXT: &str = "https://referral-gateway.example/fhir/CodeSystem/usage-context";

/// A ConceptMap.
#[derive(Clone, Debug)]
pub struct CodeMap {
    /// Its canonical address; its id where it has none.
    pub url: String,
    /// What check should tell about it, though it can be used.
    pub notes: Vec<MapFault>,
    pub(super) elements: Vec<String>,
    pub(super) groups: Vec<Group>,
}

/// Codes of one system in those of another.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) rows: Vec<Row>,
    pub(super) unmapped: Option<Unmapped>,
}

/// One code and its targets. A target that depends on others is not among them.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) code: String,
    pub(super) display: Option<String>,
    pub(super) targets: Vec<TargetCode>,
}

#[derive(Clone, Debug)]
pub(super) struct TargetCode {
    pub(super) code: String,
    pub(super) display: Option<String>,
    pub(super) equivalence: Equivalence,
}

/// What becomes of a code that the group does not list.
#[derive(Clone, Debug)]
pub(super) enum Unmapped {
    /// The target system has the same code.
    Provided,
    /// Always this one.
    Fixed { code: String, display: Option<String> },
    /// What another map says.
    OtherMap(String),
}

/// What is wrong with a map, and where. Holds no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {text}")]
pub struct MapFault {
    /// The element, as FHIRPath.
    pub place: String,
    /// What is wrong, and what to change.
    pub text: &'static str,
}

impl CodeMap {
    /// Reads a ConceptMap, or tells every fault of it.
    pub fn parse(map: &Value) -> Result<Self, Vec<MapFault>> {
        let mut reader = Reader { faults: Vec::new(), notes: Vec::new() };
        let groups = items(&map["group"]);
        let groups =
            groups.enumerate().map(|(n, group)| reader.group(group, &format!("ConceptMap.group[{n}]")));
        let groups: Vec<Group> = groups.collect();
        let url = string(&map["url"]).or_else(|| string(&map["id"])).unwrap_or_default();
        let elements = items(&map["useContext"]).filter(|it| is_element(&it["code"]));
        let elements = elements.filter_map(|it| string(&it["valueCodeableConcept"]["text"])).collect();
        if reader.faults.is_empty() {
            Ok(Self { url, notes: reader.notes, elements, groups })
        } else {
            Err(reader.faults)
        }
    }

    /// The other maps that this one leads to.
    pub fn other_maps(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().filter_map(|group| match &group.unmapped {
            Some(Unmapped::OtherMap(url)) => Some(url.as_str()),
            _ => None,
        })
    }
}

struct Reader {
    faults: Vec<MapFault>,
    notes: Vec<MapFault>,
}

impl Reader {
    fn group(&mut self, group: &Value, at: &str) -> Group {
        let source = self.needed(&group["source"], &format!("{at}.source"), "name the system of the codes");
        let target = self.needed(&group["target"], &format!("{at}.target"), "name the system of the targets");
        let rows = items(&group["element"]).enumerate();
        let rows = rows.map(|(n, row)| self.row(row, &format!("{at}.element[{n}]"))).collect();
        let unmapped = group.get("unmapped").and_then(|it| self.unmapped(it, &format!("{at}.unmapped")));
        Group { source, target, rows, unmapped }
    }

    fn row(&mut self, row: &Value, at: &str) -> Row {
        let code = self.needed(&row["code"], &format!("{at}.code"), "give the code");
        let targets = items(&row["target"]).enumerate();
        let targets = targets.filter_map(|(n, it)| self.target(it, &format!("{at}.target[{n}]")));
        let targets = targets.collect();
        Row { code, display: string(&row["display"]), targets }
    }

    fn target(&mut self, target: &Value, at: &str) -> Option<TargetCode> {
        let Some(equivalence) = target["equivalence"].as_str().and_then(Equivalence::of_code) else {
            self.fault(format!("{at}.equivalence"), "give one of FHIR R4's codes, such as equivalent");
            return None;
        };
        if !equivalence.has_target() {
            return None;
        }
        let code = self.needed(&target["code"], &format!("{at}.code"), "give the code, or use unmatched");
        if target.get("product").is_some() {
            self.note(format!("{at}.product"), "a product is not made; the code itself is");
        }
        if target.get("dependsOn").is_some() {
            self.note(format!("{at}.dependsOn"), "a target that depends on others is not used");
            return None;
        }
        Some(TargetCode { code, display: string(&target["display"]), equivalence })
    }

    fn unmapped(&mut self, unmapped: &Value, at: &str) -> Option<Unmapped> {
        match unmapped["mode"].as_str() {
            Some("provided") => Some(Unmapped::Provided),
            Some("fixed") => {
                let code = self.needed(&unmapped["code"], &format!("{at}.code"), "mode fixed needs a code");
                Some(Unmapped::Fixed { code, display: string(&unmapped["display"]) })
            }
            Some("other-map") => {
                let url = self.needed(&unmapped["url"], &format!("{at}.url"), "mode other-map needs its url");
                Some(Unmapped::OtherMap(url))
            }
            _ => {
                self.fault(format!("{at}.mode"), "use provided, fixed or other-map");
                None
            }
        }
    }

    fn needed(&mut self, value: &Value, at: &str, text: &'static str) -> String {
        string(value).unwrap_or_else(|| {
            self.fault(at.to_owned(), text);
            String::new()
        })
    }

    fn fault(&mut self, place: String, text: &'static str) {
        self.faults.push(MapFault { place, text });
    }

    fn note(&mut self, place: String, text: &'static str) {
        self.notes.push(MapFault { place, text });
    }
}

fn is_element(code: &Value) -> bool {
    code["system"] == ELEMENT_CONTEXT && code["code"] == "element"
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn string(value: &Value) -> Option<String> {
    value.as_str().filter(|it| !it.is_empty()).map(str::to_owned)
}
