//! Bringing images and network together.

use crate::error::Result;
use cnn_core::{Architecture, Network};
use cnn_data::{Fit, Images, Interpolation, Preparation};

/// Pixels that a missing border may have in all before an image is stretched rather than framed.
const FRAME: usize = 8;

/// The network for these images, and how they are prepared for it.
///
/// Pictures that lie in files, photos mostly, are brought to the size of the source's input: scaled, and the middle cut out.
/// Where most of them have the same size and it is smaller, that is the size, if the network can take it; one odd picture
/// among them makes no difference.
///
/// Images in memory a few pixels smaller than the source's are framed, as the paper frames 28×28 digits in 32×32; else they
/// stay as they are if the network can take them; else they are framed if a narrow frame is enough; else stretched to the
/// source's size.
///
/// With `resize`, images in memory are stretched to that height and width, and so are square pictures of one size; of
/// others the middle is cut out.
///
/// # Errors
///
/// A `resize` the network cannot take, by the node that cannot; an empty set of images.
pub fn fit(architecture: &Architecture, images: &Images, resize: Option<usize>) -> Result<(Network, Preparation)> {
    let [channels, height, width] = images.shape();
    let [_, usual_height, usual_width] = architecture.usual_input();
    let usual = [usual_height, usual_width];
    let framed = |n: usize, usual: usize| n < usual && usual - n <= FRAME;
    let takes = |height, width| architecture.at([channels, height, width]).is_ok();
    let fit = match resize {
        Some(side) if images.in_memory() || images.have_one_size() && height == width => Fit::resize([side; 2]),
        Some(side) => Fit::centre([side; 2]),
        None if images.have_one_size() && [height, width] == usual => Fit::None,
        None if images.have_one_size() && framed(height, usual_height) && framed(width, usual_width) => {
            Fit::Pad { height: usual_height, width: usual_width }
        }
        None if !images.in_memory() => of_files(images, usual, takes),
        None if takes(height, width) => Fit::None,
        // A narrow frame costs less than a stretch.
        None => match [4, FRAME].into_iter().find(|frame| takes(height + frame, width + frame)) {
            Some(frame) => Fit::Pad { height: height + frame, width: width + frame },
            None => Fit::resize(usual),
        },
    };
    let preparation = Preparation::of(images)?.fitted(fit);
    let network = architecture.at(preparation.shape(images.shape())?)?;
    Ok((network, preparation))
}

/// How pictures in files are brought to one size.
fn of_files(images: &Images, usual: [usize; 2], takes: impl Fn(usize, usize) -> bool) -> Fit {
    let [height, width] = images.usual_size();
    let small = height <= usual[0] && width <= usual[1] && takes(height, width);
    match (small, images.have_one_size()) {
        (true, true) => Fit::None,
        (true, false) => {
            Fit::Cover { stretched: [height, width], height, width, interpolation: Interpolation::Bilinear }
        }
        (false, _) => Fit::centre(usual),
    }
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
    use cnn_data::{ImageSource, Picture};

    fn images(side: usize) -> Images {
        Images::new([1, side, side], vec![7; side * side], vec![0]).unwrap()
    }

    /// Pictures as files have them: of several sizes, of which one is the usual.
    #[derive(Debug)]
    struct Files(Vec<[usize; 2]>);

    impl ImageSource for Files {
        fn labels(&self) -> Vec<u32> {
            vec![0; self.0.len()]
        }

        fn shape(&self) -> [usize; 3] {
            let [height, width] = self.0.iter().fold([9999; 2], |[a, b], [c, d]| [a.min(*c), b.min(*d)]);
            [3, height, width]
        }

        fn has_one_size(&self) -> bool {
            self.0.windows(2).all(|pair| pair[0] == pair[1])
        }

        fn usual_size(&self) -> [usize; 2] {
            self.0[0]
        }

        fn picture(&self, index: usize) -> Result<Picture<'_>, cnn_data::Error> {
            let [height, width] = self.0[index];
            Picture::new([3, height, width], vec![9; 3 * height * width])
        }
    }

    #[test]
    fn photos_come_at_the_usual_size_and_small_pictures_at_their_own() {
        let network = chain().and(conv(5).out(2)).global_avg_pool().named("photos", [3, 224, 224]);
        let fitted = |sizes: &[[usize; 2]], resize| {
            let images = Images::from_source(Files(sizes.to_vec())).unwrap();
            let (network, preparation) = fit(&network, &images, resize).unwrap();
            assert_eq!(network.input().dims(), preparation.output(&images).unwrap());
            preparation.fit
        };
        let usual = Fit::centre([224, 224]);
        assert_eq!(fitted(&[[480, 640]; 3], None), usual);
        assert_eq!(fitted(&[[480, 640], [640, 480]], None), usual);
        assert_eq!(fitted(&[[224, 224]; 2], None), Fit::None);
        // One odd picture among small ones does not make them large.
        let small = Fit::Cover { stretched: [64, 64], height: 64, width: 64, interpolation: Interpolation::Bilinear };
        assert_eq!(fitted(&[[64, 64]; 2], None), Fit::None);
        assert_eq!(fitted(&[[64, 64], [64, 64], [900, 50]], None), small);
        assert_eq!(fitted(&[[300, 64]; 2], None), usual);
        assert_eq!(fitted(&[[220, 220]; 2], None), Fit::Pad { height: 224, width: 224 });
        assert_eq!(fitted(&[[480, 640]; 2], Some(128)), Fit::centre([128, 128]));
        assert_eq!(fitted(&[[64, 64]; 2], Some(128)), Fit::resize([128, 128]));
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
