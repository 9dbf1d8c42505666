//! The images that excite a channel most.

use crate::error::Result;
use crate::explainer::Explainer;
use crate::maps::Maps;
use cnn_network::network::NodeId;

/// An image that excites a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exciting {
    /// The image's position among those that were looked at.
    pub image: usize,
    /// The channel's greatest number in it.
    pub value: f32,
    /// The row and the column of that number; [`seen`](crate::seen) finds the pixels that made it.
    pub place: [usize; 2],
}

/// For each channel the images that excite it most so far.
#[derive(Clone, Debug)]
pub(crate) struct Ranking {
    top: usize,
    pub(crate) best: Vec<Vec<Exciting>>,
}

impl Ranking {
    /// Of `channels` channels the `top` images each.
    pub(crate) fn new(channels: usize, top: usize) -> Self {
        Self { top, best: vec![Vec::new(); channels] }
    }

    /// Looks at the maps of one more image.
    pub(crate) fn look(&mut self, image: usize, maps: &Maps) {
        let [_, width] = maps.size();
        for (best, channel) in self.best.iter_mut().zip(maps.channels()) {
            let greatest = (0..channel.len()).reduce(|a, b| if channel[b] > channel[a] { b } else { a });
            let Some(at) = greatest else { continue };
            let value = channel[at];
            let rank = best.partition_point(|other| other.value >= value);
            best.insert(rank, Exciting { image, value, place: [at / width, at % width] });
            best.truncate(self.top);
        }
    }
}

impl Explainer {
    /// For each channel of a node the `top` images in which its greatest number is greatest, the greatest first; of
    /// equals the earlier image. The images come one by one, as the network reads them; no more than one is in memory.
    ///
    /// # Errors
    ///
    /// As [`Explainer::activations`]; whatever the images' source reports, as it comes.
    pub fn exciting<E: From<crate::Error>>(
        &self,
        node: NodeId,
        images: impl IntoIterator<Item = Result<Vec<f32>, E>>,
        top: usize,
    ) -> Result<Vec<Vec<Exciting>>, E> {
        let evaluation = self.evaluation(&[node])?;
        let mut ranking = Ranking::new(self.network().node(node).shape.channels(), top);
        for (image, numbers) in images.into_iter().enumerate() {
            let numbers = numbers?;
            self.check_image(&numbers)?;
            ranking.look(image, &self.run(&evaluation, &numbers, &[node])?.swap_remove(0).swap_remove(0));
        }
        Ok(ranking.best)
    }
}
