//! The figures as one line, where there is no terminal that could redraw them.

use super::figures::Figures;
use super::live::{bytes, per_second};

/// Prints the line to standard error.
pub fn print(figures: &Figures) {
    eprintln!("{}", line(figures));
}

/// Writes the line to the log, with the totals as fields.
pub fn log(figures: &Figures) {
    let fate = &figures.fate;
    tracing::info!(
        job = figures.id,
        name = figures.job,
        event = "JobReportEvent",
        read = fate.read,
        written = fate.out,
        filtered = fate.filtered,
        duplicates = fate.duplicates,
        deadLettered = fate.dead,
        late = fate.late,
        "{}",
        line(figures)
    );
}

fn line(figures: &Figures) -> String {
    let fate = &figures.fate;
    let rate = |rates: &[u64]| per_second(rates.last().copied().unwrap_or(0));
    let checkpoint = figures.shown.checkpoint.map_or_else(
        || "none".to_owned(),
        |checkpoint| format!("{} ({} ms, {})", checkpoint.epoch, checkpoint.duration_ms, bytes(checkpoint.bytes)),
    );
    let latency =
        figures.latency_ms.map_or_else(|| "none".to_owned(), |(median, high)| format!("p50 {median} ms p99 {high} ms"));
    format!(
        "{} {}: in {} out {}; read {} = written {} + filtered {} + duplicates {} + dead-lettered {} + late {}{}; \
         latency {latency}; checkpoint {checkpoint}; back-pressure {} %; cpu {} %; memory {}",
        figures.job,
        figures.shown.state.name(),
        rate(&figures.rates_in),
        rate(&figures.rates_out),
        fate.read,
        fate.out,
        fate.filtered,
        fate.duplicates,
        fate.dead,
        fate.late,
        if fate.adds_up { "" } else { " (several outputs: not a sum)" },
        figures.back_pressure,
        figures.usage.cpu_percent,
        bytes(figures.usage.memory_bytes),
    )
}
