//! Features in two dimensions.

use crate::error::{Error, Result};
use nalgebra::{DMatrix, SymmetricEigen};

/// Features of many images as points of a plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// For each image its place.
    pub points: Vec<[f64; 2]>,
    /// The share of the features' variance that lies along each axis, from 0 to 1.
    pub shares: [f64; 2],
}

/// The two principal components of some features, a row an image (Pearson 1901): the plane in which they are spread
/// most. Each axis points where the sum of its cubes is positive, so that the same features give the same picture.
///
/// # Errors
///
/// Rows of different lengths, fewer than two.
pub fn principal_components(rows: &[Vec<f32>]) -> Result<Embedding> {
    let length = rows.first().map_or(0, Vec::len);
    if rows.len() < 2 || length == 0 || rows.iter().any(|row| row.len() != length) {
        return Err(Error::Rows { rows: rows.len(), length });
    }
    let mut centred = DMatrix::from_fn(rows.len(), length, |row, column| f64::from(rows[row][column]));
    for mut column in centred.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
    // Points are the eigenvectors of the products of rows, or come from those of the products of columns: of the two
    // matrices the smaller.
    let by_rows = rows.len() <= length;
    let products = if by_rows { &centred * centred.transpose() } else { centred.tr_mul(&centred) };
    let total = products.trace();
    let eigen = SymmetricEigen::new(products);
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    let mut points = vec![[0.0; 2]; rows.len()];
    let mut shares = [0.0; 2];
    for (axis, component) in order.into_iter().take(2).enumerate() {
        let value = eigen.eigenvalues[component].max(0.0);
        let vector = eigen.eigenvectors.column(component);
        let along = if by_rows { vector * value.sqrt() } else { &centred * vector };
        let sign = if along.iter().map(|x| x.powi(3)).sum::<f64>() < 0.0 { -1.0 } else { 1.0 };
        points.iter_mut().zip(along.iter()).for_each(|(point, x)| point[axis] = sign * x);
        shares[axis] = if total > 0.0 { value / total } else { 0.0 };
    }
    Ok(Embedding { points, shares })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on a plane in five dimensions: the plane is found, and all of the variance in it.
    #[test]
    fn a_plane_is_found() -> Result<()> {
        let place = |i: usize| [(i * 7 % 11) as f32, (i * 5 % 13) as f32 / 8.0];
        let row = |i: usize| {
            let [a, b] = place(i);
            vec![0.6 * a, 0.8 * a, 3.0, 0.8 * b, -0.6 * b]
        };
        for count in [4, 30] {
            let rows: Vec<Vec<f32>> = (0..count).map(row).collect();
            let found = principal_components(&rows)?;
            assert!((found.shares[0] + found.shares[1] - 1.0).abs() < 1e-6 && found.shares[0] > found.shares[1]);
            let apart = |[a, b]: [[f64; 2]; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
            for i in 1..count {
                let expected = [place(0), place(i)].map(|place| place.map(f64::from));
                assert!((apart([found.points[0], found.points[i]]) - apart(expected)).abs() < 1e-5);
            }
        }
        Ok(())
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert!(principal_components(&[vec![1.0], vec![1.0, 2.0]]).is_err());
        assert!(principal_components(&[vec![1.0]]).is_err() && principal_components(&[]).is_err());
        let same = principal_components(&[vec![2.0, 2.0], vec![2.0, 2.0]]);
        assert!(same.is_ok_and(|found| found.shares == [0.0; 2] && found.points == [[0.0; 2]; 2]));
    }
}
