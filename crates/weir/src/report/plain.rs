//! The figures as one line, where there is no terminal.

use super::figures::Figures;
use super::live::{bytes, grouped};

/// Prints the line to standard error.
pub fn print(figures: &Figures) {
    eprintln!("{}", line(figures));
}

fn line(figures: &Figures) -> String {
    let fate = &figures.fate;
    let rate = |rates: &[u64]| grouped(rates.last().copied().unwrap_or(0));
    let checkpoint = figures.shown.checkpoint.map_or_else(
        || "none".to_owned(),
        |checkpoint| format!("{} ({} ms, {})", checkpoint.epoch, checkpoint.duration_ms, bytes(checkpoint.bytes)),
    );
    let latency =
        figures.latency_ms.map_or_else(|| "none".to_owned(), |(median, high)| format!("p50 {median} ms p99 {high} ms"));
    format!(
        "{} {}: in {}/s out {}/s; read {} = written {} + filtered {} + duplicates {} + dead-lettered {} + late {}{}; \
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
