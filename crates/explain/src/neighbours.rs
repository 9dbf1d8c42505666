//! Features in two dimensions, so that neighbours stay neighbours.

use crate::embedding::principal_components;
use crate::error::{Error, Result};
use bhtsne::{Neighbor, tSNE};

/// About so many neighbours are kept near each point.
const PERPLEXITY: f32 = 30.0;
/// Standard deviation along the first axis of the plane it begins with (Kobak and Berens 2019).
const BEGIN: f64 = 1e-4;
/// How coarsely the far points' pull is added up: 0 is exact (Barnes and Hut 1986).
const THETA: f32 = 0.5;

/// t-SNE (van der Maaten and Hinton 2008; with trees, van der Maaten 2014): points of a plane, of which those are near
/// each other whose features are. Distances between groups say little, and the axes nothing. Begins with the two
/// principal components, so that the same features give the same picture; perplexity 30, or a third of the other rows if
/// these are fewer.
///
/// # Errors
///
/// Rows of different lengths, fewer than four, numbers that are not finite.
pub fn neighbour_embedding(rows: &[Vec<f32>]) -> Result<Vec<[f64; 2]>> {
    let length = rows.first().map_or(0, Vec::len);
    if rows.len() < 4 || rows.iter().flatten().any(|x| !x.is_finite()) {
        return Err(Error::Rows { rows: rows.len(), length });
    }
    let begin = principal_components(rows)?.points;
    let spread = (begin.iter().map(|[x, _]| x * x).sum::<f64>() / rows.len() as f64).sqrt();
    if spread == 0.0 {
        return Ok(begin);
    }
    let begin: Vec<f32> = begin.iter().flatten().map(|x| (x / spread * BEGIN) as f32).collect();
    let perplexity = PERPLEXITY.min(((rows.len() - 1) / 3) as f32);
    let neighbours = neighbours(rows, (3.0 * perplexity) as usize);
    // The crate adds up in the order in which threads come, so one thread alone gives the same picture twice.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let alone = alone.map_err(|why| Error::Thread { why: why.to_string() })?;
    let points = alone.install(|| {
        let mut embedding: tSNE<'_, f32, Vec<f32>> = tSNE::new(rows);
        embedding.perplexity(perplexity).initial_embedding(begin).barnes_hut_with_neighbors(THETA, &neighbours);
        embedding.embedding()
    });
    Ok(points.chunks_exact(2).map(|point| [f64::from(point[0]), f64::from(point[1])]).collect())
}

/// For each row the nearest others, the nearest first; of equals the earlier.
fn neighbours(rows: &[Vec<f32>], count: usize) -> Vec<Vec<Neighbor<f32>>> {
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    let near = |(own, row): (usize, &Vec<f32>)| {
        let mut all: Vec<(f32, usize)> = rows
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != own)
            .map(|(other, there)| (distance(row, there), other))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all.truncate(count);
        all.into_iter().map(|(distance, index)| Neighbor { index, distance }).collect()
    };
    rows.iter().enumerate().map(near).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three groups far apart in seven dimensions: each point's nearest ones are of its own group, twice the same.
    #[test]
    fn groups_stay_together() -> Result<()> {
        let row = |i: usize| -> Vec<f32> {
            (0..7).map(|axis| if axis == i % 3 { 20.0 } else { ((i * 31 + axis * 17) % 23) as f32 / 23.0 }).collect()
        };
        let rows: Vec<Vec<f32>> = (0..60).map(row).collect();
        let points = neighbour_embedding(&rows)?;
        for (i, [x, y]) in points.iter().enumerate() {
            let mut others: Vec<usize> = (0..60).filter(|other| *other != i).collect();
            let away = |other: &usize| (points[*other][0] - x).hypot(points[*other][1] - y);
            others.sort_by(|a, b| away(a).total_cmp(&away(b)));
            assert!(others[..10].iter().all(|other| other % 3 == i % 3), "{i}: {:?}", &others[..10]);
        }
        assert_eq!(points, neighbour_embedding(&rows)?);
        Ok(())
    }

    #[test]
    fn what_cannot_be_placed_is_refused() {
        assert!(neighbour_embedding(&vec![vec![1.0]; 3]).is_err());
        assert!(neighbour_embedding(&[vec![1.0], vec![f32::NAN], vec![2.0], vec![3.0]]).is_err());
        assert!(neighbour_embedding(&vec![vec![1.0, 2.0]; 5]).is_ok_and(|points| points == [[0.0; 2]; 5]));
    }
}
