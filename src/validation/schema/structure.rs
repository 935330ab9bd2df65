//! Complex types: objects with these elements and no others.

use serde_json::{Map, Value, json};

use super::super::definitions::{
    Content, Definitions, Element, Kind, SIMPLE_QUANTITY, Shape, TypeName, is_primitive,
};

/// The types that an open element may have, by the ending of its name (FHIR R4, open type element).
pub(super) const OPEN: [&str; 50] = [
    "base64Binary",
    "boolean",
    "canonical",
    "code",
    "date",
    "dateTime",
    "decimal",
    "id",
    "instant",
    "integer",
    "markdown",
    "oid",
    "positiveInt",
    "string",
    "time",
    "unsignedInt",
    "uri",
    "url",
    "uuid",
    "Address",
    "Age",
    "Annotation",
    "Attachment",
    "CodeableConcept",
    "Coding",
    "ContactPoint",
    "Count",
    "Distance",
    "Duration",
    "HumanName",
    "Identifier",
    "Money",
    "Period",
    "Quantity",
    "Range",
    "Ratio",
    "Reference",
    "SampledData",
    "Signature",
    "Timing",
    "ContactDetail",
    "Contributor",
    "DataRequirement",
    "Expression",
    "ParameterDefinition",
    "RelatedArtifact",
    "TriggerDefinition",
    "UsageContext",
    "Dosage",
    "Meta",
];

/// Adds the schema of every type to the definitions of the document.
pub(super) fn add(definitions: &Definitions, parts: &mut Map<String, Value>) {
    for (name, codes) in &definitions.codes {
        parts.insert(name.clone(), json!({ "enum": codes }));
    }
    add_roots(parts);
    for (name, definition) in &definitions.types {
        add_object(parts, name, definition.kind, &definition.content);
    }
    parts.insert(
        SIMPLE_QUANTITY.to_owned(),
        json!({ "allOf": [{ "$ref": "#/$defs/Quantity" }], "invariants": ["sqty-1"] }),
    );
    let lists: Vec<(String, Value)> =
        parts.keys().map(|it| (format!("{it}List"), list_of(it, parts))).collect();
    parts.extend(lists);
}

/// What the specification defines as the root of everything, and what JSON makes of it.
fn add_roots(parts: &mut Map<String, Value>) {
    let element = |types: Value| {
        json!({
            "type": types,
            "minProperties": 1,
            "properties": { "id": { "$ref": "#/$defs/string" }, "extension": { "$ref": "#/$defs/ExtensionList" } },
            "additionalProperties": false,
        })
    };
    parts.insert("Element".to_owned(), element(json!("object")));
    parts.insert("ElementOrNull".to_owned(), element(json!(["object", "null"])));
    // What is in an envelope is checked as a resource of its own.
    parts.insert("Resource".to_owned(), json!({ "type": "object" }));
    parts.insert(
        "Contained".to_owned(),
        json!({ "allOf": [{ "properties": { "contained": false } }, { "$ref": "#" }], "invariants": ["dom-4", "dom-5"] }),
    );
}

fn add_object(parts: &mut Map<String, Value>, path: &str, kind: Kind, content: &Content) {
    let mut object = Object::of(path, kind);
    for element in &content.elements {
        if let Shape::Parts(kind, inner) = &element.shape {
            add_object(parts, &format!("{path}.{}", element.name), *kind, inner);
        }
        object.add(element, path);
    }
    if path == "Extension" {
        // An attribute in XML, it has no extensions of its own (FHIR R4, Extension.url).
        object.properties.remove("_url");
    }
    let is_resource = matches!(kind, Kind::Resource | Kind::DomainResource);
    parts.insert(path.to_owned(), object.schema(is_resource, &content.invariants));
}

#[derive(Default)]
struct Object {
    properties: Map<String, Value>,
    required: Vec<String>,
    choices: Map<String, Value>,
}

impl Object {
    fn of(path: &str, kind: Kind) -> Self {
        let mut object = Self::default();
        let is_resource = matches!(kind, Kind::Resource | Kind::DomainResource);
        if is_resource {
            object.properties.insert("resourceType".to_owned(), json!({ "const": path }));
            object.name("id", "id");
            object.name("meta", "Meta");
            object.primitive("implicitRules", "uri", false);
            object.primitive("language", "code", false);
        } else {
            object.name("id", "string");
        }
        if kind == Kind::DomainResource {
            object.name("text", "Narrative");
            object.name("contained", "ContainedList");
        }
        if kind != Kind::Resource {
            object.name("extension", "ExtensionList");
        }
        if matches!(kind, Kind::DomainResource | Kind::BackboneElement) {
            object.name("modifierExtension", "ExtensionList");
        }
        object
    }

    fn add(&mut self, element: &Element, path: &str) {
        if element.is_choice {
            let cardinality = if element.required { "1..1" } else { "0..1" };
            self.choices.insert(element.name.clone(), json!(cardinality));
            for one in types(&element.shape) {
                let name = format!("{}{}", element.name, one.ending());
                self.of_type(&name, &one.name, element.repeats);
            }
            return;
        }
        if element.required {
            self.required.push(element.name.clone());
        }
        match (&element.shape, &element.codes) {
            (Shape::Parts(..), _) => {
                self.of_type(&element.name, &format!("{path}.{}", element.name), element.repeats);
            }
            (Shape::Same(other), _) => self.of_type(&element.name, other, element.repeats),
            (_, Some(codes)) => self.primitive(&element.name, codes, element.repeats),
            (shape, None) => {
                if let Some(one) = types(shape).first() {
                    self.of_type(&element.name, &one.name, element.repeats);
                }
            }
        }
    }

    fn of_type(&mut self, name: &str, type_name: &str, repeats: bool) {
        if is_primitive(type_name) && type_name != "xhtml" {
            self.primitive(name, type_name, repeats);
        } else {
            self.name(name, &in_list(type_name, repeats));
        }
    }

    fn primitive(&mut self, name: &str, type_name: &str, repeats: bool) {
        self.name(name, &in_list(type_name, repeats));
        self.name(&format!("_{name}"), &in_list("Element", repeats));
    }

    fn name(&mut self, name: &str, part: &str) {
        self.properties.insert(name.to_owned(), json!({ "$ref": format!("#/$defs/{part}") }));
    }

    fn schema(self, is_resource: bool, invariants: &[String]) -> Value {
        let mut schema = json!({ "type": "object" });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        } else if !is_resource {
            schema["minProperties"] = json!(1);
        }
        if !self.choices.is_empty() {
            schema["choices"] = Value::Object(self.choices);
        }
        if !invariants.is_empty() {
            schema["invariants"] = json!(invariants);
        }
        schema["properties"] = Value::Object(self.properties);
        schema["additionalProperties"] = json!(false);
        schema
    }
}

fn in_list(type_name: &str, repeats: bool) -> String {
    if repeats { format!("{type_name}List") } else { type_name.to_owned() }
}

/// A list. One of primitives may hold nulls, whose extensions are in the sibling (FHIR R4, JSON).
fn list_of(item: &str, parts: &Map<String, Value>) -> Value {
    let items = match (item, parts[item]["type"].as_str()) {
        ("Element", _) => json!({ "$ref": "#/$defs/ElementOrNull" }),
        (_, Some("object") | None) => json!({ "$ref": format!("#/$defs/{item}") }),
        (_, Some(json_type)) => {
            let mut items = parts[item].clone();
            items["type"] = json!([json_type, "null"]);
            items
        }
    };
    json!({ "type": "array", "minItems": 1, "items": items })
}

fn types(shape: &Shape) -> Vec<TypeName> {
    match shape {
        Shape::Of(types) => {
            types.iter().map(|it| TypeName { name: it.name.clone(), targets: Vec::new() }).collect()
        }
        Shape::Open => {
            OPEN.iter().map(|it| TypeName { name: (*it).to_owned(), targets: Vec::new() }).collect()
        }
        Shape::Parts(..) | Shape::Same(_) => Vec::new(),
    }
}
