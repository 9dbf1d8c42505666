//! What is done with each request.

use crate::answer::{Classes, Refusal};
use crate::shared::Shared;
use crate::{live, question};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::sync::Arc;
use std::time::Instant;

pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/live/{network}", get(live::opened))
        .route("/live/{network}/pixels", post(live::pixels))
        .route("/live/{network}/picture", post(live::picture))
        .route("/predict", post(predict))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(|| async {
            Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "a picture is sent by POST, everything else is asked for by GET",
            )
        })
        .fallback(|| async {
            let sentence = "there are POST /predict, GET /, GET /healthz, GET /metrics and, of the page's network N, \
                            GET /live/N, POST /live/N/pixels and POST /live/N/picture";
            Refusal::new(StatusCode::NOT_FOUND, sentence)
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), counted))
        .with_state(shared)
}

async fn page(State(shared): State<Arc<Shared>>) -> Response {
    // The page says itself what it may load.
    let policy = "form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, shared.page.clone()).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    match shared.metrics.text() {
        Ok((kind, text)) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(error) => Refusal::broken(&error).into_response(),
    }
}

async fn predict(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let started = Instant::now();
    let response = classify(&shared, request).await.map(Json).into_response();
    shared.metrics.predicted(started.elapsed());
    response
}

/// Counts what is answered, whatever was asked for.
async fn counted(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    shared.metrics.answered(response.status().as_u16());
    response
}

async fn classify(shared: &Arc<Shared>, request: Request) -> Result<Classes, Refusal> {
    let (parts, body) = request.into_parts();
    let top = question::top(&parts.uri)?;
    if is_form(&parts.headers) {
        let sentence = "send the picture's file as the body, not in a form: curl --data-binary @picture.jpg";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
    }
    let whole = shared.bodies.read(body).await?;
    let answers = shared.queue.classify(whole, top).await?;
    let network = shared.classifier.card().network.clone();
    Ok(Classes { network, classes: answers.into_iter().map(Into::into).collect() })
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("multipart/")
}
