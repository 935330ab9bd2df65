//! Slices of a list: which items belong to one, how many there may be, and what they must be.

use serde_json::{Value, json};

use super::compile::Compiler;
use super::element;
use super::pattern::{fixed, pattern};
use super::tree::Node;

/// What the slices of an element ask of its list; one schema each.
pub(super) fn schemas(compiler: &mut Compiler<'_>, node: &Node<'_>, path: &str) -> Vec<Value> {
    let discriminators = discriminators(node, path);
    let mut schemas = Vec::new();
    let mut matches = Vec::new();
    for (name, slice) in &node.slices {
        let Some(of_slice) = matching(compiler, slice, &discriminators) else {
            compiler.leave(format!("the slice {name} of {path}, which no value tells from others"));
            continue;
        };
        schemas.push(count(name, slice, &of_slice));
        let inside = element::value(compiler, slice, path);
        if inside != json!({}) {
            schemas.push(json!({ "items": { "if": of_slice, "then": inside } }));
        }
        matches.push(of_slice);
    }
    let closed = node.key("slicing").is_some_and(|it| it["rules"] == "closed");
    if closed && matches.len() == node.slices.len() {
        schemas
            .push(json!({ "items": { "anyOf": matches }, "slices": node.slices.keys().collect::<Vec<_>>() }));
    }
    schemas
}

fn count(name: &str, slice: &Node<'_>, of_slice: &Value) -> Value {
    let mut schema =
        json!({ "contains": of_slice, "minContains": slice.least().unwrap_or(0), "slice": name });
    if let Some(most) = slice.most() {
        schema["maxContains"] = json!(most);
    }
    schema
}

/// How slices are told apart: (kind, path). Extensions are told by their address unless something else is said.
fn discriminators<'d>(node: &Node<'d>, path: &str) -> Vec<(&'d str, &'d str)> {
    let listed = node.key("slicing").and_then(|it| it["discriminator"].as_array()).into_iter().flatten();
    let listed: Vec<_> = listed.filter_map(|it| Some((it["type"].as_str()?, it["path"].as_str()?))).collect();
    if listed.is_empty() && (path.ends_with(".extension") || path.ends_with(".modifierExtension")) {
        return vec![("value", "url")];
    }
    listed
}

/// What makes an item one of a slice; none where we cannot tell.
fn matching(compiler: &mut Compiler<'_>, slice: &Node<'_>, by: &[(&str, &str)]) -> Option<Value> {
    if by.is_empty() {
        return None;
    }
    let parts: Option<Vec<Value>> = by.iter().map(|it| told_by(compiler, slice, *it)).collect();
    parts.map(|it| json!({ "allOf": it }))
}

fn told_by(compiler: &mut Compiler<'_>, slice: &Node<'_>, (kind, path): (&str, &str)) -> Option<Value> {
    if path == "url" {
        let profile = slice.types().find_map(|it| it["profile"].as_array()?.first()?.as_str());
        if let Some(url) = profile {
            let url = url.split('|').next().unwrap_or(url);
            return Some(at("url", &json!({ "const": url })));
        }
    }
    match kind {
        "value" | "pattern" => {
            let told =
                slice.at(path).and_then(|it| one_value(compiler, it)).or_else(|| within(slice, path))?;
            Some(at(path, &told))
        }
        "exists" => {
            let absent = slice.at(path).and_then(Node::most) == Some(0);
            let there = at(path, &json!({}));
            Some(if absent { json!({ "not": there }) } else { there })
        }
        "type" => {
            let name = slice.at(path)?.types().find_map(|it| it["code"].as_str())?;
            (path != "$this" || name.starts_with(char::is_uppercase))
                .then(|| at(path, &json!({ "properties": { "resourceType": { "const": name } } })))
        }
        _ => None,
    }
}

/// The value that a node stands for.
fn one_value(compiler: &mut Compiler<'_>, node: &Node<'_>) -> Option<Value> {
    if let Some(value) = node.valued("fixed") {
        return Some(fixed(value));
    }
    if let Some(value) = node.valued("pattern") {
        return Some(pattern(value));
    }
    if !node.children.is_empty() {
        let inner = element::object(compiler, node, "");
        return (inner != json!({})).then_some(inner);
    }
    let bound = node.key("binding").filter(|it| it["strength"] == "required")?;
    let url = bound["valueSet"].as_str()?;
    let codes = compiler.codes_of(url)?;
    Some(json!({ (crate::validation::keyword::codes::KEYWORD): { "valueSet": url, "codes": codes } }))
}

/// The value that a pattern further up gives the path, such as `pattern` of `type` for `type.coding.code`.
fn within(slice: &Node<'_>, path: &str) -> Option<Value> {
    let steps: Vec<&str> = path.split('.').collect();
    for length in (0..steps.len()).rev() {
        let upper = if length == 0 { Some(slice) } else { slice.at(&steps[..length].join(".")) };
        let value = upper.and_then(|it| it.valued("pattern").or_else(|| it.valued("fixed")));
        if let Some(value) = value {
            let inner = steps[length..].iter().try_fold(value, |value, step| {
                let value = value.as_array().and_then(|it| it.first()).unwrap_or(value);
                value.get(step)
            });
            return inner.map(pattern);
        }
    }
    None
}

/// A schema that asks something of what is at a path; lists on the way are asked for one such item.
fn at(path: &str, schema: &Value) -> Value {
    if path == "$this" {
        return schema.clone();
    }
    path.rsplit('.').fold(schema.clone(), |schema, step| {
        let step = step.split('(').next().unwrap_or(step);
        let either = json!({
            "if": { "type": "array" },
            "then": { "contains": schema.clone() },
            "else": schema,
        });
        json!({ "required": [step], "properties": { step: either } })
    })
}
