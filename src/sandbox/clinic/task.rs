//! How the coordination Task moves.

use serde_json::{Value, json};

use super::{ClinicReferral, SimulatedClinic, reference, to};

/// The clinic's own codes for the stage of a referral; the words are those of Clinical Order Workflows.
const STAGES: &str = "https://clinic.example/fhir/CodeSystem/referral-stage";

impl SimulatedClinic {
    /// Looks at the referral without deciding yet.
    pub fn receive(&self, referral: &ClinicReferral) -> Value {
        self.set_task(referral, "received", None)
    }

    /// Takes the referral on.
    pub fn accept(&self, referral: &ClinicReferral) -> Value {
        self.set_task(referral, "accepted", None)
    }

    /// Refuses the referral before anything was done, with a reason for the referrer.
    pub fn decline(&self, referral: &ClinicReferral, reason: &str) -> Value {
        self.change_task(referral, |task| {
            task["status"] = json!("rejected");
            task["statusReason"] = json!({ "text": reason });
        })
    }

    /// Asks the referrer for something that is missing.
    pub fn ask_for(&self, referral: &ClinicReferral, what: &str) -> Value {
        self.change_task(referral, |task| {
            task["status"] = json!("received");
            task["businessStatus"] = stage("awaiting-information", "Awaiting information");
            task["statusReason"] = json!({ "text": what });
        })
    }

    /// Ends the referral. What was added with [`SimulatedClinic::add_output`] stays on the Task.
    pub fn complete(&self, referral: &ClinicReferral) -> Value {
        self.set_task(referral, "completed", Some(("visit-complete", "Visit complete")))
    }

    /// Names a resource as a result of the referral.
    pub fn add_output(&self, referral: &ClinicReferral, output: &Value) -> Value {
        let output = json!({ "type": { "text": "Result" }, "valueReference": to(&reference(output)) });
        self.change_task(referral, |task| match task["output"].as_array_mut() {
            Some(outputs) => outputs.push(output),
            None => task["output"] = json!([output]),
        })
    }

    /// Sets a status, and with it the stage as (code, text); without one the stage is cleared.
    pub fn set_task(&self, referral: &ClinicReferral, status: &str, to: Option<(&str, &str)>) -> Value {
        self.change_task(referral, |task| {
            task["status"] = json!(status);
            match to {
                Some((code, text)) => task["businessStatus"] = stage(code, text),
                None => drop(task.as_object_mut().and_then(|it| it.remove("businessStatus"))),
            }
        })
    }

    fn change_task(&self, referral: &ClinicReferral, change: impl FnOnce(&mut Value)) -> Value {
        let mut task = self.at(&referral.task);
        change(&mut task);
        task["lastModified"] = json!(self.now());
        self.server.update(task)
    }
}

fn stage(code: &str, text: &str) -> Value {
    json!({ "coding": [{ "system": STAGES, "code": code }], "text": text })
}
