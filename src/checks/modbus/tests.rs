//! A real Modbus server, and liars.

use std::future::{Ready, ready};
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_modbus::SlaveRequest;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};

use super::*;
use crate::checks::servers_tests::{check, run, survives};

/// A device whose register `n` holds `REGISTERS[n]`, in both tables, and one coil that is on.
struct Device;

/// 21.5 as f32, -2, then f32 with its halves the other way round, and a NaN.
const REGISTERS: [u16; 7] = [0x41ac, 0x0000, 0xffff, 0xfffe, 0x0000, 0x41ac, 0x7fc0];

impl Service for Device {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, asked: SlaveRequest<'static>) -> Self::Future {
        let words = |at: u16, count: u16| {
            let (at, count) = (usize::from(at), usize::from(count));
            REGISTERS.get(at..at + count).map(<[u16]>::to_vec).ok_or(ExceptionCode::IllegalDataAddress)
        };
        ready(match asked.request {
            _ if asked.slave != 1 => Err(ExceptionCode::GatewayTargetDevice),
            Request::ReadHoldingRegisters(at, count) => words(at, count).map(Response::ReadHoldingRegisters),
            Request::ReadInputRegisters(at, count) => words(at, count).map(Response::ReadInputRegisters),
            Request::ReadCoils(3, 1) => Ok(Response::ReadCoils(vec![true])),
            Request::ReadDiscreteInputs(3, 1) => Err(ExceptionCode::IllegalFunction),
            _ => Err(ExceptionCode::ServerDeviceBusy),
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's server beside the test")]
async fn device() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let accept = |stream, guest| async move { accept_tcp_connection(stream, guest, |_| Ok(Some(Device))) };
        Server::new(listener).serve(&accept, |_| {}).await
    });
    address
}

#[tokio::test]
async fn a_real_server_is_read() {
    let device = device().await;
    for (asked, value) in [
        ("1/2", Value::plain(65535.0)),
        ("1/2?type=i16", Value::plain(-1.0)),
        ("1/2?kind=input", Value::plain(65535.0)),
        ("1/0?type=f32", Value::plain(21.5)),
        ("1/4?type=f32&order=little&kind=input", Value::plain(21.5)),
        ("1/2?type=u32", Value::plain(4_294_967_294.0)),
        ("1/2?type=i32", Value::plain(-2.0)),
        ("1/3?kind=coil", Value::Bool(true)),
    ] {
        let measured = run(&*check(&format!("modbus://{device}/{asked}"))).await.unwrap();
        assert_eq!(measured.values.get("value"), Some(&value), "{asked}");
        assert!(measured.bytes > 0);
    }
    for (asked, why) in [
        ("1/100", "unit 1 refuses register 100: it has no such register"),
        ("1/3?kind=discrete", "unit 1 refuses register 3: it has no such `kind`"),
        ("1/4?kind=coil", "unit 1 refuses register 4: the device is busy"),
        ("9/0", "unit 9 refuses register 0: that unit does not answer the gateway"),
        ("1/5?type=f32&order=little", "the registers hold no number (NaN or infinite): is `type` right?"),
    ] {
        let fault = run(&*check(&format!("modbus://{device}/{asked}"))).await.unwrap_err();
        assert_eq!(fault.0, format!("{why} ({device})"));
    }
}

#[test]
fn targets_are_read() {
    let build = |target: &str| build(&CheckTarget { scheme: "modbus", target });
    for good in ["modbus://h/1/0", "modbus://[::1]:1502/255/65535?kind=coil", "modbus://h/0/65534?type=f32&order=big"] {
        assert!(build(good).is_ok(), "{good}");
    }
    for (bad, part) in [
        ("modbus://", "HOST"),
        ("modbus://h", "UNIT/REGISTER"),
        ("modbus://h/1", "UNIT/REGISTER"),
        ("modbus://h/256/0", "0 to 255"),
        ("modbus://h/1/65536", "0 to 65535"),
        ("modbus://h/1/0/1", "0 to 65535"),
        ("modbus://h/1/0?type=u64", "u16, i16, u32, i32, f32"),
        ("modbus://h/1/0?kind=register", "holding, input, coil, discrete"),
        ("modbus://h/1/0?kind=coil&type=u16", "true or false"),
        ("modbus://h/1/0?order=little", "has one"),
        ("modbus://h/1/65535?type=u32", "past the last"),
        ("modbus://u:secret@h/1/0", "no password"),
    ] {
        let Err(BadTarget(why)) = build(bad) else { panic!("{bad} is accepted") };
        assert!(why.contains(part) && !why.contains("secret"), "{bad}: {why}");
    }
}

#[tokio::test]
async fn liars_are_survived() {
    let starts: [&[u8]; 6] = [
        // The right frame, with no register, with one too many, and without an end.
        &[0, 0, 0, 0, 0, 3, 1, 3, 0],
        &[0, 0, 0, 0, 0, 5, 1, 3, 2, 0],
        &[0, 0, 0, 0, 0xff, 0xff, 1, 3],
        // Another protocol, another transaction, another function.
        &[0, 0, 1, 1, 0, 5, 1, 3, 2, 0, 0],
        &[9, 9, 0, 0, 0, 5, 1, 3, 2, 0, 0],
        &[0, 0, 0, 0, 0, 5, 1, 4, 2, 0, 0],
    ];
    survives(|address| format!("modbus://{address}/1/0"), &starts).await;
}
