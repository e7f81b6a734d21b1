//! The transaction: what is decided is seen, once; what is not is never seen.

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use weir_base::Kind;
use weir_connector::{Decider, Decision, LastDecided, Ready, Sink, SinkOffsets};

use super::*;

/// One run of a job with one exactly-once table.
struct Run {
    // Dropped in this order, as the engine does: writer, decider, then the factory.
    writer: Box<dyn Writer>,
    decider: Box<dyn Decider>,
    last: LastDecided,
    sink: Box<dyn Sink>,
    factory: KafkaFactory,
}

fn start(broker: &str, topic: &str, id: &str, job: JobId, generation: u64) -> Run {
    let mut context = job_context();
    context.job = job;
    context.generation = Generation(generation);
    let factory = KafkaFactory::new();
    let sink = factory.sink(&exactly_once(broker, topic, id), &context).unwrap();
    let mut decider = factory.decider(&context).unwrap().unwrap();
    let last = decider.claim(job, Generation(generation)).unwrap();
    let writer = sink.writer(&writer_context()).unwrap();
    Run { writer, decider, last, sink, factory }
}

fn exactly_once(broker: &str, topic: &str, id: &str) -> SinkSpec {
    sink_spec(&[
        ("topic", topic),
        ("properties.bootstrap.servers", broker),
        ("sink.delivery-guarantee", "exactly-once"),
        ("sink.transactional-id-prefix", id),
    ])
}

impl Run {
    fn write(&mut self, ids: std::ops::Range<i64>) {
        assert_ne!(self.writer.ready().unwrap(), Ready::No);
        self.writer.write(&rows(ids)).unwrap();
    }

    fn decide(&mut self, epoch: u64, offsets: &[SinkOffsets]) -> Decision {
        let decision = self.decider.decide(Epoch(epoch), offsets).unwrap();
        self.writer.decided(Epoch(epoch));
        decision
    }

    fn epoch(&mut self, ids: std::ops::Range<i64>, epoch: u64) {
        self.write(ids);
        barrier(self.writer.as_mut(), epoch);
        assert!(self.decider.has_rows());
        assert_eq!(self.decide(epoch, &[]), Decision::Committed);
        assert!(!self.decider.has_rows());
    }
}

fn job() -> JobId {
    JobId::of_name("file:///test", &unique("job"))
}

#[test]
fn a_decided_epoch_is_seen_and_its_record_read_back_by_the_next_start() {
    let Some(broker) = broker() else { return };
    let (topic, id, job) = (topic(&broker, "eo", 2), unique("tx"), job());
    let mut run = start(&broker, &topic, &id, job, 1);
    assert_eq!(run.last, LastDecided::None);
    assert_eq!(run.sink.role(), weir_connector::Role::Decider);
    assert!(!run.decider.has_rows());
    run.epoch(0..3000, 1);
    run.epoch(3000..3100, 2);
    assert_eq!(contents(&broker, &topic, "read_committed"), json(0..3100));
    drop(run);
    let run = start(&broker, &topic, &id, job, 2);
    assert_eq!(run.last, LastDecided::Epoch(Generation(1), Epoch(2)));
}

#[test]
fn rows_of_an_epoch_that_a_crash_left_undecided_are_never_seen() {
    let Some(broker) = broker() else { return };
    let (topic, id, job) = (topic(&broker, "crash", 1), unique("tx"), job());
    let mut run = start(&broker, &topic, &id, job, 1);
    run.epoch(0..10, 1);
    run.write(10..20);
    barrier(run.writer.as_mut(), 2);
    crate::producer::drain(transaction(&run).producer(), &SystemClock::new(), Duration::from_secs(20)).unwrap();
    // A crash: nothing of it is closed or aborted.
    std::mem::forget(run);
    let mut run = start(&broker, &topic, &id, job, 2);
    assert_eq!(run.last, LastDecided::Epoch(Generation(1), Epoch(1)));
    run.epoch(10..20, 2);
    assert_eq!(contents(&broker, &topic, "read_committed"), json(0..20));
    assert!(
        contents(&broker, &topic, "read_uncommitted").len() > 20,
        "the lost rows are in the log, but marked as aborted"
    );
}

fn transaction(run: &Run) -> Arc<crate::transaction::Transaction> {
    run.factory.transaction_for_tests()
}

#[test]
fn a_second_start_fences_the_first_which_says_so_and_changes_nothing() {
    let Some(broker) = broker() else { return };
    let (topic, id, job) = (topic(&broker, "fence", 1), unique("tx"), job());
    let mut first = start(&broker, &topic, &id, job, 1);
    first.epoch(0..5, 1);
    first.write(5..10);
    barrier(first.writer.as_mut(), 2);
    let mut second = start(&broker, &topic, &id, job, 2);
    assert_eq!(second.last, LastDecided::Epoch(Generation(1), Epoch(1)));
    let Decision::Fenced(why) = first.decide(2, &[]) else { panic!("a fenced process decides nothing") };
    assert!(
        why.starts_with(&format!("this process is fenced: another one has taken over its 'transactional.id' '{id}': ")),
        "{why}"
    );
    second.epoch(100..101, 2);
    drop(first);
    drop(second);
    assert_eq!(start(&broker, &topic, &id, job, 3).last, LastDecided::Epoch(Generation(2), Epoch(2)));
    let mut expected = json(0..5);
    expected.extend(json(100..101));
    expected.sort();
    assert_eq!(contents(&broker, &topic, "read_committed"), expected);
}

#[test]
fn rows_behind_a_barrier_wait_until_its_epoch_is_decided() {
    let Some(broker) = broker() else { return };
    let (topic, id, job) = (topic(&broker, "hold", 1), unique("tx"), job());
    let mut run = start(&broker, &topic, &id, job, 1);
    run.write(0..10);
    barrier(run.writer.as_mut(), 1);
    run.write(10..30);
    assert_eq!(transaction(&run).rows(), 10, "the rows of epoch 2 are held back");
    assert_eq!(run.decide(1, &[]), Decision::Committed);
    assert_eq!(contents(&broker, &topic, "read_committed"), json(0..10));
    assert_eq!(run.writer.ready().unwrap(), Ready::Yes);
    assert_eq!(transaction(&run).rows(), 20, "they flow once it is decided");
    barrier(run.writer.as_mut(), 2);
    assert_eq!(run.decide(2, &[]), Decision::Committed);
    assert_eq!(contents(&broker, &topic, "read_committed"), json(0..30));
}

#[test]
fn held_rows_are_bounded() {
    let Some(broker) = broker() else { return };
    let (topic, id, job) = (topic(&broker, "bound", 1), unique("tx"), job());
    let mut run = start(&broker, &topic, &id, job, 1);
    run.write(0..1);
    barrier(run.writer.as_mut(), 1);
    let mut batches = 0;
    while run.writer.ready().unwrap() == Ready::Yes {
        run.writer.write(&rows(0..8192)).unwrap();
        batches += 1;
    }
    let bytes = batches * json(0..8192).iter().map(String::len).sum::<usize>();
    assert!(bytes >= weir_base::limits::SINK_HELD_BYTES_MAX);
    assert_eq!(run.decide(1, &[]), Decision::Committed);
    let clock = SystemClock::new();
    while run.writer.ready().unwrap() == Ready::No {
        assert!(clock.monotonic_us() < 20_000_000, "held rows must flow after the decision");
        clock.sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_transaction_that_took_too_long_is_aborted_by_the_broker_and_the_next_start_goes_on() {
    let Some(broker) = broker() else { return };
    let (topic, id, context) = (topic(&broker, "slow", 1), unique("tx"), job_context());
    let mut spec = exactly_once(&broker, &topic, &id);
    spec.options.values.insert("properties.transaction.timeout.ms".to_owned(), "1000".to_owned());
    let factory = KafkaFactory::new();
    let sink = factory.sink(&spec, &context).unwrap();
    let mut decider = factory.decider(&context).unwrap().unwrap();
    decider.claim(context.job, Generation(1)).unwrap();
    let mut writer = sink.writer(&writer_context()).unwrap();
    writer.write(&rows(0..5)).unwrap();
    barrier(writer.as_mut(), 1);
    // The test broker looks for such transactions every second.
    SystemClock::new().sleep(Duration::from_secs(4));
    let decision = decider.decide(Epoch(1), &[]).unwrap();
    let words = format!(
        "the transaction '{id}' has timed out: it was open for longer than 'transaction.timeout.ms' = 1000; \
         if that comes again, raise 'properties.transaction.timeout.ms'"
    );
    assert_eq!(decision, Decision::Aborted(words), "the same answer as to a fenced process, and yet it is none");
    drop((writer, decider, sink, factory));
    let mut next = start(&broker, &topic, &id, context.job, 2);
    assert_eq!(next.last, LastDecided::None);
    next.epoch(5..8, 1);
    assert_eq!(contents(&broker, &topic, "read_committed"), json(5..8));
}

#[test]
fn a_paused_broker_is_waited_for_and_nothing_is_lost_or_doubled() {
    let Some(broker) = broker() else { return };
    let Ok(file) = std::env::var("WEIR_TEST_KAFKA_PID_FILE") else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "WEIR_TEST_KAFKA_PID_FILE is not set, and CI=true");
        eprintln!("SKIPPED: pausing a real Kafka; set WEIR_TEST_KAFKA_PID_FILE to a file with the id of the process");
        return;
    };
    let pid = rustix::process::Pid::from_raw(std::fs::read_to_string(file).unwrap().trim().parse().unwrap()).unwrap();
    let (topic, id, job) = (topic(&broker, "paused", 1), unique("tx"), job());
    let mut run = start(&broker, &topic, &id, job, 1);
    run.epoch(0..100, 1);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    run.write(100..200);
    let goes_on = weir_base::spawn("goes-on", move || {
        SystemClock::new().sleep(Duration::from_secs(2));
        rustix::process::kill_process(pid, rustix::process::Signal::CONT)
    });
    barrier(run.writer.as_mut(), 2);
    let decision = run.decide(2, &[]);
    goes_on.unwrap().join().unwrap().unwrap();
    assert_eq!(decision, Decision::Committed);
    run.epoch(200..300, 3);
    assert_eq!(contents(&broker, &topic, "read_committed"), json(0..300));
}

#[test]
fn a_graceful_end_leaves_no_transaction_open() {
    let Some(broker) = broker() else { return };
    let (topic, id, job) = (topic(&broker, "graceful", 1), unique("tx"), job());
    let mut run = start(&broker, &topic, &id, job, 1);
    run.write(0..10);
    barrier(run.writer.as_mut(), 1);
    crate::producer::drain(transaction(&run).producer(), &SystemClock::new(), Duration::from_secs(20)).unwrap();
    drop(run);
    // Were it open, the end for read_committed would stay before its rows and this row would not be reached.
    send(&broker, &topic, 0, &["behind"]);
    assert_eq!(contents(&broker, &topic, "read_committed"), ["behind"]);
}

#[test]
fn offsets_of_a_source_on_the_same_cluster_are_committed_with_the_epoch() {
    let Some(broker) = broker() else { return };
    let (topic, input, id, job) = (topic(&broker, "out", 1), topic(&broker, "in", 2), unique("tx"), job());
    let group = unique("group");
    let mut run = start(&broker, &topic, &id, job, 1);
    let pairs = [
        ("topic", input.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("properties.group.id", group.as_str()),
    ];
    let source = run.factory.source(&source_spec(&pairs, &[]), &job_context()).unwrap();
    let position =
        |split: &str, offset| (SplitId(format!("{input}-{split}").into()), Position { offset, records: offset });
    let offsets = source.offsets(&[position("0", 7), position("1", 9)]).unwrap();
    assert_eq!(offsets.group, group);
    assert_eq!(offsets.offsets, vec![(input.clone(), 0, 7), (input.clone(), 1, 9)]);
    run.write(0..1);
    barrier(run.writer.as_mut(), 1);
    assert_eq!(run.decide(1, &[offsets]), Decision::Committed);
    assert_eq!(committed(&broker, &group, &input, &[0, 1]), [Some(7), Some(9)]);
}

#[test]
fn offsets_are_committed_by_the_source_itself_when_no_transaction_carries_them() {
    let Some(broker) = broker() else { return };
    let (input, group) = (topic(&broker, "in", 1), unique("group"));
    let pairs = [
        ("topic", input.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("properties.group.id", group.as_str()),
    ];
    let source = source(&pairs, &[]);
    let positions = [(SplitId(format!("{input}-0").into()), Position { offset: 5, records: 5 })];
    assert_eq!(source.offsets(&positions), None);
    source.completed(&positions);
    let clock = SystemClock::new();
    while committed(&broker, &group, &input, &[0]) != [Some(5)] {
        assert!(clock.monotonic_us() < 20_000_000, "the commit must arrive");
    }
}

#[test]
fn a_group_in_which_others_consume_is_left_alone() {
    let Some(broker) = broker() else { return };
    let (input, group) = (topic(&broker, "in", 1), unique("group"));
    let other: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", &broker).set("group.id", &group).create().unwrap();
    other.subscribe(&[&input]).unwrap();
    let clock = SystemClock::new();
    while other.assignment().unwrap().count() == 0 {
        assert!(clock.monotonic_us() < 20_000_000, "the other consumer must join");
        drop(other.poll(Duration::from_millis(50)));
    }
    let pairs = [
        ("topic", input.as_str()),
        ("properties.bootstrap.servers", broker.as_str()),
        ("properties.group.id", group.as_str()),
    ];
    let source = source(&pairs, &[]);
    source.splits().unwrap();
    source.completed(&[(SplitId(format!("{input}-0").into()), Position { offset: 5, records: 5 })]);
    clock.sleep(Duration::from_millis(300));
    assert_eq!(committed(&broker, &group, &input, &[0]), [None]);
}

fn committed(broker: &str, group: &str, topic: &str, partitions: &[i32]) -> Vec<Option<i64>> {
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", broker).set("group.id", group).create().unwrap();
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(topic, *partition);
    }
    let answer = consumer.committed_offsets(list, Duration::from_secs(20)).unwrap();
    let offset = |partition: &i32| match answer.find_partition(topic, *partition).unwrap().offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    };
    partitions.iter().map(offset).collect()
}

#[test]
fn a_message_over_the_brokers_limit_aborts_the_epoch_by_name() {
    let Some(broker) = broker() else { return };
    let (topic, id) = (topic(&broker, "large", 1), unique("tx"));
    let mut context = job_context();
    context.generation = Generation(1);
    let mut spec = exactly_once(&broker, &topic, &id);
    spec.options.values.insert("properties.max.request.size".to_owned(), "10000000".to_owned());
    let factory = KafkaFactory::new();
    let sink = factory.sink(&spec, &context).unwrap();
    let mut decider = factory.decider(&context).unwrap().unwrap();
    decider.claim(context.job, Generation(1)).unwrap();
    let mut writer = sink.writer(&writer_context()).unwrap();
    let text: StringViewArray = [Some("x".repeat(2_000_000))].into_iter().collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![77])), Arc::new(text)];
    writer.write(&Batch::inserts(RecordBatch::try_new(schema().arrow(), columns).unwrap(), 0)).unwrap();
    barrier(writer.as_mut(), 1);
    let Decision::Aborted(why) = decider.decide(Epoch(1), &[]).unwrap() else { panic!("the epoch must be aborted") };
    assert!(why.contains("a message of 2000019 bytes (key 0 bytes)"), "{why}");
    assert!(why.contains("it is larger than 'max.message.bytes' of the topic"), "{why}");
    assert!(why.contains(r#"value begins with {"id":77,"text":"xxx"#), "{why}");
    assert_eq!(contents(&broker, &topic, "read_committed"), Vec::<String>::new());
}

#[test]
fn a_transaction_timeout_over_the_brokers_maximum_is_refused_with_words() {
    let Some(broker) = broker() else { return };
    let (topic, id) = (topic(&broker, "timeout", 1), unique("tx"));
    let mut context = job_context();
    context.checkpoint_interval = Some(Duration::from_secs(3600));
    let factory = KafkaFactory::new();
    let _sink = factory.sink(&exactly_once(&broker, &topic, &id), &context).unwrap();
    let mut decider = factory.decider(&context).unwrap().unwrap();
    let error = decider.claim(context.job, Generation(1)).unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(
        error.message(),
        format!(
            "claim the transactional.id '{id}' at {broker}: 'transaction.timeout.ms' = 10800000 is more than the broker's 'transaction.max.timeout.ms'"
        )
    );
}
