//! Questions over HTTP to whichever endpoint answers: rotation, login, and a bound on everything.
//!
//! A question is tried at one endpoint after the other, each try within its own
//! bound. What may have happened is asked again only where asking twice does no
//! harm. Deliberately no gRPC, which would need a compiler of its own to build;
//! no redirects and no proxy, because the endpoints themselves are meant; and
//! never a plain connection where TLS was asked for.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::words::{self, Meaning, NO_LOGIN, Trouble};
use super::{Failure, Spec, wire};

/// The largest answer that is read. A board is 1.4 MB in base64; a cluster that keeps its
/// default `--max-request-bytes` can't hold two values that are larger together.
pub(super) const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long a silent connection stands before the system asks whether the other side is still
/// there, and between two such questions: a watch on a dead host ends within 5 s.
const KEEPALIVE: Duration = Duration::from_secs(2);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(1);
const KEEPALIVE_TRIES: u32 = 3;

/// How long a login may take. Etcd spends a tenth of a second of its processor on each (bcrypt), more where it
/// is busy: one that is given up as soon as a question begins from the start each time, and never succeeds.
const LOGIN: Duration = Duration::from_secs(5);

/// A login on its way.
type Login = Pin<Box<dyn Future<Output = Result<wire::LoggedIn, Trouble>> + Send>>;

/// What a question is: where it goes, what it does in words, and whether asking it twice does no harm.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) path: &'static str,
    /// Completes "can't … etcd".
    pub(super) doing: &'static str,
    pub(super) again: bool,
}

/// A cluster, however many of its members are up.
pub(super) struct Transport {
    http: Client,
    endpoints: Vec<Endpoint>,
    login: Option<(String, String)>,
    /// What nobody may read of the login, in each form in which it is sent.
    secrets: Vec<String>,
    attempt: Duration,
    /// The endpoint that answered last, or where to go on after one that did not.
    preferred: AtomicUsize,
    token: Mutex<Option<Arc<str>>>,
    /// The logins on their way, by endpoint: one at a time there, and it outlives the question that needed it.
    logins: tokio::sync::Mutex<Vec<Option<Login>>>,
}

struct Endpoint {
    base: Url,
    address: String,
}

impl Transport {
    pub(super) fn new(spec: &Spec) -> Result<Self, String> {
        let endpoint = |(host, port): &(String, u16)| {
            let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
            let scheme = if spec.tls { "https" } else { "http" };
            let base = Url::parse(&format!("{scheme}://{address}"));
            base.map(|base| Endpoint { base, address: address.clone() })
                .map_err(|error| format!("`{address}` is no address of an etcd endpoint: {error}"))
        };
        let endpoints = spec.endpoints.iter().map(endpoint).collect::<Result<Vec<_>, _>>()?;
        if endpoints.is_empty() {
            return Err("no endpoint of etcd is named".into());
        }
        let logins = endpoints.iter().map(|_| None).collect();
        Ok(Self {
            http: client(spec)?,
            logins: tokio::sync::Mutex::new(logins),
            endpoints,
            login: spec.login.clone(),
            secrets: spec.login.as_ref().map(|(_, password)| secrets(password)).unwrap_or_default(),
            attempt: spec.attempt,
            preferred: AtomicUsize::new(0),
            token: Mutex::default(),
        })
    }

    /// How many endpoints there are.
    pub(super) fn endpoints(&self) -> usize {
        self.endpoints.len()
    }

    /// Where the endpoint at `place` is.
    pub(super) fn address(&self, place: usize) -> &str {
        &self.endpoints[place % self.endpoints.len()].address
    }

    /// Where to ask first.
    pub(super) fn preferred(&self) -> usize {
        self.preferred.load(Ordering::Relaxed)
    }

    /// How long one try may take.
    pub(super) const fn attempt(&self) -> Duration {
        self.attempt
    }

    /// Asks until an endpoint answers, each once, and a lone one twice where that does no harm.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call, body: &Value) -> Result<T, Failure> {
        let count = self.endpoints.len();
        let tries = if call.again { count.max(2) } else { count };
        let first = self.preferred();
        let mut troubles = Vec::new();
        for place in first..first + tries {
            let place = place % count;
            let trouble = match self.ask_at(place, call.path, body).await {
                Ok(answer) => {
                    self.preferred.store(place, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(trouble) => trouble,
            };
            let over = match trouble.meaning {
                Meaning::Unknown => !call.again,
                Meaning::Refused | Meaning::Login => true,
                Meaning::Elsewhere | Meaning::Unreachable => false,
            };
            troubles.push((self.address(place).to_owned(), self.masked(trouble)));
            if over {
                break;
            }
            self.preferred.store((place + 1) % count, Ordering::Relaxed);
        }
        Err(words::failure(call.doing, &troubles))
    }

    /// Asks one endpoint; a login that it does not accept any more is done anew once.
    pub(super) async fn ask_at<T: DeserializeOwned>(
        &self,
        place: usize,
        path: &str,
        body: &Value,
    ) -> Result<T, Trouble> {
        let mut renewed = false;
        loop {
            let token = self.token(place).await?;
            match self.try_at(place, path, body, token.as_deref()).await {
                Err(trouble) if trouble.meaning == Meaning::Login && self.login.is_some() && !renewed => {
                    renewed = true;
                    self.forget(token.as_deref());
                }
                answered => return answered,
            }
        }
    }

    /// Begins a stream of messages at one endpoint, without a bound on how long it lasts.
    pub(super) async fn stream(&self, place: usize, path: &str, body: &Value) -> Result<Response, Trouble> {
        let token = self.token(place).await?;
        let deadline = Instant::now() + self.attempt;
        let response = self.send(place, path, body, token.as_deref(), deadline).await?;
        let status = response.status().as_u16();
        if response.status().is_success() {
            return Ok(response);
        }
        let answer = whole(response, deadline).await?;
        let trouble = words::said(status, &answer);
        if trouble.meaning == Meaning::Login {
            self.forget(token.as_deref());
        }
        Err(trouble)
    }

    async fn try_at<T: DeserializeOwned>(
        &self,
        place: usize,
        path: &str,
        body: &Value,
        token: Option<&str>,
    ) -> Result<T, Trouble> {
        let deadline = Instant::now() + self.attempt;
        let response = self.send(place, path, body, token, deadline).await?;
        read(response, deadline).await
    }

    async fn send(
        &self,
        place: usize,
        path: &str,
        body: &Value,
        token: Option<&str>,
        deadline: Instant,
    ) -> Result<Response, Trouble> {
        let mut request = self.post(place, path, body);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        sent(request, deadline).await
    }

    fn post(&self, place: usize, path: &str, body: &Value) -> RequestBuilder {
        let mut url = self.endpoints[place % self.endpoints.len()].base.clone();
        url.set_path(path);
        self.http.post(url).header(CONTENT_TYPE, "application/json").body(body.to_string())
    }

    /// The proof of a login, where one is needed; waiting for it may take a try's time on its own.
    async fn token(&self, place: usize) -> Result<Option<Arc<str>>, Trouble> {
        let Some((user, password)) = &self.login else { return Ok(None) };
        if let Some(token) = self.kept().clone() {
            return Ok(Some(token));
        }
        let slow = || Trouble::new(Meaning::Elsewhere, "no answer to the login in time");
        let deadline = Instant::now() + self.attempt;
        let mut logins = timeout_at(deadline, self.logins.lock()).await.map_err(|_| slow())?;
        // Whoever held the lock may have logged in.
        if let Some(token) = self.kept().clone() {
            return Ok(Some(token));
        }
        let place = place % self.endpoints.len();
        let login = logins[place].get_or_insert_with(|| {
            let request = self.post(place, "/v3/auth/authenticate", &json!({"name": user, "password": password}));
            let deadline = Instant::now() + LOGIN;
            Box::pin(async move { read(sent(request, deadline).await?, deadline).await })
        });
        let login = timeout_at(deadline, login.as_mut()).await.map_err(|_| slow())?;
        logins[place] = None;
        match login {
            Ok(login) if login.token.is_empty() => Err(Trouble::no_etcd()),
            Ok(login) => {
                let token: Arc<str> = login.token.into();
                *self.kept() = Some(Arc::clone(&token));
                Ok(Some(token))
            }
            // A cluster whose users are not switched on yet serves everybody.
            Err(trouble) if trouble.words == NO_LOGIN => Ok(None),
            // A login that may have happened has done nothing yet of what was asked.
            Err(Trouble { meaning: Meaning::Unknown, words }) => Err(Trouble::new(Meaning::Elsewhere, words)),
            Err(trouble) => Err(trouble),
        }
    }

    /// Drops a login, unless somebody has renewed it meanwhile.
    fn forget(&self, token: Option<&str>) {
        let mut kept = self.kept();
        if kept.as_deref() == token {
            *kept = None;
        }
    }

    /// The login that is in use.
    pub(super) fn kept(&self) -> MutexGuard<'_, Option<Arc<str>>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `trouble` with the endpoint at `place` means to a caller.
    pub(super) fn failure(&self, doing: &str, place: usize, trouble: Trouble) -> Failure {
        words::failure(doing, &[(self.address(place).to_owned(), self.masked(trouble))])
    }

    /// A server that is no etcd may repeat what was sent: the password, or the proof of the login.
    fn masked(&self, trouble: Trouble) -> Trouble {
        let mut secrets = self.secrets.clone();
        secrets.extend(self.kept().as_deref().map(str::to_owned));
        trouble.without(secrets)
    }
}

/// A password as it is, and as it stands in a body of JSON.
fn secrets(password: &str) -> Vec<String> {
    let written = Value::from(password).to_string();
    let mut forms = vec![written[1..written.len() - 1].to_owned(), password.to_owned()];
    forms.dedup();
    forms.retain(|form| !form.is_empty());
    forms
}

fn client(spec: &Spec) -> Result<Client, String> {
    // The library panics without a provider; the error says only that there is one already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut settings = Client::builder()
        .user_agent(concat!("marquee/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .http1_only()
        .https_only(spec.tls)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE)
        .tcp_keepalive_interval(KEEPALIVE_EVERY)
        .tcp_keepalive_retries(KEEPALIVE_TRIES)
        // Shorter than a try: what was never sent is then told apart from what may have happened.
        .connect_timeout(spec.attempt * 3 / 4);
    if !spec.tls {
        // Reading what the machine trusts takes time, and may fail where there is nothing.
        settings = settings.tls_certs_only([]);
    } else if let Some(trusted) = &spec.trusted {
        let trusted = Certificate::from_pem_bundle(trusted).map_err(|_| "the trusted certificates can't be read")?;
        settings = settings.tls_certs_only(trusted);
    }
    settings.build().map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        format!("no TLS on this machine: {why}")
    })
}

async fn sent(request: RequestBuilder, deadline: Instant) -> Result<Response, Trouble> {
    match timeout_at(deadline, request.send()).await {
        Ok(sent) => sent.map_err(|error| words::broken(&error)),
        Err(_) => Err(Trouble::silent()),
    }
}

async fn read<T: DeserializeOwned>(response: Response, deadline: Instant) -> Result<T, Trouble> {
    let status = response.status();
    let answer = whole(response, deadline).await?;
    if !status.is_success() {
        return Err(words::said(status.as_u16(), &answer));
    }
    // A stream's errors come with a status of success.
    serde_json::from_slice(&answer).map_err(|_| words::said(status.as_u16(), &answer))
}

/// The whole answer, as far as one is read.
async fn whole(mut response: Response, deadline: Instant) -> Result<Vec<u8>, Trouble> {
    let mut answer = Vec::new();
    loop {
        match timeout_at(deadline, response.chunk()).await {
            Err(_) => return Err(Trouble::silent()),
            // The answer began and was not finished: the question was heard.
            Ok(Err(error)) => return Err(Trouble::new(Meaning::Unknown, words::broken(&error).words)),
            Ok(Ok(None)) => return Ok(answer),
            Ok(Ok(Some(chunk))) if answer.len() + chunk.len() > ANSWER_BYTES_MAX => return Err(Trouble::too_large()),
            Ok(Ok(Some(chunk))) => answer.extend_from_slice(&chunk),
        }
    }
}
