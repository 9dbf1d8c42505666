//! A server from its beginning to its end.

use crate::bodies::Bodies;
use crate::connections;
use crate::error::{Error, Result};
use crate::handlers::router;
use crate::metrics::Metrics;
use crate::queue::{Bounds, Queue};
use crate::settings::Settings;
use crate::shared::Shared;
use crate::shown::Shown;
use crate::workers::Desk;
use cnn_classifier::cnn_core::InferenceOptions;
use cnn_classifier::{Classifier, Trained};
use cnn_explain::{Engine, LivePage};
use cnn_kernels::threads::threads;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

/// Networks that listen.
///
/// ```
/// use cnn_serve::cnn_classifier::{Known, Trained};
/// use cnn_serve::{Server, Settings};
///
/// let mut settings = Settings::default();
/// settings.address.set_port(0); // any that is free
/// let server = Server::new(vec![Trained::open("lenet", &Known::default())?], settings)?;
/// println!("http://{}", server.address());
/// server.run(async {})?; // until the future ends; here at once
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    classifier: Arc<Classifier>,
    shown: Vec<Shown>,
    page: String,
    settings: Settings,
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Listens, and answers nothing before [`Server::run`]. The first network classifies; the page at `/` shows each.
    ///
    /// # Errors
    ///
    /// No network; weights that are not finite; a bound of zero; a body that may be larger than all together; an address
    /// that cannot be listened on; a system that gives no threads.
    pub fn new(networks: Vec<Trained>, settings: Settings) -> Result<Self> {
        Self::by(networks, InferenceOptions::default(), settings)
    }

    /// The same with the first network planned by `options`.
    ///
    /// # Errors
    ///
    /// As of [`Server::new`]; a CPU that cannot compute as asked.
    pub fn by(networks: Vec<Trained>, options: InferenceOptions<'_>, settings: Settings) -> Result<Self> {
        settings.check()?;
        let first = networks.first().ok_or(Error::Zero { name: "networks" })?;
        let classifier = Arc::new(Classifier::by(first, options)?);
        let shown = Shown::all(networks);
        let names: Vec<String> = shown.iter().map(|one| one.name().to_string()).collect();
        let page = LivePage { title: "Draw, or drop a picture", networks: &names, notes: &[], engine: Engine::Server };
        let page = page.html()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(cores().min(4))
            .max_blocking_threads(2 * cores())
            .thread_name("requests")
            .enable_all()
            .build()?;
        let listen = |source| Error::Listen { address: settings.address, source };
        let listener = runtime.block_on(TcpListener::bind(settings.address)).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { classifier, shown, page, settings, runtime, listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `end`: [`Server::ended_by_signal`], or a future of your own. Then nothing is accepted any more, what
    /// waits is answered, for at most [`Settings::farewell`].
    ///
    /// # Errors
    ///
    /// A system that gives no thread.
    pub fn run(self, end: impl Future<Output = ()>) -> Result<()> {
        let Self { classifier, shown, page, settings, runtime, listener, .. } = self;
        let metrics = Arc::new(Metrics::new().map_err(io::Error::other)?);
        let workers = threads();
        let bounds = Bounds { length: settings.queue, batch: settings.batch, workers };
        let queue = Arc::new(Queue::new(bounds, Arc::clone(&metrics)));
        let desk = Desk {
            classifier: Arc::clone(&classifier),
            queue: Arc::clone(&queue),
            metrics: Arc::clone(&metrics),
            reading: settings.reading,
        };
        let working = desk.begin(workers)?;
        let shared = Shared {
            classifier,
            queue: Arc::clone(&queue),
            bodies: Bodies::new(&settings),
            metrics: Arc::clone(&metrics),
            reading: settings.reading,
            decoding: Arc::new(Semaphore::new(cores())),
            page,
            shown,
            watching: Arc::new(Semaphore::new(settings.queue)),
        };
        runtime.block_on(connections::serve(listener, router(Arc::new(shared)), &settings, metrics, end));
        runtime.shutdown_timeout(settings.farewell);
        // Who still waits now has no connection any more.
        queue.close();
        working.into_iter().for_each(|thread| drop(thread.join()));
        Ok(())
    }

    /// Ends at SIGTERM or SIGINT.
    ///
    /// # Errors
    ///
    /// A system that gives no handler.
    pub fn ended_by_signal(&self) -> Result<impl Future<Output = ()> + use<>> {
        let _inside = self.runtime.enter();
        #[cfg(unix)]
        let (mut term, mut interrupt) = {
            use tokio::signal::unix::{SignalKind, signal};
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
        };
        Ok(async move {
            #[cfg(unix)]
            tokio::select! {
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
            #[cfg(not(unix))]
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
