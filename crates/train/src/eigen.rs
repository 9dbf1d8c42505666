//! Eigenvalues of symmetric matrices.

use nalgebra::{DMatrix, SymmetricEigen};

/// The eigenvalues of a symmetric matrix of `size` rows, the largest first, and the eigenvectors, one a row, each of
/// length 1. The largest entry of an eigenvector is positive.
pub(crate) fn eigen(matrix: Vec<f64>, size: usize) -> (Vec<f64>, Vec<f64>) {
    let found = SymmetricEigen::new(DMatrix::from_vec(size, size, matrix));
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|a, b| found.eigenvalues[*b].total_cmp(&found.eigenvalues[*a]));
    let values = order.iter().map(|place| found.eigenvalues[*place]).collect();
    let vectors = order.iter().flat_map(|place| {
        let vector = found.eigenvectors.column(*place);
        let sign = 1.0_f64.copysign(vector[vector.iamax()]);
        vector.iter().map(|x| x * sign).collect::<Vec<f64>>()
    });
    (values, vectors.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_of_two_rows_by_hand() {
        let (values, vectors) = eigen(vec![2.0, 1.0, 1.0, 2.0], 2);
        let half = 0.5_f64.sqrt();
        for (found, expected) in values.iter().zip([3.0, 1.0]).chain(vectors[..2].iter().zip([half, half])) {
            assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        }
        assert!((vectors[2] + vectors[3]).abs() < 1e-14);
    }

    #[test]
    fn vectors_are_orthogonal_and_only_stretched() {
        let size = 27;
        let entry = |at: usize| ((at * 7919 + 13) % 101) as f64 / 50.0 - 1.0;
        let entries: Vec<f64> = (0..size * size).map(entry).collect();
        let matrix: Vec<f64> = (0..size * size)
            .map(|at| (0..size).map(|k| entries[at / size * size + k] * entries[at % size * size + k]).sum())
            .collect();
        let (values, vectors) = eigen(matrix.clone(), size);
        assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
        for i in 0..size {
            let vector = &vectors[i * size..(i + 1) * size];
            for j in 0..size {
                let dot: f64 = vector.iter().zip(&vectors[j * size..(j + 1) * size]).map(|(a, b)| a * b).sum();
                assert!((dot - if i == j { 1.0 } else { 0.0 }).abs() < 1e-12);
                let image: f64 = (0..size).map(|k| matrix[j * size + k] * vector[k]).sum();
                assert!((image - values[i] * vector[j]).abs() < 1e-9 * values[0].max(1.0), "{i} {j}");
            }
        }
    }
}
