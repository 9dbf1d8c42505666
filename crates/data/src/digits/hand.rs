//! One hand writing one digit once: which form, how slanted, how steady, with which pen.

use super::PIXELS;
use super::glyphs::{GLYPHS, Glyph};
use super::pen::{self, Dot};
use cnn_network::seed::Rng;
use rand::Rng as _;
use rand_distr::{Distribution, StandardNormal};
use std::f32::consts::TAU;

/// Draws `digit` (0 to 9) with what `rng` holds: 28×28 grey values, white on black.
pub(super) fn write(digit: usize, rng: &mut Rng) -> [u8; PIXELS] {
    let radius = (1.22 * (0.32 * normal(rng)).exp()).clamp(0.6, 2.6);
    let mut paths = form(digit, rng);
    distort(&mut paths, digit, rng);
    let mut dots: Vec<Vec<Dot>> = paths.iter().map(|path| press(path, radius, rng)).collect();
    pen::fit(&mut dots, radius);
    let soft = rng.random_range(0.9..1.6);
    let field = pen::centre(&pen::ink(&dots, soft));
    let gain = rng.random_range(0.92..1.15);
    let grain = rng.random_range(0.0..0.08);
    field.map(|ink| if ink <= 0.0 { 0 } else { (255.0 * ink * (gain + grain * normal(rng))).clamp(0.0, 255.0) as u8 })
}

/// The curves of one way to write `digit`, its points jittered, its strokes cut short or broken here and there.
fn form(digit: usize, rng: &mut Rng) -> Vec<Vec<(f32, f32)>> {
    let glyph = choose(GLYPHS[digit], rng);
    let unsteady = rng.random_range(0.008..0.038);
    let points: Vec<(f32, f32)> =
        glyph.points.iter().map(|(x, y)| (x + unsteady * normal(rng), y + unsteady * normal(rng))).collect();
    let mut paths = Vec::with_capacity(glyph.strokes.len() + 1);
    for stroke in glyph.strokes {
        let through: Vec<(f32, f32)> = stroke.iter().map(|index| points[usize::from(*index)]).collect();
        let mut path = pen::curve(&through);
        let shorten = path.len() / 12;
        if stroke.len() > 3 && shorten > 0 {
            path.truncate(path.len() - rng.random_range(0..=shorten));
            path.drain(..rng.random_range(0..=shorten));
        }
        if path.len() > 24 && rng.random_bool(0.03) {
            // The pen lifts for a moment.
            let gap = rng.random_range(path.len() / 4..path.len() * 3 / 4);
            paths.push(path.split_off(gap + 2));
            path.truncate(gap);
        }
        paths.push(path);
    }
    paths
}

fn choose<'a>(glyphs: &'a [Glyph], rng: &mut Rng) -> &'a Glyph {
    let mut left = rng.random_range(0.0..glyphs.iter().map(|glyph| glyph.weight).sum::<f32>());
    for glyph in glyphs {
        left -= glyph.weight;
        if left < 0.0 {
            return glyph;
        }
    }
    &glyphs[glyphs.len() - 1]
}

/// Slant, turn, aspect, the balance of upper and lower half, and a smooth warp of the plane.
fn distort(paths: &mut [Vec<(f32, f32)>], digit: usize, rng: &mut Rng) {
    let slant = (0.22 + if digit == 1 { 0.32 } else { 0.26 } * normal(rng)).clamp(-0.5, 1.0);
    let turn = 0.12 * normal(rng);
    let width = (if digit == 0 { 0.2 } else { 0.08 } + 0.28 * normal(rng)).exp();
    let balance = (0.25 * normal(rng)).exp();
    let waves: [Wave; 4] = std::array::from_fn(|_| Wave::draw(rng));
    let (sin, cos) = turn.sin_cos();
    for point in paths.iter_mut().flatten() {
        let (mut x, mut y) = (point.0 - 0.32, point.1);
        if y > 0.0 {
            y = y.powf(balance);
        }
        y -= 0.5;
        x = x * width - slant * y;
        (x, y) = (x * cos - y * sin, x * sin + y * cos);
        *point = waves.iter().fold((x, y), |at, wave| wave.push(at, (x, y)));
    }
}

/// A plane wave that pushes points to and fro: a few together are a smooth elastic warp.
struct Wave {
    frequency: (f32, f32),
    phase: f32,
    push: (f32, f32),
}

impl Wave {
    fn draw(rng: &mut Rng) -> Self {
        let mut pair = |scale: f32| (scale * normal(rng), scale * normal(rng));
        let (frequency, push) = (pair(4.0), pair(0.04));
        Self { frequency, phase: rng.random_range(0.0..TAU), push }
    }

    fn push(&self, at: (f32, f32), origin: (f32, f32)) -> (f32, f32) {
        let swing = (self.frequency.0 * origin.0 + self.frequency.1 * origin.1 + self.phase).sin();
        (at.0 + self.push.0 * swing, at.1 + self.push.1 * swing)
    }
}

/// The pen along a path: its radius in pixels swells and shrinks slowly with the pressure of the hand.
fn press(path: &[(f32, f32)], radius: f32, rng: &mut Rng) -> Vec<Dot> {
    let (depth, phase, turns) = (rng.random_range(0.0..0.22), rng.random_range(0.0..TAU), rng.random_range(0.3..1.5));
    let length = path.len().max(2) as f32 - 1.0;
    path.iter()
        .enumerate()
        .map(|(index, (x, y))| {
            let pressure = 1.0 + depth * (phase + turns * TAU * index as f32 / length).sin();
            Dot { x: *x, y: *y, radius: radius * pressure }
        })
        .collect()
}

fn normal(rng: &mut Rng) -> f32 {
    StandardNormal.sample(rng)
}
