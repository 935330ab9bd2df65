//! The one currency of refusal: issues, and the OperationOutcome that carries them.

use serde_json::{Value, json};

use super::resource::push_item;

/// The code system of our own codes, listed in `docs/ERRORS.md`.
pub const CODE_SYSTEM: &str = "https://referral-gateway.example/fhir/CodeSystem/issue";

/// FHIR's issue types that we use (FHIR R4, value set issue-type).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssueKind {
    /// The content is not well formed.
    Structure,
    /// An element is missing.
    Required,
    /// An element has a value that it may not have.
    Value,
    /// A code is not of its value set.
    CodeInvalid,
    /// A rule between elements is broken.
    Invariant,
    /// It is well formed, and does not do what it is for.
    BusinessRule,
    /// We do not do this.
    NotSupported,
    /// What is asked for does not exist, as far as the asker may know.
    NotFound,
    /// It was sent before, with another content.
    Duplicate,
    /// The version that the sender builds on is not the present one.
    Conflict,
    /// The caller must prove who it is.
    Login,
    /// The caller may not do this.
    Forbidden,
    /// There is too much of it.
    TooLong,
    /// It may work later.
    Transient,
    /// Too many requests at a time.
    Throttled,
    /// It took too long.
    Timeout,
    /// A fault of ours.
    Exception,
    /// Nothing is wrong.
    Informational,
}

impl IssueKind {
    /// The code as FHIR spells it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::CodeInvalid => "code-invalid",
            Self::Invariant => "invariant",
            Self::BusinessRule => "business-rule",
            Self::NotSupported => "not-supported",
            Self::NotFound => "not-found",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Login => "login",
            Self::Forbidden => "forbidden",
            Self::TooLong => "too-long",
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Exception => "exception",
            Self::Informational => "informational",
        }
    }
}

/// How bad an issue is (FHIR R4, value set issue-severity).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The message is refused because of it.
    Error,
    /// The message is taken all the same.
    Warning,
    /// Worth knowing.
    Information,
}

impl Severity {
    const fn code(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// One thing that is wrong, in words for the one who can mend it. Never holds a value from a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How bad it is.
    pub severity: Severity,
    /// FHIR's kind.
    pub kind: IssueKind,
    /// Our stable code, such as `SEND_ELEMENT_MISSING`. The prefix says whose fault it is: `SEND_`, `GW_` or `CLINIC_`.
    pub code: &'static str,
    /// One sentence that says what to change.
    pub text: String,
    /// Where, as FHIRPath over the message as it was sent.
    pub expression: Vec<String>,
    /// The code that the caller's guide has for it, as (system, code).
    pub guides_code: Option<(String, String)>,
}

impl Issue {
    /// An error without a place.
    pub fn error(kind: IssueKind, code: &'static str, text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            kind,
            code,
            text: text.into(),
            expression: Vec::new(),
            guides_code: None,
        }
    }

    /// A warning without a place.
    pub fn warning(kind: IssueKind, code: &'static str, text: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(kind, code, text) }
    }

    /// Something worth knowing, without a place.
    pub fn information(code: &'static str, text: impl Into<String>) -> Self {
        Self { severity: Severity::Information, ..Self::error(IssueKind::Informational, code, text) }
    }

    /// The same issue, at this place.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression.push(expression.into());
        self
    }

    fn to_json(&self) -> Value {
        let mut issue = json!({
            "severity": self.severity.code(),
            "code": self.kind.code(),
            "details": {
                "coding": [{ "system": CODE_SYSTEM, "code": self.code }],
                "text": self.text,
            },
        });
        if let Some((system, code)) = &self.guides_code {
            push_item(&mut issue["details"], "coding", json!({ "system": system, "code": code }));
        }
        if !self.expression.is_empty() {
            issue["expression"] = json!(self.expression);
        }
        issue
    }
}

/// Says what the caller should change. The error's `Display` is for our log; this is for the caller.
pub trait Explain {
    /// The issues, at least one.
    fn issues(&self) -> Vec<Issue>;
}

/// Builds the OperationOutcome of these issues (FHIR R4, OperationOutcome).
/// `correlation` is the request's id, by which the caller's question finds our log line.
pub fn operation_outcome(issues: &[Issue], correlation: Option<&str>) -> Value {
    let mut list: Vec<Value> = issues.iter().map(Issue::to_json).collect();
    if let (Some(first), Some(correlation)) = (list.first_mut(), correlation) {
        first["diagnostics"] = json!(format!("request {correlation}"));
    }
    json!({ "resourceType": "OperationOutcome", "issue": list })
}
