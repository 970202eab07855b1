//! Owns what is read off many measured values.

/// The value below which this share of the values lies; 0 where there are none. Sorts them.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len().saturating_sub(1) as f64 * share).round() as usize;
    values.get(index).copied().unwrap_or_default()
}

/// Most of these moments, in seconds and in order, that lie within one second.
pub fn most_in_a_second(moments: &[f64]) -> usize {
    let within = |first: usize| moments.partition_point(|moment| *moment < moments[first] + 1.0) - first;
    (0..moments.len()).map(within).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_values_in_any_order() {
        let mut values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        let of = |values: &mut [f64]| [0.0, 0.5, 0.9, 0.99, 1.0].map(|share| percentile(values, share));
        assert_eq!(of(&mut values), [0.0, 50.0, 90.0, 99.0, 100.0]);
        assert_eq!(of(&mut [7.0]), [7.0; 5]);
        assert_eq!(of(&mut []), [0.0; 5]);
        assert_eq!(percentile(&mut [3.0, 1.0, 2.0], 0.5), 2.0);
    }

    #[test]
    fn the_fullest_second_lies_anywhere() {
        assert_eq!(most_in_a_second(&[]), 0);
        assert_eq!(most_in_a_second(&[5.0]), 1);
        assert_eq!(most_in_a_second(&[0.0, 1.0, 2.0]), 1, "a second ends before the next one");
        assert_eq!(most_in_a_second(&[0.0, 0.9, 1.1, 1.2, 1.85, 3.0]), 4);
    }
}
