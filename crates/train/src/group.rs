//! Tensors with a learning rate and a weight decay of their own.

use crate::error::{Error, Result};
use crate::limits::LARGEST_FACTOR;
use crate::prefix::{begins, nothing_begins};
use crate::rule::Rule;
use cnn_core::Network;
use cnn_figures::number;
use serde::{Deserialize, Serialize};

/// Tensors whose learning rate and weight decay are multiples of the run's. A tensor belongs to the first group that its
/// name fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Group {
    /// What their names begin with, up to a dot or the end; `*` stands for any letters.
    pub prefix: String,
    /// What the learning rate is multiplied by, at most [`Settings::LARGEST_FACTOR`](crate::Settings::LARGEST_FACTOR); 0 keeps them as they are.
    #[serde(default = "one")]
    pub learning_rate: f64,
    /// What the rule's weight decay is multiplied by, at most as much.
    #[serde(default = "one")]
    pub weight_decay: f64,
}

fn one() -> f64 {
    1.0
}

/// Which weights weight decay pulls at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Decay {
    /// All that are trained.
    #[default]
    All,
    /// The weights of convolutions and linear layers: neither biases nor the scales of batch normalisation.
    Weights,
}

/// What a tensor's learning rate and weight decay are multiplied by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Factor of the learning rate.
    pub learning_rate: f64,
    /// Factor of the weight decay.
    pub weight_decay: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { learning_rate: 1.0, weight_decay: 1.0 }
    }
}

impl Pace {
    /// The rule and the learning rate of a tensor, from the run's.
    pub(crate) fn apply(self, rule: Rule, learning_rate: f64) -> (Rule, f64) {
        (rule.decaying(rule.weight_decay() * self.weight_decay), learning_rate * self.learning_rate)
    }
}

impl Group {
    pub(crate) fn check(&self) -> Result<()> {
        if self.prefix.is_empty() {
            let problem = "have a prefix that is empty: say what the names begin with, or `*` for all".to_string();
            return Err(Error::Setting { setting: "groups", problem });
        }
        for (what, factor) in [("learning-rate", self.learning_rate), ("weight-decay", self.weight_decay)] {
            if !(0.0..=LARGEST_FACTOR).contains(&factor) {
                let [factor, most] = [factor, LARGEST_FACTOR].map(number);
                let problem = format!("{}: the factor {factor} of {what} must be from 0 to {most}", self.prefix);
                return Err(Error::Setting { setting: "groups", problem });
            }
        }
        Ok(())
    }
}

/// The pace of every tensor, in the network's order.
///
/// # Errors
///
/// A group that no trained tensor belongs to.
pub(crate) fn paces(network: &Network, groups: &[Group], decay: Decay) -> Result<Vec<Pace>> {
    let mut members = vec![0_usize; groups.len()];
    let mut paces = Vec::new();
    for spec in network.tensors() {
        let mut pace = Pace::default();
        if decay == Decay::Weights && spec.dims.len() < 2 {
            pace.weight_decay = 0.0;
        }
        if let Some(place) = groups.iter().position(|group| begins(&spec.name, &group.prefix)) {
            pace.learning_rate *= groups[place].learning_rate;
            pace.weight_decay *= groups[place].weight_decay;
            members[place] += usize::from(spec.trained());
        }
        paces.push(pace);
    }
    match groups.iter().zip(members).find(|(_, members)| *members == 0) {
        None => Ok(paces),
        Some((group, _)) => {
            let trained = network.tensors().filter(|spec| spec.trained());
            let problem = match trained.into_iter().any(|spec| begins(&spec.name, &group.prefix)) {
                true => "the tensors of that name belong to groups before it: put it before them".to_string(),
                false => format!("{} trains {}", network.name(), nothing_begins(network)),
            };
            Err(Error::Setting { setting: "groups", problem: format!("{}: {problem}", group.prefix) })
        }
    }
}

/// Refuses a group whose tensors are all frozen: its factors would change nothing.
pub(crate) fn check_frozen(network: &Network, groups: &[Group], frozen: &[bool]) -> Result<()> {
    let place = |name: &str| groups.iter().position(|group| begins(name, &group.prefix));
    let mut learns = vec![false; groups.len()];
    for (spec, _) in network.tensors().zip(frozen).filter(|(spec, frozen)| spec.trained() && !**frozen) {
        if let Some(place) = place(&spec.name) {
            learns[place] = true;
        }
    }
    match groups.iter().zip(learns).find(|(_, learns)| !learns) {
        None => Ok(()),
        Some((group, _)) => {
            let problem = format!("{}: all tensors of it are frozen, so its factors change nothing", group.prefix);
            Err(Error::Setting { setting: "groups", problem })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnn_core::definition::*;

    fn group(prefix: &str, learning_rate: f64, weight_decay: f64) -> Group {
        Group { prefix: prefix.to_string(), learning_rate, weight_decay }
    }

    fn found(groups: &[Group], decay: Decay) -> Result<Vec<Pace>> {
        let network = chain().then("conv", conv(3).out(4)).then("norm", batch_norm()).then("fc", conv(1).out(2));
        let network = network.global_avg_pool().named("small", [1, 8, 8]).at_usual_input().unwrap();
        paces(&network, groups, decay)
    }

    #[test]
    fn a_tensor_belongs_to_the_first_group_that_fits() {
        let groups = [group("norm.bias", 64.0, 0.5), group("norm", 0.0, 1.0), group("*.bias", 2.0, 3.0)];
        let rates: Vec<f64> = found(&groups, Decay::All).unwrap().iter().map(|pace| pace.learning_rate).collect();
        // conv.weight, conv.bias, norm.weight, norm.bias, two statistics, fc.weight, fc.bias.
        assert_eq!(rates, [1.0, 2.0, 0.0, 64.0, 0.0, 0.0, 1.0, 2.0]);
        let decays: Vec<f64> = found(&groups, Decay::Weights).unwrap().iter().map(|pace| pace.weight_decay).collect();
        assert_eq!([decays[0], decays[1], decays[3], decays[6]], [1.0, 0.0, 0.0, 1.0]);
        let rule = Rule::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.25 };
        let (rule, rate) = Pace { learning_rate: 64.0, weight_decay: 0.5 }.apply(rule, 0.5);
        assert_eq!((rule.weight_decay(), rate), (0.125, 32.0));
    }

    #[test]
    fn a_group_without_tensors_is_refused() {
        let message = |groups: &[Group]| found(groups, Decay::All).unwrap_err().to_string();
        let found = message(&[group("layer", 1.0, 1.0)]);
        assert_eq!(
            found,
            "groups layer: small trains no tensor of that name and none that goes on so behind a dot; its parts are conv, fc, norm"
        );
        assert!(message(&[group("norm.running_mean", 1.0, 1.0)]).contains("trains no tensor of that name"));
        let found = message(&[group("norm", 1.0, 1.0), group("norm.bias", 1.0, 1.0)]);
        assert_eq!(found, "groups norm.bias: the tensors of that name belong to groups before it: put it before them");
    }

    #[test]
    fn a_group_that_is_frozen_is_refused() {
        let network = chain().then("conv", conv(3).out(4)).then("fc", conv(1).out(2)).global_avg_pool();
        let network = network.named("small", [1, 8, 8]).at_usual_input().unwrap();
        let groups = [group("conv", 0.1, 1.0)];
        // conv.weight, conv.bias, fc.weight, fc.bias.
        assert!(check_frozen(&network, &groups, &[true, false, false, false]).is_ok());
        let message = check_frozen(&network, &groups, &[true, true, false, false]).unwrap_err().to_string();
        assert_eq!(message, "groups conv: all tensors of it are frozen, so its factors change nothing");
    }

    #[test]
    fn a_factor_that_cannot_be_meant_is_refused() {
        let message = |rate, decay| group("norm", rate, decay).check().unwrap_err().to_string();
        assert_eq!(message(f64::NAN, 1.0), "groups norm: the factor NaN of learning-rate must be from 0 to 1000000");
        assert_eq!(message(1e308, 1.0), "groups norm: the factor 1e308 of learning-rate must be from 0 to 1000000");
        assert_eq!(message(1.0, -1.0), "groups norm: the factor -1 of weight-decay must be from 0 to 1000000");
        assert!(group("norm", 1e6, 0.0).check().is_ok());
    }
}
