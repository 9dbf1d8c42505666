//! A list that stays short, however much is added.

use std::ops::Deref;

/// Of all that was added, what lies evenly apart, and the newest: more than half of `most` and no more than that.
#[derive(Clone, Debug)]
pub struct Thinned<T> {
    kept: Vec<T>,
    most: usize,
    /// Every so many are kept.
    stride: usize,
    /// How many were added.
    added: usize,
}

impl<T> Thinned<T> {
    /// None so far, and never more than `most`, which is at least 2.
    pub fn new(most: usize) -> Self {
        Self { kept: Vec::new(), most: most.max(2), stride: 1, added: 0 }
    }

    /// Adds one. Where there are too many, every second goes, and so it does from then on.
    pub fn add(&mut self, one: T) {
        if self.added > 0 && !(self.added - 1).is_multiple_of(self.stride) {
            // It was there as the newest alone.
            self.kept.pop();
        }
        self.kept.push(one);
        self.added += 1;
        if self.kept.len() > self.most {
            self.stride *= 2;
            let (last, mut number) = (self.kept.len() - 1, 0);
            self.kept.retain(|_| {
                number += 1;
                (number - 1) % 2 == 0 || number - 1 == last
            });
        }
    }
}

impl<T> Deref for Thinned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_lies_evenly_apart() {
        for most in [2, 3, 12, 400] {
            let mut thinned = Thinned::new(most);
            for added in 1..=9000_usize {
                thinned.add(added - 1);
                assert_eq!((thinned[0], thinned.last()), (0, Some(&(added - 1))), "{most}");
                assert!(thinned.len() <= most && (added < most || 2 * thinned.len() >= most), "{most} {added}");
                let apart: Vec<usize> = thinned.windows(2).map(|pair| pair[1] - pair[0]).collect();
                let (newest, others) = apart.split_last().unwrap_or((&0, &[]));
                assert!(others.iter().all(|step| *step == others[0] && newest <= step), "{most} {added}: {apart:?}");
            }
        }
    }
}
