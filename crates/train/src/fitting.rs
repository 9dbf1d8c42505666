//! Bringing images and network together.

use crate::error::Result;
use cnn_core::{Architecture, Network};
use cnn_data::{Fit, Images, Preparation};

/// Pixels that a missing border may have in all before an image is stretched rather than framed.
const FRAME: usize = 8;

/// The network for these images, and how they are prepared for it.
///
/// Of images that differ in size the middle is cut out, as high and wide as `resize` says or the source's input.
///
/// With `resize` every other image is stretched to that height and width. Without it, an image a few pixels smaller than the
/// source's is framed, as the paper frames 28×28 digits in 32×32; else images stay as they are if the network can take
/// them; else they are framed if a narrow frame is enough; else stretched to the source's size.
///
/// # Errors
///
/// A `resize` the network cannot take, by the node that cannot; an empty set of images.
pub fn fit(architecture: &Architecture, images: &Images, resize: Option<usize>) -> Result<(Network, Preparation)> {
    let [channels, height, width] = images.shape();
    let [_, usual_height, usual_width] = architecture.usual_input();
    let framed = |n: usize, usual: usize| n < usual && usual - n <= FRAME;
    let takes = |height, width| architecture.at([channels, height, width]).is_ok();
    let fit = match resize {
        Some(side) if !images.have_one_size() => Fit::centre([side; 2]),
        Some(side) => Fit::resize([side; 2]),
        None if !images.have_one_size() => Fit::centre([usual_height, usual_width]),
        None if [height, width] == [usual_height, usual_width] => Fit::None,
        None if framed(height, usual_height) && framed(width, usual_width) => {
            Fit::Pad { height: usual_height, width: usual_width }
        }
        None if takes(height, width) => Fit::None,
        // A narrow frame costs less than a stretch.
        None => match [4, FRAME].into_iter().find(|frame| takes(height + frame, width + frame)) {
            Some(frame) => Fit::Pad { height: height + frame, width: width + frame },
            None => Fit::resize([usual_height, usual_width]),
        },
    };
    let preparation = Preparation::of(images)?.fitted(fit);
    let network = architecture.at(preparation.shape(images.shape())?)?;
    Ok((network, preparation))
}

/// As [`fit`], for weights that are known to want their pictures prepared in some way: the mean and the deviation are
/// theirs, and so is the size where they say one and `resize` does not. Images of another number of channels get [`fit`]'s.
///
/// # Errors
///
/// As [`fit`].
pub fn fit_as(
    architecture: &Architecture,
    images: &Images,
    resize: Option<usize>,
    theirs: &Preparation,
) -> Result<(Network, Preparation)> {
    let (network, own) = fit(architecture, images, resize)?;
    if theirs.mean.len() != images.channels() {
        return Ok((network, own));
    }
    let theirs_fits = resize.is_none() && theirs.fit.equals_sizes();
    let fit = if theirs_fits { theirs.fit } else { own.fit };
    let preparation = theirs.clone().fitted(fit);
    Ok((architecture.at(preparation.shape(images.shape())?)?, preparation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnn_core::definition::*;

    fn images(side: usize) -> Images {
        Images::new([1, side, side], vec![7; side * side], vec![0]).unwrap()
    }

    #[test]
    fn images_are_framed_kept_or_stretched() {
        let small = chain().and(conv(5).out(2)).global_avg_pool().named("small", [1, 32, 32]);
        let large = chain().and(conv(63).out(2)).global_avg_pool().named("large", [1, 224, 224]);
        let fitted = |architecture: &Architecture, side, resize| {
            let (network, preparation) = fit(architecture, &images(side), resize).unwrap();
            assert_eq!(network.input().dims(), preparation.shape([1, side, side]).unwrap());
            preparation.fit
        };
        assert_eq!(fitted(&small, 32, None), Fit::None);
        assert_eq!(fitted(&small, 28, None), Fit::Pad { height: 32, width: 32 });
        assert_eq!(fitted(&small, 20, None), Fit::None);
        assert_eq!(fitted(&small, 28, Some(16)), Fit::resize([16, 16]));
        assert_eq!(fitted(&large, 28, None), Fit::resize([224, 224]));
        assert_eq!(fitted(&large, 60, None), Fit::Pad { height: 64, width: 64 });
        assert_eq!(fitted(&large, 100, None), Fit::None);
        // What weights want comes before what the images are.
        let theirs = Preparation::mnist().fitted(Fit::centre([64, 64]));
        let fitted = |resize| fit_as(&small, &images(28), resize, &theirs).unwrap().1;
        assert_eq!(fitted(None), theirs);
        let stretched = fitted(Some(16));
        assert_eq!((stretched.mean, stretched.fit), (theirs.mean.clone(), Fit::resize([16, 16])));
        let colours = Preparation::imagenet();
        assert_eq!(fit_as(&small, &images(28), None, &colours).unwrap().1.mean.len(), 1);
        let message = fit(&large, &images(28), Some(32)).unwrap_err().to_string();
        assert_eq!(message, "conv: kernel 63×63 exceeds padded input 32×32 (input 32×32)");
    }
}
