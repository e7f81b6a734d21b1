//! The bottom of the terminal: lines that are redrawn in place, and log lines that pass above them.
//!
//! It owns what stands there, process-wide, since there is one terminal; what the lines say is `live`'s. Log lines go through `AboveBlock`: the block
//! is wiped, the line written, the block drawn again, in one write.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What stands at the bottom now; empty: nothing is redrawn.
static BLOCK: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Draws `lines` in the place of those that stand there.
pub fn draw(lines: Vec<String>) {
    let mut block = block();
    let text = replaced(&block, "", &lines);
    *block = lines;
    // A terminal that has gone takes no picture; the job goes on.
    let _ = put(text.as_bytes());
}

/// Leaves the lines where they stand: what comes next is written below them.
pub fn release() {
    block().clear();
}

/// A writer to standard error whose text goes above the block; each write ends with a line's end.
#[derive(Debug, Clone, Copy)]
pub struct AboveBlock;

impl Write for AboveBlock {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let block = block();
        if block.is_empty() {
            put(bytes)?;
        } else {
            put(replaced(&block, &String::from_utf8_lossy(bytes), &block).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// What a terminal is sent that shows `old` at its bottom: `above` in its place, and `new` below.
fn replaced(old: &[String], above: &str, new: &[String]) -> String {
    let mut text = String::new();
    if !old.is_empty() {
        let _ = write!(text, "\r\x1b[{}A", old.len());
    }
    let below = if old.is_empty() { "" } else { "\x1b[J" };
    if !above.is_empty() {
        let _ = write!(text, "{below}{above}");
    }
    for line in new {
        let _ = writeln!(text, "{line}\x1b[K");
    }
    if above.is_empty() {
        text.push_str(below);
    }
    text
}

fn put(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stderr().lock();
    out.write_all(bytes)?;
    out.flush()
}

fn block() -> MutexGuard<'static, Vec<String>> {
    BLOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_block_is_drawn_over_the_last_one_and_wipes_what_is_left_of_it() {
        assert_eq!(replaced(&[], "", &lines(&["a", "b"])), "a\x1b[K\nb\x1b[K\n");
        assert_eq!(replaced(&lines(&["a", "b"]), "", &lines(&["c"])), "\r\x1b[2Ac\x1b[K\n\x1b[J");
    }

    #[test]
    fn a_log_line_goes_above_the_block() {
        let block = lines(&["a", "b"]);
        assert_eq!(replaced(&block, "log\n", &block), "\r\x1b[2A\x1b[Jlog\na\x1b[K\nb\x1b[K\n");
    }
}
