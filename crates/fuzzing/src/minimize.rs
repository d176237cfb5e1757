//! Shorter programs that still show what a longer one showed.

use crate::generators::{BEGIN, END};

/// Drops as many of a program's own lines as it can while `still` holds of what is left: halves first, then quarters,
/// down to single lines. A program without marks is taken to consist of its own lines.
pub fn minimize(source: &str, mut still: impl FnMut(&str) -> bool) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let begin = lines.iter().position(|line| *line == BEGIN).map_or(0, |at| at + 1);
    let end = lines.iter().rposition(|line| *line == END).unwrap_or(lines.len());
    let (head, tail) = (&lines[..begin], &lines[end..]);
    let put_together = |middle: &[&str]| [head, middle, tail].concat().join("\n") + "\n";
    let mut middle = lines[begin..end].to_vec();
    let mut size = middle.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let before = middle.len();
        while at < middle.len() {
            let mut shorter = middle.clone();
            shorter.drain(at..(at + size).min(middle.len()));
            match still(&put_together(&shorter)) {
                true => middle = shorter,
                false => at += size,
            }
        }
        // Single lines are tried again as long as one of them can go.
        size = if size > 1 || middle.len() == before { size / 2 } else { size };
    }
    put_together(&middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_matters_is_left() {
        let lines: Vec<_> = (0..50).map(|n| format!("line {n}")).collect();
        let source = format!("head\n{BEGIN}\n{}\n{END}\ntail\n", lines.join("\n"));
        let still = |text: &str| text.contains("line 7\n") && text.contains("line 33\n") && text.contains("head");
        assert_eq!(minimize(&source, still), format!("head\n{BEGIN}\nline 7\nline 33\n{END}\ntail\n"));
        assert_eq!(minimize("a\nb\nc\n", |text| text.contains('b')), "b\n");
    }
}
