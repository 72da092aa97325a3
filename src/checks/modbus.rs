//! `modbus://HOST[:PORT]/UNIT/REGISTER`: one register, coil or pair of registers over Modbus TCP.
//!
//! REGISTER is the address on the wire, counted from 0: the `40001` of some
//! manuals is holding register 0. Each run connects anew: many devices accept
//! but a few connections, and a late answer on a kept one would be taken for the
//! next. Nothing is ever written.

use std::fmt::Display;
use std::sync::Arc;

use tokio_modbus::client::{Client, Context, tcp};
use tokio_modbus::{Error, ExceptionCode, Request, Response, Slave};

use super::counted::{Counted, Counter};
use super::net::{Address, plain_io};
use super::peer_url::{PeerUrl, bad};
use super::{BadTarget, Check, CheckTarget, Fault, Measured, Measuring};
use crate::frame::{Value, Values};

/// The port of Modbus TCP.
const PORT: u16 = 502;

/// More than any answer has: 260 bytes are the most that Modbus TCP allows.
const ANSWER_BYTES_MAX: u64 = 512;

/// A table of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Holding,
    Input,
    Coil,
    Discrete,
}

/// The names of `kind=`.
const KINDS: &[(&str, Kind)] =
    &[("holding", Kind::Holding), ("input", Kind::Input), ("coil", Kind::Coil), ("discrete", Kind::Discrete)];

/// How registers make a number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
    U16,
    I16,
    U32,
    I32,
    F32,
}

/// The names of `type=`.
const TYPES: &[(&str, Type)] =
    &[("u16", Type::U16), ("i16", Type::I16), ("u32", Type::U32), ("i32", Type::I32), ("f32", Type::F32)];

/// Which of two registers has the upper half of the number: the first, as the
/// standard has it for bytes, or the second, as many devices have it.
const ORDERS: &[(&str, bool)] = &[("big", false), ("little", true)];

struct Modbus {
    address: Address,
    unit: u8,
    register: u16,
    kind: Kind,
    number: Type,
    swapped: bool,
}

pub(super) fn build(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    let url = PeerUrl::parse(target, &["type", "kind", "order"])?.without_login()?;
    let address = url.address(PORT)?;
    let (unit, register) = url.path.split_once('/').ok_or_else(|| bad("the path is UNIT/REGISTER, such as 1/0"))?;
    let unit = unit.parse().map_err(|_| bad("the UNIT is a number from 0 to 255"))?;
    let register = register.parse().map_err(|_| bad("the REGISTER is a number from 0 to 65535"))?;
    let kind = one_of(&url, "kind", KINDS)?.unwrap_or(Kind::Holding);
    let chosen = one_of(&url, "type", TYPES)?;
    let order = one_of(&url, "order", ORDERS)?;
    let number = chosen.unwrap_or(Type::U16);
    if matches!(kind, Kind::Coil | Kind::Discrete) && (chosen.is_some() || order.is_some()) {
        return Err(bad("a coil or discrete input is true or false and has no `type` and no `order`"));
    }
    if number.registers() == 1 && order.is_some() {
        return Err(bad("`order` says which of two registers comes first; this type has one"));
    }
    if number.registers() == 2 && register == u16::MAX {
        return Err(bad("the number would reach past the last register, 65535"));
    }
    Ok(Box::new(Modbus { address, unit, register, kind, number, swapped: order.unwrap_or(false) }))
}

/// The option called `name`, by the table of its words.
fn one_of<T: Copy>(url: &PeerUrl, name: &str, table: &[(&str, T)]) -> Result<Option<T>, BadTarget> {
    let Some(given) = url.option(name) else { return Ok(None) };
    let found = table.iter().find(|(word, _)| *word == given).map(|(_, meant)| Some(*meant));
    let words = || table.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| bad(format!("`{name}` is one of {}", words())))
}

impl Check for Modbus {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async {
            let counter = Arc::<Counter>::default();
            counter.allow(ANSWER_BYTES_MAX);
            let stream = Counted::new(self.address.connect().await?, Arc::clone(&counter));
            let mut device = tcp::attach_slave(stream, Slave(self.unit));
            let value = self.ask(&mut device, &counter).await?;
            Ok(Measured {
                values: Values::new().with("value", value),
                bytes: counter.received(),
                ..Measured::default()
            })
        })
    }
}

impl Modbus {
    async fn ask(&self, device: &mut Context, counter: &Counter) -> Result<Value, Fault> {
        let (register, count) = (self.register, self.number.registers());
        let question = match self.kind {
            Kind::Holding => Request::ReadHoldingRegisters(register, count),
            Kind::Input => Request::ReadInputRegisters(register, count),
            Kind::Coil => Request::ReadCoils(register, 1),
            Kind::Discrete => Request::ReadDiscreteInputs(register, 1),
        };
        let answer = match device.call(question).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(refusal)) => return Err(self.refused(refusal)),
            // The library tells an end by the last error of the system, whatever that was.
            Err(_) if counter.ended() => return Err(self.address.fault("closed without an answer")),
            Err(Error::Transport(e)) if e.kind() == std::io::ErrorKind::InvalidData => {
                return Err(self.address.fault("no Modbus answer"));
            }
            Err(Error::Transport(e)) => return Err(self.address.fault(plain_io(&e))),
            Err(Error::Protocol(_)) => return Err(self.address.fault("an answer to another question")),
        };
        let value = match &answer {
            Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words) => {
                self.number.of(words, self.swapped).map(Value::plain)
            }
            Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => bits.first().copied().map(Value::Bool),
            _ => None,
        };
        match value {
            Some(Value::Number(number, _)) if !number.is_finite() => {
                Err(self.address.fault("the registers hold no number (NaN or infinite): is `type` right?"))
            }
            Some(value) => Ok(value),
            None => Err(self.address.fault("too short an answer")),
        }
    }

    fn refused(&self, code: ExceptionCode) -> Fault {
        let why: &dyn Display = match code {
            ExceptionCode::IllegalFunction => &"it has no such `kind`",
            ExceptionCode::IllegalDataAddress => &"it has no such register",
            ExceptionCode::IllegalDataValue => &"it has no register of such a length",
            ExceptionCode::ServerDeviceFailure => &"the device failed",
            ExceptionCode::Acknowledge | ExceptionCode::ServerDeviceBusy => &"the device is busy",
            ExceptionCode::GatewayPathUnavailable => &"the gateway has no way to that unit",
            ExceptionCode::GatewayTargetDevice => &"that unit does not answer the gateway",
            ref other => other,
        };
        self.address.fault(format!("unit {} refuses register {}: {why}", self.unit, self.register))
    }
}

impl Type {
    /// How many registers it takes.
    const fn registers(self) -> u16 {
        match self {
            Self::U16 | Self::I16 => 1,
            Self::U32 | Self::I32 | Self::F32 => 2,
        }
    }

    /// The number that these registers make.
    fn of(self, words: &[u16], swapped: bool) -> Option<f64> {
        let first = *words.first()?;
        if self.registers() == 1 {
            return Some(if self == Self::I16 { f64::from(first.cast_signed()) } else { f64::from(first) });
        }
        let second = *words.get(1)?;
        let (upper, lower) = if swapped { (second, first) } else { (first, second) };
        let bits = u32::from(upper) << 16 | u32::from(lower);
        Some(match self {
            Self::I32 => f64::from(bits.cast_signed()),
            Self::F32 => f64::from(f32::from_bits(bits)),
            _ => f64::from(bits),
        })
    }
}

#[cfg(test)]
mod tests;
