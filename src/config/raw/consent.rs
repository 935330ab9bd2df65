//! `[consent]`.

use schemars::JsonSchema;
use serde::Deserialize;

/// Where consent is found, and what counts where none speaks.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consent {
    /// Where Consent resources are searched.
    #[expect(dead_code, reason = "there is one source only; the key is kept for those to come")]
    pub(crate) source: ConsentSource,
    /// How old an answer about consent may be at the moment of sending, in seconds.
    #[schemars(range(min = 0, max = 86400))]
    pub(crate) max_staleness_s: u64,
    /// Whether a partner is told, by the label REDACTED, that something was taken out of an update.
    pub(crate) mark_redacted: bool,
    /// What counts where no Consent speaks: a preset, or your own decision.
    #[serde(rename = "default")]
    pub(crate) standing: ConsentDefault,
}

/// Where Consent resources are searched.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ConsentSource {
    /// At the clinic's FHIR server.
    Clinic,
}

/// What counts where no Consent speaks.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentDefault {
    /// A ready-made default. Leaves no room for the other keys.
    pub(crate) preset: Option<Preset>,
    /// What to do with a request that the default covers.
    pub(crate) decision: Option<Decision>,
    /// Codes of v3-ActReason that the default covers; left out: any.
    #[schemars(inner(regex(pattern = r"^[A-Z0-9-]+$")))]
    pub(crate) purposes: Option<Vec<String>>,
    /// The highest code of v3-Confidentiality that the default releases; left out: N.
    pub(crate) max_confidentiality: Option<Level>,
    /// Codes of v3-ActCode that a Consent must name; left out: SUD, ETH, ETHUD, OPIOIDUD, PSYTHPN.
    #[schemars(inner(regex(pattern = r"^[A-Z0-9-]+$")))]
    pub(crate) explicit_consent_sensitivity: Option<Vec<String>>,
}

/// The ready-made defaults.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Preset {
    /// Hold until a Consent permits.
    OptInHold,
    /// Permit for treatment up to confidentiality N.
    UsHipaaTreatment,
    /// Deny.
    DenyAll,
    /// Permit for any purpose up to confidentiality R.
    PermitAllAuthorised,
}

/// What a default decides.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Decision {
    /// Send.
    Permit,
    /// Do not send, and keep it until something changes.
    Hold,
    /// Do not send.
    Deny,
}

/// Codes of v3-Confidentiality, lowest first.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
pub(crate) enum Level {
    /// Unrestricted.
    U,
    /// Low.
    L,
    /// Moderate.
    M,
    /// Normal.
    N,
    /// Restricted.
    R,
    /// Very restricted.
    V,
}
