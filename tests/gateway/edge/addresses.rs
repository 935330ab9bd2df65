//! Methods and paths that are not ours.

use crate::support::{TestGateway, assert_refused};

#[tokio::test]
async fn a_method_that_is_not_ours_is_refused_with_those_that_are() {
    let gateway = TestGateway::start().await;

    for (method, path, allowed) in [
        ("GET", "/fhir", "POST"),
        ("PUT", "/fhir", "POST"),
        ("DELETE", "/fhir/ServiceRequest", "POST,GET,HEAD"),
        ("DELETE", "/fhir/Task/1", "GET,HEAD,PATCH,PUT"),
        ("PUT", "/fhir/Communication", "GET,HEAD,POST"),
        ("GET", "/fhir/QuestionnaireResponse", "POST"),
        ("GET", "/fhir/$process-message", "POST"),
        ("PUT", "/fhir/ServiceRequest/$validate", "POST"),
        ("POST", "/fhir/metadata", "GET,HEAD"),
        ("BREW", "/fhir/Task", "GET,HEAD,POST"),
        ("A-METHOD-WITH-A-VERY-LONG-NAME", "/fhir/Task", "GET,HEAD,POST"),
    ] {
        let reply = gateway.lakeside_calls(method, path).await.send().await;

        assert_refused(&reply, 405, "SEND_METHOD");
        let allow = reply.headers["allow"].to_str().unwrap();
        let sorted = |list: &str| {
            let mut methods: Vec<String> = list.split(',').map(str::to_owned).collect();
            methods.sort();
            methods
        };
        assert_eq!(sorted(allow), sorted(allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_refused_with_and_without_a_token() {
    let gateway = TestGateway::start().await;

    for path in
        ["/", "/fhir/Task/1/2/3", "/FHIR/Task", "/fhir/a/b/c/d", "/oauth2", "/admin", "/console", "/livez"]
    {
        assert_refused(&gateway.call("GET", path).send().await, 404, "SEND_PATH_UNKNOWN");
        assert_refused(&gateway.lakeside_calls("GET", path).await.send().await, 404, "SEND_PATH_UNKNOWN");
        assert_refused(&gateway.call("POST", path).fhir("{}").send().await, 404, "SEND_PATH_UNKNOWN");
    }
}

#[tokio::test]
async fn strange_letters_in_a_path_find_nothing() {
    let gateway = TestGateway::start().await;
    let token = gateway.token("lakeside").await;

    for path in [
        "/fhir/Task/%FF",
        "/fhir/Task/%00",
        "/fhir/Task/%2e%2e%2fServiceRequest",
        "/fhir/Task/ref-%F0%9F%92%89",
        "/fhir/Task/%",
        "/fhir/Task/%zz",
        "/fhir/Task/a%0d%0aX-Injected:%201",
        "/fhir/Task/ref-%27%20OR%201=1--",
        "/fhir//Task/1",
        "/fhir/../fhir/Task/1",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );

        let reply = gateway.exchange(request).await.first();

        let code = if reply.body["issue"][0]["details"]["coding"][0]["code"] == "SEND_PATH_UNKNOWN" {
            "SEND_PATH_UNKNOWN"
        } else {
            "SEND_NOT_FOUND"
        };
        assert_refused(&reply, 404, code);
        assert!(!reply.headers.contains_key("x-injected"));
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let gateway = TestGateway::start().await;

    let found = gateway.call("HEAD", "/fhir/metadata").send().await;
    let refused = gateway.lakeside_calls("HEAD", "/fhir/Task/1").await.send().await;

    assert_eq!((found.status.as_u16(), refused.status.as_u16()), (200, 404));
    assert!(refused.body.is_null());
}
