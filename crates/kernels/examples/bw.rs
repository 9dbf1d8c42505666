use cnn_kernels::*; use std::time::Instant;
fn main() {
    let set = InstructionSet::chosen(); let p = Place::new(8, 256, [56, 56]);
    let n = p.len(); let a = Buffer::<f32>::zeros(n); let b = Buffer::<f32>::zeros(n); let mut c = Buffer::<f32>::zeros(n);
    let v = vec![1f32; 256]; let f = vec![0f32; 256];
    let time = |f: &mut dyn FnMut()| { f(); let mut t: Vec<f64> = (0..15).map(|_| { let t = Instant::now(); f(); t.elapsed().as_secs_f64() }).collect(); t.sort_by(f64::total_cmp); t[7] };
    let gb = (n * 4) as f64 / 1e9;
    let aff = |d| View { data: d, place: p, map: Map::Affine { scale: &v, shift: &f, floor: &f } };
    let t = time(&mut || copy::copy(set, &View::plain(&a, p), Sink::store(&mut c, p))); println!("copy {:.1} GB/s", 2. * gb / t);
    let t = time(&mut || copy::sum(set, &[View::plain(&a, p), View::plain(&b, p)], Sink::store(&mut c, p))); println!("sum {:.1} GB/s", 3. * gb / t);
    let t = time(&mut || copy::sum(set, &[aff(&a), aff(&b)], Sink::store(&mut c, p))); println!("sum affine {:.1} GB/s", 3. * gb / t);
    let t = time(&mut || { let mut s = Sums { centre: vec![0.; 256], ..Default::default() }; copy::copy(set, &View::plain(&a, p), Sink::Pull(Pull { data: &mut c, place: p, accumulate: false, factor: Some(&v), through: Some(aff(&b)), sums: Some(&mut s) })) }); println!("pull {:.1} GB/s", 3. * gb / t);
    let t = time(&mut || { c.copy_from_slice(&a) }); println!("memcpy 1 thread {:.1} GB/s", 2. * gb / t);
}
