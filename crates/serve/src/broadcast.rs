//! A page that hears what happens: server-sent events, of which the latest of each kind is kept for who comes later.

use crate::connections;
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::settings::Settings;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

/// A server of one page and of events, on a thread of its own. Dropped, it says good-bye and ends.
///
/// ```
/// use cnn_serve::Broadcast;
/// use std::net::{Ipv4Addr, SocketAddr};
///
/// let broadcast = Broadcast::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), "<h1>a run</h1>".to_string())?;
/// println!("http://{}", broadcast.address());
/// broadcast.send("step", "{\"loss\":0.5}");
/// # Ok::<(), cnn_serve::Error>(())
/// ```
#[derive(Debug)]
pub struct Broadcast {
    address: SocketAddr,
    said: Arc<Said>,
    /// The number of the last event. Without it what listens hears the rest and ends.
    number: Option<watch::Sender<u64>>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The latest event of each kind, with its number.
#[derive(Debug, Default)]
struct Said {
    latest: Mutex<BTreeMap<&'static str, (u64, Arc<str>)>>,
}

impl Said {
    /// What was said after the event `heard`, the oldest first, as text of a stream; and the number of the last.
    fn after(&self, heard: u64) -> (u64, String) {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new: Vec<_> = latest.iter().filter(|(_, (number, _))| *number > heard).collect();
        new.sort_by_key(|(_, (number, _))| *number);
        let last = new.last().map_or(heard, |(_, (number, _))| *number);
        (last, new.iter().map(|(kind, (_, data))| event(kind, data)).collect())
    }
}

/// An event as it is sent: every line of its data on a line of its own, whatever ends it.
fn event(kind: &str, data: &str) -> String {
    let lines = data.split(['\n', '\r']).map(|line| format!("data: {line}\n"));
    format!("event: {kind}\n{}\n", lines.collect::<String>())
}

impl Broadcast {
    /// Listens and answers: the page at `/`, the events at `/events`.
    ///
    /// # Errors
    ///
    /// An address that cannot be listened on, a system that gives no thread.
    pub fn new(address: SocketAddr, page: String) -> Result<Self> {
        let listen = |source| Error::Listen { address, source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let said = Arc::new(Said::default());
        let number = watch::Sender::new(0);
        let metrics = Arc::new(Metrics::new().map_err(io::Error::other)?);
        let settings =
            Settings { connections: 256, farewell: std::time::Duration::from_secs(1), ..Settings::default() };
        let router = router(page, Arc::clone(&said), number.subscribe());
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("events".to_string()).spawn(move || {
            let end = async {
                let _ = ended.await;
            };
            runtime.block_on(connections::serve(listener, router, &settings, metrics, end));
        })?;
        Ok(Self { address, said, number: Some(number), end: Some(end), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says something to all that listen, as JSON. Who is slow gets the latest of each kind alone.
    pub fn send(&self, kind: &'static str, data: impl Into<Arc<str>>) {
        let data = data.into();
        let Some(last) = &self.number else { return };
        // Held until the number is told, so that no two events have one.
        let mut latest = self.said.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *last.borrow() + 1;
        latest.insert(kind, (number, data));
        last.send_replace(number);
    }
}

impl Drop for Broadcast {
    fn drop(&mut self) {
        drop(self.number.take());
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn router(page: String, said: Arc<Said>, number: watch::Receiver<u64>) -> Router {
    let page: Arc<str> = page.into();
    Router::new()
        .route("/", get(|| async move { page_of(&page) }))
        .route("/events", get(|| async move { events(said, number) }))
        .route("/healthz", get(|| async { "ok\n" }))
}

fn page_of(page: &str) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src \
                  'self'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
    ];
    (headers, page.to_string()).into_response()
}

fn events(said: Arc<Said>, number: watch::Receiver<u64>) -> Response {
    let stream = futures_util::stream::unfold((said, number, 0), |(said, mut number, heard)| async move {
        loop {
            number.borrow_and_update();
            let (last, text) = said.after(heard);
            if last > heard {
                return Some((Ok::<_, Infallible>(text), (said, number, last)));
            }
            number.changed().await.ok()?;
        }
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(stream)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_an_event_is_another_event() {
        assert_eq!(event("step", "{}"), "event: step\ndata: {}\n\n");
        let found = event("step", "{\n\n\revent: epoch\r\n}");
        assert!(found.starts_with("event: step\ndata: {\n") && found.ends_with("data: }\n\n"), "{found}");
        assert!(found.trim_end().lines().skip(1).all(|line| line.starts_with("data: ")), "{found}");
    }
}
