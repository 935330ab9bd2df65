//! "Did you mean …?"

/// The candidate that a misspelt name most likely means; none when all are too far.
pub(crate) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let furthest = (name.chars().count() / 3).max(1);
    let measured = candidates.iter().map(|candidate| (distance(name, candidate), *candidate));
    let (_, best) = measured.filter(|(distance, _)| *distance <= furthest).min()?;
    Some(best)
}

/// How many letters must be added, removed, replaced or swapped with their neighbour
/// (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for (above, letter) in left.iter().enumerate() {
        let mut row = vec![above + 1];
        for (index, other) in right.iter().enumerate() {
            let replaced = rows[above][index] + usize::from(letter != other);
            let mut best = replaced.min(rows[above][index + 1] + 1).min(row[index] + 1);
            if above > 0 && index > 0 && *letter == right[index - 1] && left[above - 1] == *other {
                best = best.min(rows[above - 1][index - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
        assert_eq!(distance("srever", "server"), 1);
    }

    #[test]
    fn the_nearest_is_found_unless_all_are_far() {
        let candidates = ["poll_interval_s", "poll_overlap_s", "name"];

        assert_eq!(nearest("poll_intervall", &candidates), Some("poll_interval_s"));
        assert_eq!(nearest("nam", &candidates), Some("name"));
        assert_eq!(nearest("zzz", &candidates), None);
    }
}
