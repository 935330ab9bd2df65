//! The clinic's server tells us that something changed. It tells us no more than that: what changed is read
//! from the clinic itself.

use axum::extract::State;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};

use super::Doors;
use super::refusal::Refusal;
use crate::auth::verify::BearerRefusal;

/// `/hooks/clinic`: look at the clinic now. Any method and any body: a rest-hook of R4 may put the resource
/// itself here, and it is not read.
pub async fn wake(State(doors): State<Doors>, headers: HeaderMap) -> Result<StatusCode, Refusal> {
    let expected = doors.hook_token.as_ref().ok_or_else(Refusal::not_found)?;
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|it| it.strip_prefix("Bearer ")).unwrap_or_default();
    if !equal_in_constant_time(shown.as_bytes(), expected.reveal().as_bytes()) {
        return Err(BearerRefusal::NotOurs.into());
    }
    doors.clinic_changed.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

fn equal_in_constant_time(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}
