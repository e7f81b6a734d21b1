//! The block on a terminal: at most twelve lines, redrawn in place; values move, the layout does not.

use std::fmt::Write as _;
use std::io::Write as _;

use weir_jobs::JobState;

use super::figures::Figures;

/// Columns of a terminal that does not say how wide it is.
const WIDTH_DEFAULT: usize = 80;

/// The blocks of a sparkline, from nothing to full.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What stands on the terminal.
#[derive(Debug, Default)]
pub struct Block {
    lines: usize,
}

impl Block {
    /// Draws the figures over the last ones.
    pub fn draw(&mut self, figures: &Figures) {
        let width = crossterm::terminal::size().map_or(WIDTH_DEFAULT, |(columns, _)| usize::from(columns));
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let lines = lines(figures, width, colour);
        let mut text = String::new();
        if self.lines > 0 {
            let _ = write!(text, "\x1b[{}A", self.lines);
        }
        for line in &lines {
            let _ = write!(text, "\r\x1b[2K{line}\n");
        }
        for _ in lines.len()..self.lines {
            text.push_str("\r\x1b[2K\n");
        }
        self.lines = self.lines.max(lines.len());
        let mut out = std::io::stderr().lock();
        // A terminal that has gone takes no picture; the job goes on.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// The block's lines, cut to `width` columns.
pub fn lines(figures: &Figures, width: usize, colour: bool) -> Vec<String> {
    let shown = &figures.shown;
    let fate = &figures.fate;
    let mut lines = vec![state_line(figures, colour)];
    let rate = |label: &str, rates: &[u64]| {
        let now = rates.last().copied().unwrap_or(0);
        format!("  {label:<4}{:>9}/s  {}", grouped(now), sparkline(rates))
    };
    lines.push(rate("in", &figures.rates_in));
    lines.push(rate("out", &figures.rates_out));
    lines.push(format!("  records read   {:>15}", grouped(fate.read)));
    let sign = if fate.adds_up { "=" } else { " " };
    lines.push(format!(
        "  {sign} written {} + invalid {} + duplicates {} + dead-lettered {} + late {}",
        grouped(fate.out),
        grouped(fate.filtered),
        grouped(fate.duplicates),
        grouped(fate.dead),
        grouped(fate.late)
    ));
    let tables: Vec<String> =
        figures.written.iter().map(|(table, rows)| format!("{table} {}", grouped(*rows))).collect();
    lines.push(format!("  tables         {}", tables.join("   ")));
    lines.push(format!(
        "  latency        p50 {} ms   p99 {} ms   from fetch to visible",
        grouped(figures.latency_ms.0),
        grouped(figures.latency_ms.1)
    ));
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
        JobState::Suspended => ("✓", "32", "stopped with a checkpoint; the next start goes on from it"),
        JobState::Failed => ("✗", "31", "failed"),
    };
    let restored = shown.restored.map(|epoch| format!(", restored from checkpoint {epoch}")).unwrap_or_default();
    let mark = if colour { format!("\x1b[{code}m{mark}\x1b[0m") } else { mark.to_owned() };
    format!("{mark} {}: {meaning} for {since}{restored}", figures.job)
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

/// The first `width` columns of a line; escape sequences take none.
fn cut(line: &str, width: usize) -> String {
    let (mut text, mut columns, mut escaped) = (String::new(), 0, false);
    for letter in line.chars() {
        if letter == '\x1b' {
            escaped = true;
        }
        if !escaped {
            columns += 1;
            if columns > width {
                break;
            }
        }
        text.push(letter);
        if escaped && letter == 'm' {
            escaped = false;
        }
    }
    text
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
    }

    #[test]
    fn a_sparkline_is_full_at_its_highest() {
        assert_eq!(sparkline(&[0, 1, 7, 14]), "▁▂▅█");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn a_narrow_terminal_cuts_lines_but_no_escape() {
        assert_eq!(cut("\x1b[32m●\x1b[0m job: running", 5), "\x1b[32m●\x1b[0m job");
    }
}
