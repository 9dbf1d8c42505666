//! `−Σⱼ (xⱼ − cᵢⱼ)²` for each centre `c`: the output layer of LeCun et al. 1998 (equation 7).

use cnn_kernels::{Element, InstructionSet, Region, Sink, View, copy, from_blocks};

/// The rows of vectors, mapped.
fn rows<T: Element>(view: &View<'_, T>) -> Vec<T> {
    let region = Region::new(view.region.batch, view.region.channels, [1, 1]);
    let mut plain = vec![T::ZERO; region.len()];
    copy::copy(InstructionSet::Portable, view, Sink::store(&mut plain, region));
    let mut rows = vec![T::ZERO; region.batch * region.channels];
    from_blocks(&plain, &region, &mut rows);
    rows
}

/// The scores of vectors, in rows of padded channels.
pub(super) fn forward<T: Element>(input: &View<'_, T>, centres: &[Vec<f64>], region: Region) -> Vec<T> {
    let rows = rows(input);
    let mut scores = vec![T::ZERO; region.batch * region.padded_channels()];
    let length = rows.len() / region.batch.max(1);
    for (x, scores) in rows.chunks_exact(length).zip(scores.chunks_exact_mut(region.padded_channels())) {
        for (score, centre) in scores.iter_mut().zip(centres) {
            for (x, c) in x.iter().zip(centre) {
                let away = *x - T::from_f64(*c);
                *score += -(away * away);
            }
        }
    }
    scores
}

/// `Σᵢ −2 gᵢ (xⱼ − cᵢⱼ)`, in rows of padded channels.
pub(super) fn backward<T: Element>(
    input: &View<'_, T>,
    gradient: &View<'_, T>,
    centres: &[Vec<f64>],
    region: Region,
) -> Vec<T> {
    let (x, gradient) = (rows(input), rows(gradient));
    let mut back = vec![T::ZERO; region.len()];
    let samples = x.chunks_exact(region.channels).zip(gradient.chunks_exact(centres.len()));
    for ((x, gradient), back) in samples.zip(back.chunks_exact_mut(region.padded_channels())) {
        for (g, centre) in gradient.iter().zip(centres) {
            for ((x, c), back) in x.iter().zip(centre).zip(back.iter_mut()) {
                *back += T::from_f64(-2.0) * *g * (*x - T::from_f64(*c));
            }
        }
    }
    back
}
