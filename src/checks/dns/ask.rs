//! One question to one name server: over UDP, and over TCP where the answer is too long for that.
//!
//! What does not belong to the question is not believed: another address,
//! another id, another question. It is passed over, and the true answer waited
//! for. Deliberately no resolver with tasks, pools and caches of its own: these
//! two sockets close the moment the future is dropped.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, Query};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::checks::Fault;
use crate::checks::net::plain_io;

/// How long after a question it is asked again: datagrams may be lost.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Room for an answer over UDP, which has at most 512 bytes unless more was asked for; a longer one is no answer.
const DATAGRAM_BYTES_MAX: usize = 4096;

/// The answer, and how many bytes came in for it.
pub(super) async fn ask(server: SocketAddr, question: &Query) -> Result<(Message, u64), Fault> {
    let fault = |why: String| Fault(format!("{why} ({server})"));
    // A new message has an id that nobody can guess.
    let mut asked = Message::query();
    asked.add_query(question.clone());
    asked.metadata.recursion_desired = true;
    let bytes = asked.to_vec().map_err(|_| fault("the name is none that DNS can have".into()))?;
    let (answer, udp) = over_udp(server, &asked, &bytes).await.map_err(|e| fault(plain_io(&e)))?;
    if !answer.metadata.truncation {
        return Ok((answer, udp));
    }
    let (answer, tcp) = over_tcp(server, &bytes).await.map_err(|e| fault(plain_io(&e)))?;
    let answer = Message::from_vec(&answer).ok().filter(|answer| belongs(&asked, answer));
    let answer = answer.ok_or_else(|| fault("the name server's answer is none to the question".into()))?;
    if answer.metadata.truncation {
        return Err(fault("the name server's answer is cut short even over TCP".into()));
    }
    Ok((answer, udp + tcp))
}

async fn over_udp(server: SocketAddr, asked: &Message, bytes: &[u8]) -> io::Result<(Message, u64)> {
    let any: SocketAddr =
        if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any).await?;
    // The system then drops what comes from any other address.
    socket.connect(server).await?;
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut received = 0;
    loop {
        socket.send(bytes).await?;
        let answered = timeout(AGAIN_AFTER, async {
            loop {
                let length = socket.recv(&mut buffer).await?;
                received += length as u64;
                // What can't be read may come from a liar; the true answer may still be on its way.
                if let Ok(answer) = Message::from_vec(&buffer[..length])
                    && belongs(asked, &answer)
                {
                    return io::Result::Ok(answer);
                }
            }
        });
        if let Ok(answer) = answered.await {
            return Ok((answer?, received));
        }
    }
}

async fn over_tcp(server: SocketAddr, bytes: &[u8]) -> io::Result<(Vec<u8>, u64)> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], bytes].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; length.into()];
    stream.read_exact(&mut answer).await?;
    Ok((answer, u64::from(length) + 2))
}

/// Whether `answer` is one to the question that was asked.
fn belongs(asked: &Message, answer: &Message) -> bool {
    answer.metadata.message_type == MessageType::Response
        && answer.metadata.id == asked.metadata.id
        && (answer.queries == asked.queries || answer.queries.is_empty() && answer.answers.is_empty())
}
