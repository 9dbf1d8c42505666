//! What a request gets.

use crate::batches::Waiting;
use crate::limits::Limits;
use crate::metrics::Metrics;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cnn_classifier::{Answer, Classifier};
use cnn_data::{Picture, Reading};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

/// Classes of an answer where a request does not say how many.
const TOP: usize = 5;

/// What every request sees.
pub(crate) struct Shared {
    pub(crate) classifier: Classifier,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
    /// A permit for each picture that may be under way.
    pub(crate) places: Arc<Semaphore>,
    /// A permit for each picture that may be decoded at a time.
    pub(crate) decoding: Semaphore,
    pub(crate) queue: SyncSender<Waiting>,
}

/// A request that is not answered with classes.
struct Refused(StatusCode, String);

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/predict", post(predict))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/metrics", get(metrics))
        .with_state(shared)
}

async fn page(State(shared): State<Arc<Shared>>) -> Response {
    let card = shared.classifier.card();
    let facts = json!({ "network": card.network, "input": card.input, "classes": card.classes.len() });
    // Within a script element only `<` could end it.
    let facts = facts.to_string().replace('<', "\\u003c");
    let html = include_str!("live.html").replace("FACTS", &facts);
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let under_way = shared.limits.waiting.saturating_sub(shared.places.available_permits());
    let text = shared.metrics.text(under_way);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn predict(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let response = match answer(&shared, &query, request.into_body()).await {
        Ok(answers) => {
            let answers: Vec<_> = answers
                .iter()
                .map(
                    |answer| json!({ "class": answer.class, "index": answer.index, "probability": answer.probability }),
                )
                .collect();
            json_response(StatusCode::OK, &json!({ "answers": answers }))
        }
        Err(Refused(status, why)) => {
            let mut response = json_response(status, &json!({ "error": why }));
            if status == StatusCode::SERVICE_UNAVAILABLE {
                response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            }
            response
        }
    };
    shared.metrics.answered(response.status().as_u16(), started.elapsed());
    response
}

fn json_response(status: StatusCode, value: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{value}\n")).into_response()
}

async fn answer(shared: &Arc<Shared>, query: &HashMap<String, String>, body: Body) -> Result<Vec<Answer>, Refused> {
    let top = match query.get("top").map(|text| text.parse::<usize>()) {
        None => TOP,
        Some(Ok(top)) if top > 0 => top,
        _ => return Err(Refused(StatusCode::BAD_REQUEST, "top must be a whole number from 1 on".to_string())),
    };
    let Limits { body: most, patience, pixels, .. } = shared.limits;
    let full = || Refused(StatusCode::SERVICE_UNAVAILABLE, "too many pictures wait: try again soon".to_string());
    let _place = shared.places.clone().try_acquire_owned().map_err(|_| full())?;
    let bytes = timeout(patience, to_bytes(body, most))
        .await
        .map_err(|_| Refused(StatusCode::REQUEST_TIMEOUT, format!("the body took longer than {patience:?}")))?
        .map_err(|_| {
            Refused(StatusCode::PAYLOAD_TOO_LARGE, format!("the body did not arrive whole, or has over {most} bytes"))
        })?;
    if bytes.is_empty() {
        return Err(Refused(StatusCode::BAD_REQUEST, "the body must be a picture, as its file is".to_string()));
    }
    let gone = |_| Refused(StatusCode::INTERNAL_SERVER_ERROR, "the server is ending".to_string());
    let turn = shared.decoding.acquire().await.map_err(|_| full())?;
    let reader = shared.clone();
    let prepared = tokio::task::spawn_blocking(move || {
        let reading = Reading { max_pixels: pixels, ..Reading::default() };
        let picture = Picture::decode("the body", &bytes, reading).map_err(|error| error.to_string())?;
        reader.classifier.prepare(&picture).map_err(|error| error.to_string())
    });
    let numbers = prepared
        .await
        .map_err(|_| Refused(StatusCode::UNPROCESSABLE_ENTITY, "the picture could not be decoded".to_string()))?
        .map_err(|why| Refused(StatusCode::UNPROCESSABLE_ENTITY, why))?;
    drop(turn);
    let (sender, receiver) = oneshot::channel();
    shared.queue.try_send(Waiting { numbers, top, answer: sender }).map_err(|_| full())?;
    receiver.await.map_err(gone)?.map_err(|why| Refused(StatusCode::INTERNAL_SERVER_ERROR, why))
}
