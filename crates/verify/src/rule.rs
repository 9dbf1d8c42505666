//! The weight rule of `tests/goldens/rule.py`: every number of a comparison from (seed, name, index).

use cnn_core::tensors::{Role, TensorSpec};

/// Side of the squares of one brightness in an input.
const BLOCK: usize = 8;

/// The rule under one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The seed.
    pub seed: u64,
}

impl Rule {
    /// `z(0), z(1), …` of a name.
    fn integers(self, name: &str) -> impl Iterator<Item = u64> {
        let text = format!("{}/{name}", self.seed);
        let hash = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        (1_u64..).map(move |i| {
            let z = hash.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })
    }

    /// `u` in [0, 1).
    fn unit(self, name: &str) -> impl Iterator<Item = f64> {
        self.integers(name).map(|z| (z >> 11) as f64 * 2f64.powi(-53))
    }

    /// `v` in [−1, 1).
    fn symmetric(self, name: &str) -> impl Iterator<Item = f64> {
        self.unit(name).map(|u| 2.0 * u - 1.0)
    }

    /// What a trained tensor holds; `None` for a running statistic.
    pub fn tensor(self, spec: &TensorSpec) -> Option<Vec<f64>> {
        let (name, count) = (&spec.name, spec.elements());
        match spec.role {
            Role::Statistic => None,
            Role::Bias => Some(self.symmetric(name).take(count).map(|v| v * 0.1).collect()),
            Role::Weight if spec.dims.len() == 1 => Some(self.unit(name).take(count).map(|u| 0.5 + u).collect()),
            Role::Weight => {
                let fan_in = spec.dims[1..].iter().product::<usize>() as f64;
                let scale = 3f64.sqrt() * (2.0 / fan_in).sqrt();
                Some(self.symmetric(name).take(count).map(|v| v * scale).collect())
            }
        }
    }

    /// The input `name` of the dimensions `[n, c, h, w]`: noise on squares of one brightness.
    pub fn input(self, name: &str, [n, c, h, w]: [usize; 4]) -> Vec<f64> {
        let (rows, columns) = (h.div_ceil(BLOCK), w.div_ceil(BLOCK));
        let blocks: Vec<f64> = self.symmetric(&format!("{name}/blocks")).take(n * c * rows * columns).collect();
        let block = |i: usize| {
            let (map, y, x) = (i / (h * w), i / w % h, i % w);
            blocks[(map * rows + y / BLOCK) * columns + x / BLOCK]
        };
        self.symmetric(name).take(n * c * h * w).enumerate().map(|(i, v)| v + 2.0 * block(i)).collect()
    }

    /// Where a fingerprint of `elements` numbers samples `count` of them.
    pub fn positions(self, name: &str, elements: usize, count: usize) -> Vec<usize> {
        self.integers(&format!("sample/{name}")).take(count).map(|z| (z % elements as u64) as usize).collect()
    }

    /// Labels of a batch.
    pub fn labels(rows: usize, classes: usize) -> Vec<u32> {
        (0..rows).map(|row| (37 * row % classes) as u32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `python tests/goldens/rule.py` prints.
    #[test]
    fn the_rule_is_the_one_of_rule_py() {
        let rule = Rule { seed: 1 };
        let z: Vec<u64> = rule.integers("conv1.weight").take(3).collect();
        assert_eq!(z, [0x3acd_2512_298f_04d5, 0x546b_c1a5_4112_1037, 0x959d_d239_6d93_617a]);
        let spec = |name: &str, dims: &[usize], role| TensorSpec {
            name: name.to_string(),
            dims: dims.to_vec(),
            role,
            init: cnn_core::initialisation::Init::Constant(0.0),
        };
        let weight = rule.tensor(&spec("conv1.weight", &[1, 3, 1, 1], Role::Weight));
        assert_eq!(weight.as_deref(), Some(&[-0.7645443257890917, -0.48148531997382543, 0.23883071828989821][..]));
        let bias = rule.tensor(&spec("conv1.bias", &[3], Role::Bias));
        assert_eq!(bias.as_deref(), Some(&[0.00868046772220743, 0.004497143873542365, -0.024737009679539915][..]));
        let norm = rule.tensor(&spec("bn1.weight", &[3], Role::Weight));
        assert_eq!(norm.as_deref(), Some(&[0.9894344917252756, 0.8876572717385789, 0.5313002953206928][..]));
        let input = rule.input("input", [1, 1, 9, 9]);
        let corner = [input[70], input[71], input[79], input[80]];
        assert_eq!(corner, [-0.03012634454347829, -1.467011896208595, -1.8216244837531572, 1.8659576028823823]);
        assert_eq!(rule.positions("conv1", 1000, 4), [88, 224, 99, 140]);
    }
}
