//! The elements of a StructureDefinition as a tree.

use std::collections::BTreeMap;

use serde_json::Value;

/// One element, with what is said about it and below it.
#[derive(Debug, Default)]
pub(super) struct Node<'d> {
    /// The `ElementDefinition`; none for an element that only has others below it.
    pub(super) definition: Option<&'d Value>,
    /// Elements below, by name; a choice with `[x]`.
    pub(super) children: BTreeMap<&'d str, Node<'d>>,
    /// Slices by name.
    pub(super) slices: BTreeMap<&'d str, Node<'d>>,
}

impl<'d> Node<'d> {
    /// The root of a StructureDefinition: its differential, or its snapshot where it has none.
    pub(super) fn of(structure: &'d Value) -> Self {
        let differential = &structure["differential"]["element"];
        let elements = if differential.is_array() { differential } else { &structure["snapshot"]["element"] };
        let mut root = Self::default();
        for element in elements.as_array().into_iter().flatten() {
            let id = element["id"].as_str().or_else(|| element["path"].as_str()).unwrap_or_default();
            root.place(id.split('.').skip(1)).definition = Some(element);
        }
        root
    }

    fn place(&mut self, steps: impl Iterator<Item = &'d str>) -> &mut Self {
        let mut node = self;
        for step in steps {
            let (name, slice) =
                step.split_once(':').map_or((step, None), |(name, slice)| (name, Some(slice)));
            node = node.children.entry(name).or_default();
            if let Some(slice) = slice {
                node = node.slices.entry(slice).or_default();
            }
        }
        node
    }

    /// The node at a discriminator's path below this one, such as `code.coding.system`.
    pub(super) fn at(&self, path: &str) -> Option<&Self> {
        if path == "$this" {
            return Some(self);
        }
        path.split('.').try_fold(self, |node, step| {
            let step = step.split('(').next().unwrap_or(step);
            node.children.get(step).or_else(|| node.children.get(format!("{step}[x]").as_str()))
        })
    }

    /// A key of the definition.
    pub(super) fn key(&self, name: &str) -> Option<&'d Value> {
        self.definition.and_then(|it| it.get(name))
    }

    /// `fixed[x]` or `pattern[x]`.
    pub(super) fn valued(&self, prefix: &str) -> Option<&'d Value> {
        let keys = self.definition?.as_object()?;
        let ends = |it: &str| it.strip_prefix(prefix).is_some_and(|it| it.starts_with(char::is_uppercase));
        keys.iter().find(|(key, _)| ends(key)).map(|(_, value)| value)
    }

    /// The least number; none where the definition does not say.
    pub(super) fn least(&self) -> Option<u64> {
        self.key("min").and_then(Value::as_u64)
    }

    /// The greatest number; none for `*` or where the definition does not say.
    pub(super) fn most(&self) -> Option<u64> {
        self.key("max").and_then(Value::as_str).and_then(|it| it.parse().ok())
    }

    /// The types that the definition lists.
    pub(super) fn types(&self) -> impl Iterator<Item = &'d Value> {
        self.key("type").and_then(Value::as_array).into_iter().flatten()
    }
}
