//! Test results, and the plan of care.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ClinicReferral, SimulatedClinic, reference, to};
use crate::fhir::coding::concept;

const LOINC: &str = "http://loinc.org";
const QUARTER: Duration = Duration::from_hours(90 * 24);

impl SimulatedClinic {
    /// Reports two laboratory values. Gives the DiagnosticReport.
    pub fn report_results(&self, referral: &ClinicReferral) -> Value {
        let potassium = self.measured(referral, ("2823-3", "Potassium"), &json!(4.2), "mmol/L");
        let sodium = self.measured(referral, ("2951-2", "Sodium"), &json!(139), "mmol/L");
        self.server.create(json!({
            "resourceType": "DiagnosticReport",
            "basedOn": [to(&referral.service_request)],
            "status": "final",
            "category": [concept("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB")],
            "code": { "coding": [{
                "system": LOINC, "code": "24326-1", "display": "Electrolytes 1998 panel",
            }] },
            "subject": to(&referral.patient),
            "effectiveDateTime": self.now(),
            "issued": self.now(),
            "performer": [to(&self.organization)],
            "result": [to(&reference(&potassium)), to(&reference(&sodium))],
        }))
    }

    /// Writes the plan of care; its first activity is the referral itself.
    pub fn write_care_plan(&self, referral: &ClinicReferral) -> Value {
        let review = self.server.now() + QUARTER;
        self.server.create(json!({
            "resourceType": "CarePlan",
            "status": "active",
            "intent": "plan",
            "title": "Cardiology follow-up",
            "subject": to(&referral.patient),
            "period": { "start": self.now(), "end": format!("{review:.0}") },
            "created": self.now(),
            "author": self.practitioner(),
            "activity": [
                { "reference": to(&referral.service_request) },
                { "detail": { "status": "scheduled", "description": "Review in three months." } },
            ],
        }))
    }

    fn measured(
        &self,
        referral: &ClinicReferral,
        (code, display): (&str, &str),
        value: &Value,
        unit: &str,
    ) -> Value {
        self.server.create(json!({
            "resourceType": "Observation",
            "basedOn": [to(&referral.service_request)],
            "status": "final",
            "category": [concept(
                "http://terminology.hl7.org/CodeSystem/observation-category", "laboratory",
            )],
            "code": { "coding": [{ "system": LOINC, "code": code, "display": display }] },
            "subject": to(&referral.patient),
            "effectiveDateTime": self.now(),
            "performer": [to(&self.organization)],
            "valueQuantity": {
                "value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit,
            },
        }))
    }
}
