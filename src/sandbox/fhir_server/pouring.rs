//! An answer that never ends, or hardly ever.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::{HeaderValue, header};
use hyper::body::{Frame, SizeHint};

/// 200 with white space, so many bytes or without end: a JSON reader waits for the value that comes after it.
pub(super) fn poured(bytes: Option<u64>) -> Response {
    let mut response = Response::new(Body::new(Pouring { left: bytes }));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/fhir+json"));
    response
}

struct Pouring {
    /// How many bytes are to come; none: without end.
    left: Option<u64>,
}

impl HttpBody for Pouring {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static SPACE: [u8; 65_536] = [b' '; 65_536];
        let piece = match self.left {
            Some(0) => return Poll::Ready(None),
            Some(left) => usize::try_from(left).unwrap_or(SPACE.len()).min(SPACE.len()),
            None => SPACE.len(),
        };
        self.left = self.left.map(|left| left - piece as u64);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&SPACE[..piece])))))
    }

    /// Becomes the `Content-Length`.
    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
