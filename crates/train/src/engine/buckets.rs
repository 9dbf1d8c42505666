//! Which gradients travel together.

/// What a tensor adds to what ranks exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// So many numbers of a gradient.
    Gradient(usize),
    /// So many numbers that each pass moves.
    Statistics(usize),
    Nothing,
}

/// The gradients of all tensors in buckets. The backward pass comes to the last tensors first, so they are in the first
/// bucket, which can leave while the pass goes on.
#[derive(Debug)]
pub(crate) struct Buckets {
    /// For each bucket its numbers and its tensors.
    sizes: Vec<(usize, usize)>,
    /// For each tensor its bucket, its first number there, and how many it has.
    places: Vec<Option<(usize, usize, usize)>>,
}

impl Buckets {
    /// Of tensors in the network's order; a bucket is full with `least` numbers.
    pub(crate) fn new(parts: &[Part], least: usize) -> Self {
        let mut buckets = Self { sizes: Vec::new(), places: vec![None; parts.len()] };
        for (tensor, part) in parts.iter().enumerate().rev() {
            let Part::Gradient(length) = *part else { continue };
            if buckets.sizes.last().is_none_or(|(numbers, _)| *numbers >= least) {
                buckets.sizes.push((0, 0));
            }
            let bucket = buckets.sizes.len() - 1;
            let (numbers, tensors) = &mut buckets.sizes[bucket];
            buckets.places[tensor] = Some((bucket, *numbers, length));
            (*numbers, *tensors) = (*numbers + length, *tensors + 1);
        }
        buckets
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// The numbers of a bucket.
    pub(crate) fn numbers(&self, bucket: usize) -> usize {
        self.sizes[bucket].0
    }

    /// The tensors of a bucket.
    pub(crate) fn tensors(&self, bucket: usize) -> usize {
        self.sizes[bucket].1
    }

    /// The bucket of a tensor's gradient, and its first number there.
    pub(crate) fn place(&self, tensor: usize) -> Option<(usize, usize)> {
        self.places.get(tensor)?.map(|(bucket, start, _)| (bucket, start))
    }

    /// The tensors of a bucket, each with its numbers.
    pub(crate) fn within<'b>(&'b self, bucket: usize, numbers: &'b [f32]) -> impl Iterator<Item = (usize, &'b [f32])> {
        let places = self.places.iter().enumerate();
        places.filter_map(move |(tensor, place)| match *place {
            Some((of, start, length)) if of == bucket => Some((tensor, &numbers[start..start + length])),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tensors_are_in_the_first_bucket() {
        let parts = [Part::Gradient(5), Part::Nothing, Part::Gradient(2), Part::Statistics(7), Part::Gradient(1)];
        let found = |least: usize| {
            let buckets = Buckets::new(&parts, least);
            let places = (0..parts.len()).map(|tensor| buckets.place(tensor)).collect::<Vec<_>>();
            let sizes = (0..buckets.len()).map(|bucket| (buckets.numbers(bucket), buckets.tensors(bucket)));
            (places, sizes.collect::<Vec<_>>())
        };
        let apart = (vec![Some((1, 0)), None, Some((0, 1)), None, Some((0, 0))], vec![(3, 2), (5, 1)]);
        assert_eq!((found(2), found(3)), (apart.clone(), apart));
        assert_eq!(found(usize::MAX).1, [(8, 3)]);
        let buckets = Buckets::new(&parts, 3);
        assert_eq!(buckets.within(0, &[1.0, 2.0, 3.0]).collect::<Vec<_>>(), [(2, &[2.0, 3.0][..]), (4, &[1.0][..])]);
    }
}
