//! What a network sees, by the network's value and its weights.
//!
//! ```text
//! Explainer::new(&network, &weights)
//!     activations, probabilities      the values of any nodes
//!     slopes                          gradients of a class's score with respect to any nodes
//!     cam                             Grad-CAM, Grad-CAM++: where the evidence for a class lies
//!     saliency, smooth_gradient       which pixels a score depends on
//!     guided_backpropagation, occlusion
//!     first_filters, exciting         what the first layer looks for; the images that excite a channel most
//! seen(&network, node, place)         the pixels that a unit sees
//! cam_node(&network)                  the node that Grad-CAM looks at, found in the network
//! Page, LivePage                      pages of it: of some pictures; of one that changes, with Live
//! principal_components(&features)     many images as points of a plane; neighbour_embedding: by t-SNE
//! Collection::of(&explainer, …)       images of a data set for a page: their points, and what excites channels
//! ```
//!
//! Images are what a network reads: prepared numbers, `(C, H, W)`.
//!
//! ```
//! use cnn_explain::{Cam, Explainer};
//! use cnn_network::definition::{chain, conv, linear};
//! use cnn_weights::Weights;
//!
//! let network = chain()
//!     .then("conv", conv(3).out(8).pad(1))
//!     .relu()
//!     .global_avg_pool()
//!     .then("fc", linear(10))
//!     .named("tiny", [1, 8, 8])
//!     .at_usual_input()?;
//! let mut explainer = Explainer::new(&network, &Weights::initialised(&network, 7))?;
//! let image = vec![0.5; 64];
//! let heat = explainer.cam(&image, &[3], None, Cam::GradCam)?.swap_remove(0);
//! assert_eq!(heat.size, [8, 8]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cam;
mod collection;
#[cfg(feature = "embedding")]
mod embedding;
mod error;
mod exciting;
mod explainer;
mod field;
mod filters;
mod heat;
mod live;
mod maps;
#[cfg(feature = "embedding")]
mod neighbours;
mod page;
mod saliency;
mod target;

pub use cam::Cam;
pub use collection::{Collection, Sample};
#[cfg(feature = "embedding")]
pub use embedding::{Embedding, principal_components};
pub use error::{Error, Result};
pub use exciting::Exciting;
pub use explainer::{Explainer, Slope};
pub use field::{Seen, seen};
pub use filters::Filters;
pub use heat::Heat;
pub use live::{About, Engine, Live, LivePage, Opened};
pub use maps::Maps;
#[cfg(feature = "embedding")]
pub use neighbours::neighbour_embedding;
pub use page::{Page, Subject};
pub use saliency::{Occlusion, SmoothGrad, greatest};
pub use target::cam_node;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
