//! Batches of messages straight from librdkafka's consumer queue. The one place that touches its consumer by pointers.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka_sys as sys;
use weir_base::limits::BATCH_ROWS_MAX;

use crate::client::Context;

/// A consumer's queue of messages, and its queue of events (errors).
pub(crate) struct Queue {
    messages: *mut sys::rd_kafka_queue_t,
    events: *mut sys::rd_kafka_queue_t,
    // Declared behind the queues: dropped after them.
    consumer: BaseConsumer<Context>,
}

// SAFETY: librdkafka's objects may be used from any thread; the pointers are owned by this value alone.
unsafe impl Send for Queue {}

impl Queue {
    /// Takes a consumer over. Its events, which it mixes with messages, get a queue of their own.
    pub(crate) fn new(consumer: BaseConsumer<Context>) -> Self {
        let client = consumer.client().native_ptr();
        // SAFETY: the client lives as long as `self`; each queue is a reference of ours, given back in `Drop`.
        unsafe {
            let messages = sys::rd_kafka_queue_get_consumer(client);
            let events = sys::rd_kafka_queue_get_main(client);
            sys::rd_kafka_queue_forward(events, std::ptr::null_mut());
            Self { messages, events, consumer }
        }
    }

    pub(crate) fn consumer(&self) -> &BaseConsumer<Context> {
        &self.consumer
    }

    /// Waits at most `wait` for a message, then at most `linger` for more, `max` in all. Empty: nothing came.
    pub(crate) fn next(&self, wait: Duration, linger: Duration, max: usize) -> Messages {
        let mut messages = Messages(Vec::with_capacity(max.clamp(1, BATCH_ROWS_MAX)));
        // SAFETY: our queue; a message that is given is ours.
        let first = unsafe { sys::rd_kafka_consume_queue(self.messages, millis(wait)) };
        if first.is_null() {
            return messages;
        }
        messages.0.push(first);
        let room = messages.0.capacity() - 1;
        // SAFETY: the vector has room for `room` pointers behind the first one; as many as are told were written.
        unsafe {
            let rest = messages.0.as_mut_ptr().add(1);
            let count = sys::rd_kafka_consume_batch_queue(self.messages, millis(linger), rest, room);
            messages.0.set_len(1 + usize::try_from(count).unwrap_or(0));
        }
        messages
    }

    /// Hands what librdkafka says outside of messages (errors, log lines) to the context.
    pub(crate) fn serve_events(&self) {
        use rdkafka::ClientContext;
        use rdkafka::error::KafkaError;
        loop {
            // SAFETY: our queue; the event is ours until it is destroyed below.
            let event = unsafe { sys::rd_kafka_queue_poll(self.events, 0) };
            if event.is_null() {
                return;
            }
            // SAFETY: a live event; its text lives as long.
            unsafe {
                if sys::rd_kafka_event_type(event) == sys::RD_KAFKA_EVENT_ERROR {
                    let code = sys::rd_kafka_event_error(event);
                    let reason = std::ffi::CStr::from_ptr(sys::rd_kafka_event_error_string(event)).to_string_lossy();
                    self.consumer.client().context().error(KafkaError::Global(code.into()), reason.trim());
                }
                sys::rd_kafka_event_destroy(event);
            }
        }
    }

    /// The end of a partition as the last fetch told it; no question to the broker.
    pub(crate) fn end_known(&self, topic: &std::ffi::CStr, partition: i32) -> Option<i64> {
        let (mut low, mut high) = (-1, -1);
        let client = self.consumer.client().native_ptr();
        // SAFETY: a live client, a zero-terminated name, places for the two answers.
        let answer =
            unsafe { sys::rd_kafka_get_watermark_offsets(client, topic.as_ptr(), partition, &mut low, &mut high) };
        (answer == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // Closing purges the events' queue, and through it the messages' one: only if the two are joined as librdkafka joined them. Without that,
        // messages left over keep their broker's thread alive for ever.
        self.serve_events();
        // SAFETY: the references taken in `new`; the client is dropped after this.
        unsafe {
            sys::rd_kafka_poll_set_consumer(self.consumer.client().native_ptr());
            sys::rd_kafka_queue_destroy(self.events);
            sys::rd_kafka_queue_destroy(self.messages);
        }
    }
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

/// Messages of several partitions, in the order they came; given back to librdkafka when dropped.
pub(crate) struct Messages(Vec<*mut sys::rd_kafka_message_t>);

impl Messages {
    pub(crate) fn as_slice(&self) -> &[*mut sys::rd_kafka_message_t] {
        &self.0
    }

    /// The message at `index`.
    pub(crate) fn get(&self, index: usize) -> &sys::rd_kafka_message_t {
        // SAFETY: all live until `Drop`.
        unsafe { &*self.0[index] }
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        for message in &self.0 {
            // SAFETY: ours, destroyed once.
            unsafe { sys::rd_kafka_message_destroy(*message) };
        }
    }
}

/// A part of a message as bytes; `None` for NULL.
pub(crate) fn bytes(start: *const std::ffi::c_void, length: usize, _owner: &sys::rd_kafka_message_t) -> Option<&[u8]> {
    // SAFETY: librdkafka gives NULL or `length` bytes that live with the message.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) })
}
