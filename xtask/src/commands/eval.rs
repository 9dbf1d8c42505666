//! `eval`: trained weights on a data set's test images.

use super::data;
use crate::cli::{self, Common};
use crate::weights::of_file;
use anyhow::Result;
use cnn_data::{Card, Loader};
use cnn_train::{Weights, check_evaluation_fits, classifier, evaluate};

pub fn run(args: &cli::Eval, common: &Common) -> Result<()> {
    let entry = cnn_zoo::find(&args.network)?;
    let device = common.device.open()?;
    let weights = Weights::read(&args.weights)?;
    let dataset = data::dataset(&args.data, common.seed())?;
    // Weights from elsewhere say nothing about their images: the data set's own statistics stand in.
    let (network, preparation) = match Card::of(&weights)? {
        Some(card) => {
            let architecture = entry.architecture(card.classes.len()).without_heads();
            (architecture.at(card.preparation.shape(dataset.test().shape())?)?, card.preparation)
        }
        None => cnn_train::fit(&entry.architecture(dataset.classes().len()).without_heads(), dataset.train(), None)?,
    };
    check_evaluation_fits(&network, args.batch_size.min(dataset.test().len()))?;
    let loader = Loader::new(dataset.test(), preparation, args.batch_size)?;
    let model = of_file(&args.weights, classifier(&network, &weights, &device))?;
    let evaluated = evaluate(&model, &loader)?;
    println!("accuracy {:.2} %", 100.0 * evaluated.accuracy);
    println!("loss {:.4} on {} test images of {}", evaluated.loss, dataset.test().len(), dataset.name());
    Ok(())
}
