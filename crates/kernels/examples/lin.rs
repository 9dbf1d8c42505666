use cnn_kernels::*; use std::time::Instant;
fn main() {
    let a: Vec<usize> = std::env::args().skip(1).map(|s| s.parse().unwrap()).collect();
    let [n, i, o] = a[..3] else { panic!() };
    let set = InstructionSet::chosen(); let l = Linear { in_features: i, out_features: o };
    let (pi, po) = (Place::new(n, i, [1, 1]), Place::new(n, o, [1, 1]));
    let r = |n: usize| { let mut s = 1u32; (0..n).map(|_| { s = s.wrapping_mul(1664525).wrapping_add(1013904223); (s >> 8) as f32 / (1 << 24) as f32 - 0.5 }).collect::<Vec<_>>() };
    let mut x = Buffer::zeros(pi.len()); to_blocks(&r(n * i), &mut x, &pi);
    let mut g = Buffer::zeros(po.len()); to_blocks(&r(n * o), &mut g, &po);
    let mut w = Buffer::from_slice(&r(i * o)); let mut m = Buffer::<f32>::zeros(i * o); let mut e = Buffer::<f32>::zeros(0);
    let (mut y, mut dx) = (Buffer::<f32>::zeros(po.len()), Buffer::<f32>::zeros(pi.len()));
    let time = |f: &mut dyn FnMut()| { f(); let mut t: Vec<f64> = (0..7).map(|_| { let t = Instant::now(); f(); t.elapsed().as_secs_f64() }).collect(); t.sort_by(f64::total_cmp); t[3] * 1e3 };
    let up = update::Update::Sgd(update::Sgd { learning_rate: 1e-9, momentum: 0.9, nesterov: false, weight_decay: 0.0 });
    let gf = 2e-6 * (n * i * o) as f64;
    let f = time(&mut || l.forward(set, &View::plain(&x, pi), &w, Sink::store(&mut y, po)));
    let b = time(&mut || l.backward_input(set, &View::plain(&g, po), &w, Sink::store(&mut dx, pi)));
    let d = time(&mut || l.backward_weights_with(set, &View::plain(&x, pi), &View::plain(&g, po), &mut w, [&mut m, &mut e], |w, m, g| up.step_part(set, w, g, m)));
    println!("{a:?}: fwd {f:.1} ms {:.0}, bwd {b:.1} ms {:.0}, dw+sgd {d:.1} ms {:.0} GF/s; weights {} MB", gf / f, gf / b, gf / d, i * o * 4 >> 20);
}
