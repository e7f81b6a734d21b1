//! The sink that prints: one line a row, whole batches at a time so that lines of several subtasks do not mix.

use weir_base::{Epoch, Error, Result};
use weir_connector::{Batch, Committer, Flush, Prepared, Ready, Role, Sink, Writer, WriterContext};
use weir_format::text::write_java;

/// Takes whole lines.
pub(crate) type Output = fn(&[u8]) -> std::io::Result<()>;

/// Prints rows.
pub(crate) struct PrintSink {
    identifier: String,
    output: Output,
}

impl PrintSink {
    /// A sink that puts `identifier` before each row.
    pub fn new(identifier: String, output: Output) -> Self {
        Self { identifier, output }
    }
}

impl Sink for PrintSink {
    fn role(&self) -> Role {
        Role::BestEffort
    }

    fn recover(&self, _prepared: &[Prepared]) -> Result<()> {
        Ok(())
    }

    fn writer(&self, context: &WriterContext) -> Result<Box<dyn Writer>> {
        let prefix = prefix(&self.identifier, context.subtask, context.parallelism);
        Ok(Box::new(PrintWriter { subtask: context.subtask, prefix, output: self.output, bytes: 0 }))
    }

    fn committer(&self) -> Result<Box<dyn Committer>> {
        Ok(Box::new(Shown))
    }
}

/// As Flink prints it: `identifier:2> `, without what there is not.
fn prefix(identifier: &str, subtask: u16, parallelism: u16) -> String {
    match (identifier, parallelism > 1) {
        ("", false) => String::new(),
        ("", true) => format!("{}> ", subtask + 1),
        (_, false) => format!("{identifier}> "),
        (_, true) => format!("{identifier}:{}> ", subtask + 1),
    }
}

struct PrintWriter {
    subtask: u16,
    prefix: String,
    output: Output,
    /// Bytes printed.
    bytes: u64,
}

/// Appends a batch's rows as lines.
fn write_rows(prefix: &str, batch: &Batch, out: &mut Vec<u8>) {
    for row in 0..batch.rows() {
        out.extend_from_slice(prefix.as_bytes());
        out.extend_from_slice(batch.kind(row).short().as_bytes());
        out.push(b'[');
        for (index, column) in batch.data.columns().iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            write_java(column, row, out);
        }
        out.extend_from_slice(b"]\n");
    }
}

impl Writer for PrintWriter {
    fn ready(&mut self) -> Result<Ready> {
        Ok(Ready::Yes)
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        let mut lines = Vec::new();
        write_rows(&self.prefix, batch, &mut lines);
        self.bytes += lines.len() as u64;
        (self.output)(&lines).map_err(|source| Error::io("print rows", source))
    }

    fn bytes_written(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn prepare(&mut self, epoch: Epoch) -> Result<(Prepared, Option<Flush>)> {
        Ok((Prepared { subtask: self.subtask, epoch, state: Vec::new() }, None))
    }
}

/// The committer of sinks whose rows are seen at once.
pub(crate) struct Shown;

impl Committer for Shown {
    fn apply(&mut self, _epoch: Epoch, _prepared: &[Prepared]) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringViewArray, TimestampMillisecondArray};
    use weir_base::RowKind;

    use super::*;

    #[test]
    fn rows_are_printed_as_flink_prints_them() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("a", Arc::new(Int64Array::from(vec![Some(1), None]))),
            ("b", Arc::new(StringViewArray::from(vec!["x", "y z"]))),
            ("c", Arc::new(Float64Array::from(vec![21.5, 1e10]))),
            ("d", Arc::new(TimestampMillisecondArray::from(vec![1_709_251_199_120, 0]))),
            ("e", Arc::new(TimestampMillisecondArray::from(vec![1_709_251_199_120, 0]).with_timezone("UTC"))),
        ];
        let data = RecordBatch::try_from_iter(columns).unwrap();
        let batch = Batch { data, kinds: Some(Arc::from([RowKind::Insert, RowKind::UpdateBefore])), fetched_us: 0 };
        let mut out = Vec::new();
        write_rows("t:2> ", &batch, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "t:2> +I[1, x, 21.5, 2024-02-29T23:59:59.120, 2024-02-29T23:59:59.120Z]\n\
             t:2> -U[null, y z, 1.0E10, 1970-01-01T00:00, 1970-01-01T00:00:00Z]\n"
        );
    }

    #[test]
    fn the_prefix_names_identifier_and_subtask_where_there_are_any() {
        let cases = [("", 0, 1, ""), ("", 1, 2, "2> "), ("t", 0, 1, "t> "), ("t", 1, 8, "t:2> ")];
        for (identifier, subtask, parallelism, expected) in cases {
            assert_eq!(prefix(identifier, subtask, parallelism), expected);
        }
    }
}
