//! What whoever trains should know of settings by which less is learnt than they say.

use crate::session::Session;
use anyhow::Result;
use cnn_figures::number;
use cnn_train::Group;

/// A text for each.
pub fn warnings(session: &Session) -> Result<Vec<String>> {
    let settings = &session.recipe.training;
    let mut warnings = Vec::new();
    if settings.optimizer.weight_decay() == 0.0 {
        let factors = settings.groups.iter().filter(|group| ![0.0, 1.0].contains(&group.weight_decay));
        warnings.extend(factors.map(|Group { prefix, weight_decay, .. }| {
            let times = number(*weight_decay);
            format!("groups {prefix}: the weight decay is 0, and stays so {times} times: --weight-decay sets it")
        }));
    }
    if !session.task(&session.recipe).moves()? {
        warnings.push("groups: all that is trained has 0 times the learning rate: nothing is learnt".to_string());
    }
    if settings.learning_rate == 0.0 {
        warnings.push("the learning rate is 0: nothing is learnt".to_string());
    }
    Ok(warnings)
}
