//! A QuestDB table as a carried sink: its folder of segments, its writers, its committer.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use weir_base::{Error, Kind, Result, spawn};
use weir_connector::{Committer, JobContext, Prepared, Role, Sink, Writer, WriterContext};
use weir_metrics::Scope;
use weir_plan::SinkSpec;

use crate::breaker::Breaker;
use crate::columns::Columns;
use crate::committer::QuestDbCommitter;
use crate::config::Config;
use crate::segment::parse_name;
use crate::sender::{Metrics, Sending, Shared, jitter};
use crate::table;
use crate::wire::Wire;
use crate::writer::QuestDbWriter;

/// A QuestDB table that is written.
pub(crate) struct QuestDbSink {
    table: String,
    config: Config,
    columns: Columns,
    context: JobContext,
    folder: PathBuf,
    shared: Arc<Shared>,
    /// Whether the job went on from a checkpoint: then QuestDB may be away at its start.
    restored: AtomicBool,
}

impl QuestDbSink {
    pub(crate) fn new(spec: &SinkSpec, context: &JobContext) -> Result<Self> {
        let config = Config::read(spec)?;
        let columns = Columns::of(spec, &config)?;
        Wire::check_names(&config.table, &columns)?;
        // A table's name may hold what a file's name may not.
        let safe: String =
            config.table.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
        let folder = context.carried_dir.join(format!("questdb-{safe}-{:08x}", crc32fast::hash(spec.table.as_bytes())));
        Ok(Self {
            table: spec.table.clone(),
            config,
            columns,
            context: context.clone(),
            folder,
            shared: Arc::new(Shared::new()),
            restored: AtomicBool::new(false),
        })
    }
}

impl Sink for QuestDbSink {
    fn role(&self) -> Role {
        Role::Carried
    }

    fn recover(&self, prepared: &[Prepared]) -> Result<()> {
        let failed = |source| Error::io(format!("prepare {}", self.folder.display()), source);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let restored = prepared.iter().map(|one| one.epoch).max();
        self.restored.store(restored.is_some(), Ordering::Relaxed);
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // Never decided: written behind the restored epoch, or never finished. Earlier ones may still be carried.
            let undecided = match parse_name(&name) {
                Some((_, epoch)) => restored.is_none_or(|restored| epoch > restored),
                None => name.ends_with(".open") || (restored.is_none() && name == "applied"),
            };
            if undecided {
                fs::remove_file(&path).map_err(|source| Error::io(format!("remove {}", path.display()), source))?;
            }
        }
        Ok(())
    }

    fn writer(&self, context: &WriterContext) -> Result<Box<dyn Writer>> {
        fs::create_dir_all(&self.folder)
            .map_err(|source| Error::io(format!("make {}", self.folder.display()), source))?;
        Ok(Box::new(QuestDbWriter::new(
            Arc::clone(&self.shared),
            self.columns.clone(),
            self.folder.clone(),
            self.context.generation,
            self.config.batch_rows,
            self.context.carried_bytes_max,
            context,
        )))
    }

    fn committer(&self) -> Result<Box<dyn Committer>> {
        fs::create_dir_all(&self.folder)
            .map_err(|source| Error::io(format!("make {}", self.folder.display()), source))?;
        let ensured = match table::ensure(&self.config, &self.columns) {
            Ok(()) => true,
            Err(error) if error.kind() == Kind::Unavailable && self.restored.load(Ordering::Relaxed) => {
                tracing::warn!(table = %self.table, %error, "QuestDB is away; rows are carried until it is back");
                false
            }
            Err(error) => return Err(error),
        };
        let clock = Arc::clone(&self.context.clock);
        let metrics = self.context.metrics.with([("table", self.table.clone())]);
        let shared = Arc::clone(&self.shared);
        #[expect(clippy::cast_precision_loss, reason = "a disk holds less than 2^53 bytes")]
        metrics.computed(Scope::Job, "questdbCarriedBytes", move || shared.carried.load(Ordering::Relaxed) as f64);
        let (counters, gauge) = Metrics::new(&metrics);
        let sending = Sending {
            shared: Arc::clone(&self.shared),
            config: self.config.clone(),
            columns: self.columns.clone(),
            folder: self.folder.clone(),
            generation: self.context.generation,
            clock: Arc::clone(&clock),
            table: self.table.clone(),
            ensured,
            wire: Wire::new(self.config.clone()),
            breaker: Breaker::new(jitter(clock.as_ref(), &self.table), gauge),
            metrics: counters,
        };
        let thread = spawn("questdb-sender", move || sending.run())?;
        Ok(Box::new(QuestDbCommitter {
            shared: Arc::clone(&self.shared),
            folder: self.folder.clone(),
            generation: self.context.generation,
            clock,
            thread: Some(thread),
            told: weir_base::Epoch(0),
        }))
    }
}
