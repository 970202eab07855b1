//! Owns which known name a mistyped one was probably meant to be.

/// How alike two names have to be for one to be suggested (Jaro-Winkler, 1 is the same).
const ALIKE: f64 = 0.7;

/// The known name nearest to a mistyped one, if any is near.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let scored = known.map(|known| {
        let other = known.to_lowercase();
        // In a short name one slip is much: "rde".
        let slips = strsim::osa_distance(&name, &other);
        (if slips <= 1 && name.len() > 2 { 1.0 } else { strsim::jaro_winkler(&name, &other) }, known)
    });
    scored.filter(|(score, _)| *score >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}
