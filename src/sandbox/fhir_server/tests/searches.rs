use super::*;
use crate::fhir::bundle::{next_page, resources};
use crate::fhir::resource::id;
use crate::sandbox::fhir_server::{SearchIndex, Times};

async fn ids(server: &FhirServer, query: &str) -> Vec<String> {
    let reply = get(server, query).await;
    assert_eq!(reply.status, StatusCode::OK, "{query}");
    resources(&reply.body).map(|it| id(it).to_owned()).collect()
}

fn task(status: &str, patient: &str, request: &str) -> Value {
    json!({
        "resourceType": "Task",
        "meta": { "tag": [{ "system": "urn:t", "code": status }] },
        "status": status,
        "for": { "reference": patient },
        "basedOn": [{ "reference": request }],
    })
}

#[tokio::test]
async fn tokens_are_found_with_and_without_their_system() {
    let server = server().await;
    server.create(patient("1"));
    server.create(json!({ "resourceType": "Patient", "identifier": [{ "value": "1" }] }));

    assert_eq!(ids(&server, "Patient?identifier=urn:mrn|1").await, ["1"]);
    assert_eq!(ids(&server, "Patient?identifier=|1").await, ["2"]);
    assert_eq!(ids(&server, "Patient?identifier=1").await, ["1", "2"]);
    assert_eq!(ids(&server, "Patient?identifier=urn:mrn|").await, ["1"]);
    assert_eq!(ids(&server, "Patient?_id=2,9").await, ["2"]);
    assert_eq!(ids(&server, "Patient?identifier=urn:other|1").await, [""; 0]);
}

#[tokio::test]
async fn references_status_and_tags_are_found() {
    let server = server().await;
    server.create(task("requested", "Patient/1", "ServiceRequest/1"));
    server.create(task("accepted", "Patient/1", "ServiceRequest/2/_history/1"));
    server.create(task("accepted", "https://elsewhere.example/fhir/Patient/1", "ServiceRequest/3"));
    server.create(json!({
        "resourceType": "Appointment",
        "participant": [{ "actor": { "reference": "Practitioner/1" } }, { "actor": { "reference": "Patient/1" } }],
    }));

    assert_eq!(ids(&server, "Task?patient=Patient/1").await, ["1", "2"]);
    assert_eq!(ids(&server, "Task?subject=1&status=accepted").await, ["2"]);
    assert_eq!(ids(&server, "Task?based-on=ServiceRequest/2").await, ["2"]);
    assert_eq!(ids(&server, &format!("Task?based-on={}/ServiceRequest/2", server.base_url())).await, ["2"]);
    assert_eq!(ids(&server, "Task?_tag=urn:t|requested,other").await, ["1"]);
    assert_eq!(ids(&server, "Appointment?patient=Patient/1").await, ["1"]);
}

#[tokio::test]
async fn a_search_may_be_posted() {
    let server = server().await;
    server.create(patient("1"));

    let reply = post(&server, "Patient/_search", &json!("identifier=urn%3Amrn%7C1")).await;

    assert_eq!((reply.status, &reply.body["total"]), (StatusCode::OK, &json!(1)));
}

#[tokio::test]
async fn an_unknown_parameter_is_refused() {
    let reply = get(&server().await, "Patient?favourite-colour=blue").await;

    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.body["resourceType"], "OperationOutcome");
}

#[tokio::test]
async fn times_are_compared_with_their_precision() {
    let server = server().await;
    (0..3).for_each(|_| drop(server.create(patient("1")))); // at .000, .001 and .002

    let at = "2026-03-01T12:00:00.001Z";
    assert_eq!(ids(&server, &format!("Patient?_lastUpdated=ge{at}")).await, ["2", "3"]);
    assert_eq!(ids(&server, &format!("Patient?_lastUpdated=gt{at}")).await, ["3"]);
    assert_eq!(ids(&server, &format!("Patient?_lastUpdated=le{at}")).await, ["1", "2"]);
    assert_eq!(ids(&server, &format!("Patient?_lastUpdated=lt{at}")).await, ["1"]);
    assert_eq!(ids(&server, &format!("Patient?_lastUpdated=ge{at}&_lastUpdated=le{at}")).await, ["2"]);
    assert_eq!(ids(&server, "Patient?_lastUpdated=2026-03-01").await.len(), 3);
    assert_eq!(ids(&server, "Patient?_lastUpdated=gt2026-03-01T12:00:00Z").await.len(), 0);
    assert_eq!(get(&server, "Patient?_lastUpdated=soon").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn pages_over_equal_times_show_everything_once() {
    let server = FhirServer::start(FhirServerOptions { times: Times::MayRepeat, ..still() }).await.unwrap();
    (0..5).for_each(|_| drop(server.create(patient("1"))));

    for (sort, expected) in
        [("_lastUpdated", ["1", "2", "3", "4", "5"]), ("-_lastUpdated", ["5", "4", "3", "2", "1"])]
    {
        let mut page = get(&server, &format!("Patient?_sort={sort}&_count=2")).await.body;
        let mut seen: Vec<String> = Vec::new();
        loop {
            seen.extend(resources(&page).map(|it| id(it).to_owned()));
            assert_eq!(page["total"], 5);
            let Some(next) = next_page(&page).map(str::to_owned) else { break };
            assert!(next.starts_with(server.base_url()));
            page = get(&server, &next).await.body;
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn an_update_moves_a_resource_to_the_end_of_the_order() {
    let server = server().await;
    let first = server.create(patient("1"));
    server.create(patient("2"));

    server.update(first);

    assert_eq!(ids(&server, "Patient?_sort=_lastUpdated").await, ["2", "1"]);
}

#[tokio::test]
async fn a_lagging_index_hides_new_resources_from_searches_and_conditions() {
    let server = server().await;
    server.set_search_index(SearchIndex::Lagging);
    let headers = [("if-none-exist", "identifier=urn:mrn|1")];
    let create = async || send(&server, "POST", "Patient", &headers, &patient("1")).await.unwrap().status;

    assert_eq!(create().await, StatusCode::CREATED);
    assert_eq!(ids(&server, "Patient").await, [""; 0]);
    assert_eq!(get(&server, "Patient/1").await.status, StatusCode::OK);
    assert_eq!(create().await, StatusCode::CREATED);
    server.set_search_index(SearchIndex::Current);
    assert_eq!(ids(&server, "Patient").await, ["1", "2"]);
    assert_eq!(create().await, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn an_index_that_is_behind_finds_a_write_when_its_time_has_come() {
    let clock = std::sync::Arc::new(TestClock::at("2026-03-01T12:00:00Z".parse().unwrap()));
    let options = FhirServerOptions { clock: std::sync::Arc::clone(&clock) as _, ..still() };
    let server = FhirServer::start(options).await.unwrap();
    server.set_search_index(SearchIndex::Behind(Duration::from_secs(3)));
    server.create(patient("1"));

    clock.advance(Duration::from_secs(2));
    assert_eq!(ids(&server, "Patient?identifier=urn:mrn|1").await, [""; 0]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(ids(&server, "Patient?identifier=urn:mrn|1").await, ["1"]);
}
