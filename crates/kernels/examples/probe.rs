//! Times a convolution: images, channels, size, filters, kernel, stride, padding.

use cnn_kernels::*;
use std::time::Instant;
fn main() {
    let a: Vec<usize> = std::env::args().skip(1).map(|s| s.parse().unwrap()).collect();
    let [n, c, h, k, kk, s, p] = a[..7] else { panic!() };
    let set = InstructionSet::chosen();
    let conv = Conv {
        in_channels: c,
        out_channels: k,
        groups: 1,
        kernel: [kk; 2],
        stride: [s; 2],
        padding: [p; 2],
        dilation: [1; 2],
    };
    let o = conv.output([h, h]).unwrap();
    let (pi, po) = (Place::new(n, c, [h, h]), Place::new(n, k, o));
    let r = |n: usize| {
        let mut s = 1u32;
        (0..n)
            .map(|_| {
                s = s.wrapping_mul(1664525).wrapping_add(1013904223);
                (s >> 8) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect::<Vec<_>>()
    };
    let x = {
        let m = r(n * c * h * h);
        let mut b = Buffer::zeros(pi.len());
        to_blocks(&m, &mut b, &pi);
        b
    };
    let g = {
        let m = r(n * k * o[0] * o[1]);
        let mut b = Buffer::zeros(po.len());
        to_blocks(&m, &mut b, &po);
        b
    };
    let mut y = Buffer::<f32>::zeros(po.len());
    let mut dx = Buffer::<f32>::zeros(pi.len());
    let w = r(conv.weights());
    let mut dw = vec![0f32; w.len()];
    let flops = 2.0 * (n * k * o[0] * o[1]) as f64 * (c * kk * kk) as f64;
    let time = |f: &mut dyn FnMut()| {
        f();
        let mut t: Vec<f64> = (0..9)
            .map(|_| {
                let t = Instant::now();
                f();
                t.elapsed().as_secs_f64()
            })
            .collect();
        t.sort_by(f64::total_cmp);
        t[4]
    };
    for th in [1, 2] {
        threads::set_threads(th);
        let f = time(&mut || conv.forward(set, &View::plain(&x, pi), &w, Sink::store(&mut y, po)));
        let b = time(&mut || conv.backward_input(set, &View::plain(&g, po), &w, Sink::store(&mut dx, pi)));
        let d = time(&mut || conv.backward_weights(set, &View::plain(&x, pi), &View::plain(&g, po), &mut dw));
        println!(
            "{a:?} {set} t{th}: fwd {:.2} ms {:.0} GF/s  bwd {:.2} ms {:.0}  dw {:.2} ms {:.0}",
            f * 1e3,
            flops / f / 1e9,
            b * 1e3,
            flops / b / 1e9,
            d * 1e3,
            flops / d / 1e9
        );
    }
}
