//! The block on a terminal: at most twelve lines; values move, the layout does not. `screen` redraws them in place.

use weir_jobs::JobState;

use super::figures::{Fate, Figures};
use super::screen;

/// Columns and rows of a terminal that does not say how large it is.
const SIZE_DEFAULT: (usize, usize) = (80, 24);

/// The blocks of a sparkline, from nothing to full.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws the figures over the last ones: as many lines as the terminal has rows, but for the one of the cursor.
pub fn draw(figures: &Figures) {
    let size = crossterm::terminal::size().map(|(columns, rows)| (usize::from(columns), usize::from(rows)));
    let (columns, rows) = size.unwrap_or(SIZE_DEFAULT);
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut lines = lines(figures, columns, colour);
    lines.truncate(rows.saturating_sub(1).max(1));
    screen::draw(lines);
}

/// The block's lines, cut to `width` columns.
pub fn lines(figures: &Figures, width: usize, colour: bool) -> Vec<String> {
    let shown = &figures.shown;
    let mut lines = vec![state_line(figures, colour)];
    let rate = |label: &str, rates: &[u64]| {
        let now = rates.last().copied().unwrap_or(0);
        format!("  {label:<4}{:>11}  {}", per_second(now), sparkline(rates))
    };
    lines.push(rate("in", &figures.rates_in));
    let several = match figures.written.len() {
        0 | 1 => String::new(),
        tables => format!("  to {tables} tables"),
    };
    lines.push(rate("out", &figures.rates_out) + &several);
    lines.extend(sum(&figures.fate));
    let tables: Vec<String> =
        figures.written.iter().map(|(table, rows)| format!("{table} {}", grouped(*rows))).collect();
    lines.push(format!("  tables         {}", tables.join("   ")));
    lines.push(match figures.latency_ms {
        None => "  latency        nothing visible yet".to_owned(),
        Some((median, high)) => {
            format!("  latency        p50 {} ms   p99 {} ms   from fetch to visible", grouped(median), grouped(high))
        }
    });
    lines.push(match &shown.checkpoint {
        None => "  checkpoint     none yet".to_owned(),
        Some(checkpoint) => format!(
            "  checkpoint     {} took {} ms, wrote {} of {}   failed {}",
            checkpoint.epoch,
            grouped(checkpoint.duration_ms),
            bytes(checkpoint.bytes),
            bytes(checkpoint.full_bytes),
            shown.checkpoints_failed
        ),
    });
    lines.push(format!(
        "  back-pressure  {} %   cpu {} %   memory {}   restarts {}",
        figures.back_pressure,
        figures.usage.cpu_percent,
        bytes(figures.usage.memory_bytes),
        shown.restarts
    ));
    if let Some(failure) = &shown.last_failure {
        lines.push(format!("  last failure   {failure}"));
    }
    lines.push(format!("  {}", figures.hint));
    lines.into_iter().map(|line| cut(&line, width)).collect()
}

/// Where the records went: two lines that add up, or say side by side what does not.
fn sum(fate: &Fate) -> [String; 2] {
    let (is, and) = if fate.adds_up { (" =", "+") } else { ("  ", " ") };
    let left_out = [("filtered", fate.filtered), ("duplicates", fate.duplicates), ("dead-lettered", fate.dead)];
    let left_out: String = left_out.iter().map(|(name, rows)| format!(" {and} {name} {}", grouped(*rows))).collect();
    [
        format!("  records read   {:<13}{is} written {}", grouped(fate.read), grouped(fate.out)),
        format!("                {left_out} {and} late {}", grouped(fate.late)),
    ]
}

/// The first line: what, in which state, since when, and what that means.
fn state_line(figures: &Figures, colour: bool) -> String {
    let shown = &figures.shown;
    let since = seconds(figures.now - shown.state_since);
    let (mark, code, meaning) = match shown.state {
        JobState::Running if figures.back_pressure > 50 => ("!", "33", "running, held back by a slow sink or operator"),
        JobState::Running => ("●", "32", "running"),
        JobState::Initializing => ("○", "33", "starting"),
        JobState::Restarting => ("!", "33", "waiting for a restart"),
        JobState::Stopping => ("○", "33", "taking a last checkpoint"),
        JobState::Finished => ("✓", "32", "finished: all input read, all output visible"),
        JobState::Suspended => ("✓", "32", "stopped with a checkpoint; started again, it goes on from there"),
        JobState::Failed => ("✗", "31", "failed"),
    };
    // A state that the job stays in has no length.
    let ended = matches!(shown.state, JobState::Finished | JobState::Suspended | JobState::Failed);
    let restored = shown.restored.filter(|_| !ended);
    let restored = restored.map(|epoch| format!(", restored from checkpoint {epoch}")).unwrap_or_default();
    let since = if ended { String::new() } else { format!(" for {since}") };
    let mark = if colour { format!("\x1b[{code}m{mark}\x1b[0m") } else { mark.to_owned() };
    format!("{mark} {}: {meaning}{since}{restored}", figures.job)
}

/// A picture of the last values, the highest one full.
fn sparkline(values: &[u64]) -> String {
    let highest = values.iter().copied().max().unwrap_or(0).max(1);
    values
        .iter()
        .map(|value| {
            let step = value.saturating_mul(7).div_ceil(highest).min(7);
            BARS[usize::try_from(step).unwrap_or(7)]
        })
        .collect()
}

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate with at most three significant digits.
pub fn per_second(rate: u64) -> String {
    let unit = 10u64.pow(rate.checked_ilog10().unwrap_or(0).saturating_sub(2));
    format!("{}/s", grouped((rate + unit / 2) / unit * unit))
}

/// A size with at most three significant digits.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = if unit == 0 || value >= 100.0 { 0 } else { 1 };
    format!("{value:.decimals$} {}", UNITS[unit])
}

fn seconds(millis: i64) -> String {
    let total = millis.max(0) / 1000;
    match total {
        0..=59 => format!("{total} s"),
        60..=3599 => format!("{} min {} s", total / 60, total % 60),
        _ => format!("{} h {} min", total / 3600, total % 3600 / 60),
    }
}

/// A line of at most `width` columns; `…` stands for what is missing. Escape sequences take no column.
fn cut(line: &str, width: usize) -> String {
    let columns = visible(line).count();
    if columns <= width {
        return line.to_owned();
    }
    let Some((end, _)) = visible(line).nth(width.saturating_sub(1)) else { return String::new() };
    // A colour ends within the line, but for one that is cut.
    let reset = if line[..end].matches('\x1b').count() % 2 == 1 { "\x1b[0m" } else { "" };
    format!("{}{reset}…", &line[..end])
}

/// The letters that take a column, with their places.
fn visible(line: &str) -> impl Iterator<Item = (usize, char)> {
    let mut escaped = false;
    line.char_indices().filter(move |(_, letter)| {
        let hidden = escaped || *letter == '\x1b';
        escaped = hidden && *letter != 'm';
        !hidden
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1536), "1.5 KB");
        assert_eq!(bytes(200 << 20), "200 MB");
        assert_eq!(seconds(61_500), "1 min 1 s");
        for (rate, shown) in [
            (0, "0/s"),
            (7, "7/s"),
            (999, "999/s"),
            (1_004, "1,000/s"),
            (49_551, "49,600/s"),
            (1_299_999, "1,300,000/s"),
        ] {
            assert_eq!(per_second(rate), shown, "{rate}");
        }
    }

    #[test]
    fn a_sparkline_is_full_at_its_highest() {
        assert_eq!(sparkline(&[0, 1, 7, 14]), "▁▂▅█");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn a_narrow_terminal_cuts_lines_but_no_escape() {
        assert_eq!(cut("\x1b[32m●\x1b[0m job: running", 5), "\x1b[32m●\x1b[0m jo…");
        assert_eq!(cut("\x1b[32m●\x1b[0m job", 5), "\x1b[32m●\x1b[0m job");
        assert_eq!(cut("\x1b[32mgreen\x1b[0m", 3), "\x1b[32mgr\x1b[0m…");
        assert_eq!(cut("records", 0), "…");
    }

    #[test]
    fn the_sum_stands_on_two_lines_that_fit_eighty_columns() {
        let mut fate = Fate {
            read: 36_000_000,
            filtered: 296_000,
            duplicates: 1_790_000,
            dead: 71_000,
            late: 0,
            out: 33_843_000,
            adds_up: true,
        };
        let expected = [
            "  records read   36,000,000    = written 33,843,000",
            "                 + filtered 296,000 + duplicates 1,790,000 + dead-lettered 71,000 + late 0",
        ];
        assert_eq!(sum(&fate), expected);
        fate.adds_up = false;
        assert_eq!(sum(&fate)[0], "  records read   36,000,000      written 33,843,000");
    }
}
