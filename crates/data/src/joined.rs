//! Two data sets as one.

use crate::{Dataset, Error, Images};

impl Dataset {
    /// The images of both, this one's first, to train on and to test on; the name is `this+other`.
    ///
    /// # Errors
    ///
    /// [`Error::Joined`] where their classes or the shapes of their images differ, or where the images are not in memory.
    pub fn joined(&self, other: &Self) -> Result<Self, Error> {
        let name = format!("{}+{}", self.name(), other.name());
        let wrong = |problem: String| Error::Joined { name: name.clone(), problem };
        if self.classes() != other.classes() {
            return Err(wrong(format!("classes {:?} and {:?}", self.classes(), other.classes())));
        }
        let both = |first: &Images, second: &Images| {
            if first.shape() != second.shape() {
                return Err(wrong(format!("images of {:?} and {:?}", first.shape(), second.shape())));
            }
            if !first.in_memory() || !second.in_memory() {
                return Err(wrong("images of a folder".to_string()));
            }
            let pixels = [first.pixels(), second.pixels()].concat();
            Images::new(first.shape(), pixels, [first.labels(), second.labels()].concat())
        };
        let (train, test) = (both(self.train(), other.train())?, both(self.test(), other.test())?);
        Self::new(&*name, self.classes().to_vec(), train, test)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(name: &str, classes: &[&str], side: usize) -> Dataset {
        let images = |label| Images::new([1, side, 1], vec![label as u8; side], vec![label]).unwrap();
        Dataset::new(name, classes.iter().map(|class| (*class).to_string()).collect(), images(0), images(1)).unwrap()
    }

    #[test]
    fn images_of_both_come_one_after_the_other() {
        let one = dataset("one", &["a", "b"], 2);
        let both = one.joined(&dataset("two", &["a", "b"], 2)).unwrap();
        assert_eq!((both.name(), both.train().len(), both.test().labels()), ("one+two", 2, &[1, 1][..]));
        let message = |other: Dataset| one.joined(&other).unwrap_err().to_string();
        let found = message(dataset("two", &["a", "c"], 2));
        assert_eq!(found, r#"one+two cannot be one data set: classes ["a", "b"] and ["a", "c"]"#);
        let found = message(dataset("two", &["a", "b"], 3));
        assert_eq!(found, "one+two cannot be one data set: images of [1, 2, 1] and [1, 3, 1]");
    }
}
