//! Class activation maps: where in the last maps the evidence for a class lies.

use crate::error::{Error, Result};
use crate::explainer::{Explainer, Slope};
use crate::heat::Heat;
use crate::target::cam_node;
use cnn_network::network::NodeId;

/// How the channels of a node are weighed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cam {
    /// By the mean of each channel's gradient (Selvaraju et al. 2017, equations 1 and 2).
    #[default]
    GradCam,
    /// By positive gradients alone, each weighed by how much its place counts among the channel's (Chattopadhay et al.
    /// 2018, equations 10 and 19): finds several objects of one class.
    GradCamPlusPlus,
}

impl Explainer {
    /// For each image where the evidence for a class lies, from 0 to 1 over the places of a node's maps; see
    /// [`Heat::resized`] for the size of the image. `classes` has a class for each image. Without a node it is
    /// [`cam_node`]'s.
    ///
    /// # Errors
    ///
    /// As [`Explainer::slopes`]; a node that has no maps, a network that has none.
    pub fn cam(&mut self, images: &[f32], classes: &[usize], node: Option<NodeId>, method: Cam) -> Result<Vec<Heat>> {
        let network = self.network();
        let node = node.or_else(|| cam_node(network)).unwrap_or(network.outputs()[0].node);
        network.check_nodes(&[node])?;
        let found = network.node(node);
        if found.shape.size().is_none() {
            let (network, node, shape) = (network.name().to_string(), found.path.clone(), found.shape);
            return Err(Error::NoMaps { network, node, shape });
        }
        let slopes = self.slopes(images, classes, &[node])?;
        Ok(slopes.iter().map(|slopes| heat(&slopes[0], method)).collect())
    }
}

fn heat(slope: &Slope, method: Cam) -> Heat {
    let Slope { value, gradient } = slope;
    let size = value.size();
    let mut sum = vec![0.0f64; size[0] * size[1]];
    for (value, gradient) in value.channels().zip(gradient.channels()) {
        let weight = match method {
            Cam::GradCam => gradient.iter().map(|g| f64::from(*g)).sum::<f64>() / gradient.len() as f64,
            Cam::GradCamPlusPlus => plus_plus(value, gradient),
        };
        sum.iter_mut().zip(value).for_each(|(sum, value)| *sum += weight * f64::from(*value));
    }
    Heat { size, numbers: sum.into_iter().map(|x| x.max(0.0) as f32).collect() }.scaled()
}

/// The weight of a channel by equations 10 and 19 of Grad-CAM++, with the package's 10⁻⁶ under the fraction.
fn plus_plus(value: &[f32], gradient: &[f32]) -> f64 {
    let total: f64 = value.iter().map(|x| f64::from(*x)).sum();
    let at = |g: f64| {
        let share = g.powi(2) / (2.0 * g.powi(2) + total * g.powi(3) + 1e-6);
        if g > 0.0 { g * share } else { 0.0 }
    };
    gradient.iter().map(|g| at(f64::from(*g))).sum()
}
