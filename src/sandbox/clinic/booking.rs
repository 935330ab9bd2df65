//! The appointment, and messages to the referrer.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ClinicReferral, SimulatedClinic, to};

const AHEAD: Duration = Duration::from_hours(14 * 24);
const LENGTH: Duration = Duration::from_mins(30);

impl SimulatedClinic {
    /// Books a visit in two weeks and says so on the Task. Gives the Appointment.
    pub fn schedule(&self, referral: &ClinicReferral) -> Value {
        let start = self.server.now() + AHEAD;
        let accepted = |actor: Value| json!({ "actor": actor, "required": "required", "status": "accepted" });
        let appointment = self.server.create(json!({
            "resourceType": "Appointment",
            "status": "booked",
            "description": "Cardiology consultation",
            "start": format!("{start:.0}"),
            "end": format!("{:.0}", start + LENGTH),
            "minutesDuration": LENGTH.as_secs() / 60,
            "created": self.now(),
            "basedOn": [to(&referral.service_request)],
            "participant": [accepted(to(&referral.patient)), accepted(self.practitioner())],
        }));
        self.set_task(referral, "in-progress", Some(("visit-scheduled", "Visit scheduled")));
        appointment
    }

    /// Takes the booking back. Gives the Appointment.
    pub fn cancel_appointment(&self, referral: &ClinicReferral, appointment: &Value) -> Value {
        self.set_task(referral, "in-progress", Some(("appointment-cancelled", "Appointment cancelled")));
        self.set_appointment(appointment, "cancelled")
    }

    /// The patient did not come. Gives the Appointment.
    pub fn note_no_show(&self, referral: &ClinicReferral, appointment: &Value) -> Value {
        self.set_task(referral, "in-progress", Some(("no-show", "Patient did not attend")));
        self.set_appointment(appointment, "noshow")
    }

    /// Writes a message about the referral.
    pub fn send_message(&self, referral: &ClinicReferral, text: &str) -> Value {
        self.server.create(json!({
            "resourceType": "Communication",
            "basedOn": [to(&referral.service_request)],
            "status": "completed",
            "subject": to(&referral.patient),
            "sent": self.now(),
            "sender": self.practitioner(),
            "payload": [{ "contentString": text }],
        }))
    }

    fn set_appointment(&self, appointment: &Value, status: &str) -> Value {
        let mut appointment = appointment.clone();
        appointment["status"] = json!(status);
        self.server.update(appointment)
    }
}
