//! What one element of a profile is worth in JSON Schema.

use serde_json::{Map, Value, json};

use super::compile::{Compiler, base_element, knows_invariant};
use super::pattern::{fixed, pattern};
use super::slicing;
use super::tree::Node;
use crate::validation::definitions::{Element, Shape, TypeName};
use crate::validation::keyword;

/// What stands at an element: a list where the element repeats, or the value itself.
pub(super) fn schema(compiler: &mut Compiler<'_>, node: &Node<'_>, path: &str, repeats: bool) -> Value {
    let item = value(compiler, node, path);
    if !repeats {
        return item;
    }
    let mut list = json!({ "items": item });
    if let Some(least) = node.least().filter(|it| *it > 1) {
        list["minItems"] = json!(least);
    }
    if let Some(most) = node.most() {
        list["maxItems"] = json!(most);
    }
    let slices = slicing::schemas(compiler, node, path);
    if !slices.is_empty() {
        list["allOf"] = Value::Array(slices);
    }
    list
}

/// What one value of an element must be.
pub(super) fn value(compiler: &mut Compiler<'_>, node: &Node<'_>, path: &str) -> Value {
    let mut parts = Vec::new();
    parts.extend(node.valued("fixed").map(fixed));
    parts.extend(node.valued("pattern").map(pattern));
    parts.extend(binding(compiler, node));
    parts.extend(invariants(compiler, node));
    parts.extend(typed(compiler, node, path));
    if !node.children.is_empty() {
        parts.push(object(compiler, node, path));
    }
    match parts.len() {
        0 => json!({}),
        1 => parts.remove(0),
        _ => json!({ "allOf": parts }),
    }
}

/// The elements of an object.
pub(super) fn object(compiler: &mut Compiler<'_>, node: &Node<'_>, path: &str) -> Value {
    let mut object = Object::default();
    for (name, child) in &node.children {
        object.add(compiler, path, name, child);
    }
    object.schema()
}

fn binding(compiler: &mut Compiler<'_>, node: &Node<'_>) -> Option<Value> {
    let binding = node.key("binding").filter(|it| it["strength"] == "required")?;
    let url = binding["valueSet"].as_str()?;
    let Some(codes) = compiler.codes_of(url) else {
        compiler.leave(format!("the codes of {url}, which is not here"));
        return None;
    };
    Some(json!({ (keyword::codes::KEYWORD): { "valueSet": url, "codes": codes } }))
}

fn invariants(compiler: &mut Compiler<'_>, node: &Node<'_>) -> Option<Value> {
    let listed = node.key("constraint").and_then(Value::as_array)?;
    let errors = listed.iter().filter(|it| it["severity"] == "error");
    let keys: Vec<&str> = errors.filter_map(|it| it["key"].as_str()).collect();
    let (known, unknown): (Vec<&str>, Vec<&str>) = keys.into_iter().partition(|it| knows_invariant(it));
    for key in unknown {
        compiler.leave(format!("the constraint {key}"));
    }
    (!known.is_empty()).then(|| json!({ (keyword::invariants::KEYWORD): known }))
}

/// What a profile on the element's type asks for.
fn typed(compiler: &mut Compiler<'_>, node: &Node<'_>, path: &str) -> Option<Value> {
    let types: Vec<&Value> = node.types().collect();
    let [only] = types.as_slice() else {
        return None;
    };
    let profile = only["profile"].as_array()?.first()?.as_str()?;
    if only["code"] == "Extension" {
        let url = profile.split('|').next().unwrap_or(profile);
        let mut parts = vec![json!({ "properties": { "url": { "const": url } } })];
        parts.extend(compiler.inner(profile, path));
        return Some(json!({ "allOf": parts }));
    }
    compiler.inner(profile, path)
}

#[derive(Default)]
struct Object {
    properties: Map<String, Value>,
    required: Vec<String>,
    choices: Map<String, Value>,
}

impl Object {
    fn add(&mut self, compiler: &mut Compiler<'_>, path: &str, name: &str, child: &Node<'_>) {
        let below = format!("{path}.{}", name.trim_end_matches("[x]"));
        let element = base_element(path, name);
        if let Some(choice) = name.strip_suffix("[x]") {
            self.add_choice(compiler, (&below, choice), child, element);
            return;
        }
        let slices_need = child.slices.values().any(|it| it.least().is_some_and(|it| it > 0));
        if child.least().is_some_and(|it| it > 0) || slices_need && child.most() != Some(0) {
            self.required.push(name.to_owned());
        }
        let schema = if child.most() == Some(0) {
            json!(false)
        } else {
            let repeats =
                element.is_some_and(|it| it.repeats) || name == "extension" || name == "modifierExtension";
            schema(compiler, child, &below, repeats)
        };
        self.constrain(name, schema);
    }

    /// A choice: other types than the listed ones do not belong there, and what is said of the choice is said of
    /// each of its types.
    fn add_choice(
        &mut self,
        compiler: &mut Compiler<'_>,
        (path, choice): (&str, &str),
        child: &Node<'_>,
        element: Option<&Element>,
    ) {
        if child.least().is_some_and(|it| it > 0) {
            self.choices.insert(choice.to_owned(), json!("1..1"));
        }
        let listed: Vec<String> = child.types().filter_map(|it| it["code"].as_str()).map(ending).collect();
        let possible = element.map(endings).unwrap_or_default();
        for ending in &possible {
            let refused = child.most() == Some(0) || !listed.is_empty() && !listed.contains(ending);
            let name = format!("{choice}{ending}");
            let schema = if refused { json!(false) } else { value(compiler, child, path) };
            self.constrain(&name, schema);
        }
        for (slice, node) in &child.slices {
            if possible.iter().any(|it| *slice == format!("{choice}{it}")) {
                let schema = if node.most() == Some(0) { json!(false) } else { value(compiler, node, path) };
                self.constrain(slice, schema);
                if node.least().is_some_and(|it| it > 0) {
                    self.required.push((*slice).to_owned());
                }
            }
        }
    }

    fn constrain(&mut self, name: &str, schema: Value) {
        if schema == json!({}) {
            return;
        }
        match self.properties.get_mut(name) {
            Some(known) => *known = json!({ "allOf": [known.take(), schema] }),
            None => {
                self.properties.insert(name.to_owned(), schema);
            }
        }
    }

    fn schema(self) -> Value {
        let mut schema = json!({});
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        if !self.choices.is_empty() {
            schema[keyword::choices::REQUIRED] = Value::Object(self.choices);
        }
        if !self.properties.is_empty() {
            schema["properties"] = Value::Object(self.properties);
        }
        schema
    }
}

fn ending(type_name: &str) -> String {
    let (first, rest) = type_name.split_at(1);
    first.to_uppercase() + rest
}

fn endings(element: &Element) -> Vec<String> {
    match &element.shape {
        Shape::Of(types) => types.iter().map(TypeName::ending).collect(),
        Shape::Open => crate::validation::schema::open_types().map(ending).collect(),
        Shape::Parts(..) | Shape::Same(_) => Vec::new(),
    }
}
