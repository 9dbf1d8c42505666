//! Pools: pads by number, divisors as torch has them.

use crate::attribute::{integer, integers};
use crate::graph::{Graph, Place};
use cnn_network::op::AvgPool;
use cnn_network::shape::{Axis, Pair, Window, adaptive_spans};

/// A max pool.
pub(crate) fn max(graph: &mut Graph<'_>, place: &Place<'_>, window: &Window) {
    let attributes = sliding(place, window);
    graph.last("MaxPool", place, &[&place.x()], attributes);
}

/// An average pool.
pub(crate) fn average(graph: &mut Graph<'_>, place: &Place<'_>, pool: &AvgPool) {
    let [rows, columns] = divisors(place, pool);
    let mut attributes = sliding(place, &pool.window);
    let real = [&rows, &columns].iter().all(|axis| axis.iter().all(|window| window.divisor == window.real));
    let whole = [&rows, &columns].iter().all(|axis| axis.iter().all(|window| window.divisor == window.kernel));
    attributes.push(integer("count_include_pad", i64::from(!real)));
    if real || whole {
        graph.last("AveragePool", place, &[&place.x()], attributes);
        return;
    }
    // ONNX's divisor is the whole kernel.
    let factors = rows.iter().flat_map(|row| columns.iter().map(move |column| row.correction() * column.correction()));
    let factors = factors.map(|factor| factor as f32).collect();
    let factors = graph.numbers(&place.inner("factors"), &[rows.len(), columns.len()], factors);
    let means = graph.step("AveragePool", place, "means", &[&place.x()], attributes);
    graph.last("Mul", place, &[&means, &factors], Vec::new());
}

/// An average pool to a given size.
pub(crate) fn adaptive(graph: &mut Graph<'_>, place: &Place<'_>, output: Pair) {
    let Some(input) = place.input.size() else { return };
    let sizes = input.axes().into_iter().zip(output.axes());
    if output.area() == 1 {
        graph.last("GlobalAveragePool", place, &[&place.x()], Vec::new());
    } else if sizes.clone().all(|(n, out)| n.is_multiple_of(out)) {
        let kernel: Vec<usize> = sizes.map(|(n, out)| n / out).collect();
        let attributes = vec![
            integers("kernel_shape", &kernel),
            integers("strides", &kernel),
            integers("pads", &[0; 4]),
            integer("count_include_pad", 0),
        ];
        graph.last("AveragePool", place, &[&place.x()], attributes);
    } else {
        // A mean over columns of a mean over rows: `(rows · x) · columns`. In the other order OpenVINO's CPU plugin joins a
        // factor per channel behind it to the second product and fails.
        let columns = shares(input.width, output.width);
        let transposed = (0..input.width).flat_map(|n| (0..output.width).map(move |out| (n, out)));
        let columns = transposed.map(|(n, out)| columns[out * input.width + n]).collect();
        let columns = graph.numbers(&place.inner("columns"), &[input.width, output.width], columns);
        let rows = shares(input.height, output.height);
        let rows = graph.numbers(&place.inner("rows"), &[output.height, input.height], rows);
        let means = graph.step("MatMul", place, "means", &[&rows, &place.x()], Vec::new());
        graph.last("MatMul", place, &[&means, &columns], Vec::new());
    }
}

/// What each of `n` positions counts for in each of `out` means, mean by mean.
fn shares(n: usize, out: usize) -> Vec<f32> {
    let mut shares = vec![0.0; n.saturating_mul(out)];
    for (o, span) in adaptive_spans(n, out).into_iter().enumerate() {
        shares[o * n + span.start..o * n + span.end].fill((1.0 / span.padded as f64) as f32);
    }
    shares
}

/// Kernel, strides and pads of a window; the end pads are what the last window hangs over.
fn sliding(place: &Place<'_>, window: &Window) -> Vec<crate::schema::AttributeProto> {
    let sizes = |shape: cnn_network::Shape| shape.size().map_or([1, 1], Pair::axes);
    let (input, output) = (sizes(place.input), sizes(place.node.shape));
    let end = |axis: usize| {
        let Axis { kernel, stride, padding, .. } = window.axes()[axis];
        ((output[axis] - 1) * stride + kernel).saturating_sub(input[axis] + padding)
    };
    let [top, left] = window.padding.axes();
    vec![
        integers("kernel_shape", &window.kernel.axes()),
        integers("strides", &window.stride.axes()),
        integers("pads", &[top, left, end(0), end(1)]),
    ]
}

/// One window along one axis.
struct Divisor {
    /// What its sum is divided by.
    divisor: usize,
    /// Real positions under it.
    real: usize,
    /// Positions of the kernel.
    kernel: usize,
}

impl Divisor {
    fn correction(&self) -> f64 {
        self.kernel as f64 / self.divisor as f64
    }
}

/// The divisors of an average pool, along each axis.
fn divisors(place: &Place<'_>, pool: &AvgPool) -> [Vec<Divisor>; 2] {
    let sizes = |shape: cnn_network::Shape| shape.size().map_or([1, 1], Pair::axes);
    let (input, output) = (sizes(place.input), sizes(place.node.shape));
    [0, 1].map(|axis| {
        let along = pool.window.axes()[axis];
        let divisor = |o: usize| {
            let span = along.span(o, input[axis]);
            let real = span.end - span.start;
            Divisor { divisor: if pool.count_padding { span.padded } else { real }, real, kernel: along.kernel }
        };
        (0..output[axis]).map(divisor).collect()
    })
}
