//! Fewer problems where each takes long.

/// A hundredth of the problems where Miri interprets them, and as many fewer as `CNN_FEWER_PROBLEMS` says.
pub fn fewer(count: u64) -> u64 {
    let asked = std::env::var("CNN_FEWER_PROBLEMS").ok().and_then(|times| times.parse().ok());
    count.div_ceil(if cfg!(miri) { 100 } else { asked.unwrap_or(1).max(1) })
}

/// As many of some cases as [`fewer`] leaves. `CNN_SHARE=K/N` says where they begin, so that many runs see all.
pub fn some<T: Copy>(cases: &[T]) -> impl Iterator<Item = T> {
    let share = std::env::var("CNN_SHARE").unwrap_or_default();
    // What is built for other CPUs, and what the sanitizer sees, goes by threes and twos.
    let first = share.split('/').next().and_then(|share| share.parse().ok()).map_or(0, |share: usize| share / 3);
    (0..fewer(cases.len() as u64) as usize).map(move |at| cases[(first + at) % cases.len()])
}
