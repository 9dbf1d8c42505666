//! Eigenvalues of symmetric matrices, by Jacobi's rotations (Golub and Van Loan, section 8.5).

/// Sweeps over all pairs; some ten suffice.
const SWEEPS: usize = 60;

/// The eigenvalues of a symmetric matrix of `size` rows, the largest first, and the eigenvectors, one a row, each of
/// length 1. The largest entry of an eigenvector is positive.
pub(crate) fn eigen(mut matrix: Vec<f64>, size: usize) -> (Vec<f64>, Vec<f64>) {
    let mut vectors: Vec<f64> = (0..size * size).map(|at| if at % (size + 1) == 0 { 1.0 } else { 0.0 }).collect();
    let all: f64 = matrix.iter().map(|x| x * x).sum();
    for _ in 0..SWEEPS {
        let off: f64 = (0..size * size).filter(|at| at % (size + 1) != 0).map(|at| matrix[at] * matrix[at]).sum();
        if off <= all * 1e-30 {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut matrix, &mut vectors, size, [p, q]);
            }
        }
    }
    let mut order: Vec<usize> = (0..size).collect();
    let value = |place: usize| matrix[place * (size + 1)];
    order.sort_by(|a, b| value(*b).total_cmp(&value(*a)));
    let values = order.iter().map(|place| value(*place)).collect();
    let rows = order.iter().flat_map(|place| {
        let row = &vectors[place * size..(place + 1) * size];
        let largest = row.iter().fold(0.0_f64, |largest, x| if x.abs() > largest.abs() { *x } else { largest });
        row.iter().map(move |x| x * 1.0_f64.copysign(largest))
    });
    (values, rows.collect())
}

/// Turns rows and columns `p` and `q` so that the numbers between them become 0.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], size: usize, [p, q]: [usize; 2]) {
    let between = matrix[p * size + q];
    if between == 0.0 {
        return;
    }
    let tau = (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * between);
    let tangent = 1.0_f64.copysign(tau) / (tau.abs() + tau.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    let turn = |numbers: &mut [f64], [one, other]: [usize; 2]| {
        let (a, b) = (numbers[one], numbers[other]);
        numbers[one] = cosine * a - sine * b;
        numbers[other] = sine * a + cosine * b;
    };
    for k in 0..size {
        turn(matrix, [k * size + p, k * size + q]);
    }
    for k in 0..size {
        turn(matrix, [p * size + k, q * size + k]);
        turn(vectors, [p * size + k, q * size + k]);
    }
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
