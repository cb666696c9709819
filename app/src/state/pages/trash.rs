//! What the page "Trash" reads.

use rspa_core::api::request::trash::ListTrash;
use rspa_core::api::{Core, Event};
use rspa_core::model::{Page as ListPage, PageRequest, TrashItem};

use super::PageState;
use crate::state::Slot;
use crate::text::tr;

/// Rows that are asked for at once.
pub const PAGE: u32 = 400;

/// What a thing is called, in words also where it has no title.
pub fn title(item: &TrashItem) -> &str {
    if item.title.is_empty() { tr("chat.untitled") } else { &item.title }
}

#[derive(Default)]
pub struct TrashState {
    pub list: Slot<ListPage<TrashItem>>,
    /// The first row that the page shows; none while it was never opened.
    pub offset: Option<u64>,
    stale: bool,
}

impl TrashState {
    pub(crate) fn want(&mut self, offset: u64) {
        self.offset = Some(offset);
        self.stale = true;
    }
}

impl PageState for TrashState {
    fn opened(&mut self) {
        self.want(self.offset.unwrap_or(0));
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::TrashChanged => self.stale = true,
            // How long things stay is one of the settings.
            Event::SettingChanged { entry } if entry.group == "retention" => self.stale = true,
            Event::ProfileSwitched { .. } => {
                self.list.clear();
                self.stale = true;
            }
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list.poll();
        let (Some(core), Some(offset)) = (core, self.offset) else { return };
        self.stale |= self.list.take_stale();
        if std::mem::take(&mut self.stale) {
            self.list.refresh(|| core.call(ListTrash { page: PageRequest { offset, limit: PAGE } }));
        }
    }
}
