//! Connections: accepted within a bound, closed where nothing comes or nothing is taken, ended once they are answered.

use crate::metrics::Metrics;
use crate::settings::Settings;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

/// File descriptors that are not connections'.
const OTHERS: u64 = 64;
/// The longest head of a request, in bytes.
const HEAD: usize = 16 * 1024;
/// How long is waited before the next attempt where the system has no file descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

/// How many connections there may be at once. Where so many are more than the process may open files, its limit is raised as
/// far as it goes.
pub fn most(wanted: usize) -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OTHERS);
        if limit.current.is_some_and(|files| files < needed) {
            // One that cannot be raised stays.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
        }
        if let Some(files) = getrlimit(Resource::Nofile).current {
            let left = files.saturating_sub(OTHERS).max(1);
            return wanted.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
    }
    wanted
}

/// Serves until `end`; then accepts no more, and gives those that are being answered some time.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &Settings,
    metrics: Arc<Metrics>,
    end: impl Future<Output = ()>,
) {
    let (open, graceful) = (Arc::new(Semaphore::new(most(settings.connections))), GracefulShutdown::new());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(settings.patience).max_buf_size(HEAD);
    let mut end = std::pin::pin!(end);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&open).acquire_owned() => place,
            () = &mut end => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        let Ok((stream, _)) = accepted else {
            // A client that left at once, or no file descriptor is left.
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Answers are short: they are sent at once.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(settings.patience));
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        let metrics = Arc::clone(&metrics);
        metrics.connections.inc();
        tokio::spawn(async move {
            // What goes wrong with a connection is its client's matter.
            let _ = connection.await;
            metrics.connections.dec();
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(settings.farewell, graceful.shutdown()).await;
}
