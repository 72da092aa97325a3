//! File-system calls that may hang, kept off the runtime's workers.
//!
//! A call on a dead NFS server can't be cancelled: its thread waits until the
//! server is back. So each check has at most one such call in flight, and says
//! so instead of sending a second thread after the first. Deliberately not a
//! thread pool of its own: tokio's blocking threads are enough at one a check.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{BadTarget, Fault};

/// At most one blocking call at a time.
#[derive(Debug, Default)]
pub(super) struct Lane {
    busy: Arc<AtomicBool>,
}

/// Frees the lane when the call ends, also by a panic.
struct Turn(Arc<AtomicBool>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Lane {
    /// Runs `call` on a blocking thread. Dropping the future abandons the call, which then
    /// holds the lane until it returns by itself.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        if self.busy.swap(true, Ordering::AcqRel) {
            return Err(Fault("the last call has not come back yet: does the file system hang?".into()));
        }
        let turn = Turn(Arc::clone(&self.busy));
        let call = move || {
            let _turn = turn;
            call()
        };
        match tokio::task::spawn_blocking(call).await {
            Ok(result) => result,
            Err(ended) => Err(Fault(format!("the call was cut off: {ended}"))),
        }
    }
}

/// An I/O error in an operator's words, without the system's error number.
pub(super) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "not found".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => {
            let told = error.to_string();
            told.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

/// The path of `target`, which is `scheme` and a path: `file:/var/log/x`, `file:///var/log/x`.
pub(super) fn path_of(target: &str, scheme: &str) -> Result<PathBuf, BadTarget> {
    let rest = target.strip_prefix(scheme).unwrap_or(target);
    // The URL form has an empty host before the path; no other host can be meant here.
    let path = if rest.starts_with("///") { &rest[2..] } else { rest };
    if path.trim().is_empty() {
        return Err(BadTarget(format!("{scheme} needs a path, as in {scheme}/var/spool")));
    }
    if path.contains('\0') {
        return Err(BadTarget(format!("the path of {scheme} has a NUL character, which no path can have")));
    }
    Ok(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_plain_or_as_urls() {
        for (target, path) in [
            ("disk:/", Ok("/")),
            ("disk:/var/lib/a b", Ok("/var/lib/a b")),
            ("disk:///srv", Ok("/srv")),
            ("disk:relative/too", Ok("relative/too")),
            ("disk:", Err(())),
            ("disk:  ", Err(())),
            ("disk:/a\0b", Err(())),
        ] {
            assert_eq!(path_of(target, "disk:").map_err(drop), path.map(PathBuf::from), "{target:?}");
        }
    }

    #[tokio::test]
    async fn a_hung_call_is_not_followed_by_a_second() {
        let lane = Lane::default();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let hung = lane.run(move || {
            let _ = held.recv();
            Ok(())
        });
        // One poll starts the call; dropping the future is what a timeout does.
        assert!(futures_poll_once(hung).await.is_none());
        let second = lane.run(|| Ok(())).await;
        assert!(second.is_err_and(|fault| fault.0.contains("hang")));

        release.send(()).unwrap();
        while lane.run(|| Ok(())).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_panic_frees_the_lane() {
        let lane = Lane::default();
        assert!(lane.run::<()>(|| panic!("a bug")).await.is_err());
        assert_eq!(lane.run(|| Ok(7)).await, Ok(7));
    }

    async fn futures_poll_once<F: Future>(future: F) -> Option<F::Output> {
        let mut future = Box::pin(future);
        std::future::poll_fn(move |context| match future.as_mut().poll(context) {
            std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }
}
