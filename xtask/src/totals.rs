//! Owns how the totals of a test run are read off its output.

/// How many tests passed and failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
}

/// Adds a line of libtest's, `test result: ok. 12 passed; 0 failed; ...`; others add nothing.
pub(crate) fn add_line(totals: &mut Totals, line: &str) {
    let Some(result) = line.trim_start().strip_prefix("test result: ") else { return };
    let Some((_, counts)) = result.split_once(". ") else { return };
    for count in counts.split("; ") {
        match count.split_once(' ').map(|(number, what)| (number.parse::<u64>(), what)) {
            Some((Ok(number), "passed")) => totals.passed += number,
            Some((Ok(number), "failed")) => totals.failed += number,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_binaries_are_summed_and_other_lines_ignored() {
        let mut totals = Totals::default();
        for line in [
            "running 3 tests",
            "test passed ... ok",
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
            "7 passed; 7 failed",
        ] {
            add_line(&mut totals, line);
        }
        assert_eq!(totals, Totals { passed: 14, failed: 1 });
    }
}
