//! The name of a setting: where it stands in its file.

use std::fmt;

/// A path of keys, shown as `clinic.auth.kind` or `outbound.share[1]`. Empty: the file as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(Vec<String>);

impl Key {
    /// The key of what stands inside; arrays are counted from 0.
    pub(crate) fn child(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.push(name.to_owned());
        Self(names)
    }

    /// The key around this one; none for the file as a whole.
    pub(crate) fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, around)| Self(around.to_vec()))
    }

    /// The innermost name.
    pub(crate) fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// Each name, outermost first.
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether this is `other` or stands inside it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The key of a JSON Pointer (RFC 6901).
    pub(crate) fn from_pointer(pointer: &str) -> Self {
        let names = pointer.split('/').skip(1);
        Self(names.map(|name| name.replace("~1", "/").replace("~0", "~")).collect())
    }
}

impl From<&str> for Key {
    fn from(dotted: &str) -> Self {
        Self(dotted.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let is_index = name.chars().all(|it| it.is_ascii_digit());
            match (is_index, index) {
                (true, _) => write!(formatter, "[{name}]")?,
                (false, 0) => formatter.write_str(name)?,
                (false, _) => write!(formatter, ".{name}")?,
            }
        }
        Ok(())
    }
}
