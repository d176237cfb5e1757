//! Reading Markdown as far as the checks need it: sections, tables, and words set as code.

/// A row of a table, with its line in the file (from 1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) cells: Vec<String>,
}

/// The lines under a heading, up to the next heading of any level, each with its number. `None` if there is no such
/// heading.
pub(crate) fn section<'t>(text: &'t str, heading: &str) -> Option<Vec<(usize, &'t str)>> {
    let is_heading = |line: &str| line.starts_with('#') && line.trim_start_matches('#').trim() == heading;
    let lines: Vec<_> = text.lines().enumerate().map(|(at, line)| (at + 1, line)).collect();
    let start = lines.iter().position(|(_, line)| is_heading(line))? + 1;
    let rest = lines[start..].iter();
    Some(rest.take_while(|(_, line)| !line.starts_with('#')).copied().collect())
}

/// The rows of the first table under a heading, without its head. `None` if there is no such heading, or no table.
pub(crate) fn table(text: &str, heading: &str) -> Option<Vec<Row>> {
    let lines = section(text, heading)?;
    let mut rows = lines.iter().skip_while(|(_, line)| !line.starts_with('|')).take_while(|(_, l)| l.starts_with('|'));
    rows.next()?;
    rows.next().filter(|(_, rule)| rule.contains("---"))?;
    let cells = |line: &str| line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect();
    Some(rows.map(|&(line, text)| Row { line, cells: cells(text) }).collect())
}

/// The words set as code in one line of prose: `like this`.
pub(crate) fn code_spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// The targets of links in one line: `[words](target)`.
pub(crate) fn link_targets(line: &str) -> Vec<&str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# One\n\nwords\n\n## Two\nmore\n\n| a | b |\n| --- | --- |\n| `x` | y, `z` |\n\n## Three\n";

    #[test]
    fn a_section_ends_at_the_next_heading() {
        assert_eq!(section(TEXT, "One").unwrap().len(), 3);
        assert_eq!(section(TEXT, "Two").unwrap()[0], (6, "more"));
        assert_eq!(section(TEXT, "Three").unwrap(), []);
        assert!(section(TEXT, "Four").is_none());
    }

    #[test]
    fn a_table_has_its_rows_without_the_head() {
        let rows = table(TEXT, "Two").unwrap();
        assert_eq!(rows, [Row { line: 10, cells: vec!["`x`".into(), "y, `z`".into()] }]);
        assert!(table(TEXT, "One").is_none());
    }

    #[test]
    fn code_and_links_are_found() {
        assert_eq!(code_spans("a `b` c `d e`"), ["b", "d e"]);
        assert_eq!(link_targets("see [a](b/c.md) and [d](https://e)"), ["b/c.md", "https://e"]);
    }
}
