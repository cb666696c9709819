//! `rspa notifications`: what the person was told, marked as read, cleared.

use clap::{Args, Subcommand};
use rspa_core::api::request::notifications::{ClearNotifications, ListNotifications, MarkRead};
use rspa_core::model::{Notification, NotificationId, NotificationKind, PageRequest};

use super::Context;
use super::activities::moment;
use super::failure::Failure;
use super::output::{Output, one_line};
use super::session::Session;

#[derive(Args)]
pub struct NotificationsArguments {
    #[command(subcommand)]
    verb: Option<NotificationsVerb>,
}

#[derive(Subcommand)]
enum NotificationsVerb {
    /// Show them, the newest first
    List {
        /// Only those that were not read yet
        #[arg(long)]
        unread: bool,
        /// The newest so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Mark one as read, or all
    Read {
        /// Its id; without it all
        id: Option<NotificationId>,
    },
    /// Remove one, or all
    Clear {
        /// Its id; without it all
        id: Option<NotificationId>,
    },
}

pub fn run(context: &Context, arguments: NotificationsArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb.unwrap_or(NotificationsVerb::List { unread: false, limit: 50 }) {
        NotificationsVerb::List { unread, limit } => {
            let page = session.call(ListNotifications { unread, page: PageRequest { offset: 0, limit } })?;
            if output.json {
                return output.json_line(&page);
            }
            if page.items.is_empty() {
                output.note("Nothing was told.");
            }
            page.items.iter().try_for_each(|told| show(output, told))?;
            let more = page.total.saturating_sub(page.items.len() as u64);
            if more > 0 {
                output.note(&format!("{more} older ones are not shown; --limit {} shows all.", page.total));
            }
            Ok(())
        }
        NotificationsVerb::Read { id } => {
            let unread = session.call(MarkRead { id })?;
            if output.json {
                return output.json_line(&serde_json::json!({ "unread": unread }));
            }
            output.line(&format!("{unread} unread."))
        }
        NotificationsVerb::Clear { id } => {
            session.call(ClearNotifications { id })?;
            if output.json {
                return output.json_line(&serde_json::json!({ "cleared": true }));
            }
            output.line("Cleared.")
        }
    }
}

fn show(output: Output, told: &Notification) -> Result<(), Failure> {
    let mark = if told.read { ' ' } else { '*' };
    let kind = match told.kind {
        NotificationKind::Done => "done",
        NotificationKind::Failed => "failed",
        NotificationKind::NeedsYou => "needs you",
        NotificationKind::Info => "info",
    };
    output.line(&format!("{mark} {}  {}  {kind:<9}  {}", moment(told.at), told.id, one_line(&told.title)))?;
    match told.detail.is_empty() {
        true => Ok(()),
        false => output.line(&format!("    {}", one_line(&told.detail))),
    }
}
