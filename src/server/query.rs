//! Search parameters. One that we do not know is refused: to overlook it would widen the answer.

use url::form_urlencoded;

use super::refusal::Refusal;

/// The parameters of a search.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// `_id`.
    pub id: Option<String>,
    /// `identifier`: `system|value` or `value`.
    pub identifier: Option<String>,
    /// `based-on`: the referral, as `ServiceRequest/ref-…` or its id.
    pub based_on: Option<String>,
    /// `_before`: the id behind which this page begins; ours, found in `next` links.
    pub before: Option<String>,
    /// `_count`.
    pub count: usize,
}

const DEFAULT_COUNT: usize = 20;
const MOST: usize = 50;

impl Search {
    /// Reads a query string.
    pub fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let mut search = Self { count: DEFAULT_COUNT, ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            search.set(&name, value.into_owned())?;
        }
        Ok(search)
    }

    /// Refuses a search by more than one name of a referral: only one of them would be looked at.
    pub fn must_name_one(&self) -> Result<(), Refusal> {
        let names = [&self.id, &self.identifier, &self.based_on];
        if names.into_iter().flatten().count() > 1 { Err(several_names()) } else { Ok(()) }
    }

    /// Refuses what is a parameter of referrals and not of updates.
    pub fn must_be_for_updates(&self) -> Result<(), Refusal> {
        if self.identifier.is_some() || self.before.is_some() { Err(not_for_updates()) } else { Ok(()) }
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), Refusal> {
        let place = match name {
            "_id" => &mut self.id,
            "identifier" => &mut self.identifier,
            "based-on" => &mut self.based_on,
            "_before" => &mut self.before,
            "_count" => {
                self.count = value.parse().map(|it: usize| it.clamp(1, MOST)).map_err(|_| bad_count())?;
                return Ok(());
            }
            "_format" if matches!(value.as_str(), "json" | "application/json" | "application/fhir+json") => {
                return Ok(());
            }
            _ => return Err(unknown()),
        };
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err(Refusal::bad_request("SEND_SEARCH_PARAMETER", "Give each search parameter once.")),
        }
    }
}

fn not_for_updates() -> Refusal {
    let text = "Only `_id`, `based-on`, `_count` and `_format=json` can be searched for here.";
    Refusal::bad_request("SEND_SEARCH_PARAMETER", text)
}

fn several_names() -> Refusal {
    let text = "Search by one of `_id`, `identifier` and `based-on` at a time.";
    Refusal::bad_request("SEND_SEARCH_PARAMETER", text)
}

fn bad_count() -> Refusal {
    Refusal::bad_request(
        "SEND_SEARCH_PARAMETER",
        format!("`_count` must be a whole number from 1 to {MOST}."),
    )
}

fn unknown() -> Refusal {
    let text = "Only `_id`, `identifier`, `based-on`, `_count` and `_format=json` can be searched for here.";
    Refusal::bad_request("SEND_SEARCH_PARAMETER", text)
}
