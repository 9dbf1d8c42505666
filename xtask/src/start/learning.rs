//! What whoever trains should know of settings by which less is learnt than they say.

use crate::session::Session;
use anyhow::Result;
use cnn_figures::{count, number, plural};
use cnn_train::{Decay, Group, Schedule, Settings, When};

/// A text for each.
pub fn warnings(session: &Session) -> Result<Vec<String>> {
    let settings = &session.recipe.training;
    let mut warnings = Vec::new();
    if settings.optimizer.weight_decay() == 0.0 {
        if settings.decay != Decay::default() {
            warnings.push("decay: the weight decay is 0, and pulls at nothing: --weight-decay sets it".to_string());
        }
        let factors = settings.groups.iter().filter(|group| ![0.0, 1.0].contains(&group.weight_decay));
        warnings.extend(factors.map(|Group { prefix, weight_decay, .. }| {
            let times = number(*weight_decay);
            format!("groups {prefix}: the weight decay is 0, and stays so {times} times: --weight-decay sets it")
        }));
    }
    if !session.task(&session.recipe).moves()? {
        warnings.push("groups: all that is trained has 0 times the learning rate: nothing is learnt".to_string());
    }
    let epoch = steps_of_epoch(session);
    if let Some(every) = settings.lookahead.map(|it| it.every).filter(|every| *every > epoch && settings.epochs > 1) {
        let (every, epoch) = (count(every), plural(epoch, "step", "steps"));
        warnings.push(format!(
            "lookahead: slow weights meet those that are trained every {every} steps, and an epoch has {epoch}: epochs until \
             then are judged by the weights of the beginning"
        ));
    }
    let rate = settings.learning_rate;
    if rate == 0.0 {
        warnings.push("the learning rate is 0: nothing is learnt".to_string());
    } else if (rate * largest_factor(session)) as f32 == 0.0 {
        let rate = number(rate);
        warnings.push(format!("at a learning rate of {rate} every step's is 0 in 32 bits: nothing is learnt"));
    }
    Ok(warnings)
}

fn steps_of_epoch(session: &Session) -> usize {
    let settings = &session.recipe.training;
    session.dataset.train().len().div_ceil(settings.batch_size).div_ceil(settings.accumulate)
}

/// The largest factor that the schedule has on the learning rate at a step of the run.
fn largest_factor(session: &Session) -> f64 {
    let settings: &Settings = &session.recipe.training;
    let epoch = steps_of_epoch(session);
    let all = epoch.saturating_mul(settings.epochs);
    // It rises for a warm-up, or up to the peak of a cycle, and falls from there on.
    let warm = settings.warm_up.map_or(0.0, |warm_up| warm_up.epochs * epoch as f64).round() as usize;
    let peak = match settings.schedule {
        Schedule::OneCycle { peak_at, .. } | Schedule::Triangle { peak_at, .. } => (peak_at * all as f64) as usize,
        _ => warm,
    };
    let steps = (peak.saturating_sub(2)..=peak.saturating_add(1)).chain([0, all.saturating_sub(1)]);
    let when = |done: usize| When { done: done.min(all.saturating_sub(1)), epoch, all, plateaus: 0 };
    steps.map(|done| settings.schedule.factor(settings.warm_up, when(done))).fold(0.0, f64::max)
}
