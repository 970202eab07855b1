//! Owns the choice of a backend: pure, figures in, an index out. Knows no socket and no clock.

/// What is known of a backend at the moment of the choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    /// Connections open to it through this front-end, those being opened included.
    pub(super) connections: usize,
    /// It refused a connection a moment ago.
    pub(super) refused: bool,
}

/// The backend to try next: the one with the fewest connections of those not `tried` yet; one that refused
/// a moment ago comes after all others. Among equals the first. `None` when all were tried.
///
/// Least connections, because chat connections live for hours: taking turns would leave a node that came
/// back empty until its neighbours' clients go home.
pub(super) fn pick(loads: &[Load], tried: &[bool]) -> Option<usize> {
    let untried = loads.iter().enumerate().filter(|(index, _)| !tried.get(*index).copied().unwrap_or(false));
    untried.min_by_key(|(_, load)| (load.refused, load.connections)).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(loads: &[(usize, bool)], tried: &[bool], expected: Option<usize>) {
        let loads: Vec<Load> = loads
            .iter()
            .map(|(connections, refused)| Load { connections: *connections, refused: *refused })
            .collect();
        assert_eq!(pick(&loads, tried), expected, "{loads:?} {tried:?}");
    }

    #[test]
    fn the_fewest_connections_win() {
        check(&[(3, false), (1, false), (2, false)], &[], Some(1));
    }

    #[test]
    fn among_equals_the_first_wins() {
        check(&[(1, false), (1, false)], &[], Some(0));
    }

    #[test]
    fn who_refused_a_moment_ago_comes_last_however_empty() {
        check(&[(0, true), (9, false)], &[], Some(1));
        check(&[(0, true), (9, false)], &[false, true], Some(0));
    }

    #[test]
    fn who_was_tried_is_not_tried_again() {
        check(&[(0, false), (9, false)], &[true, false], Some(1));
        check(&[(0, false), (9, false)], &[true, true], None);
    }

    #[test]
    fn without_backends_there_is_no_choice() {
        check(&[], &[], None);
    }

    #[test]
    fn connections_one_by_one_spread_evenly() {
        let mut loads = vec![Load { connections: 0, refused: false }; 3];
        for _ in 0..30 {
            let index = pick(&loads, &[]).unwrap();
            loads[index].connections += 1;
        }
        assert!(loads.iter().all(|load| load.connections == 10), "{loads:?}");
    }
}
