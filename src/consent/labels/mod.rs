//! How sensitive a resource is: what its labels say, and what its codes say. Labels never lower what the
//! codes tell, and a sensitivity makes data restricted (consent (b)).

pub mod label;
pub mod lists;
pub mod opaque;
pub mod sensitivity;

use serde_json::Value;

use crate::fhir::reference;
use crate::model::policy::Confidentiality;
use label::{Label, Meaning};
use lists::SensitivityLists;
use sensitivity::Sensitivity;

/// The extension that labels one element (HL7 DS4P, inline security labels).
const INLINE: &str =
    "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label";

/// What is known of one resource's sensitivity.
#[derive(Clone, Debug)]
pub struct Labels {
    /// How confidential it is: at least what its labels say, and restricted where it is sensitive.
    pub confidentiality: Confidentiality,
    /// What it is about.
    pub sensitivities: Vec<Sensitivity>,
    /// The labels that it bears or inherits.
    pub stated: Vec<Label>,
    /// What its codes tell, each with the code.
    pub classified: Vec<(Sensitivity, String)>,
    has_level: bool,
    is_opaque: bool,
}

impl Labels {
    /// The labels of a resource that bears `stated`.
    pub fn of(resource: &Value, stated: Vec<Label>, lists: &SensitivityLists) -> Self {
        Self::from_parts(stated, classify(resource, lists), opaque::is_opaque(resource))
    }

    /// The same data with further labels on it.
    #[must_use]
    pub fn with(&self, more: &[Label]) -> Self {
        let mut stated = self.stated.clone();
        stated.extend(more.iter().filter(|it| !self.stated.contains(it)).cloned());
        Self::from_parts(stated, self.classified.clone(), self.is_opaque)
    }

    /// The same data with a file in it.
    #[must_use]
    pub fn with_file(mut self) -> Self {
        self.is_opaque = true;
        self
    }

    /// Whether a label says how confidential it is.
    pub const fn has_level(&self) -> bool {
        self.has_level
    }

    /// Whether nobody can tell how sensitive it is: text or a file, and no label that says how confidential.
    pub const fn are_unknown(&self) -> bool {
        self.is_opaque && !self.has_level
    }

    fn from_parts(stated: Vec<Label>, classified: Vec<(Sensitivity, String)>, is_opaque: bool) -> Self {
        let meanings = stated.iter().map(Label::meaning);
        let levels =
            meanings.clone().filter_map(|it| if let Meaning::Level(level) = it { Some(level) } else { None });
        let told = meanings.filter_map(|it| if let Meaning::About(about) = it { Some(about) } else { None });
        let mut sensitivities: Vec<Sensitivity> =
            told.chain(classified.iter().map(|(about, _)| *about)).collect();
        sensitivities.sort_unstable();
        sensitivities.dedup();
        let stated_level = levels.max();
        let level = stated_level.unwrap_or(Confidentiality::Normal);
        let confidentiality =
            if sensitivities.is_empty() { level } else { level.max(Confidentiality::Restricted) };
        let has_level = stated_level.is_some();
        Self { confidentiality, sensitivities, stated, classified, has_level, is_opaque }
    }
}

/// The labels that a resource bears as a whole: in `meta`, in the elements that some types have for it, and
/// inline at its root.
pub fn stated_on(resource: &Value) -> Vec<Label> {
    let meta = resource["meta"]["security"].as_array().into_iter().flatten();
    let own =
        resource["securityLabel"].as_array().into_iter().flatten().flat_map(crate::fhir::coding::codings);
    let mut labels: Vec<Label> = meta.chain(own).map(Label::of_coding).collect();
    if let Some(level) = resource["confidentiality"].as_str() {
        labels.push(Label::new(label::CONFIDENTIALITY, level));
    }
    labels.extend(inline_on(resource));
    labels
}

/// The labels that stand on one element by the DS4P extension. They are looked for whether or not the
/// resource announces them (consent S8).
pub fn inline_on(element: &Value) -> Vec<Label> {
    let extensions = element["extension"].as_array().into_iter().flatten();
    let inline = extensions.filter(|it| it["url"] == INLINE);
    inline
        .flat_map(|it| {
            let concept = crate::fhir::coding::codings(&it["valueCodeableConcept"]);
            it.get("valueCoding").into_iter().chain(concept)
        })
        .map(Label::of_coding)
        .collect()
}

/// What the codes of a resource tell, without those of contained resources and of its own labels.
fn classify(resource: &Value, lists: &SensitivityLists) -> Vec<(Sensitivity, String)> {
    let mut found = Vec::new();
    for_each_coding(resource, &mut |coding| {
        let Label { system, code } = Label::of_coding(coding);
        for about in lists.of_code(&system, &code) {
            found.push((about, format!("{system}|{code}")));
        }
    });
    for (key, element) in resource.as_object().into_iter().flatten().filter(|(key, _)| *key != "contained") {
        reference::for_each(element, key, &mut |_, it| {
            let place = it["reference"].as_str().unwrap_or_default();
            found.extend(lists.of_place(place).map(|about| (about, place.to_owned())));
        });
    }
    found
}

/// Calls `visit` with every coding of a resource, `meta` and contained resources left out.
pub fn for_each_coding<'v>(resource: &'v Value, visit: &mut dyn FnMut(&'v Value)) {
    for (key, element) in resource.as_object().into_iter().flatten() {
        if key != "meta" && key != "contained" {
            codings_in(element, visit);
        }
    }
}

fn codings_in<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v Value)) {
    match value {
        Value::Object(map) => {
            if map.get("url").is_some_and(|url| url == INLINE) {
                return;
            }
            if map.get("code").is_some_and(Value::is_string) {
                visit(value);
            }
            map.values().for_each(|it| codings_in(it, visit));
        }
        Value::Array(list) => list.iter().for_each(|it| codings_in(it, visit)),
        _ => {}
    }
}
