//! Tables of text as Flink's SQL client prints them: cells to the right, NULL as nothing, the number of rows below.

/// Columns with these `headings`, and what stands below them.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return "Empty set".to_owned();
    }
    let width = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| display_width(cell));
        cells.max().unwrap_or(0).max(display_width(headings[index]))
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let rule = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect::<String>() + "+";
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells
            .zip(&widths)
            .map(|(cell, width)| format!("| {}{cell} ", " ".repeat(width.saturating_sub(display_width(cell)))));
        cells.collect::<String>() + "|"
    };
    let mut lines = vec![rule.clone(), line(&mut headings.iter().copied()), rule.clone()];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.push(rule);
    lines.push(match rows.len() {
        1 => "1 row in set".to_owned(),
        count => format!("{count} rows in set"),
    });
    lines.join("\n")
}

/// One column of names.
pub(super) fn names<'n>(heading: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let rows: Vec<Vec<String>> = names.into_iter().map(|name| vec![name.to_owned()]).collect();
    table(&[heading], &rows)
}

/// Columns of a terminal that a text takes: East Asian wide characters take two.
fn display_width(text: &str) -> usize {
    text.chars().map(|ch| if is_wide(ch) { 2 } else { 1 }).sum()
}

/// The blocks of characters that are as wide as two.
fn is_wide(ch: char) -> bool {
    matches!(u32::from(ch), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe4f | 0xff00..=0xff60 | 0xffe0..=0xffe6)
}
