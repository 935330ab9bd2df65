//! Can we work with a server: our token, what it is, its clock, its certificate.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Step;
use crate::auth::keys::folder::KeyFolder;
use crate::auth::obtain::{Probe, probe};
use crate::fhir::client::look::{Look, look, looking_client};
use crate::model::fhir_version::FhirVersion;
use crate::model::partner::Endpoint;

/// From here on somebody should look at a clock; assertions are refused from about a minute on.
const CLOCK_DIFFERS: SignedDuration = SignedDuration::from_secs(5);

/// From here on, in days, somebody should look at a certificate.
const CERTIFICATE_ENDS: i64 = 30;

/// Every step towards a server.
pub(super) async fn steps(
    endpoint: &Endpoint,
    version: FhirVersion,
    keys: Option<&Arc<KeyFolder>>,
    now: fn() -> Timestamp,
) -> Vec<Step> {
    let Ok(http) = looking_client(endpoint.issuers.as_deref()) else {
        return vec![Step::bad("certificate", "the issuers in `ca_file` cannot be used")];
    };
    let mut steps = Vec::new();
    let probed = match probe(&endpoint.credentials, now(), http.clone(), keys).await {
        Ok(probed) => probed,
        Err(problem) => return vec![Step::bad("token", format!("our own credentials: {problem}"))],
    };
    let Probe { header, asked, told_time } = probed;
    let clock = told_time.map(|it| clock("the token endpoint", it, now()));
    let header = match header {
        Ok(header) => header,
        Err(words) => {
            steps.push(Step::bad("token", words));
            steps.extend(clock);
            return steps;
        }
    };
    if asked {
        steps.push(Step::good("token", "the token endpoint gave one"));
    }
    let seen = look(&http, &endpoint.base_url, header).await;
    let clock = clock.or_else(|| seen.told_time.map(|it| self::clock("the server", it, now())));
    steps.push(metadata(&seen, version, endpoint));
    steps.extend(clock);
    steps.extend(seen.certificate_until.map(|it| certificate(it, now())));
    steps
}

fn metadata(seen: &Look, expected: FhirVersion, endpoint: &Endpoint) -> Step {
    let base = &endpoint.base_url;
    match &seen.fhir_version {
        Ok(version) if version.starts_with(expected.short()) => {
            Step::good("metadata", format!("{base} speaks FHIR {version}"))
        }
        Ok(version) => {
            let (version, expected) = (version.escape_default(), expected.short());
            Step::bad("metadata", format!("{base} speaks FHIR {version}, and not {expected}"))
        }
        Err(words) => Step::bad("metadata", format!("{base}/metadata: {words}")),
    }
}

fn clock(whose: &str, told: Timestamp, now: Timestamp) -> Step {
    let ahead = told.duration_since(now);
    let (seconds, way) = (ahead.abs().as_secs(), if ahead.is_negative() { "behind" } else { "ahead of" });
    if ahead.abs() < CLOCK_DIFFERS {
        return Step::good("clock", format!("{whose}'s is as ours"));
    }
    Step::look(
        "clock",
        format!("{whose}'s is {seconds} s {way} ours: the more it is, the sooner assertions are refused"),
    )
}

fn certificate(until: Timestamp, now: Timestamp) -> Step {
    let days = until.duration_since(now).as_hours() / 24;
    let words = format!("good for {days} days, until {until}");
    if days > CERTIFICATE_ENDS { Step::good("certificate", words) } else { Step::look("certificate", words) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::handshake::Verdict;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_clock_that_differs_is_told_with_its_direction() {
        let Step(_, verdict, words) = clock("the server", at(1_004), at(1_000));
        assert_eq!((verdict, words.as_str()), (Verdict::Good, "the server's is as ours"));
        let Step(_, verdict, words) = clock("the server", at(1_090), at(1_000));
        assert_eq!(verdict, Verdict::Look);
        assert!(words.contains("90 s ahead of ours"), "{words}");
        assert!(clock("the server", at(910), at(1_000)).2.contains("90 s behind ours"));
    }

    #[test]
    fn a_certificate_that_ends_soon_is_worth_a_look() {
        let day = 86_400;
        assert_eq!(certificate(at(31 * day), at(0)).1, Verdict::Good);
        assert_eq!(certificate(at(30 * day), at(0)).1, Verdict::Look);
        assert!(certificate(at(30 * day), at(0)).2.starts_with("good for 30 days"));
    }
}
