//! HTTP/2 (RFC 9113), with prior knowledge or by ALPN.

use crate::http1::{BODY_LIMIT, HEAD_LIMIT, PATIENCE};
use crate::lab::{Lab, Session};
use crate::message::{Answer, Below, Request, reason};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;

/// Serves a connection until it is closed or the lab ends.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    lab: Arc<Lab>,
    below: Below,
    mut ending: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| {
        let (lab, below) = (lab.clone(), below.clone());
        async move { Ok::<_, Infallible>(exchange(request, &lab, below).await) }
    });
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(PATIENCE))
        .max_concurrent_streams(32)
        .max_header_list_size(HEAD_LIMIT as u32)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = ending.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = timeout(PATIENCE, connection).await;
}

async fn exchange(
    request: hyper::Request<Incoming>,
    lab: &Lab,
    below: Below,
) -> hyper::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = match timeout(PATIENCE, Limited::new(body, BODY_LIMIT).collect()).await {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(_)) => return written(&Answer::text(413, format!("{}\n", reason(413)))),
        Err(_) => return written(&Answer::text(408, format!("{}\n", reason(408)))),
    };
    let mut fields: Vec<(String, Vec<u8>)> =
        head.headers.iter().map(|(n, v)| (n.as_str().to_owned(), v.as_bytes().to_vec())).collect();
    if let Some(authority) = head.uri.authority() {
        fields.insert(0, ("host".to_owned(), authority.as_str().as_bytes().to_vec()));
    }
    let request = Request {
        method: head.method.as_str().to_owned(),
        target: head.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned(),
        version: "HTTP/2.0",
        fields,
        body,
        below,
    };
    // A session of its own for each request: what authenticates connections (NTLM) cannot work over HTTP/2.
    let answer = lab.answer(&request, &mut Session::default());
    lab.log(&request, &answer, answer.body.len());
    written(&answer)
}

fn written(answer: &Answer) -> hyper::Response<Full<Bytes>> {
    let mut out = hyper::Response::new(Full::new(Bytes::from(answer.body.clone())));
    *out.status_mut() =
        hyper::StatusCode::from_u16(answer.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.fields {
        let name = hyper::header::HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes());
        let value: Vec<u8> = value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n' | 0)).collect();
        if let (Ok(name), Ok(value)) = (name, hyper::header::HeaderValue::from_bytes(&value)) {
            out.headers_mut().append(name, value);
        }
    }
    out
}
