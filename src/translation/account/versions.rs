//! From one version of FHIR to another.

use serde_json::Value;

use super::{Account, Added, Fate, Passage};
use crate::model::fhir_version::FhirVersion;
use crate::translation::versions::{self, Converted, MapLine};

/// The account of a conversion of `source`, with the line of the map that speaks of each value.
pub fn of_conversion(
    (source, from): (&Value, FhirVersion),
    converted: &Converted,
    to: FhirVersion,
) -> Account {
    let other = to.short();
    let line = |it| versions::line_for((source, from), (&converted.value, to), it);
    let passages = converted.report.passages.iter().map(|it| {
        let (fate, how) = match it.fate {
            versions::Fate::Carried => (Fate::Carried, String::new()),
            versions::Fate::Mapped => {
                let said = if it.to.is_none() { "another element says it" } else { "" };
                let by = line(it).map_or_else(|| format!("in the form of {other}"), |it| words(&it));
                (Fate::Mapped, super::joined(said, &by))
            }
            versions::Fate::Kept => {
                (Fate::Kept, format!("{other} has no place for it, so an extension has it; it comes back"))
            }
            versions::Fate::Dropped(reason) => (Fate::Dropped, reason.to_owned()),
        };
        Passage { from: it.from.clone(), to: it.to.clone(), fate, how }
    });
    let added =
        converted.report.added.iter().map(|to| Added { to: to.clone(), how: format!("needed in {other}") });
    Account { passages: passages.collect(), added: added.collect() }
}

fn words(line: &MapLine) -> String {
    let (text, codes) = line.text.split_once('{').map_or((line.text, ""), |(text, _)| (text, "{ … }"));
    format!("{} line {}: {text}{codes}", line.file, line.line)
}
