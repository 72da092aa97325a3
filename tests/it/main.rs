//! The integration tests: the house's rules, and the whole program run as users run it.
//!
//! One binary, so that everything links once. The program runs in a pseudo-terminal
//! or behind pipes and is read as its users read it; no test looks inside it.
//! Nothing here sleeps: tests wait for conditions, with a bound that only a
//! failure reaches.

#[cfg(test)]
mod support;

#[cfg(test)]
mod api;
#[cfg(test)]
mod asking;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod company;
#[cfg(test)]
#[expect(dead_code, reason = "`tests/faults` shares it and judges what is only noted here")]
mod consoles;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod embed;
#[cfg(test)]
mod guardian;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod json;
#[cfg(test)]
mod kept_on_redis;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod picture;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod rounds;
#[cfg(test)]
mod screen;
#[cfg(test)]
mod terminals;
#[cfg(test)]
mod three_consoles;
#[cfg(test)]
mod tidy;
