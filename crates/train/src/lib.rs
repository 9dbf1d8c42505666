//! Training of convolutional networks.
//!
//! ```text
//! Task { network, dataset, preparation, settings, device, … }  →  train(&task, folder, observer)?  →  Outcome
//! ```
//!
//! [`train`] is the loop; [`Settings`] says how, a [`Recipe`] names settings and [`Recipe::usual`] knows what each network's
//! source used; [`RunFolder`] keeps what comes of it and lets a run go on; an [`Observer`] watches and may stop it.
//! [`evaluate`] judges, [`Weights`] are read back, for evaluation or as the [`Start`] of another training; [`Card`]
//! says what they are for.
//!
//! ```
//! use cnn_core::definition::{chain, conv, linear, max_pool};
//! use cnn_data::{DigitsConfig, digits};
//! use cnn_train::{RunFolder, Settings, Silent, Task, Weights, classifier, fit, predict, train};
//!
//! let dataset = digits(DigitsConfig { train: 400, test: 100, seed: 1 })?;
//! let architecture = chain()
//!     .then("conv", conv(5).out(8))
//!     .relu()
//!     .and(max_pool(4))
//!     .flatten()
//!     .then("fc", linear(10))
//!     .named("small", [1, 28, 28]);
//! let (network, preparation) = fit(&architecture, dataset.train(), None)?;
//! let settings = Settings { epochs: 3, batch_size: 16, ..Settings::default() };
//! let task = Task { settings, ..Task::new(&network, &dataset, preparation.clone()) };
//!
//! # let place = tempfile::tempdir()?;
//! # let place = place.path().join("run");
//! let folder = RunFolder::create(&place)?;
//! let outcome = train(&task, Some(&folder), &mut Silent)?;
//! assert!(outcome.epochs[2].train_loss < outcome.epochs[0].train_loss);
//!
//! // What the best weights say of the test images.
//! let best = Weights::read(folder.best())?;
//! let loader = cnn_data::Loader::new(dataset.test(), preparation, 50)?;
//! let predictions = predict(&classifier(&network, &best, &task.device)?, &loader)?;
//! let right = predictions.predicted().zip(predictions.labels()).filter(|((class, _), label)| class == *label);
//! assert_eq!(right.count() as f64 / 100.0, outcome.epochs[outcome.best].test_accuracy);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Loss, metrics, stopping rules, augmentation and engines may be one's own: see [`Task`], [`LossFunction`], [`Metric`],
//! [`StoppingRule`], [`cnn_data::Transform`] and [`Learner`].

mod average;
mod changes;
mod checkpoint;
mod claim;
mod class_weights;
mod classifier;
mod classify;
#[cfg(feature = "candle")]
mod classify_candle;
mod cross_entropy;
#[cfg(feature = "whitening")]
mod eigen;
mod engine;
mod epoch;
mod error;
mod evaluate;
mod find_rate;
mod fitting;
mod folder;
mod freeze;
mod group;
mod keeping;
mod limits;
mod loss;
mod memory;
mod metric;
mod observer;
#[cfg(feature = "candle")]
mod optimiser;
mod predictions;
mod prefix;
mod recent;
mod recipe;
mod recipe_words;
mod rule;
mod run_files;
mod schedule;
mod set_aside;
mod settings;
mod stopping;
mod task;
#[cfg(feature = "candle")]
mod tensor_rule;
mod test_time;
mod training;
mod weights;
mod whitening;
mod whole_file;

pub use average::Lookahead;
pub use changes::{Change, DataMark};
pub use claim::Claim;
pub use class_weights::ClassWeights;
pub use classifier::classifier;
pub use classify::Classify;
#[cfg(feature = "candle")]
pub use classify_candle::{CandleEvaluation, tensors};
pub use cnn_data::Card;
pub use cnn_plan::Targets;
pub use cnn_weights::{Start, Weights};
pub use cross_entropy::SoftmaxCrossEntropy;
pub use engine::{Engine, Learner, Lesson, Saved, Stepped, Updates};
pub use epoch::{Epoch, best_epoch};
pub use error::{Error, Result};
pub use evaluate::{Evaluated, evaluate};
pub use find_rate::{FoundRates, RatePoint, RateSearch};
pub use fitting::{fit, fit_as};
pub use folder::{Checkpoints, Every, RunFolder};
pub use group::{Decay, Group};
pub use loss::{LossAndGradients, LossFunction, Output};
pub use memory::{Memory, check_evaluation_fits};
pub use metric::{BalancedAccuracy, MacroF1, Metric, Top};
pub use observer::{Begin, Evaluation, Judged, Observer, Observers, Silent, StepReport, Stop};
#[cfg(feature = "candle")]
pub use optimiser::Optimiser;
pub use predictions::{Predictions, predict, predict_while};
pub use recent::{Figures, Recent};
pub use recipe::{DataChoice, Recipe};
pub use rule::Rule;
pub use schedule::{Schedule, WarmUp, When};
pub use settings::{Clip, Precision, Settings};
pub use stopping::{Patience, StoppingRule};
pub use task::Task;
pub use test_time::TestTime;
pub use training::{Ending, Outcome, train, train_with};
#[cfg(feature = "candle")]
pub use weights::write_model;
pub use whitening::Whitening;
pub use whole_file::{make_within, write_whole};
