//! What a network makes of a picture before it decides: features for searching, clustering, or a classifier of one's own.

use crate::error::{Error, Result};
use crate::trained::{Trained, prepare};
use cnn_core::{InferenceOptions, InferencePlan, Predictor};
use cnn_data::{Card, Picture};

/// A network that gives the values of one of its nodes.
#[derive(Clone, Debug)]
pub struct Features {
    predictor: Predictor,
    card: Card,
    node: String,
    /// The node's value for one image: channels, height and width, or one number.
    dims: Vec<usize>,
    form: Form,
}

/// How a map becomes features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// The mean of each channel over all places: as many numbers as channels.
    #[default]
    Pooled,
    /// The map itself, in the order (channel, row, column).
    Maps,
}

impl Features {
    /// The features at a node; without one, where the network's last layer with weights reads them.
    ///
    /// # Errors
    ///
    /// A node that is not there, with those most like it; as [`Classifier::new`](crate::Classifier::new).
    pub fn new(trained: &Trained, node: Option<&str>, form: Form) -> Result<Self> {
        Self::by(trained, node, form, InferenceOptions::default())
    }

    /// The same by a plan of one's own.
    ///
    /// # Errors
    ///
    /// As [`Features::new`] and [`Classifier::by`](crate::Classifier::by).
    pub fn by(trained: &Trained, node: Option<&str>, form: Form, options: InferenceOptions<'_>) -> Result<Self> {
        trained.check_input()?;
        let network = &trained.network;
        let id = match node {
            Some(path) => network.find(path)?,
            None => network.feature_node(),
        };
        let (node, dims) = (network.node(id).path.clone(), network.node(id).shape.dims().to_vec());
        let plan = InferencePlan::new(network, &trained.weights, options.of_nodes(&[&node]))?;
        Ok(Self { predictor: Predictor::of(plan), card: trained.card.clone(), node, dims, form })
    }

    /// The node's path.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The shape of one picture's features.
    pub fn dims(&self) -> &[usize] {
        match self.form {
            Form::Maps => &self.dims,
            Form::Pooled => &self.dims[..1],
        }
    }

    /// The numbers of a picture that the network reads.
    ///
    /// # Errors
    ///
    /// As [`Classifier::prepare`](crate::Classifier::prepare).
    pub fn prepare(&self, picture: &Picture<'_>) -> Result<Vec<f32>> {
        prepare(&self.card, picture)
    }

    /// The features of prepared pictures, one after the other.
    ///
    /// # Errors
    ///
    /// Those of the network; features that are not finite.
    pub fn of_prepared(&self, pictures: &[f32]) -> Result<Vec<f32>> {
        let values = self.predictor.logits(pictures)?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Error::NoAnswer { network: self.card.network.clone() });
        }
        let places: usize = self.dims[1..].iter().product();
        Ok(match self.form {
            Form::Pooled if places > 1 => values.chunks_exact(places).map(mean).collect(),
            _ => values,
        })
    }

    /// The features of one picture.
    ///
    /// # Errors
    ///
    /// As [`Features::prepare`] and [`Features::of_prepared`].
    pub fn of(&self, picture: &Picture<'_>) -> Result<Vec<f32>> {
        self.of_prepared(&self.prepare(picture)?)
    }
}

fn mean(places: &[f32]) -> f32 {
    (places.iter().map(|value| f64::from(*value)).sum::<f64>() / places.len() as f64) as f32
}
