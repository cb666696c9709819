//! Keeps layout, window, theme and zoom through core: written a moment after the last change, and at the end.

use std::time::{Duration, Instant};

use egui::{Context, ViewportCommand, ViewportId};
use rspa_core::api::request::system::PutUiState;

use super::Shell;
use crate::state::persisted::{self, Persisted, WindowPlace};

/// How long nothing must have changed before it is written.
const CALM: Duration = Duration::from_millis(600);

#[derive(Default)]
pub(super) struct Saved {
    /// What core has; none before it was read.
    stored: Option<Persisted>,
    seen: Option<Persisted>,
    changed: Option<Instant>,
    /// The place of the window was known before it opened.
    placed: bool,
}

impl Saved {
    /// Nothing differs from what is stored.
    pub(super) fn as_stored(persisted: &Persisted) -> Self {
        Self { stored: Some(persisted.clone()), seen: Some(persisted.clone()), changed: None, placed: true }
    }

    /// Nothing is stored before the state of the other profile was read.
    pub(super) fn begin_again(&mut self) {
        (self.stored, self.seen, self.changed) = (None, None, None);
    }

    pub(super) fn is_restored(&self) -> bool {
        self.stored.is_some()
    }
}

impl Shell {
    /// The window was opened with this state already.
    pub fn opened_with(&mut self, persisted: &Persisted) {
        self.state.ui = persisted.clone();
        self.saved.placed = true;
    }

    pub(super) fn restore(&mut self, ctx: &Context, text: Option<String>) {
        let persisted = text.as_deref().map(Persisted::read).unwrap_or_default();
        if !self.saved.placed && text.is_some() {
            let [width, height] = persisted.window.size;
            ctx.send_viewport_cmd_to(ViewportId::ROOT, ViewportCommand::InnerSize(egui::vec2(width, height)));
        }
        self.state.ui = persisted.clone();
        self.state.chats.open = persisted.open_chat;
        if let Some(chat) = persisted.open_chat {
            super::dispatch::ask_messages(&mut self.engine, &mut self.state, chat);
        }
        self.saved.stored = Some(persisted.clone());
        self.saved.seen = Some(persisted);
    }

    /// Takes over what was kept for a profile: layout and open chat. The window itself stays as it is.
    pub(super) fn restore_profile(&mut self, text: Option<String>) {
        let kept = text.as_deref().map(Persisted::read);
        let now = &mut self.state.ui;
        (now.layout, now.open_chat, now.tasks) =
            kept.map(|kept| (kept.layout, kept.open_chat, kept.tasks)).unwrap_or_default();
        // Whoever has profiles knows the program.
        self.state.ui.welcomed = true;
        self.state.chats.open = self.state.ui.open_chat;
        if let Some(chat) = self.state.ui.open_chat {
            super::dispatch::ask_messages(&mut self.engine, &mut self.state, chat);
        }
        self.open_pages_again();
        self.saved.stored = Some(self.state.ui.clone());
        self.saved.seen = Some(self.state.ui.clone());
        let name = self.state.pages.profiles.active().map(|profile| profile.name.clone());
        if let Some(name) = name {
            let title = crate::text::tr_with("profiles.switched", &[("name", &name)]);
            self.state.notices.push(self.state.now, crate::state::NoticeKind::Info, title, "");
        }
    }

    /// Notices changes and writes them when they have come to rest.
    pub(super) fn keep(&mut self, ctx: &Context) {
        if !self.saved.is_restored() || self.engine.core().is_none() {
            return;
        }
        self.remember_window(ctx);
        self.state.ui.open_chat = self.state.chats.open;
        if self.saved.seen.as_ref() != Some(&self.state.ui) {
            self.saved.seen = Some(self.state.ui.clone());
            self.saved.changed = Some(Instant::now());
        }
        if self.saved.stored.as_ref() == Some(&self.state.ui) {
            self.saved.changed = None;
        }
        if let Some(changed) = self.saved.changed {
            let since = changed.elapsed();
            if since >= CALM {
                self.put();
            } else {
                ctx.request_repaint_after(CALM - since);
            }
        }
    }

    fn put(&mut self) {
        self.saved.stored = Some(self.state.ui.clone());
        self.saved.changed = None;
        let request = PutUiState { name: persisted::NAME.to_owned(), text: self.state.ui.write() };
        self.engine.send(&mut self.state, request, |_, _, ()| {});
    }

    /// Hands over what is not yet stored and does not wait: the profile may just be closing.
    pub(super) fn store_soon(&mut self) {
        if self.saved.is_restored()
            && self.saved.stored.as_ref() != Some(&self.state.ui)
            && let Some(core) = self.engine.core()
        {
            drop(core.call(PutUiState { name: persisted::NAME.to_owned(), text: self.state.ui.write() }));
        }
    }

    /// Writes at once and waits: the window is closing.
    pub(super) fn store_now(&mut self) {
        if self.saved.is_restored()
            && self.saved.stored.as_ref() != Some(&self.state.ui)
            && let Some(core) = self.engine.core()
        {
            let request = PutUiState { name: persisted::NAME.to_owned(), text: self.state.ui.write() };
            if let Err(error) = core.call(request).wait() {
                tracing::warn!(%error, "the layout could not be stored");
            }
        }
    }

    fn remember_window(&mut self, ctx: &Context) {
        let (inner, outer, maximized, minimized) = ctx.input(|i| {
            let viewport = i.viewport();
            (viewport.inner_rect, viewport.outer_rect, viewport.maximized, viewport.minimized)
        });
        if minimized == Some(true) {
            return;
        }
        let place = &mut self.state.ui.window;
        place.maximized = maximized == Some(true);
        if place.maximized {
            return;
        }
        // egui counts in zoomed points, the window in points of the screen.
        let zoom = ctx.zoom_factor();
        let round = |v: f32| (v * zoom).round();
        if let Some(rect) = inner {
            place.size = [round(rect.width()), round(rect.height())];
        }
        if let Some(rect) = outer {
            *place = WindowPlace { position: Some([round(rect.left()), round(rect.top())]), ..*place };
        }
    }
}
