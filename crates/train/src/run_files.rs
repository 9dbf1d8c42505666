//! What the files in a run's folder are called.

pub(crate) const BEST: &str = cnn_data::RUN_BEST;
pub(crate) const LAST: &str = "last.safetensors";
pub(crate) const METRICS: &str = "metrics.jsonl";
pub(crate) const JUDGEMENT: &str = "judgement.json";
pub(crate) const CONFIG: &str = "config.json";
pub(crate) const RECIPE: &str = "recipe.toml";
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// What is written beside a run by others: its report and TensorBoard's event files.
pub(crate) const REPORT: &str = "report";
pub(crate) const EVENTS: &str = "tensorboard";
pub(crate) const EVENT_FILE: &str = "events.out.tfevents.";
