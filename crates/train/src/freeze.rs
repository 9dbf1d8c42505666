//! Which tensors do not learn.

use crate::error::{Error, Result};
use crate::prefix::{begins, nothing_begins};
use cnn_core::Network;

/// For each tensor, in the network's order, whether its name begins with one of `prefixes`.
///
/// # Errors
///
/// A prefix of no tensor, or of running statistics alone, which are not learnt; nothing left to train.
pub(crate) fn frozen(network: &Network, prefixes: &[String]) -> Result<Vec<bool>> {
    let error = |prefix: &str, problem: String| {
        let (prefix, network) = (prefix.to_string(), network.name().to_string());
        Err(Error::Freeze { prefix, network, problem })
    };
    for prefix in prefixes {
        if prefix.is_empty() {
            let problem = "has a prefix that is empty: say what the names begin with".to_string();
            return Err(Error::Setting { setting: "freeze", problem });
        }
        if !network.tensors().any(|spec| begins(&spec.name, prefix)) {
            return error(prefix, format!("has {} (and `*` stands for any letters)", nothing_begins(network)));
        }
        let mut begun = network.tensors().filter(|spec| begins(&spec.name, prefix));
        if begun.all(|spec| !spec.trained()) {
            let problem = "has running statistics alone by that name, and they move with the batches as ever; they stay \
                           where the weight of their batch normalisation is frozen";
            return error(prefix, problem.to_string());
        }
    }
    let frozen: Vec<bool> =
        network.tensors().map(|spec| prefixes.iter().any(|prefix| begins(&spec.name, prefix))).collect();
    let learns = network.tensors().zip(&frozen).any(|(spec, frozen)| spec.trained() && !frozen);
    if learns { Ok(frozen) } else { error(&prefixes.join(", "), "has nothing left to train".to_string()) }
}

/// The first of `prefixes` that a tensor's name begins with, else the name.
pub(crate) fn of<'a>(prefixes: &'a [String], name: &'a str) -> &'a str {
    prefixes.iter().find(|prefix| begins(name, prefix)).map_or(name, String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnn_core::definition::*;

    #[test]
    fn names_that_begin_so_are_frozen() {
        let network = chain()
            .then("conv1", conv(3).out(4))
            .then("conv10", conv(3).out(4))
            .then("fc", conv(1).out(2))
            .global_avg_pool()
            .named("small", [1, 8, 8]);
        let network = network.at_usual_input().unwrap();
        let find = |prefixes: &[&str]| frozen(&network, &prefixes.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(find(&["conv1"]).unwrap(), [true, true, false, false, false, false]);
        assert_eq!(find(&["conv10", "fc.bias"]).unwrap(), [false, false, true, true, false, true]);
        let message = find(&["layer"]).unwrap_err().to_string();
        assert_eq!(
            message,
            "freeze layer: small has no tensor of that name and none that goes on so behind a dot; its parts are conv1, conv10, fc (and `*` stands for any letters)"
        );
        let normalised = chain().then("bn", batch_norm()).named("normalised", [3, 2, 2]).at_usual_input().unwrap();
        for prefix in ["*.running_*", "bn.running_var"] {
            let message = frozen(&normalised, &[prefix.to_string()]).unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("freeze {prefix}: normalised has running statistics alone")),
                "{message}"
            );
        }
        assert_eq!(frozen(&normalised, &["bn.weight".to_string()]).unwrap(), [true, false, false, false]);
        let message = find(&["conv1", "conv10", "fc"]).unwrap_err().to_string();
        assert_eq!(message, "freeze conv1, conv10, fc: small has nothing left to train");
    }
}
