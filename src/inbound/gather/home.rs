//! A sender's own server: what is on it, and under which name.

use url::Url;

use crate::fhir::reference::{Target, target};

/// Where a sender's resources are at home; nowhere, if it has no server.
#[derive(Clone, Debug, Default)]
pub(super) struct Home(Option<Url>);

/// Where a reference leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To this resource on the sender's server, `Type/id`.
    Here(String),
    /// To another server.
    Elsewhere,
    /// Nowhere outside the message: it is contained, has no address, or none that FHIR knows.
    Inside,
}

impl Home {
    /// The server with this base address, without a slash at its end.
    pub(super) fn at(base: &str) -> Self {
        Self(Url::parse(base).ok())
    }

    /// Whether there is one.
    pub(super) const fn is_somewhere(&self) -> bool {
        self.0.is_some()
    }

    /// The complete address of something on it; as it is, where there is no server.
    pub(super) fn address(&self, name: &str) -> String {
        let base = self.0.as_ref().map(|it| it.as_str().trim_end_matches('/'));
        base.map_or_else(|| name.to_owned(), |base| format!("{base}/{name}"))
    }

    /// Where a reference leads. A complete address leads here only if it is below the base address: same scheme,
    /// host, port and path, with nothing behind the id but a version.
    pub(super) fn place(&self, reference: &str) -> Place {
        match target(reference) {
            Target::Relative { resource_type, id } if self.0.is_some() => {
                Place::Here(format!("{resource_type}/{id}"))
            }
            Target::Relative { .. } => Place::Elsewhere,
            Target::Absolute(address) => self.below(address).map_or(Place::Elsewhere, Place::Here),
            Target::Contained(_) | Target::Urn(_) | Target::Unclear(_) => Place::Inside,
        }
    }

    fn below(&self, address: &str) -> Option<String> {
        let (base, url) = (self.0.as_ref()?, Url::parse(address).ok()?);
        let is_plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let path = url.path().strip_prefix(base.path().trim_end_matches('/'))?.strip_prefix('/')?;
        let Target::Relative { resource_type, id } = target(path) else {
            return None;
        };
        (is_plain && url.origin() == base.origin()).then(|| format!("{resource_type}/{id}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_the_registered_address_is_at_home() {
        let home = Home::at("https://ehr.lakeside.example/fhir");
        let here = |name: &str| Place::Here(name.to_owned());

        for (reference, place) in [
            ("Patient/7", here("Patient/7")),
            ("Patient/7/_history/3", here("Patient/7")),
            ("https://ehr.lakeside.example/fhir/Patient/7", here("Patient/7")),
            ("https://EHR.lakeside.example:443/fhir/Patient/7/_history/3", here("Patient/7")),
            ("https://ehr.lakeside.example/fhir/a/../Patient/7", here("Patient/7")),
            ("https://ehr.lakeside.example/fhir/../Patient/7", Place::Elsewhere),
            ("https://ehr.lakeside.example/fhir/%2e%2e/admin/Patient/7", Place::Elsewhere),
            ("https://ehr.lakeside.example/fhir2/Patient/7", Place::Elsewhere),
            ("https://ehr.lakeside.example/Patient/7", Place::Elsewhere),
            ("https://ehr.lakeside.example/fhir/Patient/7?x=1", Place::Elsewhere),
            ("https://ehr.lakeside.example/fhir/Patient/7#x", Place::Elsewhere),
            ("https://ehr.lakeside.example/fhir/Patient/7/$everything", Place::Elsewhere),
            ("https://ehr.lakeside.example:8443/fhir/Patient/7", Place::Elsewhere),
            ("http://ehr.lakeside.example/fhir/Patient/7", Place::Elsewhere),
            ("https://ehr.lakeside.example@evil.example/fhir/Patient/7", Place::Elsewhere),
            ("https://evil.example/fhir/Patient/7", Place::Elsewhere),
            ("https://", Place::Elsewhere),
            ("#patient", Place::Inside),
            ("urn:uuid:00000000-0000-4000-8000-000000000001", Place::Inside),
            ("patient 7", Place::Inside),
        ] {
            assert_eq!(home.place(reference), place, "{reference}");
        }
    }

    #[test]
    fn without_a_server_every_address_is_elsewhere() {
        assert_eq!(Home::default().place("Patient/7"), Place::Elsewhere);
        assert_eq!(Home::default().place("https://ehr.lakeside.example/fhir/Patient/7"), Place::Elsewhere);
        assert_eq!(Home::default().place("#patient"), Place::Inside);
    }
}
