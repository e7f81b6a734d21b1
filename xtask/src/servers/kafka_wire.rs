//! As much of Kafka's protocol as it takes to know that a broker really answers: both coordinators found, and a
//! transactional producer given its id. What a client does in earnest is the Kafka connector's affair.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// `FindCoordinator`: where a group's or a transaction's coordinator is. <https://kafka.apache.org/protocol>
const FIND_COORDINATOR: i16 = 10;
/// `InitProducerId`: what `init_transactions` sends.
const INIT_PRODUCER_ID: i16 = 22;
/// An answer that we ask for is some hundred bytes long; more is not Kafka.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The name under which we ask; no client should use it.
const NAME: &str = "weir-warm-up";

/// Whether the broker at `address` serves groups and transactions by now. Asking makes it create what they need.
pub fn answers(address: &str, limit: Duration) -> bool {
    let group = [text(NAME), vec![0]].concat();
    let transaction = [text(NAME), vec![1]].concat();
    let producer = [text(NAME), 10_000_i32.to_be_bytes().to_vec()].concat();
    let calls = [(FIND_COORDINATOR, group), (FIND_COORDINATOR, transaction), (INIT_PRODUCER_ID, producer)];
    let Ok(address) = address.parse::<SocketAddr>() else { return false };
    let Ok(mut stream) = TcpStream::connect_timeout(&address, limit) else { return false };
    let limits = stream.set_read_timeout(Some(limit)).and(stream.set_write_timeout(Some(limit)));
    limits.is_ok() && calls.iter().all(|(api, body)| call(&mut stream, *api, body).is_some_and(|code| code == 0))
}

/// Sends one request in its version 1 and gives the error code of its answer.
fn call(stream: &mut TcpStream, api: i16, body: &[u8]) -> Option<i16> {
    stream.write_all(&request(api, body)?).ok()?;
    let mut size = [0; 4];
    stream.read_exact(&mut size).ok()?;
    let size = usize::try_from(i32::from_be_bytes(size)).ok().filter(|size| *size <= ANSWER_BYTES_MAX)?;
    let mut answer = vec![0; size];
    stream.read_exact(&mut answer).ok()?;
    error_code(&answer)
}

/// Length, API, version 1, correlation id 1, client id, body.
fn request(api: i16, body: &[u8]) -> Option<Vec<u8>> {
    let header = [&api.to_be_bytes()[..], &1_i16.to_be_bytes(), &1_i32.to_be_bytes(), &text(NAME)].concat();
    let size = i32::try_from(header.len() + body.len()).ok()?;
    Some([&size.to_be_bytes()[..], &header, body].concat())
}

/// The error code: behind the correlation id and the throttle time, in both answers.
fn error_code(answer: &[u8]) -> Option<i16> {
    Some(i16::from_be_bytes(answer.get(8..10)?.try_into().ok()?))
}

/// A string of the protocol: its length in 16 bits, its bytes.
fn text(value: &str) -> Vec<u8> {
    let length = i16::try_from(value.len()).unwrap_or(i16::MAX);
    [&length.to_be_bytes()[..], value.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_carries_its_length_first() {
        let request = request(FIND_COORDINATOR, &[7]).unwrap();
        assert_eq!(request[..4], 23_i32.to_be_bytes());
        assert_eq!(request[4..12], [0, 10, 0, 1, 0, 0, 0, 1]);
        assert_eq!(request.len(), 27);
        assert_eq!(request.last(), Some(&7));
    }

    #[test]
    fn the_error_code_is_found_and_a_short_answer_has_none() {
        assert_eq!(error_code(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 15, 9]), Some(15));
        assert_eq!(error_code(&[0, 0, 0, 1]), None);
    }

    #[test]
    fn nobody_there_is_no_answer() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(!answers(&free.to_string(), Duration::from_millis(200)));
        assert!(!answers("not an address", Duration::from_millis(200)));
    }
}
