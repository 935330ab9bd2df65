//! Every public route, and what we say that it offers: router and CapabilityStatement are made of this one table.

use axum::Router;
use axum::routing::{MethodRouter, any, get, patch, post, put};

use super::{
    Doors, clinic_api, consent_check, metadata, oauth, partner_api, partner_reads, partner_replies, validate,
};

/// One address and method.
pub(super) struct Route {
    /// The path, as the router reads it.
    pub(super) path: &'static str,
    /// Who answers.
    handler: fn() -> MethodRouter<Doors>,
    /// What it offers by FHIR's words.
    pub(super) offers: &'static [Offer],
}

/// What a route offers (FHIR R4, CapabilityStatement.rest).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// An interaction with the whole system.
    System(&'static str),
    /// An interaction with one type.
    Type(&'static str, &'static str),
    /// An interaction with every type of update that may be released.
    Updates(&'static str),
    /// An operation on a type, or on the whole system: its name and the address of its definition, which is below
    /// our own where it begins with a slash.
    Operation(Option<&'static str>, &'static str, &'static str),
}

const VALIDATE: &str = "http://hl7.org/fhir/OperationDefinition/Resource-validate";
const PROCESS_MESSAGE: &str = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message";

/// Every public route.
pub(super) const ROUTES: &[Route] = &[
    route("/fhir", || post(partner_api::receive_bundle), &[Offer::System("transaction")]),
    route("/fhir/", || post(partner_api::receive_bundle), &[]),
    route("/fhir/metadata", || get(metadata::capability_statement), &[]),
    route("/fhir/.well-known/smart-configuration", || get(oauth::smart_configuration), &[]),
    route(
        "/fhir/$process-message",
        || post(partner_api::receive_message),
        &[Offer::Operation(None, "process-message", PROCESS_MESSAGE)],
    ),
    route(
        "/fhir/$validate",
        || post(validate::validate_any),
        &[Offer::Operation(None, "validate", VALIDATE)],
    ),
    route(
        "/fhir/ServiceRequest/$validate",
        || post(validate::validate_service_request),
        &[Offer::Operation(Some("ServiceRequest"), "validate", VALIDATE)],
    ),
    route(
        "/fhir/ServiceRequest",
        || post(partner_api::receive_service_request),
        &[Offer::Type("ServiceRequest", "create")],
    ),
    route(
        "/fhir/ServiceRequest",
        || get(partner_reads::search_service_requests),
        &[Offer::Type("ServiceRequest", "search-type")],
    ),
    // As FHIR 3.0 calls it.
    route("/fhir/ReferralRequest/$validate", || post(validate::validate_service_request), &[]),
    route("/fhir/ReferralRequest", || post(partner_api::receive_service_request), &[]),
    route("/fhir/ReferralRequest", || get(partner_reads::search_service_requests), &[]),
    route("/fhir/ProcedureRequest", || post(partner_api::receive_service_request), &[]),
    route("/fhir/Task", || post(partner_api::receive_task), &[Offer::Type("Task", "create")]),
    route("/fhir/Task", || get(partner_reads::search_tasks), &[Offer::Type("Task", "search-type")]),
    route("/fhir/Task/{id}", || get(partner_reads::read_task), &[Offer::Type("Task", "read")]),
    route("/fhir/Task/{id}", || put(partner_replies::change_task), &[Offer::Type("Task", "update")]),
    route("/fhir/Task/{id}", || patch(partner_replies::patch_task), &[Offer::Type("Task", "patch")]),
    route(
        "/fhir/Communication",
        || post(partner_replies::receive_addition),
        &[Offer::Type("Communication", "create")],
    ),
    route(
        "/fhir/Communication",
        || get(partner_reads::search),
        &[Offer::Type("Communication", "search-type")],
    ),
    route(
        "/fhir/DocumentReference",
        || post(partner_replies::receive_addition),
        &[Offer::Type("DocumentReference", "create")],
    ),
    route(
        "/fhir/DocumentReference",
        || get(partner_reads::search),
        &[Offer::Type("DocumentReference", "search-type")],
    ),
    route(
        "/fhir/QuestionnaireResponse",
        || post(partner_replies::receive_addition),
        &[Offer::Type("QuestionnaireResponse", "create")],
    ),
    route(
        "/fhir/Patient/{id}/$consent-check",
        || post(consent_check::consent_check),
        &[Offer::Operation(Some("Patient"), "consent-check", "/fhir/OperationDefinition/consent-check")],
    ),
    route("/fhir/{resource_type}", || get(partner_reads::search), &[Offer::Updates("search-type")]),
    route(
        "/fhir/{resource_type}/{id}",
        || get(partner_reads::read),
        &[
            Offer::Type("ServiceRequest", "read"),
            Offer::Type("QuestionnaireResponse", "read"),
            Offer::Updates("read"),
        ],
    ),
    route(
        "/fhir/{resource_type}/{id}/_history/{version}",
        || get(partner_reads::read_version),
        &[
            Offer::Type("ServiceRequest", "vread"),
            Offer::Type("Task", "vread"),
            Offer::Type("QuestionnaireResponse", "vread"),
            Offer::Updates("vread"),
        ],
    ),
    route("/oauth2/token", || post(oauth::token), &[]),
    route("/.well-known/jwks.json", || get(oauth::own_keys), &[]),
    route("/hooks/clinic", || any(clinic_api::wake), &[]),
    route("/hooks/clinic/{*rest}", || any(clinic_api::wake), &[]),
];

const fn route(path: &'static str, handler: fn() -> MethodRouter<Doors>, offers: &'static [Offer]) -> Route {
    Route { path, handler, offers }
}

/// A router with every route.
pub(super) fn router() -> Router<Doors> {
    ROUTES.iter().fold(Router::new(), |router, it| router.route(it.path, (it.handler)()))
}

/// The paths of every public route, as the router reads them: `/fhir/Task/{id}`.
pub fn paths() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|it| it.path)
}

/// Everything that is offered.
pub(super) fn offers() -> impl Iterator<Item = Offer> {
    ROUTES.iter().flat_map(|it| it.offers).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_for_fhir_says_what_it_offers() {
        let silent = ["/fhir/", "/fhir/metadata", "/fhir/.well-known/smart-configuration"];
        let is_silent = |path: &str| {
            silent.contains(&path) || path.contains("ReferralRequest") || path.contains("ProcedureRequest")
        };
        for route in ROUTES.iter().filter(|it| it.path.starts_with("/fhir")) {
            assert_eq!(route.offers.is_empty(), is_silent(route.path), "{}", route.path);
        }
    }
}
