//! A race for a reader: a table, and the ratios.

use super::lineup::OURS;
use super::record::{Outcome, Race};
use cnn_figures::{bytes, fixed, printable};

/// A rival whatever its layout, with how many times as long as this project it took; its best layout counts.
pub fn ratios(outcome: &Outcome) -> Vec<(&'static str, f64)> {
    let Some(ours) = outcome.lane(OURS) else { return Vec::new() };
    let best = |layouts: &[&str]| {
        let medians = layouts.iter().filter_map(|layout| Some(outcome.lane(layout)?.median_ms));
        medians.min_by(f64::total_cmp)
    };
    RIVALS.iter().filter_map(|(name, layouts)| Some((*name, best(layouts)? / ours.median_ms))).collect()
}

/// A rival's name, and the contestants that are its layouts.
pub const RIVALS: [(&str, &[&str]); 5] = [
    ("torch", &["torch", "torch_channels_last"]),
    ("ONNX Runtime", &["onnxruntime"]),
    ("OpenVINO", &["openvino"]),
    ("ncnn", &["ncnn"]),
    ("rten", &["rten"]),
];

/// Rivals of which the best at each case counts: the runtimes that read an ONNX file, and all.
const BEST: [(&str, &[&str]); 2] = [
    ("the better of ONNX Runtime and OpenVINO", &["ONNX Runtime", "OpenVINO"]),
    ("the best of all", &["torch", "ONNX Runtime", "OpenVINO", "ncnn", "rten"]),
];

/// The geometric mean of each rival's ratios over all cases, with the number of cases.
pub fn means(race: &Race) -> Vec<(&'static str, f64, usize)> {
    let all: Vec<(&str, f64)> = race.outcomes.iter().flat_map(ratios).collect();
    RIVALS
        .iter()
        .filter_map(|(name, _)| {
            let logs: Vec<f64> = all.iter().filter(|(of, _)| of == name).map(|(_, ratio)| ratio.ln()).collect();
            let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
            (!logs.is_empty()).then_some((*name, mean, logs.len()))
        })
        .collect()
}

/// For the best of several rivals at each case: the geometric mean of its ratios, the least, and the number of cases.
fn best(race: &Race) -> Vec<(&'static str, f64, f64, usize)> {
    let took_part = |name: &str| race.outcomes.iter().flat_map(ratios).any(|(rival, _)| rival == name);
    let of_several = BEST.iter().filter(|(_, names)| names.iter().filter(|name| took_part(name)).count() > 1);
    of_several
        .map(|(name, names)| {
            let least = |outcome: &Outcome| {
                let of_these = ratios(outcome).into_iter().filter(|(rival, _)| names.contains(rival));
                of_these.map(|(_, ratio)| ratio).min_by(f64::total_cmp)
            };
            let all: Vec<f64> = race.outcomes.iter().filter_map(least).collect();
            let mean = (all.iter().map(|ratio| ratio.ln()).sum::<f64>() / all.len() as f64).exp();
            (*name, mean, all.iter().copied().fold(f64::INFINITY, f64::min), all.len())
        })
        .collect()
}

/// The race in Markdown: who took part, a line a case, the means, and every case that failed.
pub fn table(race: &Race) -> String {
    let contestants: Vec<&str> = race.settings.iter().map(|(key, _)| key.as_str()).collect();
    let rivals: Vec<&str> = RIVALS
        .iter()
        .filter(|(_, layouts)| layouts.iter().any(|layout| contestants.contains(layout)))
        .map(|(name, _)| *name)
        .collect();
    let what = if race.train { "Training steps" } else { "Forward passes" };
    let mut text = format!(
        "{what} without dropout, {} (cores: {}), threads: {}, rounds: {}.\n\n",
        race.machine.processor, race.machine.cores, race.threads, race.rounds
    );
    for (key, settings) in &race.settings {
        text += &format!("- `{key}`: {settings}\n");
    }
    text += &format!("\n| case | classes | {} |", contestants.join(" | "));
    text += &rivals.iter().map(|name| format!(" {name} / ours |")).collect::<String>();
    text += &format!("\n| --- | ---: |{}\n", " ---: |".repeat(contestants.len() + rivals.len()));
    for outcome in &race.outcomes {
        text += &format!("| {} | {} |", outcome.title(), outcome.classes);
        for contestant in &contestants {
            text += &match outcome.lane(contestant) {
                Some(lane) => {
                    let memory = lane.peak_bytes.map_or(String::new(), |peak| format!(", {}", bytes(peak)));
                    format!(" {} ({}){memory} |", fixed(lane.median_ms, 2), fixed(lane.min_ms, 2))
                }
                None if outcome.failed(contestant) => " failed |".to_string(),
                None => " |".to_string(),
            };
        }
        let ratios = ratios(outcome);
        for rival in &rivals {
            let ratio = ratios.iter().find(|(name, _)| name == rival);
            text += &ratio.map_or(" |".to_string(), |(_, ratio)| format!(" {} |", fixed(*ratio, 2)));
        }
        text.push('\n');
    }
    text += "\nMilliseconds: median (least), then the peak of memory above what the process held before the network was \
             made. A ratio above 1 means that this project took less time; of torch's layouts the better counts.\n";
    for (name, mean, cases) in means(race) {
        text += &format!("\nGeometric mean, {name} / ours: **{}** over {cases} cases.\n", fixed(mean, 2));
    }
    for (name, mean, least, cases) in best(race) {
        let [mean, least] = [mean, least].map(|ratio| fixed(ratio, 2));
        text += &format!("\nGeometric mean, {name} / ours: **{mean}** over {cases} cases, the least {least}.\n");
    }
    let repeated = race.outcomes.iter().filter(|outcome| outcome.slow_turns > 0);
    let repeated: Vec<_> = repeated.map(|outcome| format!("{} of {}", outcome.slow_turns, outcome.title())).collect();
    if !repeated.is_empty() {
        text += &format!("\nTurns taken again, since others slowed the processor down: {}.\n", repeated.join(", "));
    }
    for outcome in &race.outcomes {
        if let Some(disturbance) = outcome.disturbance() {
            text += &format!("\nDisturbed: {}: {disturbance}\n", outcome.title());
        }
        for (contestant, problem) in &outcome.problems {
            text += &format!("\nFailed: {}, {contestant}: {}\n", outcome.title(), printable(problem));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::example;
    use crate::race::record::Lane;

    #[test]
    fn the_better_layout_counts_and_failures_are_named() {
        let mut race = example();
        race.outcomes[0].others = Some(0.5);
        race.outcomes[1].slow_turns = 2;
        let text = table(&race);
        assert!(
            text.contains("| a b8 32 | 10 | 1.00 (1.00), 1.0 MB | 3.00 (3.00), 1.0 MB | 2.00 (2.00), 1.0 MB | 2.00 |")
        );
        assert!(text.contains("| 8.00 (8.00), 1.0 MB | failed | 8.00 |"), "{text}");
        assert!(text.contains("torch / ours: **4.00** over 2 cases"), "{text}");
        assert!(text.contains("Disturbed: a b8 32: other programs kept 50 % of the cores busy"), "{text}");
        assert!(!text.contains("Disturbed: b") && text.contains("slowed the processor down: 2 of b b8 32."), "{text}");
        race.outcomes[1].is_slow = true;
        let slow = table(&race);
        assert!(slow.contains("Disturbed: b b8 32: others kept the processor slower than it can be"), "{slow}");
        assert!(!text.contains("the best of all"), "{text}");
        assert!(text.contains("Failed: b b8 32, torch_channels_last: it ended"), "{text}");
    }

    #[test]
    fn the_best_rival_of_each_case_counts() {
        let mut race = example();
        for (outcome, median_ms) in race.outcomes.iter_mut().zip([4.0, 2.0]) {
            let lane = outcome.lanes[0].clone();
            outcome.lanes.push(Lane { contestant: "ncnn".to_string(), median_ms, ..lane });
        }
        let text = table(&race);
        assert!(text.contains("the best of all / ours: **2.00** over 2 cases, the least 2.00."), "{text}");
        assert!(!text.contains("the better of"), "{text}");
    }
}
