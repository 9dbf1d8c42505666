//! Finds what 8-bit numbers are to stand for: a network computes images in `f32`, and the values of its nodes are counted.

use super::calibration::Calibration;
use super::histogram::Histogram;
use super::numbers::read;
use super::options::InferenceOptions;
use super::plan::{InferencePlan, Workspace};
use crate::error::{Error, Result};
use cnn_network::{Network, Op};
use cnn_weights::Weights;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Collects the values of a network's nodes on images, for a [`Calibration`].
///
/// Of every node the range is kept that makes the squared error of its rounded values least.
#[derive(Debug)]
pub struct Calibrator {
    plan: InferencePlan,
    workspace: Workspace,
    paths: Vec<String>,
    outputs: Vec<Vec<f32>>,
    histograms: Vec<Mutex<Histogram>>,
    /// A checksum of each tensor.
    sums: BTreeMap<String, u32>,
    images: u64,
}

impl Calibrator {
    /// Nothing seen yet.
    ///
    /// # Errors
    ///
    /// Weights that are not this network's, numbers that are not finite, maps of one image that memory does not hold.
    pub fn new(network: &Network, weights: &Weights) -> Result<Self> {
        let needed = network.needed_for(&[network.outputs()[0].node]);
        let nodes = network.nodes().iter().zip(&needed).filter(|(_, needed)| **needed).map(|(node, _)| node);
        // These two are their inputs' values.
        let kept = nodes.filter(|node| !matches!(node.op, Op::Dropout { .. } | Op::Flatten));
        let paths: Vec<String> = kept.map(|node| node.path.clone()).collect();
        let named: Vec<&str> = paths.iter().map(String::as_str).collect();
        let plan = InferencePlan::new(network, weights, InferenceOptions::default().of_nodes(&named))?;
        let sums = read(network, &weights.for_nodes(network, plan.targets())?, &needed)?.sums().clone();
        Ok(Self {
            workspace: plan.workspace(1)?,
            outputs: (0..paths.len()).map(|output| vec![0.0; plan.output_len(output)]).collect(),
            histograms: paths.iter().map(|_| Mutex::new(Histogram::new())).collect(),
            plan,
            paths,
            sums,
            images: 0,
        })
    }

    /// Images seen so far.
    pub fn images(&self) -> u64 {
        self.images
    }

    /// Computes images `(N, C, H, W)`, one after the other.
    ///
    /// # Errors
    ///
    /// Numbers that are no whole images; an image of which some value is not finite, which is then not among those seen.
    pub fn observe(&mut self, images: &[f32]) -> Result<()> {
        self.plan.batch_of(images.len())?;
        for image in images.chunks_exact(self.plan.network().input().elements()) {
            let mut outputs: Vec<&mut [f32]> = self.outputs.iter_mut().map(Vec::as_mut_slice).collect();
            self.plan.run(&mut self.workspace, image, &mut outputs)?;
            let (histograms, outputs) = (&self.histograms, &self.outputs);
            let bad = AtomicUsize::new(usize::MAX);
            cnn_kernels::threads::for_each(outputs.len(), |node| {
                if !outputs[node].iter().all(|value| value.is_finite()) {
                    bad.fetch_min(node, Ordering::Relaxed);
                }
            });
            if let Some(path) = self.paths.get(bad.into_inner()) {
                let network = self.plan.network().name().to_string();
                let why = format!("a value of node {path} is not finite on image {}", self.images + 1);
                return Err(Error::Calibration { network, why });
            }
            cnn_kernels::threads::for_each(outputs.len(), |node| {
                histograms[node].lock().unwrap_or_else(PoisonError::into_inner).add(&outputs[node]);
            });
            self.images += 1;
        }
        Ok(())
    }

    /// The ranges of what was seen.
    ///
    /// # Errors
    ///
    /// Before any image was seen.
    pub fn calibration(&self) -> Result<Calibration> {
        let network = self.plan.network();
        if self.images == 0 {
            let why = "scales cannot be found without an image".to_string();
            return Err(Error::Calibration { network: network.name().to_string(), why });
        }
        let found: Vec<Mutex<[f32; 2]>> = self.paths.iter().map(|_| Mutex::new([0.0; 2])).collect();
        cnn_kernels::threads::for_each(found.len(), |node| {
            let histogram = self.histograms[node].lock().unwrap_or_else(PoisonError::into_inner);
            *found[node].lock().unwrap_or_else(PoisonError::into_inner) = histogram.range();
        });
        let ranges = self.paths.iter().cloned();
        let ranges =
            ranges.zip(found.into_iter().map(|range| range.into_inner().unwrap_or_else(PoisonError::into_inner)));
        Ok(Calibration::new(network, self.images, ranges.collect(), self.sums.clone()))
    }
}
