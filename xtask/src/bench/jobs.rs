//! The jobs that are measured, as Flink SQL that both Weir and Flink run, over events of any [`Shape`].

use std::path::Path;

use super::events::{Dice, Role, SENSORS, Shape};

/// Where a job reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct Paths<'a> {
    /// A file of events, or a folder of them.
    pub input: &'a Path,
    /// The folder that the job writes into.
    pub output: &'a Path,
    /// The folder of its checkpoints.
    pub checkpoints: &'a Path,
}

/// How validity is written down; the same rows in each way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predicate {
    /// The distance from the middle of the range: what Flink evaluates fastest.
    Distance,
    /// `BETWEEN CASE ... AND CASE ...`, as the shipped job has it.
    Between,
    /// One comparison for each kind of sensor, joined by OR.
    Alternatives,
}

/// A session's settings, the same for both sides: checkpoints every `interval_ms` milliseconds, below `checkpoints`.
pub fn settings(name: &str, interval_ms: u64, checkpoints: &Path) -> String {
    format!(
        "SET 'pipeline.name' = '{name}';
SET 'parallelism.default' = '1';
SET 'pipeline.object-reuse' = 'true';
SET 'table.exec.state.ttl' = '10 min';
SET 'execution.checkpointing.interval' = '{interval_ms} ms';
SET 'execution.checkpointing.dir' = 'file://{}';
",
        checkpoints.display()
    )
}

/// The options of the topic `name` as a table of JSON.
pub fn topic(servers: &str, name: &str) -> String {
    format!(
        "'connector' = 'kafka', 'topic' = '{name}', 'properties.bootstrap.servers' = '{servers}', 'format' = 'json'"
    )
}

/// The columns of `roles` with their types, as DDL.
fn columns<'a>(shape: &'a Shape, roles: impl Iterator<Item = Role> + 'a) -> String {
    let column = |role| {
        let data_type = match role {
            Role::Value | Role::Battery => "DOUBLE",
            Role::Time | Role::Sequence => "BIGINT",
            Role::Metadata => "ROW<fw STRING>",
            _ => "STRING",
        };
        format!("`{}` {data_type}", shape.name(role))
    };
    roles.map(column).collect::<Vec<_>>().join(", ")
}

fn names(shape: &Shape, roles: &[Role]) -> String {
    roles.iter().map(|role| format!("`{}`", shape.name(*role))).collect::<Vec<_>>().join(", ")
}

fn files(path: &Path) -> String {
    format!("'connector' = 'filesystem', 'path' = 'file://{}', 'format' = 'json'", path.display())
}

/// The source's table: all fields of the shape, and `more` columns.
fn source(shape: &Shape, more: &str, with: &str) -> String {
    let all = columns(shape, shape.fields.iter().map(|(role, _)| *role));
    format!("CREATE TABLE events ({all}, {more}) WITH ({with}, 'json.ignore-parse-errors' = 'true');\n")
}

/// The condition of a valid event.
fn valid(shape: &Shape, predicate: Predicate) -> String {
    let (value, sensor) = (shape.name(Role::Value), shape.name(Role::Sensor));
    let case = |number: &dyn Fn(i32, i32) -> f64| -> String {
        let arms =
            SENSORS.iter().map(|(name, _, low, high)| format!(" WHEN '{name}' THEN {:.1}e0", number(*low, *high)));
        format!("CASE `{sensor}`{} END", arms.collect::<String>())
    };
    let half = |number: i32| f64::from(number) / 2.0;
    let range = match predicate {
        Predicate::Distance => {
            let middle = case(&|low, high| half(low) + half(high));
            format!("ABS(`{value}` - {middle}) <= {}", case(&|low, high| half(high) - half(low)))
        }
        Predicate::Between => {
            let (low, high) = (case(&|low, _| f64::from(low)), case(&|_, high| f64::from(high)));
            format!("`{value}` BETWEEN {low} AND {high}")
        }
        Predicate::Alternatives => {
            let arm = |(name, _, low, high): &(&str, &str, i32, i32)| {
                format!("`{sensor}` = '{name}' AND `{value}` >= {low}.0e0 AND `{value}` <= {high}.0e0")
            };
            format!("({})", SENSORS.iter().map(arm).collect::<Vec<_>>().join(" OR "))
        }
    };
    let present = [Role::Event, Role::Device, Role::Time, Role::Value];
    let present: String = present.iter().map(|role| format!("`{}` IS NOT NULL AND ", shape.name(*role))).collect();
    format!("{present}{range}")
}

/// Parse, validate, first of each id, out as JSON: of all columns in the order of `roles`.
pub fn telemetry(shape: &Shape, predicate: Predicate, roles: &[Role], paths: Paths<'_>) -> String {
    between(
        shape,
        predicate,
        roles,
        &settings("telemetry", 1_000, paths.checkpoints),
        &files(paths.input),
        &files(paths.output),
    )
}

/// The same from one connector to another, given by their options.
pub fn between(shape: &Shape, predicate: Predicate, roles: &[Role], settings: &str, from: &str, to: &str) -> String {
    let source = source(shape, "seen AS PROCTIME()", from);
    let (sink, kept) = (columns(shape, roles.iter().copied()), names(shape, roles));
    let (id, valid) = (shape.name(Role::Event), valid(shape, predicate));
    format!(
        "{settings}{source}CREATE TABLE firsts ({sink}) WITH ({to});
INSERT INTO firsts SELECT {kept} FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `{id}` ORDER BY seen ASC) AS n FROM events WHERE {valid}) WHERE n = 1;
"
    )
}

/// Parse and validate into nothing.
pub fn validate(shape: &Shape, paths: Paths<'_>) -> String {
    let roles: Vec<Role> = shape.fields.iter().map(|(role, _)| *role).collect();
    let (settings, source) =
        (settings("validate", 1_000, paths.checkpoints), source(shape, "seen AS PROCTIME()", &files(paths.input)));
    let (sink, kept) = (columns(shape, roles.iter().copied()), names(shape, &roles));
    format!(
        "{settings}{source}CREATE TABLE nothing ({sink}) WITH ('connector' = 'blackhole');
INSERT INTO nothing SELECT {kept} FROM events WHERE {};
",
        valid(shape, Predicate::Distance)
    )
}

/// Windows of 10 seconds of event time by device: count, average, minimum, maximum. An event without a time is late: a NULL there would fail the job.
pub fn tumble(shape: &Shape, paths: Paths<'_>) -> String {
    let [device, value, time] = [Role::Device, Role::Value, Role::Time].map(|role| shape.name(role));
    let more =
        format!("ts AS TO_TIMESTAMP_LTZ(COALESCE(`{time}`, 0), 3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND");
    let (settings, source) = (settings("tumble", 1_000, paths.checkpoints), source(shape, &more, &files(paths.input)));
    let output = files(paths.output);
    format!(
        "{settings}{source}CREATE TABLE windows (device STRING, window_start TIMESTAMP(3), n BIGINT, average DOUBLE, lowest DOUBLE, highest DOUBLE)
  WITH ({output});
INSERT INTO windows SELECT `{device}`, window_start, COUNT(*), AVG(`{value}`), MIN(`{value}`), MAX(`{value}`)
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECONDS)) GROUP BY `{device}`, window_start, window_end;
"
    )
}

/// A query that nobody chose: validity written in one of its ways, and some of the columns in some order.
pub fn chosen(shape: &Shape, dice: &mut Dice) -> (Predicate, Vec<Role>) {
    let ways = [Predicate::Distance, Predicate::Between, Predicate::Alternatives];
    let predicate = ways[usize::try_from(dice.below(3)).unwrap_or(0)];
    let mut roles: Vec<Role> = shape.fields.iter().map(|(role, _)| *role).collect();
    dice.shuffle(&mut roles);
    let dropped = usize::try_from(dice.below(3)).unwrap_or(0);
    // The id and the value stay, so that what comes out can be told apart.
    let optional = |role: &Role| !matches!(role, Role::Event | Role::Value);
    for _ in 0..dropped {
        if let Some(index) = roles.iter().position(optional) {
            roles.remove(index);
        }
    }
    (predicate, roles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_names_every_sensor_in_each_of_its_ways() {
        let shape = Shape::telemetry();
        for way in [Predicate::Distance, Predicate::Between, Predicate::Alternatives] {
            let text = valid(&shape, way);
            assert!(SENSORS.iter().all(|(name, ..)| text.contains(&format!("'{name}'"))), "{text}");
            assert!(text.starts_with("`event_id` IS NOT NULL AND `device_id` IS NOT NULL AND "), "{text}");
        }
        assert!(valid(&shape, Predicate::Distance).contains("WHEN 'pressure' THEN 700.0e0"));
        assert!(valid(&shape, Predicate::Distance).contains("WHEN 'pressure' THEN 400.0e0"));
    }

    #[test]
    fn a_chosen_query_keeps_the_id_and_follows_its_seed() {
        let shape = Shape::other(&mut Dice::new(1));
        for seed in 0..50 {
            let (predicate, roles) = chosen(&shape, &mut Dice::new(seed));
            assert_eq!((predicate, roles.clone()), chosen(&shape, &mut Dice::new(seed)));
            assert!(roles.contains(&Role::Event) && roles.contains(&Role::Value) && roles.len() >= 9);
        }
    }
}
