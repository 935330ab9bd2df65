//! The body of a token request.

use http::HeaderValue;
use url::form_urlencoded;

use super::fault::RequestFault;

/// A token request as it came: nothing of it was judged before.
///
/// There is no `Debug`: all of it may be secret.
pub struct TokenRequest {
    /// The `Content-Type` header.
    pub content_type: Option<HeaderValue>,
    /// The `Authorization` header.
    pub authorization: Option<HeaderValue>,
    /// The body.
    pub body: Vec<u8>,
}

/// The parameters that we know. Others are ignored (RFC 6749 §3.2), but may not be repeated either.
#[derive(Default)]
pub(super) struct Form {
    pub(super) grant_type: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) client_assertion_type: Option<String>,
    pub(super) client_assertion: Option<String>,
}

impl Form {
    /// Reads the body. A parameter without a value counts as absent (RFC 6749 §3.2).
    pub(super) fn read(request: &TokenRequest) -> Result<Self, RequestFault> {
        if !is_form(request.content_type.as_ref()) {
            return Err(RequestFault::NotAForm);
        }
        if !is_well_formed(&request.body) {
            return Err(RequestFault::Malformed);
        }
        let mut form = Self::default();
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(&request.body) {
            if seen.contains(&name) {
                return Err(RequestFault::Repeated);
            }
            if let Some(place) = form.place(&name) {
                *place = Some(value.into_owned()).filter(|it| !it.is_empty());
            }
            seen.push(name);
            if seen.len() > MOST_PARAMETERS {
                return Err(RequestFault::Malformed);
            }
        }
        Ok(form)
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "grant_type" => Some(&mut self.grant_type),
            "scope" => Some(&mut self.scope),
            "client_id" => Some(&mut self.client_id),
            "client_secret" => Some(&mut self.client_secret),
            "client_assertion_type" => Some(&mut self.client_assertion_type),
            "client_assertion" => Some(&mut self.client_assertion),
            _ => None,
        }
    }
}

/// Bounds the search for repeated names.
const MOST_PARAMETERS: usize = 32;

fn is_form(content_type: Option<&HeaderValue>) -> bool {
    let text = content_type.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let media_type = text.split_once(';').map_or(text, |(media_type, _)| media_type);
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn is_well_formed(body: &[u8]) -> bool {
    let whole = |rest: &[u8]| rest.iter().take(2).filter(|it| it.is_ascii_hexdigit()).count() == 2;
    std::str::from_utf8(body).is_ok() && body.split(|it| *it == b'%').skip(1).all(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &'static str, body: &str) -> Result<Form, RequestFault> {
        Form::read(&TokenRequest {
            content_type: Some(HeaderValue::from_static(content_type)),
            authorization: None,
            body: body.as_bytes().to_vec(),
        })
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn a_form_is_read_and_an_empty_value_counts_as_absent() {
        let form = read("Application/X-WWW-Form-URLEncoded; charset=UTF-8", "scope=a+b%2Fc&client_id=&x=1");

        let form = form.unwrap_or_default();
        assert_eq!(form.scope.as_deref(), Some("a b/c"));
        assert_eq!(form.client_id, None);
    }

    #[test]
    fn what_is_not_a_form_is_refused() {
        assert_eq!(read("application/json", "{}").err(), Some(RequestFault::NotAForm));
        assert_eq!(read(FORM, "scope=%zz").err(), Some(RequestFault::Malformed));
        assert_eq!(read(FORM, "scope=%2").err(), Some(RequestFault::Malformed));
        assert_eq!(read(FORM, "scope=a&scope=a").err(), Some(RequestFault::Repeated));
        assert_eq!(read(FORM, "x=a&x=b").err(), Some(RequestFault::Repeated));
        let many: Vec<_> = (0..100).map(|it| format!("p{it}=1")).collect();
        assert_eq!(read(FORM, &many.join("&")).err(), Some(RequestFault::Malformed));
    }
}
