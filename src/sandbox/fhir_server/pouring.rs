//! An answer that never ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::{HeaderValue, header};
use hyper::body::Frame;

/// 200 with white space without end: a JSON reader waits for the value that comes after it.
pub(super) fn poured() -> Response {
    let mut response = Response::new(Body::new(Pouring));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/fhir+json"));
    response
}

struct Pouring;

impl HttpBody for Pouring {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static SPACE: [u8; 65_536] = [b' '; 65_536];
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&SPACE)))))
    }
}
