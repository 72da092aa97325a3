//! `postgres://USER:PASSWORD@HOST[:PORT]/DATABASE[?query=SELECT…]`: one value from a PostgreSQL query.
//!
//! The query runs in a read-only transaction that is always rolled back, as one
//! statement, which the server ends by itself when we are gone. Its first column
//! of the first row is `value`: null where there is no row. One connection is
//! kept per check and made anew when it fails.
//!
//! Deliberately no TLS yet: a target that demands it is refused, so that no
//! password goes over a network in the belief that it is hidden.

mod cell;
mod link;

use std::sync::{Mutex, PoisonError};

use tokio_postgres::Config;

use self::link::Link;
use super::net::Address;
use super::peer_url::{PeerUrl, bad, decode};
use super::{BadTarget, Check, CheckTarget, Fault, Measured, Measuring};

/// The port of PostgreSQL.
const PORT: u16 = 5432;

/// What is asked where nothing else is.
const QUERY: &str = "SELECT 1";

/// What the server's list of connections shows.
const APPLICATION_NAME: &str = "marquee";

struct Postgres {
    address: Address,
    login: Config,
    query: String,
    /// The connection between two runs. A run takes it out, so that a run that
    /// is dropped takes its connection with it.
    kept: Mutex<Option<Link>>,
}

pub(super) fn build(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    let url = PeerUrl::parse(target, &["query", "sslmode"])?;
    let address = url.address(PORT)?;
    let user = url.user.as_deref().ok_or_else(|| bad("the USER is missing"))?;
    match url.option("sslmode") {
        None | Some("disable") => {}
        Some("allow" | "prefer" | "require" | "verify-ca" | "verify-full") => {
            return Err(bad("this check does not speak TLS yet; sslmode=disable says that this is meant"));
        }
        Some(_) => return Err(bad("`sslmode` can only be disable")),
    }
    let database = decode(&url.path)?;
    let mut login = Config::new();
    login.user(user).application_name(APPLICATION_NAME);
    // As everywhere with PostgreSQL, a database that is not named is called like the user.
    login.dbname(if database.is_empty() { user } else { &database });
    if let Some(password) = &url.password {
        login.password(password);
    }
    let query = url.option("query").unwrap_or(QUERY).to_owned();
    Ok(Box::new(Postgres { address, login, query, kept: Mutex::new(None) }))
}

impl Check for Postgres {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async {
            // A poisoned lock means that a run panicked while it swapped one word: the word is sound.
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(link) = kept {
                match self.ask(link).await {
                    // The server may have been restarted since the last run.
                    Err(error) if error.means_gone() => {}
                    answered => return answered.map_err(|e| self.fault(&e)),
                }
            }
            let stream = self.address.connect().await?;
            let link = Link::log_in(stream, &self.login).await.map_err(|e| self.fault(&e))?;
            self.ask(link).await.map_err(|e| self.fault(&e))
        })
    }
}

impl Postgres {
    /// Asks, and keeps the connection where it is fit for the next run.
    async fn ask(&self, mut link: Link) -> Result<Measured, link::Error> {
        let before = link.received();
        let (values, whole) = link.ask(&self.query).await?;
        let bytes = link.received() - before;
        if whole {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
        }
        Ok(Measured { values, bytes, ..Measured::default() })
    }

    fn fault(&self, error: &link::Error) -> Fault {
        let mut said = error.to_string();
        // A server may repeat what it was sent.
        if let Some(password) = self.login.get_password().and_then(|it| std::str::from_utf8(it).ok())
            && !password.is_empty()
        {
            said = said.replace(password, "***");
        }
        self.address.fault(said)
    }
}

#[cfg(test)]
mod tests;
