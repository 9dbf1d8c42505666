//! The page's networks: what each makes of a picture while the picture changes.

use crate::answer::Refusal;
use crate::bodies::Whole;
use crate::handlers::Shared;
use crate::question;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cnn_classifier::Trained;
use cnn_classifier::cnn_core::shape::times;
use cnn_classifier::cnn_data::{Fit, Picture, Reading};
use cnn_explain::{About, Live};
use cnn_figures::{count, plural};
use cnn_kernels::threads;
use cnn_system::guard;
use std::sync::{Arc, Mutex, PoisonError};

/// A network of the page. It is prepared when it is first looked at.
pub struct Shown {
    name: String,
    trained: Trained,
    live: Mutex<Option<Live>>,
}

impl Shown {
    /// Networks with names that tell them apart.
    pub fn all(trained: Vec<Trained>) -> Vec<Self> {
        let names: Vec<String> = trained.iter().map(|one| one.card.network.clone()).collect();
        let name = |one: &Trained| match names.iter().filter(|name| **name == one.card.network).count() {
            1 => one.card.network.clone(),
            _ => format!("{}, {}", one.card.network, one.weights.source()),
        };
        trained.into_iter().map(|one| Self { name: name(&one), trained: one, live: Mutex::new(None) }).collect()
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Something done with it, after it is prepared.
    fn with<T>(&self, work: impl FnOnce(&mut Live) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let live = match &mut *live {
            Some(live) => live,
            none => none.insert(self.prepare().map_err(|problem| broken(&problem))?),
        };
        work(live)
    }

    fn prepare(&self) -> Result<Live, cnn_explain::Error> {
        let Trained { network, weights, card, .. } = &self.trained;
        let [_, height, width] = card.input;
        let framed = matches!(card.preparation.fit, Fit::Pad { .. });
        let drawn = card.images.filter(|_| framed).unwrap_or([height, width]);
        let (title, classes, notes) = (self.name.clone(), card.classes.clone(), self.trained.provenance());
        let about = About { title, classes, drawn, notes };
        Live::new(network, weights, about, Default::default())
    }

    /// What it makes of the bytes that it reads.
    fn pixels(&self, bytes: Vec<u8>, exact: bool) -> Result<Vec<u8>, Refusal> {
        let card = &self.trained.card;
        let expected = card.input.iter().product::<usize>();
        if bytes.len() != expected {
            let (found, size) = (plural(bytes.len(), "byte is", "bytes are"), times(&card.input));
            return Err(refused(format!("{found} not the {} of a picture of {size}", count(expected))));
        }
        let numbers = card.preparation.of_bytes(bytes, card.input).map_err(|problem| refused(problem.to_string()))?;
        self.with(|live| live.look(&numbers, exact).map_err(|problem| broken(&problem)))
    }

    /// What it makes of a picture's file: before it the bytes that it reads.
    fn picture(&self, file: &[u8], reading: Reading, exact: bool) -> Result<Vec<u8>, Refusal> {
        let card = &self.trained.card;
        let picture = Picture::decode("the picture", file, reading).map_err(|problem| refused(problem.to_string()))?;
        let numbers = self.trained.prepare(&picture).map_err(|problem| refused(problem.to_string()))?;
        let mut bytes = card.preparation.bytes(&numbers, card.input);
        let frame = self.with(|live| live.look(&numbers, exact).map_err(|problem| broken(&problem)))?;
        bytes.extend(frame);
        Ok(bytes)
    }
}

fn refused(sentence: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, sentence)
}

fn broken(problem: &cnn_explain::Error) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, problem.to_string())
}

/// The number of a network that stands in the path.
type Number = Result<Path<usize>, axum::extract::rejection::PathRejection>;

/// `GET /live/N`: what the page needs to know of a network once.
pub async fn opened(State(shared): State<Arc<Shared>>, number: Number) -> Response {
    let json = working(&shared, number, |shown, _| {
        let opened = shown.with(|live| Ok(serde_json::to_vec(live.opened())));
        opened?.map_err(|problem| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, problem.to_string()))
    });
    json.await.map(|json| ([(header::CONTENT_TYPE, "application/json")], json)).into_response()
}

/// `POST /live/N/pixels`: bytes as the network reads them.
pub async fn pixels(State(shared): State<Arc<Shared>>, number: Number, request: Request) -> Response {
    looked(&shared, number, request, |shown, whole, _, exact| shown.pixels(whole.bytes, exact)).await
}

/// `POST /live/N/picture`: a picture's file.
pub async fn picture(State(shared): State<Arc<Shared>>, number: Number, request: Request) -> Response {
    let work = |shown: &Shown, whole: Whole, reading, exact| shown.picture(&whole.bytes, reading, exact);
    looked(&shared, number, request, work).await
}

async fn looked(
    shared: &Arc<Shared>,
    number: Number,
    request: Request,
    work: impl FnOnce(&Shown, Whole, Reading, bool) -> Result<Vec<u8>, Refusal> + Send + 'static,
) -> Response {
    let answer = async {
        let exact = question::exact(request.uri())?;
        let whole = shared.bodies.read(request.into_body()).await?;
        working(shared, number, move |shown, reading| work(shown, whole, reading, exact)).await
    };
    let octets = [(header::CONTENT_TYPE, "application/octet-stream")];
    answer.await.map(|bytes| (octets, bytes)).into_response()
}

/// Something done with a network, beside what answers requests; as many at once as there are cores, few that wait.
async fn working(
    shared: &Arc<Shared>,
    number: Number,
    work: impl FnOnce(&Shown, Reading) -> Result<Vec<u8>, Refusal> + Send + 'static,
) -> Result<Vec<u8>, Refusal> {
    let Path(number) = number.map_err(|_| refused("the path names a network by its number, from 0".to_string()))?;
    if number >= shared.shown.len() {
        let networks = plural(shared.shown.len(), "network", "networks");
        let sentence = format!("there is no network {number}: the page has {networks}, the first is 0");
        return Err(Refusal::new(StatusCode::NOT_FOUND, sentence));
    }
    let place = Arc::clone(&shared.watching).try_acquire_owned().map_err(|_| Refusal::full())?;
    let permit = Arc::clone(&shared.decoding).acquire_owned().await.map_err(|_| Refusal::ending())?;
    let theirs = Arc::clone(shared);
    // A client that goes away ends what waits for the work, not the work: what bounds it goes along.
    let done = tokio::task::spawn_blocking(move || {
        let _bounds = (place, permit);
        let _busy = threads::busy();
        let work = || work(&theirs.shown[number], theirs.reading);
        let failed = |panic| Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the picture: {panic}")));
        guard::caught(work).unwrap_or_else(failed)
    });
    done.await.map_err(|_| Refusal::ending())?
}
