//! Where a kernel's results go.
//!
//! A result is stored, or, being the gradient of a [`View`], pulled through the view's map to the gradient of what the
//! view looks at. Either way the sums per channel that batch normalisation wants are taken while the numbers are still
//! in the cache.

use crate::buffer::{Buffer, Shared};
use crate::element::Element;
use crate::prefetch::LINE;
use crate::region::Region;
use crate::simd::{LANES, Vector};
use crate::view::{Map, View, channel};

/// Where results go.
#[derive(Debug)]
pub enum Sink<'a, T> {
    /// Written.
    Store(Store<'a, T>),
    /// Pulled through a view.
    Pull(Pull<'a, T>),
}

/// Results to write: `max(result + bias, floor)`.
#[derive(Debug)]
pub struct Store<'a, T> {
    /// The buffer.
    pub data: &'a mut [T],
    /// Where in the buffer.
    pub region: Region,
    /// One for each channel.
    pub bias: Option<&'a [T]>,
    /// Lower bound of every result.
    pub floor: Option<T>,
    /// Where mean and variance of each channel are to be left.
    pub moments: Option<&'a mut Moments>,
}

/// A gradient to pull through a view `max(scale · z + shift, floor)`: what arrives counts where the view is above its
/// floor, and goes, times `factor`, to the gradient of `z`.
#[derive(Debug)]
pub struct Pull<'a, T> {
    /// The buffer of the gradient of `z`.
    pub data: &'a mut [T],
    /// Where in the buffer.
    pub region: Region,
    /// What it does to what is there.
    pub arrival: Arrival,
    /// A factor for each padded channel.
    pub factor: Option<&'a [T]>,
    /// The view, where it has a floor or sums of products are wanted: of the gradient's shape, and of [`Map::Identity`] or
    /// [`Map::Affine`].
    pub through: Option<View<'a, T>>,
    /// The sums wanted; without a view there are none of products.
    pub sums: Option<&'a mut Sums>,
}

/// What a gradient does to the one that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is written over it.
    Replace,
    /// It is added to it.
    Add,
    /// What is there has not been pulled through the view yet: this is added, and then all of it is.
    Finish,
    /// Nothing is written; the sums alone are wanted. The buffer may be empty.
    Count,
}

impl Arrival {
    /// To add, or not.
    pub fn adding(adding: bool) -> Self {
        if adding { Self::Add } else { Self::Replace }
    }
}

/// Mean and (biased) variance of each channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    /// Mean.
    pub mean: Vec<f64>,
    /// Mean square deviation from the mean.
    pub variance: Vec<f64>,
}

/// What batch normalisation's backward pass needs to know of each channel: `Σ g` and `Σ g · (z − centre)`. The first is
/// also the gradient of a bias.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// Subtracted from `z`: its mean, to keep the second sum exact.
    pub centre: Vec<f64>,
    /// `Σ g`.
    pub gradient: Vec<f64>,
    /// `Σ g · (z − centre)`.
    pub product: Vec<f64>,
}

impl<'a, T: Element> Store<'a, T> {
    /// Results as they are.
    pub fn plain(data: &'a mut [T], region: Region) -> Self {
        Self { data, region, bias: None, floor: None, moments: None }
    }
}

impl<'a, T: Element> Sink<'a, T> {
    /// Results written as they are.
    pub fn store(data: &'a mut [T], region: Region) -> Self {
        Self::Store(Store::plain(data, region))
    }

    pub(crate) fn region(&self) -> &Region {
        match self {
            Self::Store(store) => &store.region,
            Self::Pull(pull) => &pull.region,
        }
    }

    pub(crate) fn channels(&self) -> usize {
        self.region().channels
    }

    pub(crate) fn size(&self) -> [usize; 2] {
        [self.region().height, self.region().width]
    }

    /// Opens the sink for a computation of `parts` parts, each of which sums up its own pixels.
    pub(crate) fn open(self, parts: usize) -> Open<'a, T> {
        self.region().check();
        let padded = self.region().padded_channels();
        let wide = |values: Vec<T>| {
            let mut values = values;
            values.resize(padded, T::ZERO);
            values
        };
        let summed = match &self {
            Self::Store(store) => store.moments.is_some(),
            Self::Pull(pull) => pull.sums.is_some(),
        };
        let valid = valid(self.region().channels);
        let partial = Buffer::zeros(if summed { parts * ROWS * padded } else { 0 });
        match self {
            Self::Store(Store { data, region, bias, floor, moments }) => {
                assert!(data.len() >= region.len());
                let bias = bias.map(|bias| wide(bias[..region.channels].to_vec()));
                let rule = Rule::Store { bias, floor: floor.unwrap_or(T::NAN) };
                let past = past(&data[..], &region);
                Open { data: Shared::new(data), region, rule, valid, partial, moments, sums: None, past }
            }
            Self::Pull(Pull { data, region, arrival, factor, through, sums }) => {
                assert!(arrival == Arrival::Count || data.len() >= region.len());
                if let Some(view) = &through {
                    view.check_way_back(&region);
                }
                if let Some(sums) = &sums {
                    assert!(sums.centre.len() >= region.channels, "{} centres", sums.centre.len());
                }
                let centre = sums.as_ref().map(|sums| wide(sums.centre.iter().map(|c| T::from_f64(*c)).collect()));
                let factor = factor.map(|factor| factor[..padded].to_vec());
                let rule = Rule::Pull { arrival, factor, through, centre };
                let past = arrival == Arrival::Replace && past(&data[..], &region);
                Open { data: Shared::new(data), region, rule, valid, partial, moments: None, sums, past }
            }
        }
    }
}

/// Bytes of results from which on they are written past the caches, so that memory is written without being read first.
/// Measured with second-level caches of 1 MiB for each of two cores, and 32 MiB shared with others: from 5 to 20 MB on it
/// gains about the same, and with 2 MB smaller networks lose.
#[doc(hidden)]
pub const PAST: usize = 6 << 20;

/// Whether results that go to a region are written past the caches: whole lines, and many.
fn past<T>(data: &[T], region: &Region) -> bool {
    let bytes = region.batch * region.blocks() * region.pixels() * LANES * size_of::<T>();
    size_of::<T>() * LANES == LINE && bytes >= PAST && data.as_ptr().addr().is_multiple_of(LINE)
}

/// A sink the tasks of a loop write to.
pub(crate) struct Open<'a, T> {
    data: Shared<'a, T>,
    pub(crate) region: Region,
    rule: Rule<'a, T>,
    /// 0 for the lanes that fill the last block up, else 1.
    valid: [T; LANES],
    /// `[part][`[`ROWS`]`][channel]`
    partial: Buffer<T>,
    moments: Option<&'a mut Moments>,
    sums: Option<&'a mut Sums>,
    /// Whether results are written past the caches.
    past: bool,
}

// One a computation: its size does not matter.
#[allow(clippy::large_enum_variant)]
enum Rule<'a, T> {
    Store { bias: Option<Vec<T>>, floor: T },
    Pull { arrival: Arrival, factor: Option<Vec<T>>, through: Option<View<'a, T>>, centre: Option<Vec<T>> },
}

/// 1 for the lanes of the last block that are channels.
fn valid<T: Element>(channels: usize) -> [T; LANES] {
    let filled = channels.next_multiple_of(LANES) - channels;
    let mut valid = [T::ONE; LANES];
    valid[LANES - filled..].fill(T::ZERO);
    valid
}

/// Rows of numbers that a part leaves of each channel.
const ROWS: usize = 3;

/// Sums of one part and block, kept while its rows are written: of gradients `Σ g` and `Σ g · (z − centre)`, of stored
/// numbers `Σ (x − base)` and `Σ (x − base)²`.
#[derive(Clone, Copy)]
pub(crate) struct Tally<V> {
    first: V,
    second: V,
    /// About the mean.
    base: V,
}

impl<V: Vector> Tally<V> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self { first: V::zero(), second: V::zero(), base: V::zero() }
    }
}

/// A row of results: pixel `column + i · step` of the row takes result `i`.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) image: usize,
    pub(crate) block: usize,
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) step: usize,
}

impl<'a, T: Element> Open<'a, T> {
    /// A sink that takes the moments of what lies at `region`, and writes nothing.
    pub(crate) fn measure(region: Region, parts: usize, moments: &'a mut Moments) -> Self {
        let partial = Buffer::zeros(parts * ROWS * region.padded_channels());
        let rule = Rule::Store { bias: None, floor: T::NAN };
        let valid = valid(region.channels);
        Self {
            data: Shared::new(&mut []),
            region,
            rule,
            valid,
            partial,
            moments: Some(moments),
            sums: None,
            past: false,
        }
    }

    pub(crate) fn flat(mut self) -> Self {
        self.region = self.region.flat();
        if let Rule::Pull { through: Some(view), .. } = &mut self.rule {
            *view = view.flat();
        }
        self
    }

    /// What is read where it writes: what a gradient is added to, and passes through. Memory that is merely written is
    /// read into the cache too, unless it is written past it.
    pub(crate) fn reads(&self) -> impl Iterator<Item = (*const T, Region)> {
        let (to, through) = match &self.rule {
            Rule::Pull { arrival, through, .. } => (*arrival != Arrival::Count, through.as_ref()),
            Rule::Store { .. } => (true, None),
        };
        let to = (to && !self.past).then_some((self.data.start(), self.region));
        to.into_iter().chain(through.map(|view| (view.data.as_ptr(), view.region)))
    }

    pub(crate) fn wants_sums(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Writes a row of results, sixteen numbers each. The `tally` gathers the sums of gradients; those of stored
    /// numbers are taken by [`Open::moments_of`] over whole tiles.
    ///
    /// # Safety
    ///
    /// No two threads may write the same pixels.
    #[inline(always)]
    pub(crate) unsafe fn write<V: Vector<Element = T>>(&self, at: Row, results: &mut [T], tally: &mut Tally<V>) {
        let count = results.len() / LANES;
        if count == 0 {
            return;
        }
        let results = &mut results[..count * LANES];
        let start = self.region.at(at.image, at.block, at.row, at.column);
        let length = ((count - 1) * at.step + 1) * LANES;
        let to = match self.rule {
            Rule::Pull { arrival: Arrival::Count, .. } => std::ptr::null_mut(),
            // SAFETY: the caller vouches that this row is this thread's. Rows of other phases interleave with it, so
            // only a pointer is made of it.
            _ => unsafe { self.data.pointer(start..start + length) },
        };
        // What fills the last block up stays zero, whatever was computed there.
        let last = at.block + 1 == self.region.blocks();
        // SAFETY: sixteen numbers.
        let valid = if last { unsafe { V::load(self.valid.as_ptr()) } } else { V::splat(T::ONE) };
        match &self.rule {
            Rule::Store { bias, floor } => {
                let bias = channel_or::<V>(bias.as_deref(), at.block, T::ZERO);
                // SAFETY: `to` is the row checked above.
                unsafe { store_row(results, to, at.step, [bias, V::splat(*floor), valid], self.past) }
            }
            Rule::Pull { arrival, factor, through, centre } => {
                let mut pull = PullRow {
                    arrival: *arrival,
                    factor: channel_or::<V>(factor.as_deref(), at.block, T::ONE),
                    centre: channel_or::<V>(centre.as_deref(), at.block, T::ZERO),
                    source: None,
                    map: [V::splat(T::ONE), V::zero(), V::splat(T::NAN)],
                    valid,
                    past: self.past,
                };
                if let Some(view) = through {
                    let z = &view.data[view.region.at(at.image, at.block, at.row, at.column)..][..length];
                    pull.source = Some(z.as_ptr());
                    if let Map::Affine { scale, shift, floor } = view.map {
                        let (scale, shift) = (channel::<V>(scale, at.block), channel::<V>(shift, at.block));
                        pull.map = [scale, shift, channel::<V>(floor, at.block)];
                    }
                }
                // SAFETY: `to` is the row checked above, but where nothing is written, and so is the source.
                unsafe { pull.run(results, to, at.step, tally) }
            }
        }
    }

    /// Sums of deviations of results that were stored. Numbers far from zero lose what they differ by when they are added
    /// up; so the differences from the first are, and then from about the mean, to know what it is off by.
    #[inline(always)]
    pub(crate) fn moments_of<V: Vector<Element = T>>(&self, results: &[T]) -> Tally<V> {
        let mut tally = Tally::<V>::new();
        if results.len() < LANES {
            return tally;
        }
        // SAFETY: sixteen numbers.
        let first = unsafe { V::load(results.as_ptr()) };
        let mut sum = V::zero();
        for i in (0..results.len()).step_by(LANES) {
            // SAFETY: within `results`, whose length is a multiple of sixteen.
            sum = sum.add(unsafe { V::load(results.as_ptr().add(i)) }.sub(first));
        }
        let share = T::from_f64(1.0 / (results.len() / LANES) as f64);
        tally.base = sum.mul_add(V::splat(share), first);
        for i in (0..results.len()).step_by(LANES) {
            // SAFETY: as above.
            let away = unsafe { V::load(results.as_ptr().add(i)) }.sub(tally.base);
            tally.first = tally.first.add(away);
            tally.second = away.mul_add(away, tally.second);
        }
        tally
    }

    pub(crate) fn stores(&self) -> bool {
        matches!(self.rule, Rule::Store { .. })
    }

    /// Leaves the sums of a part's block.
    ///
    /// # Safety
    ///
    /// No two threads may leave those of the same part and block.
    #[inline(always)]
    pub(crate) unsafe fn leave<V: Vector<Element = T>>(&self, part: usize, block: usize, tally: Tally<V>) {
        let padded = self.region.padded_channels();
        let at = part * ROWS * padded + block * LANES;
        assert!(at + (ROWS - 1) * padded + LANES <= self.partial.len());
        let rows: [V; ROWS] = [tally.first, tally.second, tally.base];
        for (number, row) in rows.into_iter().enumerate() {
            // SAFETY: in bounds, and this thread's alone, as the caller says; nothing reads before the loop has ended.
            unsafe {
                let to = self.partial.start().add(at + number * padded);
                V::load(to).add(row).store(to);
            }
        }
    }

    /// Adds the parts' sums up, in their order; `pixels(part)` is the number of pixels of a part.
    pub(crate) fn close(self, pixels: impl Fn(usize) -> usize) {
        if let Some(moments) = self.moments {
            *moments = joined(&self.partial, &self.region, pixels);
        }
        let looked = matches!(self.rule, Rule::Pull { through: Some(_), .. });
        if let Some(sums) = self.sums {
            let (padded, channels) = (self.region.padded_channels(), self.region.channels);
            let mut totals = [vec![0.0; channels], vec![0.0; channels]];
            // Part by part, as they lie in memory.
            for part in self.partial.chunks_exact(ROWS * padded.max(1)) {
                for (total, row) in totals.iter_mut().zip(part.chunks_exact(padded)) {
                    total.iter_mut().zip(row).for_each(|(total, own)| *total += own.to_f64());
                }
            }
            [sums.gradient, sums.product] = totals;
            if !looked {
                return;
            }
            // What was subtracted is the centre rounded.
            let centre = sums.centre.iter().map(|centre| T::from_f64(*centre).to_f64() - centre);
            let products = sums.product.iter_mut().zip(&sums.gradient);
            products.zip(centre).for_each(|((product, gradient), off)| *product += gradient * off);
        }
    }
}

/// The moments of all parts of a region, of the sums that each has left.
fn joined<T: Element>(partial: &[T], region: &Region, pixels: impl Fn(usize) -> usize) -> Moments {
    let (padded, channels) = (region.padded_channels(), region.channels);
    // Part by part, as they lie in memory: pixels, and of each channel sum, square and base.
    let parts = || partial.chunks_exact(ROWS * padded.max(1)).enumerate().map(|(number, part)| (pixels(number), part));
    let of = |part: &[T], pixels: usize, channel: usize| {
        let [sum, square, base] = [0, 1, 2].map(|row| part[row * padded + channel].to_f64());
        let off = sum / pixels.max(1) as f64;
        let away = square - sum * off;
        // Less than nothing is rounding.
        (base + off, if away < 0.0 { 0.0 } else { away })
    };
    let count: f64 = parts().map(|(pixels, _)| pixels as f64).sum();
    let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
    for (pixels, part) in parts() {
        mean.iter_mut().enumerate().for_each(|(channel, mean)| *mean += pixels as f64 * of(part, pixels, channel).0);
    }
    mean.iter_mut().for_each(|mean| *mean /= count);
    for (pixels, part) in parts() {
        for (channel, variance) in variance.iter_mut().enumerate() {
            let (own, square) = of(part, pixels, channel);
            let away = own - mean[channel];
            *variance += square + pixels as f64 * away * away;
        }
    }
    variance.iter_mut().for_each(|variance| *variance /= count);
    Moments { mean, variance }
}

/// The entries of a block's channels, or a number for all of them.
#[inline(always)]
fn channel_or<V: Vector>(entries: Option<&[V::Element]>, block: usize, otherwise: V::Element) -> V {
    match entries {
        Some(entries) => channel::<V>(entries, block),
        None => V::splat(otherwise),
    }
}

/// Writes `max(result + bias, floor)` to every `step`-th pixel, and to `results`, where it is valid.
///
/// # Safety
///
/// `to` must be valid for writing these pixels.
#[inline(always)]
unsafe fn store_row<V: Vector>(
    results: &mut [V::Element],
    to: *mut V::Element,
    step: usize,
    [bias, floor, valid]: [V; 3],
    past: bool,
) {
    for i in (0..results.len()).step_by(LANES) {
        // SAFETY: within `results`, whose length is a multiple of sixteen, and as the caller says.
        unsafe {
            let from = results.as_mut_ptr().add(i);
            let x = V::load(from).add(bias).at_least(floor).unless_at_most(valid, V::zero());
            x.store(from);
            match past {
                true => x.store_past(to.add(i * step)),
                false => x.store(to.add(i * step)),
            }
        }
    }
}

/// How a row of gradients is pulled through a view.
struct PullRow<V: Vector> {
    arrival: Arrival,
    factor: V,
    centre: V,
    /// What the view looks at, where there is one, and its scale, shift and floor.
    source: Option<*const V::Element>,
    map: [V; 3],
    valid: V,
    past: bool,
}

impl<V: Vector> PullRow<V> {
    /// # Safety
    ///
    /// Every `step`-th pixel must be valid to read from the source, and to read and write at `to` unless gradients are
    /// only counted.
    #[inline(always)]
    unsafe fn run(&self, results: &[V::Element], to: *mut V::Element, step: usize, tally: &mut Tally<V>) {
        let [scale, shift, floor] = self.map;
        for i in (0..results.len()).step_by(LANES) {
            // SAFETY: within `results`, whose length is a multiple of sixteen, and as the caller says.
            unsafe {
                let to = to.wrapping_add(i * step);
                let mut g = V::load(results.as_ptr().add(i)).unless_at_most(self.valid, V::zero());
                if self.arrival == Arrival::Finish {
                    g = g.add(V::load(to));
                }
                if let Some(z) = self.source {
                    let z = V::load(z.add(i * step));
                    g = g.unless_at_most(z.mul_add(scale, shift), floor);
                    tally.second = g.mul_add(z.sub(self.centre), tally.second);
                }
                tally.first = tally.first.add(g);
                match self.arrival {
                    Arrival::Add => g.mul_add(self.factor, V::load(to)).store(to),
                    Arrival::Replace if self.past => g.mul(self.factor).store_past(to),
                    Arrival::Replace | Arrival::Finish => g.mul(self.factor).store(to),
                    Arrival::Count => {}
                }
            }
        }
    }
}
