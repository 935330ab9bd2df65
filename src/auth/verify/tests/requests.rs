//! Which token requests are taken, and what is granted.

use super::*;

#[tokio::test]
async fn a_request_must_be_whole() {
    let endpoint = Endpoint::open();
    let assertion = Assertion::good().text();
    let changed = |name: &str, value: Option<&'static str>| {
        let mut form = signed_form(&assertion);
        form.retain(|(it, _)| *it != name);
        form.extend(value.map(|it| (name.to_owned().leak() as &str, it)));
        form
    };
    for (form, error) in [
        (changed("grant_type", Some("not_a_grant_type")), "unsupported_grant_type"),
        (changed("grant_type", Some("password")), "unsupported_grant_type"),
        (changed("grant_type", None), "invalid_request"),
        (changed("client_assertion_type", Some("not_an_assertion_type")), "invalid_request"),
        (changed("client_assertion_type", None), "invalid_request"),
        (changed("client_assertion", None), "invalid_request"),
        ([signed_form(&assertion), vec![("scope", "system/Task.rs")]].concat(), "invalid_request"),
    ] {
        let refusal = endpoint.ask(&form).await.unwrap_err();

        assert_eq!((refusal.error(), refusal.status()), (error, StatusCode::BAD_REQUEST));
        assert_eq!(refusal.headers()[CACHE_CONTROL], "no-store");
        assert!(refusal.headers().get(WWW_AUTHENTICATE).is_none());
        assert!(refusal.body()["error_description"].is_string());
    }
    endpoint.ask_with(&assertion).await.expect("a refused request does not use up its assertion");
}

#[tokio::test]
async fn scopes_are_asked_for_and_narrowed() {
    let endpoint = Endpoint::open();
    let ask = async |scope: Option<&str>| {
        let assertion = Assertion::good().text();
        let mut form = signed_form(&assertion);
        form.retain(|(name, _)| *name != "scope");
        form.extend(scope.map(|it| ("scope", it)));
        endpoint.ask(&form).await
    };

    let narrowed = ask(Some("system/ServiceRequest.read system/Patient.cruds")).await.unwrap();
    assert_eq!(narrowed.scopes.to_string(), "system/ServiceRequest.read");
    for scope in ["system/Patient.cruds", "system/NoSuchType.rs", "give-me-all", "system/ServiceRequest.sr"] {
        let refusal = ask(Some(scope)).await.unwrap_err();
        assert_eq!((refusal.error(), refusal.status()), ("invalid_scope", StatusCode::BAD_REQUEST));
    }
    let refusal = ask(None).await.unwrap_err();
    assert_eq!((refusal.error(), refusal.status()), ("invalid_request", StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn a_secret_in_basic_is_taken_and_may_leave_the_scope_out() {
    let endpoint = Endpoint::open();
    let form = [("grant_type", "client_credentials")];

    let issued = endpoint.ask_by_secret("harbor:hush+hush", &form).await.unwrap();

    assert_eq!(issued.client_id, "harbor");
    assert!(issued.scopes.to_string().contains("system/ServiceRequest.cruds"));
    let caller = endpoint.tokens.verify(Some(&bearer(&issued))).unwrap();
    assert!(caller.may(Interaction::Create, "Task"));
    assert!(!caller.may(Interaction::Create, "Subscription"));
}

#[tokio::test]
async fn a_wrong_secret_looks_like_an_unknown_client() {
    let endpoint = Endpoint::open();
    let form = [("grant_type", "client_credentials")];
    let mut bodies = Vec::new();
    for (pair, reason) in [
        ("harbor:wrong-secret", "the secret is wrong"),
        ("nobody:wrong-secret", "not registered"),
        ("lakeside:wrong-secret", "not registered"),
        ("harbor:", "the secret is wrong"),
    ] {
        let refusal = endpoint.ask_by_secret(pair, &form).await.unwrap_err();

        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
        assert!(refusal.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic"));
        assert!(refusal.log_reason().contains(reason));
        assert!(!format!("{refusal:?}{}", refusal.log_reason()).contains("wrong-secret"));
        bodies.push(refusal.body());
    }
    assert!(bodies.windows(2).all(|it| it[0] == it[1]));
}

#[tokio::test]
async fn one_way_of_authentication_and_only_the_offered_ones() {
    let endpoint = Endpoint::open();
    let assertion = Assertion::good().text();

    let both = endpoint.ask_by_secret("harbor:hush+hush", &signed_form(&assertion)).await.unwrap_err();
    assert_eq!(both.error(), "invalid_request");
    let in_body =
        [("grant_type", "client_credentials"), ("client_id", "harbor"), ("client_secret", "hush hush")];
    assert_eq!(endpoint.ask(&in_body).await.unwrap_err().error(), "invalid_client");
    assert_eq!(endpoint.ask(&in_body[..1]).await.unwrap_err().error(), "invalid_client");
    let as_bearer = request(&in_body[..1], Some(&format!("Bearer {assertion}")));
    assert_eq!(endpoint.service.issue(as_bearer).await.unwrap_err().error(), "invalid_client");
    let other = [("grant_type", "client_credentials"), ("client_id", "lakeside")];
    let other = endpoint.ask_by_secret("harbor:hush+hush", &other).await.unwrap_err();
    assert_eq!(other.error(), "invalid_client");
}

#[tokio::test]
async fn a_log_line_cannot_be_forged_by_a_client_id() {
    let endpoint = Endpoint::open();
    let evil = format!("x\n2026-01-01 INFO granted {}", "y".repeat(500));
    let assertion = Assertion::good().claim("iss", evil.as_str()).claim("sub", evil.as_str());

    let reason = endpoint.ask_with(&assertion.text()).await.unwrap_err().log_reason();

    assert!(!reason.contains('\n') && reason.len() < 250, "{reason}");
    assert!(reason.ends_with("kid=ec"));
}

struct NoStore;

#[async_trait]
impl SpentAssertions for NoStore {
    async fn spend(&self, _: &str, _: &str, _: Timestamp) -> Result<bool, StoreError> {
        Err(StoreError::Busy)
    }

    async fn is_spent(&self, _: &str, _: &str) -> Result<bool, StoreError> {
        Err(StoreError::Busy)
    }
}

#[tokio::test]
async fn without_the_store_no_assertion_is_taken() {
    let (_, tokens, _) = parts();
    let service = service(&tokens, Arc::new(NoStore));

    let assertion = Assertion::good().text();
    let refusal = service.issue(request(&signed_form(&assertion), None)).await.unwrap_err();

    assert_eq!(refusal.status(), StatusCode::SERVICE_UNAVAILABLE);
}
