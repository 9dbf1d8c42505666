//! Fewer problems where each takes long.

/// A hundredth of the problems where Miri interprets them, and as many fewer as `CNN_FEWER_PROBLEMS` says.
pub fn fewer(count: u64) -> u64 {
    let asked = std::env::var("CNN_FEWER_PROBLEMS").ok().and_then(|times| times.parse().ok());
    count.div_ceil(if cfg!(miri) { 100 } else { asked.unwrap_or(1).max(1) })
}

/// Some of the cases that take long: all of them, or with `CNN_SHARE=K/N` as many as [`fewer`] leaves, others for another K.
pub fn some<T: Copy>(cases: &[T]) -> impl Iterator<Item = T> {
    let share = std::env::var("CNN_SHARE").ok().and_then(|share| share.split('/').next()?.parse::<usize>().ok());
    let count = if share.is_some() { fewer(cases.len() as u64) as usize } else { cases.len() };
    // `.ci/elsewhere` takes NEON for every third K, `.ci/sanitize` the kernels for every second.
    let first = share.unwrap_or(0) / 3;
    (0..count).map(move |at| cases[(first + at) % cases.len()])
}
