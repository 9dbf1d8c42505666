//! What each network is trained with unless told otherwise.

use crate::settings::{Rule, Schedule, Settings};

/// The usual settings for the network of this name: its source's where the source names them, otherwise SGD with
/// momentum 0.9 and a cosine.
pub fn usual(network: &str) -> Settings {
    let settings = Settings {
        epochs: 10,
        batch_size: 64,
        learning_rate: 0.02,
        schedule: Schedule::Cosine,
        rule: Rule::sgd(0.9),
        seed: 1,
    };
    match network {
        // Distances to the codes make steep scores.
        "lenet_paper" => Settings { learning_rate: 0.002, ..settings },
        // The book, section 7.6: plain SGD, large steps through the sigmoids.
        "lenet_d2l" | "lenet_d2l_max" => Settings {
            learning_rate: 0.9,
            batch_size: 256,
            schedule: Schedule::Constant,
            rule: Rule::sgd(0.0),
            ..settings
        },
        "mnist_conv" | "mnist_inception" | "mnist_residual" => {
            Settings { learning_rate: 0.01, schedule: Schedule::Constant, rule: Rule::sgd(0.5), ..settings }
        }
        "mnist_mlp" => Settings { learning_rate: 0.5, ..settings },
        _ => settings,
    }
}
