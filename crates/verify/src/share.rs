//! A part of a long comparison: every part once is the whole, and all of them cost about the same.

use std::fmt;
use std::str::FromStr;

/// Share `number` of `of`, counted from 1: `3/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    number: usize,
    of: usize,
}

impl Share {
    /// For each item, given what each costs, whether it is in this share. The items are dealt out from the costliest
    /// down, each to the share that has cost the least so far.
    pub fn of(self, costs: &[f64]) -> Vec<bool> {
        let mut order: Vec<usize> = (0..costs.len()).collect();
        order.sort_by(|a, b| costs[*b].total_cmp(&costs[*a]));
        let mut totals = vec![0.0_f64; self.of];
        let mut chosen = vec![false; costs.len()];
        for item in order {
            let least = (0..self.of).min_by(|a, b| totals[*a].total_cmp(&totals[*b])).unwrap_or(0);
            totals[least] += costs[item];
            chosen[item] = least + 1 == self.number;
        }
        chosen
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) && of <= 1000 => Ok(Self { number, of }),
            _ => Err(format!("expected K/N, the K-th of N shares with K from 1 to N and N up to 1000, found {text}")),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_in_one_share_and_shares_cost_alike() -> Result<(), String> {
        let costs: Vec<f64> = (0..50).map(|i| f64::from(i * i % 23 + 1)).collect();
        for of in [1, 2, 7, 49, 50, 60] {
            let shares: Vec<Vec<bool>> = (1..=of).map(|number| Share { number, of }.of(&costs)).collect();
            for item in 0..costs.len() {
                assert_eq!(shares.iter().filter(|share| share[item]).count(), 1, "item {item} of {of} shares");
            }
            let total = |share: &Vec<bool>| costs.iter().zip(share).filter(|(_, is)| **is).map(|(cost, _)| cost).sum();
            let totals: Vec<f64> = shares.iter().map(total).collect();
            let [most, least] = [f64::max, f64::min].map(|pick| totals.iter().copied().reduce(pick).unwrap_or(0.0));
            assert!(most - least <= 23.0, "{of}: from {least} to {most}");
        }
        Ok(())
    }

    #[test]
    fn a_share_is_read_as_it_is_written() {
        let read = "3/8".parse::<Share>().map(|share| share.to_string());
        assert_eq!(read.as_deref(), Ok("3/8"));
        for text in ["", "3", "0/8", "9/8", "3/0", "0/0", "-1/8", "1/1001", "3/8/9", "18446744073709551616/2"] {
            let complaint = text.parse::<Share>().expect_err(text);
            assert!(complaint.starts_with("expected K/N") && complaint.ends_with(text), "{complaint}");
        }
    }
}
