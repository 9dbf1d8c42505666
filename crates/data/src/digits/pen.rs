//! A pen on a field of 28×28 pixels: from curves to grey values, centred as MNIST centres its digits.

use super::{BOX, PIXELS, SIDE};

/// A place of the pen on its way: position and radius of the tip, in whatever unit the path is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dot {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) radius: f32,
}

/// Sections of a Catmull–Rom curve are drawn as this many straight lines.
const STEPS: usize = 8;

/// The curve through `points`, closed smoothly where the last point is the first.
pub(super) fn curve(points: &[(f32, f32)]) -> Vec<(f32, f32)> {
    let last = points.len().saturating_sub(1);
    let closed = last > 1 && points[0] == points[last];
    let at = |index: isize| -> (f32, f32) {
        match index {
            // Beyond an open end the curve goes on as it ended; beyond a closed one it goes round.
            -1 if closed => points[last - 1],
            -1 => points[0],
            index if index as usize > last && closed => points[1],
            index => points[(index as usize).min(last)],
        }
    };
    let mut path = Vec::with_capacity(last * STEPS + 1);
    for section in 0..last as isize {
        let (p0, p1, p2, p3) = (at(section - 1), at(section), at(section + 1), at(section + 2));
        for step in 0..STEPS {
            let t = step as f32 / STEPS as f32;
            path.push((catmull_rom(p0.0, p1.0, p2.0, p3.0, t), catmull_rom(p0.1, p1.1, p2.1, p3.1, t)));
        }
    }
    path.extend(points.last());
    path
}

fn catmull_rom(p0: f32, p1: f32, p2: f32, p3: f32, t: f32) -> f32 {
    let cubic = 3.0 * (p1 - p2) + p3 - p0;
    let square = 2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3;
    p1 + 0.5 * t * (p2 - p0 + t * (square + t * cubic))
}

/// Moves and scales `paths` so that the middle of their line fills the box of 20×20 less the pen, in the middle of the
/// field; the aspect stays. Radii are in pixels already and stay.
pub(super) fn fit(paths: &mut [Vec<Dot>], radius: f32) {
    let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
    for dot in paths.iter().flatten() {
        low = [low[0].min(dot.x), low[1].min(dot.y)];
        high = [high[0].max(dot.x), high[1].max(dot.y)];
    }
    let extent = (high[0] - low[0]).max(high[1] - low[1]).max(1e-3);
    let scale = (BOX as f32 - 2.0 * radius) / extent;
    let middle = SIDE as f32 / 2.0;
    for dot in paths.iter_mut().flatten() {
        dot.x = (dot.x - (low[0] + high[0]) / 2.0) * scale + middle;
        dot.y = (dot.y - (low[1] + high[1]) / 2.0) * scale + middle;
    }
}

/// How much of each pixel the pen covers, 0 to 1, rows from the top; `soft` is the width of its edge in pixels.
pub(super) fn ink(paths: &[Vec<Dot>], soft: f32) -> [f32; PIXELS] {
    let mut field = [0.0_f32; PIXELS];
    for path in paths {
        for line in path.windows(2) {
            stroke(&mut field, line[0], line[1], soft);
        }
    }
    field
}

/// Draws one straight line from `a` to `b`, its radius changing between them.
fn stroke(field: &mut [f32; PIXELS], a: Dot, b: Dot, soft: f32) {
    let reach = a.radius.max(b.radius) + soft;
    let range = |p: f32, q: f32| {
        let low = (p.min(q) - reach).floor().clamp(0.0, SIDE as f32) as usize;
        let high = (p.max(q) + reach).ceil().clamp(0.0, SIDE as f32) as usize;
        low..high
    };
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length = (dx * dx + dy * dy).max(1e-12);
    for row in range(a.y, b.y) {
        for column in range(a.x, b.x) {
            let (px, py) = (column as f32 + 0.5 - a.x, row as f32 + 0.5 - a.y);
            let along = ((px * dx + py * dy) / length).clamp(0.0, 1.0);
            let (ex, ey) = (px - along * dx, py - along * dy);
            let radius = a.radius + along * (b.radius - a.radius);
            let cover = ((radius - (ex * ex + ey * ey).sqrt()) / soft + 0.5).clamp(0.0, 1.0);
            let pixel = &mut field[row * SIDE + column];
            *pixel = pixel.max(cover);
        }
    }
}

/// Moves the ink by whole pixels so that its centre of mass lies in the middle of the field, as MNIST's does.
pub(super) fn centre(field: &[f32; PIXELS]) -> [f32; PIXELS] {
    let (mut mass, mut x, mut y) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (index, ink) in field.iter().enumerate() {
        mass += ink;
        x += ink * ((index % SIDE) as f32 + 0.5);
        y += ink * ((index / SIDE) as f32 + 0.5);
    }
    if mass <= 0.0 {
        return *field;
    }
    let middle = SIDE as f32 / 2.0;
    let (right, down) = ((middle - x / mass).round() as isize, (middle - y / mass).round() as isize);
    let mut moved = [0.0; PIXELS];
    for (index, ink) in moved.iter_mut().enumerate() {
        let (row, column) = ((index / SIDE) as isize - down, (index % SIDE) as isize - right);
        let side = 0..SIDE as isize;
        if side.contains(&row) && side.contains(&column) {
            *ink = field[row as usize * SIDE + column as usize];
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_through_its_points_and_closes() {
        let points = [(0.0, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.0)];
        let path = curve(&points);
        assert_eq!(path.len(), 3 * STEPS + 1);
        for (index, point) in points.iter().enumerate() {
            assert_eq!(path[index * STEPS], *point);
        }
        assert_eq!(curve(&[]), vec![]);
        assert_eq!(curve(&[(0.25, 0.5)]), vec![(0.25, 0.5)]);
        assert!(curve(&[(0.0, 0.0), (1.0, 1.0)]).iter().all(|(x, y)| (x - y).abs() < 1e-6));
    }

    #[test]
    fn ink_is_centred_by_mass() {
        let mut field = [0.0; PIXELS];
        for index in [2 * SIDE + 3, 2 * SIDE + 4, 3 * SIDE + 3, 3 * SIDE + 4] {
            field[index] = 1.0;
        }
        let moved = centre(&field);
        for index in [13 * SIDE + 13, 13 * SIDE + 14, 14 * SIDE + 13, 14 * SIDE + 14] {
            assert_eq!(moved[index], 1.0);
        }
        assert_eq!(moved.iter().sum::<f32>(), 4.0);
        assert_eq!(centre(&[0.0; PIXELS]), [0.0; PIXELS]);
    }
}
