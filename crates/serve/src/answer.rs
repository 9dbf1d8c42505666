//! What is answered.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cnn_classifier::Answer;
use serde::Serialize;

/// The classes of a picture.
#[derive(Debug, Serialize)]
pub struct Classes {
    /// The network.
    pub network: String,
    /// The most probable first.
    pub classes: Vec<Class>,
}

/// One class.
#[derive(Debug, Serialize)]
pub struct Class {
    class: String,
    index: usize,
    probability: f32,
}

impl From<Answer> for Class {
    fn from(answer: Answer) -> Self {
        Self { class: answer.class, index: answer.index, probability: answer.probability }
    }
}

/// Why there is no answer: a status and a sentence.
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub sentence: String,
}

impl Refusal {
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into() }
    }

    /// What was sent is not what was asked for.
    pub fn unfit(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    /// The server itself fails.
    pub fn broken(problem: &impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, problem.to_string())
    }

    /// There is more than can be answered.
    pub fn full() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too many pictures wait; try again in a moment")
    }

    /// The bodies that are here leave no room for what comes.
    pub fn no_room() -> Self {
        let sentence =
            "the pictures that are coming take all the memory that is set aside for them; try again in a moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, sentence)
    }

    /// The server is about to end.
    pub fn ending() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server is about to end")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Problem {
            error: String,
        }
        let mut response = (self.status, Json(Problem { error: self.sentence })).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
