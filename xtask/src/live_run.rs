//! A run on a page while it goes on.

use anyhow::Result;
use cnn_explain::Explainer;
use cnn_figures::Thinned;
use cnn_report::{Judged as Page, Run, Whose, live_page, so_far};
use cnn_serve::Broadcast;
use cnn_train::{Begin, Epoch, Judged, Observer, StepReport, Stop, Task};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// The page is told of steps so often.
const EVERY: Duration = Duration::from_millis(400);
/// Points of the curve of the steps, at most.
const POINTS: usize = 400;
/// Epochs whose filters are shown, at most.
const FILTERS: usize = 12;

/// Tells a page of a run.
#[derive(Debug)]
pub struct LiveRun<'a> {
    broadcast: Broadcast,
    task: &'a Task<'a>,
    told: Option<Instant>,
    /// The share of the run that was done, and the loss.
    trace: Thinned<[f64; 2]>,
    epochs: Vec<Epoch>,
    /// Of an epoch, its first filters.
    filters: Thinned<(usize, String)>,
}

impl<'a> LiveRun<'a> {
    /// Listens on a port of this machine.
    ///
    /// # Errors
    ///
    /// A port that is taken.
    pub fn new(port: u16, task: &'a Task<'a>) -> Result<Self> {
        let page = live_page(&format!("{} learns", task.network.name()));
        let broadcast = Broadcast::new(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), page)?;
        let (trace, filters) = (Thinned::new(POINTS), Thinned::new(FILTERS));
        Ok(Self { broadcast, task, told: None, trace, epochs: Vec::new(), filters })
    }

    /// What the network says of the test images, and its first filters.
    fn tell(&mut self, judged: &Judged<'_>) -> Result<()> {
        let classes = self.task.dataset.classes();
        let page = Page {
            images: self.task.dataset.test(),
            classes,
            predictions: judged.predictions()?,
            weights: &format!("epoch {}", judged.figures.epoch),
            whose: &Whose::Run,
        };
        self.broadcast.send("run", json!(so_far(&self.epochs, &page)?).to_string());
        // Filters of a network's own weights, without which the page is a page all the same.
        let filters = Explainer::new(self.task.network, &judged.weights()?)?.first_filters();
        let Some(drawn) = filters.map(|filters| filters.html()).transpose()?.flatten() else { return Ok(()) };
        self.filters.add((judged.figures.epoch, drawn));
        let drawn = self.filters.iter().map(|(epoch, image)| {
            format!("<figure style=\"display: inline-block; margin: 0 1rem 1rem 0\">{image}<figcaption>epoch {epoch}</figcaption></figure>")
        });
        let html: String =
            ["<h2>Filters of the first layer as they form</h2>\n".to_string()].into_iter().chain(drawn).collect();
        self.broadcast.send("filters", json!(html).to_string());
        Ok(())
    }
}

impl Observer for LiveRun<'_> {
    fn begin(&mut self, begin: &Begin<'_>) {
        // A run that goes on has epochs already, one of which may stay the best.
        if let Some(run) = begin.folder.filter(|_| begin.epochs_done > 0).and_then(|folder| Run::read(folder).ok()) {
            self.epochs = run.epochs.into_iter().take(begin.epochs_done).collect();
        }
        // Where standard output is gone, so is whoever would read it.
        eprintln!("the run is shown on http://{}", self.broadcast.address());
    }

    fn step(&mut self, step: &StepReport) -> ControlFlow<Stop> {
        if self.told.is_some_and(|told| told.elapsed() < EVERY) {
            return ControlFlow::Continue(());
        }
        self.told = Some(Instant::now());
        self.trace.add([step.done() as f64 / step.all().max(1) as f64, step.loss]);
        let told = json!({
            "place": [step.epoch, step.epochs, step.step, step.steps],
            "loss": step.loss,
            "accuracy": step.accuracy,
            "learning_rate": step.learning_rate,
            "trace": *self.trace,
        });
        self.broadcast.send("step", told.to_string());
        ControlFlow::Continue(())
    }

    fn judged(&mut self, judged: &Judged<'_>) -> ControlFlow<()> {
        self.epochs.push(judged.figures.clone());
        if let Err(problem) = self.tell(judged) {
            tracing::warn!("the page of the run: {problem:#}");
        }
        ControlFlow::Continue(())
    }
}

impl Drop for LiveRun<'_> {
    fn drop(&mut self) {
        self.broadcast.send("end", json!("The run has ended.").to_string());
    }
}
