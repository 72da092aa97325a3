//! Acknowledging an alarm: one way for the keyboard and the API, so that both are refused alike and the log tells
//! of both.

use tracing::info;

use super::desk::{leads, no_item};
use crate::api::Refused;
use crate::frame::{Role, Safe};
use crate::kernel::board::ItemId;
use crate::kernel::{Input, Kernel, Moment};

/// Somebody knows of the alarm that `id` shows, or takes that back; `from`: by which way they say so.
/// Saying it again changes nothing and is well.
///
/// # Errors
/// Where there is no such item or it shows no alarm, and on a follower with the `leader` to ask.
pub(super) fn acknowledge(
    (kernel, now): (&mut Kernel, Moment),
    id: &ItemId,
    known: bool,
    from: &'static str,
    leader: Option<&Safe>,
) -> Result<(), Refused> {
    // Who lost the others goes on calling at nobody but those who stand before it: they may say that they know.
    if !matches!(kernel.role(), Role::Local(_)) {
        leads(kernel, leader)?;
    }
    let item = kernel.board().get(id).ok_or_else(|| no_item(id))?;
    let level = item.level();
    if known && !level.is_alarm() {
        let why = format!("{id} is {level}: only what is critical, unknown or warning can be acknowledged");
        return Err(Refused::Conflict(why));
    }
    let before = item.acknowledged;
    let input = if known { Input::Acknowledge } else { Input::Unacknowledge };
    kernel.handle(now, input(id.clone()));
    let after = kernel.board().get(id).and_then(|item| item.acknowledged);
    if after != before {
        let what = if known { "an alarm was acknowledged" } else { "an acknowledgement was taken back" };
        info!(item = %id, %level, from, "{what}");
    }
    Ok(())
}
