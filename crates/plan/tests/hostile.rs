//! What elaboration accepts, a plan evaluates and trains as the oracle does, or refuses with a sentence: no number of a
//! definition makes a kernel panic.

#[path = "../../network/tests/hostile/draw.rs"]
mod draw;

use cnn_kernels::InstructionSet;
use cnn_network::definition::chain;
use cnn_network::oracle::{self, Batch, Mode};
use cnn_network::{Network, seed};
use cnn_plan::{
    Calibrator, ConvAlgorithm, Dropout, Evaluation, EvaluationPlan, InferenceOptions, InferencePlan, Numeric,
    Parameters, TrainingOptions, TrainingPlan, TrainingRun,
};
use cnn_weights::Weights;
use draw::{TRIED, block, input};

type Failure = Box<dyn std::error::Error>;

/// Images in a batch.
const N: usize = 2;

#[test]
fn what_is_a_network_is_evaluated_and_trained_as_by_the_oracle() -> Result<(), Failure> {
    let mut rng = seed::stream(9, "hostile definitions");
    let [mut evaluated, mut trained, mut inferred] = [0, 0, 0];
    for _ in 0..TRIED / 10 {
        let definition = chain().and(block(&mut rng, 2)).named("hostile", input(&mut rng)).without_dropout();
        let Ok(network) = definition.at_usual_input() else { continue };
        let summary = network.summary();
        if summary.training_memory + summary.weights_memory > 1 << 20 || summary.macs_with_heads > 1 << 20 {
            continue;
        }
        let tried = Tried::of(&network)?;
        evaluated += usize::from(tried.evaluate()?);
        trained += usize::from(tried.train()?);
        tried.infer()?;
        inferred += 1;
    }
    assert!(evaluated > TRIED / 100 && trained > TRIED / 200, "{evaluated} evaluated, {trained} trained");
    assert!(inferred >= evaluated, "{inferred} inferred, {evaluated} evaluated");
    Ok(())
}

struct Tried<'a> {
    network: &'a Network,
    weights: Weights,
    images: Vec<f64>,
}

impl<'a> Tried<'a> {
    fn of(network: &'a Network) -> Result<Self, Failure> {
        let images = (0..N * network.input().elements()).map(|i| ((i * 7919) % 997) as f64 / 500.0 - 1.0).collect();
        Ok(Self { network, weights: Weights::initialised(network, 3), images })
    }

    /// The values of every output.
    fn expected(&self, mode: Mode) -> Result<Vec<Vec<f64>>, Failure> {
        let named = self.network.tensors().map(|spec| {
            let numbers = self.weights.numbers_of::<f64>(self.network, &spec.name)?;
            Ok((spec.name.clone(), numbers.into_owned()))
        });
        let weights = named.collect::<Result<_, Failure>>()?;
        let batch = Batch { shape: self.network.input(), values: self.images.clone() };
        let targets: Vec<_> = self.network.outputs().iter().map(|output| output.node).collect();
        let values = oracle::run(self.network, &weights, &batch, mode, &targets)?;
        targets.iter().map(|node| Ok(values[node.index()].as_ref().ok_or("not computed")?.values.clone())).collect()
    }

    fn close(&self, found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{}", self.network.summary());
        let scale = expected.iter().filter(|v| v.is_finite()).fold(1.0f64, |most, v| most.max(v.abs()));
        for (found, expected) in found.iter().zip(expected) {
            let same = (found - expected).abs() <= 1e-9 * scale || found.to_bits() == expected.to_bits();
            assert!(same || !expected.is_finite(), "{found}, not {expected}\n{}", self.network.summary());
        }
    }

    /// False where a plan refuses the network.
    fn evaluate(&self) -> Result<bool, Failure> {
        let Ok(plan) = EvaluationPlan::new(self.network) else { return Ok(false) };
        let parameters = Parameters::<f64>::new(self.network, &self.weights)?;
        let found = Evaluation::new(&plan).outputs(&parameters, &self.images)?;
        self.close(&found[0], &self.expected(Mode::Evaluation)?[0]);
        Ok(true)
    }

    /// By every algorithm and way of computing: the oracle's values within what its numbers hold, and the same bits for an image alone.
    fn infer(&self) -> Result<(), Failure> {
        let expected = &self.expected(Mode::Evaluation)?[0];
        let images: Vec<f32> = self.images.iter().map(|x| *x as f32).collect();
        let usual = InferenceOptions::default().usual_batch(N);
        let forced = ConvAlgorithm::ALL.into_iter().map(|algorithm| usual.by(algorithm));
        let bf16 = Numeric::Bf16.available(InstructionSet::chosen()).is_ok().then(|| usual.numeric(Numeric::Bf16));
        let forced_bf16 = ConvAlgorithm::ALL.into_iter().filter_map(|algorithm| bf16.map(|bf16| bf16.by(algorithm)));
        // Values that are not finite have no range.
        let calibration = Calibrator::new(self.network, &self.weights)
            .and_then(|mut calibrator| calibrator.observe(&images).map(|()| calibrator.calibration()));
        let calibration = calibration.ok().transpose()?;
        let int8 = calibration.as_ref().map(|calibration| usual.int8(calibration));
        for options in [usual].into_iter().chain(forced).chain(bf16).chain(forced_bf16).chain(int8) {
            let tolerance = match options.numeric {
                Numeric::F32 => 1e-5,
                Numeric::Bf16 => 5e-2,
                _ => 0.2,
            };
            let plan = InferencePlan::new(self.network, &self.weights, options)?;
            let mut workspace = plan.workspace(N)?;
            let found = plan.outputs(&mut workspace, &images)?.swap_remove(0);
            assert_eq!(found.len(), expected.len(), "{}", self.network.summary());
            let scale = expected.iter().filter(|v| v.is_finite()).fold(1.0f64, |most, v| most.max(v.abs()));
            for (found, expected) in found.iter().zip(expected) {
                let close = (f64::from(*found) - expected).abs() <= tolerance * scale;
                assert!(close || !expected.is_finite(), "{found}, not {expected}, {options:?}\n{:#?}", self.network);
            }
            for (image, together) in images.chunks(images.len() / N).zip(found.chunks(found.len() / N)) {
                let alone = plan.outputs(&mut workspace, image)?.swap_remove(0);
                let same = alone.iter().zip(together).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{options:?}\n{}", self.network.summary());
            }
        }
        Ok(())
    }

    /// False where a plan refuses the network, or a batch of it.
    fn train(&self) -> Result<bool, Failure> {
        let Ok(plan) = TrainingPlan::new(self.network, TrainingOptions::default()) else { return Ok(false) };
        let mut run = TrainingRun::<f64>::new(&plan, Dropout::default());
        let mut parameters = Parameters::<f64>::new(self.network, &self.weights)?;
        let Ok(forward) = run.forward(&mut parameters, &self.images) else { return Ok(false) };
        let outputs: Vec<Vec<f64>> = (0..self.network.outputs().len()).map(|output| forward.output(output)).collect();
        for (found, expected) in outputs.iter().zip(self.expected(Mode::Training)?) {
            self.close(found, &expected);
        }
        let ones: Vec<Option<&[f64]>> = outputs.iter().map(|values| Some(values.as_slice())).collect();
        let gradients = forward.gradients(&ones)?;
        let mut received = 0;
        forward.backward(&gradients, &mut |_: usize, _: &mut [f64], _: &[f64]| received += 1)?;
        assert!(received <= self.network.tensors().count());
        Ok(true)
    }
}
