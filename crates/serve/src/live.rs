//! The page's networks: what each makes of a picture while the picture changes.

use crate::answer::Refusal;
use crate::bodies::Whole;
use crate::question;
use crate::shared::Shared;
use crate::shown::Shown;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cnn_classifier::cnn_data::Reading;
use cnn_figures::plural;
use cnn_kernels::threads;
use cnn_system::guard;
use std::sync::Arc;

/// The number of a network that stands in the path.
type Number = Result<Path<usize>, axum::extract::rejection::PathRejection>;

/// `GET /live/N`: what the page needs to know of a network once.
pub async fn opened(State(shared): State<Arc<Shared>>, number: Number) -> Response {
    let json = working(&shared, number, |shown, _| {
        let opened = shown.with(|live| Ok(serde_json::to_vec(live.opened())));
        opened?.map_err(|problem| Refusal::broken(&problem))
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
    let Path(number) = number.map_err(|_| Refusal::unfit("the path names a network by its number, from 0"))?;
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
        let failed = |panic| Err(Refusal::broken(&format!("the picture: {panic}")));
        guard::caught(work).unwrap_or_else(failed)
    });
    done.await.map_err(|_| Refusal::ending())?
}
