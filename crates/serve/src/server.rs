//! The server.

use crate::batches::work;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::routes::{Shared, router};
use cnn_classifier::Classifier;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// How long requests that have begun may take once the server is told to end.
const FAREWELL: Duration = Duration::from_secs(20);

/// A classifier that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    classifier: Classifier,
    limits: Limits,
}

/// Ends a running server.
#[derive(Debug)]
pub struct Stop(oneshot::Sender<()>);

impl Stop {
    /// Tells it to end; what has begun is answered first.
    pub fn stop(self) {
        // It may have ended already.
        let _ = self.0.send(());
    }
}

impl Server {
    /// A server at an address; with port 0 the system chooses one.
    ///
    /// # Errors
    ///
    /// An address that cannot be listened at, limits that let nothing through.
    pub fn bind(address: SocketAddr, classifier: Classifier, limits: Limits) -> Result<Self> {
        limits.check()?;
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address, classifier, limits })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the process gets SIGTERM or an interrupt.
    ///
    /// # Errors
    ///
    /// What the system refuses.
    pub fn run(self) -> Result<()> {
        self.run_until(signal())
    }

    /// Answers on a thread of its own until it is stopped.
    pub fn spawn(self) -> (Stop, std::thread::JoinHandle<Result<()>>) {
        let (sender, receiver) = oneshot::channel();
        let until = async {
            // Whoever drops the handle ends the server too.
            let _ = receiver.await;
        };
        (Stop(sender), std::thread::spawn(move || self.run_until(until)))
    }

    fn run_until(self, until: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self { listener, classifier, limits, .. } = self;
        let metrics = Arc::new(Metrics::default());
        let (queue, waiting) = sync_channel(limits.waiting);
        let worker = {
            let (classifier, metrics) = (classifier.clone(), metrics.clone());
            std::thread::Builder::new()
                .name("batches".to_string())
                .spawn(move || work(&classifier, &waiting, limits.batch, &metrics))?
        };
        let cores = available_parallelism().map_or(1, |cores| cores.get());
        let shared = Arc::new(Shared {
            classifier,
            limits,
            metrics,
            places: Arc::new(Semaphore::new(limits.waiting)),
            decoding: Semaphore::new(cores),
            queue,
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let served = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let (told, mut ending) = tokio::sync::watch::channel(false);
            let shutdown = async move {
                until.await;
                let _ = told.send(true);
            };
            let serve = axum::serve(listener, router(shared)).with_graceful_shutdown(shutdown);
            let patience = async move {
                // Without a sender the server has ended by itself.
                if ending.wait_for(|told| *told).await.is_ok() {
                    tokio::time::sleep(FAREWELL).await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                served = serve => served,
                () = patience => Ok(()),
            }
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
        // Every sender is gone with the runtime, so the worker ends by itself.
        if worker.is_finished() || served.is_ok() {
            let _ = worker.join();
        }
        Ok(served?)
    }
}

/// SIGTERM or an interrupt.
async fn signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = async {
            match signal(SignalKind::terminate()) {
                Ok(mut signals) => drop(signals.recv().await),
                Err(_) => std::future::pending::<()>().await,
            }
        };
        tokio::select! { () = interrupt => {}, () = terminate => {} }
    }
    #[cfg(not(unix))]
    interrupt.await;
}
