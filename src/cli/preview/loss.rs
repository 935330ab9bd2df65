//! How many values went which way.

use serde_json::{Map, Value, json};

use crate::app::preview::Previewed;
use crate::cli::say;
use crate::translation::account::Tally;

/// One line for each step, and one for all of them together.
pub(super) fn report(previewed: &Previewed) {
    if previewed.account.passages.is_empty() {
        return;
    }
    let steps = previewed.steps.iter().map(|(name, tally)| (name.as_str(), *tally));
    for (name, tally) in steps.chain([("altogether", previewed.account.tally())]) {
        let shares = tally.per_mille().map(|(fate, share)| {
            format!("{} {} ({}.{} %)", fate.word(), tally.of(fate), share / 10, share % 10)
        });
        say(&format!(
            "loss       {name}: {} values: {}; added {}",
            tally.all,
            shares.join(", "),
            tally.added
        ));
    }
}

/// The same as an object.
pub(super) fn object(tally: &Tally) -> Value {
    let mut object = Map::new();
    object.insert("all".to_owned(), json!(tally.all));
    for (fate, share) in tally.per_mille() {
        let percent = json!(f64::from(u32::try_from(share).unwrap_or_default()) / 10.0);
        object.insert(fate.word().to_owned(), json!({ "count": tally.of(fate), "percent": percent }));
    }
    object.insert("added".to_owned(), json!(tally.added));
    Value::Object(object)
}
