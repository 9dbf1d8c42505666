//! What came of an evaluation, for people or programs.

use crate::judging;
use anyhow::Result;
use cnn_data::Card;
use cnn_figures::{Table, percent, printable};
use cnn_report::Judgement;
use cnn_train::{BalancedAccuracy, MacroF1, Metric, Predictions};
use cnn_zoo::{Benchmark, Published};
use serde_json::{Value, json};

/// Classes whose figures, and whose confusion, are printed in full.
const FEW: usize = 20;
/// Of more classes so many of the worst, and of the most confused pairs.
const WORST: usize = 10;

/// What all images that CIFAR-10 is judged by are called.
const CIFAR10: &str = "10,000 test images of cifar10";

pub struct Figures<'a> {
    predictions: &'a Predictions,
    card: &'a Card,
    of: &'a str,
    judgement: Judgement,
    /// What is said of images that the run held out, and what these are.
    held_out: Option<(Predictions, &'a str)>,
}

impl<'a> Figures<'a> {
    pub fn new(predictions: &'a Predictions, card: &'a Card, of: &'a str) -> Self {
        Self { predictions, card, of, judgement: Judgement::of(predictions), held_out: None }
    }

    /// With what is said of images that the run held out.
    pub fn with_held_out(self, held_out: Option<(Predictions, &'a str)>) -> Self {
        Self { held_out, ..self }
    }

    pub fn print(&self, as_json: bool) -> Result<()> {
        if as_json {
            println!("{}", serde_json::to_string_pretty(&self.json())?);
            return Ok(());
        }
        println!("accuracy {:.2} %", 100.0 * self.predictions.top(1));
        if self.card.classes.len() > 5 {
            println!("top-5 {:.2} %", 100.0 * self.predictions.top(5));
        }
        for (name, figure) in self.averages() {
            println!("{name} {:.2} %", 100.0 * figure);
        }
        println!("loss {:.4} on {}", self.predictions.loss(), printable(self.of));
        for published in self.published() {
            println!("published: {:.2} % ({})", published.top1, published.source.name());
        }
        println!();
        print!("{}", self.classes());
        println!();
        print!("{}", self.confusion());
        if let Some((predictions, of)) = &self.held_out {
            let [accuracy, macro_f1] = [predictions.top(1), MacroF1.value(predictions)].map(percent);
            let loss = predictions.loss();
            println!("\nheld out: accuracy {accuracy}, macro F1 {macro_f1}, loss {loss:.4} on {}", printable(of));
        }
        Ok(())
    }

    /// Means over the classes, in which each counts alike.
    fn averages(&self) -> [(&'static str, f64); 2] {
        [("macro F1", MacroF1.value(self.predictions)), ("balanced accuracy", BalancedAccuracy.value(self.predictions))]
    }

    /// What others publish of this network on these images.
    fn published(&self) -> impl Iterator<Item = Published> {
        let benchmark = match (&*self.card.dataset, self.card.classes.len()) {
            ("cifar10", 10) if self.of == CIFAR10 && self.predictions.len() == 10_000 => Some(Benchmark::Cifar10),
            ("imagenet", 1000) if self.predictions.len() == 50_000 => Some(Benchmark::ImageNet),
            _ => None,
        };
        let network = self.card.network.clone();
        cnn_catalogue::results().filter(move |it| it.network == network && Some(it.source.benchmark()) == benchmark)
    }

    /// Recall and precision of each class; of many classes those with the least recall.
    fn classes(&self) -> Table {
        let figures = self.judgement.classes();
        let mut order: Vec<usize> = (0..figures.len()).filter(|class| figures[*class].images > 0).collect();
        let worst = order.len() > FEW;
        if worst {
            let recall = |class: &usize| figures[*class].recall.unwrap_or(1.0);
            order.sort_by(|a, b| recall(a).total_cmp(&recall(b)));
            order.truncate(WORST);
        }
        let header = if worst { "classes with the least recall" } else { "class" };
        let mut table = Table::new([header, "images", "recall", "precision"]);
        for class in order {
            let share = |share: Option<f64>| share.map_or_else(|| "–".to_string(), percent);
            let figures = &figures[class];
            let [recall, precision] = [share(figures.recall), share(figures.precision)];
            table.row([&*self.card.classes[class], &figures.images.to_string(), &recall, &precision]);
        }
        table
    }

    /// How often which class was taken for which; of many classes the most frequent pairs.
    fn confusion(&self) -> Table {
        let (names, counts) = (&self.card.classes, &self.judgement.confusion);
        if names.len() <= FEW {
            let short = |name: &String| name.chars().take(8).collect::<String>();
            let header =
                ["true class, then what it was taken for".to_string()].into_iter().chain(names.iter().map(short));
            let mut table = Table::new(header);
            for (name, row) in names.iter().zip(counts) {
                table.row([name.clone()].into_iter().chain(row.iter().map(usize::to_string)));
            }
            return table;
        }
        let pairs = counts.iter().enumerate().flat_map(|(label, row)| {
            row.iter()
                .enumerate()
                .filter(move |(found, count)| *found != label && **count > 0)
                .map(move |(found, count)| (*count, label, found))
        });
        let mut pairs: Vec<(usize, usize, usize)> = pairs.collect();
        pairs.sort_by(|a, b| b.0.cmp(&a.0).then(a.cmp(b)));
        let mut table = Table::new(["true class", "taken for", "images"]).text_columns(2);
        for (count, label, found) in pairs.into_iter().take(WORST) {
            table.row([&*names[label], &*names[found], &count.to_string()]);
        }
        table
    }

    fn json(&self) -> Value {
        let classes = self.judgement.classes().into_iter().zip(&self.card.classes).map(|(figures, name)| {
            json!({ "class": name, "images": figures.images, "recall": figures.recall, "precision": figures.precision })
        });
        let mut all = judging::figures(self.predictions);
        let more = json!({
            "network": self.card.network,
            "of": self.of,
            "published": self.published().map(|it| json!({ "top1": it.top1, "source": it.source.name() })).collect::<Vec<_>>(),
            "classes": classes.collect::<Vec<_>>(),
            "confusion": self.judgement.confusion,
        });
        let with = |all: &mut Value, more: Value| {
            if let (Value::Object(all), Value::Object(more)) = (all, more) {
                all.extend(more);
            }
        };
        with(&mut all, more);
        if let Some((predictions, of)) = &self.held_out {
            let mut held_out = judging::figures(predictions);
            with(&mut held_out, json!({ "of": of }));
            with(&mut all, json!({ "held_out": held_out }));
        }
        all
    }
}
