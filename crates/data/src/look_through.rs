//! Every picture decoded once, before anything depends on it.

use crate::folder::none_damaged_whole;
use crate::{Dataset, Error, Images};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Why pictures are not looked through to the end.
enum Ends {
    Stopped,
    Failed(Box<Error>),
}

impl Images {
    /// Decodes every image that is not in memory once, in parallel, and gives those that are intact. After each `goes_on`
    /// is asked; `None` where it says no.
    ///
    /// # Errors
    /// Of the first image that is damaged, unless such are left out: see [`Damage`](crate::Damage).
    pub fn look_through(&self, goes_on: &(dyn Fn() -> bool + Sync)) -> Result<Option<Self>, Error> {
        if self.in_memory() {
            return Ok(Some(self.clone()));
        }
        let damaged: Mutex<BTreeSet<usize>> = Mutex::default();
        let found = (0..self.len()).into_par_iter().with_max_len(1).find_map_first(|index| {
            if !goes_on() {
                return Some(Ends::Stopped);
            }
            match self.picture(index) {
                Err(error) if self.leave_out(&error) => {
                    damaged.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
                    None
                }
                Err(error) => Some(Ends::Failed(Box::new(error))),
                Ok(_) => None,
            }
        });
        match found {
            Some(Ends::Stopped) => return Ok(None),
            Some(Ends::Failed(error)) => return Err(*error),
            None => {}
        }
        let damaged = damaged.into_inner().unwrap_or_else(PoisonError::into_inner);
        let intact: Vec<usize> = (0..self.len()).filter(|index| !damaged.contains(index)).collect();
        self.select(&intact).map(Some)
    }
}

impl Dataset {
    /// The data set with its intact images alone: see [`Images::look_through`].
    ///
    /// # Errors
    /// As [`Images::look_through`]; [`Error::NothingLeft`] where a part has no intact image,
    /// [`Error::DamagedClass`] where a class has none to train on.
    pub fn look_through(self, goes_on: &(dyn Fn() -> bool + Sync)) -> Result<Option<Self>, Error> {
        let intact = |images: &Images| match images.look_through(goes_on)? {
            Some(intact) if intact.is_empty() && !images.is_empty() => Err(Error::NothingLeft { count: images.len() }),
            intact => Ok(intact),
        };
        let Some(train) = intact(self.train())? else { return Ok(None) };
        let Some(test) = intact(self.test())? else { return Ok(None) };
        let held_out = match self.held_out() {
            None => None,
            Some(images) => match intact(images)? {
                Some(images) => Some(images),
                None => return Ok(None),
            },
        };
        let before = self.counts();
        let found = self.with_parts(train, test, held_out);
        none_damaged_whole(found.classes(), &before, &found.counts())?;
        Ok(Some(found))
    }
}
