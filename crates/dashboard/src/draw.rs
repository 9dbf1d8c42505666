//! The picture.

use crate::view::View;
use cnn_figures::axis::Range;
use cnn_figures::{Thinned, bytes, duration, fixed, percent, rate};
use cnn_train::Epoch;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, Paragraph};

const TRAIN: Style = Style::new().fg(Color::Blue);
const TEST: Style = Style::new().fg(Color::Yellow);
const FAINT: Style = Style::new().fg(Color::DarkGray);

pub(crate) fn draw(frame: &mut Frame<'_>, view: &View) {
    let heights = [1, 1, 1, 2].map(Constraint::Length);
    let lists = if frame.area().height >= 24 { 6 } else { 3 };
    let rest = [Constraint::Min(0), Constraint::Length(lists), Constraint::Length(1)];
    let [title, whole, epoch, figures, charts, below, keys] =
        Layout::vertical([heights.as_slice(), &rest].concat()).areas(frame.area());
    frame.render_widget(Line::styled(view.title.as_str(), Modifier::BOLD), title);
    gauges(frame, view, [whole, epoch]);
    frame.render_widget(Paragraph::new(numbers(view)), figures);
    let [left, right] = Layout::horizontal([Constraint::Fill(1); 2]).areas(charts);
    chart(frame, left, "loss", [&view.train.loss, &view.test.loss], view);
    chart(frame, right, "accuracy, %", [&view.train.accuracy, &view.test.accuracy], view);
    let [left, right] = Layout::horizontal([Constraint::Fill(1); 2]).areas(below);
    list(frame, left, "epochs", epochs(view, left.height));
    let lines = usize::from(right.height.saturating_sub(1));
    let log = view.log[view.log.len().saturating_sub(lines)..].iter().map(|line| Line::raw(line.as_str()));
    list(frame, right, "log", log.collect());
    frame.render_widget(Line::styled(hint(view), FAINT), keys);
}

fn hint(view: &View) -> &'static str {
    match view.stopping {
        false => "q or Ctrl-C stops the run",
        true => "stopping after this step; Ctrl-C ends it at once",
    }
}

/// The run and its epoch.
fn gauges(frame: &mut Frame<'_>, view: &View, [whole, epoch]: [Rect; 2]) {
    let Some(step) = view.step else {
        frame.render_widget(Line::styled("waiting for the first step", FAINT), whole);
        return;
    };
    let within = step.step as f64 / step.steps.max(1) as f64;
    let over = (step.epoch as f64 - 1.0 + within) / step.epochs.max(1) as f64;
    let (within, what) = match view.judging {
        None => (within, format!("step {}/{}", step.step, step.steps)),
        Some(judging) => (judging.images as f64 / judging.all.max(1) as f64, "judging".to_string()),
    };
    let labels = [format!("epoch {}/{}", step.epoch, step.epochs), what];
    for ((area, ratio), label) in [(whole, over), (epoch, within)].into_iter().zip(labels) {
        let [name, bar] = Layout::horizontal([Constraint::Length(16), Constraint::Min(0)]).areas(area);
        frame.render_widget(Line::raw(label), name);
        let ratio = ratio.clamp(0.0, 1.0);
        let percent = format!("{:.0} %", 100.0 * ratio);
        frame.render_widget(Gauge::default().gauge_style(TRAIN).ratio(ratio).label(percent), bar);
    }
}

fn numbers(view: &View) -> Vec<Line<'static>> {
    let named = |pairs: &[(&'static str, String)]| {
        let spans = pairs
            .iter()
            .flat_map(|(name, value)| [Span::styled(format!("{name} "), FAINT), Span::raw(format!("{value}   "))]);
        Line::from(spans.collect::<Vec<_>>())
    };
    let unknown = || "–".to_string();
    let (figures, step) = (view.figures, view.step);
    let memory = |number: Option<u64>| number.map_or_else(unknown, bytes);
    vec![
        named(&[
            ("loss", figures.map_or_else(unknown, |figures| fixed(figures.loss, 4))),
            ("accuracy", figures.map_or_else(unknown, |figures| percent(figures.accuracy))),
            ("learning rate", step.map_or_else(unknown, |step| format!("{:.3e}", step.learning_rate))),
            ("images/s", figures.map_or_else(unknown, |figures| rate(figures.images_per_second))),
        ]),
        named(&[
            ("elapsed", duration(view.elapsed.as_secs_f64())),
            ("left", view.left().map_or_else(unknown, duration)),
            ("memory", memory(view.memory.resident)),
            ("at most", memory(view.memory.peak)),
        ]),
    ]
}

/// A curve of training and one of test.
fn chart(frame: &mut Frame<'_>, area: Rect, title: &'static str, curves: [&Thinned<(f64, f64)>; 2], view: &View) {
    let epochs = view.step.map_or(1.0, |step| step.epochs.max(1) as f64);
    let Range { low, high } = Range::of(curves.iter().flat_map(|curve| curve.iter().map(|(_, value)| *value)));
    let named = [("train", TRAIN, Marker::Braille, GraphType::Line), ("test", TEST, Marker::Dot, GraphType::Scatter)];
    let datasets = curves.iter().zip(named).map(|(curve, (name, style, marker, kind))| {
        Dataset::default().name(name).data(curve).style(style).marker(marker).graph_type(kind)
    });
    let digits = if high - low < 5.0 { 2 } else { 0 };
    let labels = [low, (low + high) / 2.0, high].map(|value| fixed(value, digits));
    let chart = Chart::new(datasets.collect())
        .block(Block::bordered().title(title).border_style(FAINT))
        .x_axis(Axis::default().bounds([0.0, epochs]).labels(["0".to_string(), fixed(epochs, 0)]).style(FAINT))
        .y_axis(Axis::default().bounds([low, high]).labels(labels).style(FAINT))
        .hidden_legend_constraints((Constraint::Ratio(1, 2), Constraint::Ratio(1, 2)));
    frame.render_widget(chart, area);
}

/// The last epochs, the newest below, as many as fit.
fn epochs(view: &View, height: u16) -> Vec<Line<'static>> {
    let lines = usize::from(height.saturating_sub(1));
    let first = view.epochs.len().saturating_sub(lines);
    let line = |epoch: &Epoch| {
        let best = if Some(epoch.epoch) == view.best { "  best" } else { "" };
        let (loss, accuracy) = (fixed(epoch.test_loss, 4), percent(epoch.test_accuracy));
        Line::raw(format!("{:>4}  test loss {loss}  accuracy {accuracy}{best}", epoch.epoch))
    };
    view.epochs.iter().skip(first).map(line).collect()
}

fn list(frame: &mut Frame<'_>, area: Rect, title: &'static str, lines: Vec<Line<'_>>) {
    let block = Block::new().title(Span::styled(title, FAINT));
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnn_train::{Memory, StepReport};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use std::time::Duration;

    fn drawn(view: &View, [width, height]: [u16; 2]) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, view)).unwrap();
        let buffer = terminal.backend().buffer();
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_string() + "\n";
        (0..height).map(row).collect()
    }

    /// Two epochs of four steps and one step more of ten, in 81 seconds.
    fn view() -> View {
        let mut view = View::default();
        for number in 0..9 {
            let (epoch, step) = (number / 4 + 1, number % 4 + 1);
            let loss = 2.0 / (epoch as f64);
            let (images, accuracy, learning_rate) = (64, 1.0 - loss / 4.0, 0.02);
            view.step(&StepReport { epoch, epochs: 10, step, steps: 4, images, loss, accuracy, learning_rate });
            if step == 4 {
                let figures = Epoch {
                    epoch,
                    train_loss: loss,
                    train_accuracy: accuracy,
                    test_loss: loss * 0.9,
                    test_accuracy: accuracy + 0.01,
                    learning_rate,
                    images_per_second: 1234.0,
                    seconds: 36.0,
                    ..Epoch::default()
                };
                view.epoch(&figures, true);
            }
        }
        if let Some(figures) = &mut view.figures {
            figures.images_per_second = 1234.0;
        }
        view.title = "lenet on digits · runs/lenet-digits".to_string();
        view.elapsed = Duration::from_secs(81);
        view.memory = Memory { resident: Some(52_400_000), peak: Some(61_000_000) };
        view.log = vec!["WARN a slow disk".to_string()];
        view
    }

    #[test]
    fn the_picture_is_the_golden() {
        assert_eq!(drawn(&view(), [100, 28]), include_str!("golden/running.txt"));
        assert_eq!(drawn(&View::default(), [80, 12]), include_str!("golden/waiting.txt"));
    }

    #[test]
    fn every_size_can_be_drawn() {
        for size in [[1, 1], [7, 3], [20, 5], [40, 10], [300, 90]] {
            drawn(&view(), size);
        }
    }

    #[test]
    fn every_number_can_be_drawn() {
        let counts = [0, 1, usize::MAX / 2, usize::MAX];
        let hard = [0.0, -1.0, f64::MAX, f64::MIN, 5e-324, f64::NAN, f64::INFINITY];
        for (count, number) in counts.into_iter().flat_map(|count| hard.map(|number| (count, number))) {
            let mut view = View::default();
            view.elapsed = Duration::MAX;
            for value in [number, 0.5, -number] {
                let (images, accuracy, learning_rate) = (count, value, value);
                let (epoch, epochs, step, steps) = (count, count, count.max(1), count);
                view.step(&StepReport { epoch, epochs, step, steps, images, loss: value, accuracy, learning_rate });
                let [train_loss, train_accuracy, test_loss, test_accuracy, images_per_second, seconds] = [value; 6];
                let peak_memory = Some(u64::MAX);
                let figures = Epoch {
                    epoch,
                    train_loss,
                    train_accuracy,
                    test_loss,
                    test_accuracy,
                    learning_rate,
                    images_per_second,
                    seconds,
                    peak_memory,
                    ..Epoch::default()
                };
                view.epoch(&figures, true);
            }
            drawn(&view, [100, 28]);
        }
    }

    #[test]
    fn a_long_run_is_a_short_view() {
        let mut view = view();
        for epoch in 3..20_000 {
            let (images, accuracy, learning_rate) = (64, 0.5, 0.02);
            view.step(&StepReport {
                epoch,
                epochs: 20_000,
                step: 1,
                steps: 1,
                images,
                loss: 1.0,
                accuracy,
                learning_rate,
            });
            view.epoch(&Epoch { epoch, ..view.epochs[0].clone() }, false);
        }
        assert!(view.train.loss.len() <= 1200 && view.test.accuracy.len() <= 1200 && view.epochs.len() <= 100);
        assert_eq!(view.best, Some(2));
        drawn(&view, [100, 28]);
    }

    #[test]
    fn what_is_left_follows_from_what_was_taken() {
        assert_eq!(view().left(), Some(81.0 * 31.0 / 9.0));
    }
}
