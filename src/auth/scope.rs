//! What a token lets its holder do: SMART scopes, versions 1 and 2.
//!
//! Source: SMART App Launch 2.2, scopes-and-launch-context; smart.md rows 3.10, 4.3 and 4.4.

use std::fmt;

use crate::model::client::ClientRole;

/// What may be done with a resource type; the letters `c r u d s` of a version 2 scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interaction {
    /// Create one.
    Create,
    /// Read one by its id.
    Read,
    /// Change one.
    Update,
    /// Delete one.
    Delete,
    /// Search for some.
    Search,
}

/// One scope of the form `system/Type.access`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// As it was asked for; it is granted in the same notation.
    text: String,
    resource_type: String,
    access: Access,
}

impl Scope {
    /// Reads one scope. Finer scopes (`?param=value`) and letters out of order are not taken: we would have
    /// to guess, or to enforce what we do not.
    pub fn parse(text: &str) -> Option<Self> {
        let (resource_type, access) = text.strip_prefix("system/")?.split_once('.')?;
        let named = resource_type.starts_with(|it: char| it.is_ascii_uppercase())
            && resource_type.chars().all(|it| it.is_ascii_alphabetic());
        if resource_type != EVERY_TYPE && !named {
            return None;
        }
        let access = Access::parse(access)?;
        Some(Self { text: text.to_owned(), resource_type: resource_type.to_owned(), access })
    }

    /// The same scope in version 2 notation.
    pub fn canonical(&self) -> String {
        format!("system/{}.{}", self.resource_type, self.access)
    }

    fn covers(&self, resource_type: &str, interaction: Interaction) -> bool {
        (self.resource_type == EVERY_TYPE || self.resource_type == resource_type)
            && self.access.contains(interaction)
    }
}

/// The scopes of one token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads a list of scopes; those that we do not know are left out (RFC 6749 §3.3).
    pub fn parse(text: &str) -> Self {
        let mut scopes: Vec<Scope> = Vec::new();
        for scope in text.split(' ').filter_map(Scope::parse) {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Self(scopes)
    }

    /// Everything that a role may have, type by type.
    pub fn of_role(role: &ClientRole) -> Self {
        Self::parse(&offered_to(role).join(" "))
    }

    /// What is left of an asked-for list for this role; none where nothing is.
    ///
    /// `system/*.…` stays as it is and means every type of the role: [`Scopes::permit`] looks at both.
    pub fn grant(asked: &str, role: &ClientRole) -> Option<Self> {
        let Self(mut scopes) = Self::parse(asked);
        scopes.retain(|it| it.resource_type == EVERY_TYPE || types_of(role).any(|of| of == it.resource_type));
        (!scopes.is_empty()).then_some(Self(scopes))
    }

    /// True: a holder of this role may do this with this type.
    pub fn permit(&self, role: &ClientRole, resource_type: &str, interaction: Interaction) -> bool {
        types_of(role).any(|it| it == resource_type)
            && self.0.iter().any(|it| it.covers(resource_type, interaction))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(|it| it.text.as_str()).collect();
        formatter.write_str(&texts.join(" "))
    }
}

/// The scopes of a role in version 2 notation, for the discovery document.
pub fn offered_to(role: &ClientRole) -> Vec<String> {
    types_of(role).map(|it| format!("system/{it}.cruds")).collect()
}

const EVERY_TYPE: &str = "*";

/// The resource types of the doors for partners, and of what is released to them.
///
/// Patient, Practitioner, Coverage and whatever else rides along in a referral are absent on purpose: they have
/// no door of their own, come in under `ServiceRequest`, and cannot be read or searched here.
const PARTNER_TYPES: &[&str] = &[
    "ServiceRequest",
    "Task",
    "Communication",
    "Appointment",
    "Composition",
    "DocumentReference",
    "Binary",
    "DiagnosticReport",
    "Observation",
    "CarePlan",
    "QuestionnaireResponse",
    "Bundle",
];

/// What the clinic's own EHR may have besides: it subscribes (R4 backport: a topic is a Basic in R4), and asks
/// what consent would say (`Consent`, read).
const CLINIC_TYPES: &[&str] = &["Subscription", "SubscriptionTopic", "Basic", "Consent"];

fn types_of(role: &ClientRole) -> impl Iterator<Item = &'static str> {
    let besides = match role {
        ClientRole::Partner(_) => &[],
        ClientRole::Clinic => CLINIC_TYPES,
    };
    PARTNER_TYPES.iter().chain(besides).copied()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Access(u8);

impl Access {
    fn parse(text: &str) -> Option<Self> {
        let letters = match text {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            letters => letters,
        };
        let mut rest = letters;
        let mut access = 0;
        for (letter, interaction) in LETTERS {
            if let Some(after) = rest.strip_prefix(letter) {
                rest = after;
                access |= bit(interaction);
            }
        }
        // A letter that is left over is unknown, doubled or out of order.
        (rest.is_empty() && access != 0).then_some(Self(access))
    }

    const fn contains(self, interaction: Interaction) -> bool {
        self.0 & bit(interaction) != 0
    }
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = LETTERS.iter().filter(|(_, interaction)| self.contains(*interaction));
        formatter.write_str(&held.map(|(letter, _)| *letter).collect::<String>())
    }
}

const LETTERS: [(char, Interaction); 5] = [
    ('c', Interaction::Create),
    ('r', Interaction::Read),
    ('u', Interaction::Update),
    ('d', Interaction::Delete),
    ('s', Interaction::Search),
];

const fn bit(interaction: Interaction) -> u8 {
    1 << interaction as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::PartnerId;

    fn partner() -> ClientRole {
        ClientRole::Partner(PartnerId::new("lakeside"))
    }

    #[test]
    fn version_1_and_2_mean_the_same_and_keep_their_notation() {
        for (text, canonical) in [
            ("system/Task.read", "system/Task.rs"),
            ("system/Task.write", "system/Task.cud"),
            ("system/Task.*", "system/Task.cruds"),
            ("system/*.rs", "system/*.rs"),
            ("system/Task.cu", "system/Task.cu"),
        ] {
            let scope = Scope::parse(text).unwrap();

            assert_eq!(scope.canonical(), canonical);
            assert_eq!(Scopes(vec![scope]).to_string(), text);
        }
    }

    #[test]
    fn what_would_need_a_guess_is_not_a_scope() {
        for text in [
            "system/Task.sr",
            "system/Task.rr",
            "system/Task.",
            "system/Task",
            "system/Task.rx",
            "system/task.rs",
            "system/.rs",
            "system/Task.rs?owner=Organization/1",
            "patient/Task.rs",
            "user/Task.rs",
            "openid",
            "give-me-all",
            "",
        ] {
            assert_eq!(Scope::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_grant_is_what_was_asked_and_the_role_may_have() {
        let granted = Scopes::grant("system/Patient.rs system/Task.read system/Task.read openid", &partner());

        assert_eq!(granted.unwrap().to_string(), "system/Task.read");
        assert_eq!(Scopes::grant("system/Patient.cruds", &partner()), None);
        assert_eq!(Scopes::grant("system/Subscription.cruds", &partner()), None);
        assert!(Scopes::grant("system/Subscription.cruds", &ClientRole::Clinic).is_some());
        assert_eq!(Scopes::grant("", &partner()), None);
    }

    #[test]
    fn every_type_means_every_type_of_the_role() {
        let scopes = Scopes::grant("system/*.rs", &partner()).unwrap();

        assert!(scopes.permit(&partner(), "Task", Interaction::Search));
        assert!(!scopes.permit(&partner(), "Task", Interaction::Create));
        assert!(!scopes.permit(&partner(), "Patient", Interaction::Read));
    }

    #[test]
    fn a_scope_permits_its_letters_on_its_type_only() {
        let scopes = Scopes::grant("system/ServiceRequest.c system/Task.rs", &partner()).unwrap();

        assert!(scopes.permit(&partner(), "ServiceRequest", Interaction::Create));
        assert!(!scopes.permit(&partner(), "ServiceRequest", Interaction::Read));
        assert!(!scopes.permit(&partner(), "Communication", Interaction::Create));
    }
}
