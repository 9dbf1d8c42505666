//! A program that is being made, step by step.

use super::number::Narrow;
use crate::error::Result;
use crate::inference::report::About;
use crate::inference::source::refused;
use cnn_kernels::inference::{self as kernels, Builder, NarrowStep, NarrowWork, Numbers};
use cnn_kernels::narrow::Requantisation;
use cnn_network::Network;

/// A program as far as it is made.
pub(super) struct Made<'n> {
    pub(super) network: &'n Network,
    pub(super) builder: Builder,
    pub(super) about: Vec<About>,
    /// What each step of the program belongs to.
    pub(super) of: Vec<usize>,
    pub(super) kept: Vec<Numbers>,
}

impl Made<'_> {
    /// What the steps that follow are.
    pub(super) fn about(&mut self, about: About) {
        self.about.push(about);
    }

    pub(super) fn push(&mut self, step: impl Into<kernels::Step>) -> Result<()> {
        self.push_packed(step.into(), None)
    }

    pub(super) fn push_packed(&mut self, step: kernels::Step, packed: Option<kernels::Packed>) -> Result<()> {
        let number = self.about.len() - 1;
        let path = &self.network.nodes()[self.about[number].node].path;
        self.of.push(number);
        self.builder.push(step, packed).map_err(|why| refused(path, &why))
    }

    /// A copy of some numbers, finished, with an addend or without.
    pub(super) fn transfer<F: Narrow>(
        &mut self,
        from: kernels::Place,
        (output, addend): (kernels::Place, Option<kernels::Place>),
        finish: Requantisation,
    ) -> Result<()> {
        let input = kernels::Input::Value { place: from, map: None };
        let zero = F::default();
        self.push(NarrowStep { work: NarrowWork::<F>::Transfer, input, zero, output, addend, finish })
    }
}
