//! The shell around the pages: rail, panes, status bar, palette, dialogs; applies commands and keeps the state.

mod approvals;
mod consent;
mod dispatch;
mod drop;
mod engine;
mod notices_panel;
mod overlays;
mod page_dialog;
mod persist;
mod rail;
mod rescue;
mod save;
mod status;

use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{CentralPanel, Context, Frame, Panel, Ui};
use rspa_core::api::Core;
use rspa_core::api::request::system::GetUiState;
use rspa_core::clock::Clock;
use rspa_core::model::ProfileId;

pub use engine::{Engine, Started};

use crate::commands::palette::Palette;
use crate::commands::{CommandQueue, Confirmation, PickPurpose, Shortcuts};
use crate::design::{self, Look, UiExt};
use crate::layout::Panes;
use crate::state::{AppState, CoreStatus, NoticeKind, Rescuing, persisted};
use crate::text::tr;
use crate::views::recovery::RecoveryView;
use crate::views::welcome::Welcome;
use crate::views::{Cx, Views};
use crate::widgets::picker::Picker;
use crate::widgets::states;

/// Events are taken in for at most this long in one frame.
const DRAIN: Duration = Duration::from_millis(2);

/// Everything between eframe and the pages.
pub struct Shell {
    pub state: AppState,
    pub(crate) engine: Engine,
    clock: Arc<dyn Clock>,
    queue: CommandQueue,
    views: Views,
    shortcuts: Shortcuts,
    palette: Option<Palette>,
    picker: Option<(PickPurpose, Picker)>,
    confirmation: Option<Confirmation>,
    page_dialog: Option<page_dialog::PageDialog>,
    welcome: Option<Welcome>,
    recovery: RecoveryView,
    notices_open: bool,
    consent: consent::Asking,
    approvals: approvals::ApprovalsPanel,
    look: Option<Look>,
    saved: persist::Saved,
}

impl Shell {
    /// A shell that waits for a core that `engine` starts.
    pub fn new(engine: Engine, clock: Arc<dyn Clock>) -> Self {
        Self {
            state: AppState::default(),
            engine,
            clock,
            queue: CommandQueue::default(),
            views: Views::default(),
            shortcuts: Shortcuts::default(),
            palette: None,
            picker: None,
            confirmation: None,
            page_dialog: None,
            welcome: None,
            recovery: RecoveryView::default(),
            notices_open: false,
            consent: consent::Asking::default(),
            approvals: approvals::ApprovalsPanel::default(),
            look: None,
            saved: persist::Saved::default(),
        }
    }

    /// A shell over a core that runs already.
    pub fn with_core(ctx: &Context, core: Core, clock: Arc<dyn Clock>) -> Self {
        Self::new(Engine::running(ctx, core), clock)
    }

    /// A shell without an engine that shows the given state: for tests of what is drawn.
    pub fn showing(state: AppState, clock: Arc<dyn Clock>) -> Self {
        let saved = persist::Saved::as_stored(&state.ui);
        Self { state, saved, ..Self::new(Engine::none(), clock) }
    }

    /// The picker while it is open: for tests that give it listings.
    pub fn picker_mut(&mut self) -> Option<&mut Picker> {
        self.picker.as_mut().map(|(_, picker)| picker)
    }

    /// Tells something that must not stand in the way: only in the list behind the bell.
    pub fn tell_quietly(&mut self, words: String) {
        let now = self.clock.now();
        self.state.notices.push_quietly(now, crate::state::NoticeKind::Info, words);
    }

    /// Takes in what happened. Runs before each frame, and while the window is hidden.
    pub fn logic(&mut self, ctx: &Context) {
        self.state.now = self.clock.now();
        if let Some(persisted) = self.engine.take_start(ctx, &mut self.state) {
            self.restore(ctx, persisted);
        }
        if self.engine.poll_rescue(&mut self.state.rescuing) {
            self.engine.restart(ctx);
            self.state.core = CoreStatus::Starting;
            self.state.rescuing = Rescuing::Nothing;
        }
        let until = Instant::now() + DRAIN;
        if self.engine.drain(&mut self.state, until) {
            ctx.request_repaint();
        }
        if let Some(text) = self.state.entered.take() {
            self.restore_profile(text);
        }
        if let Some(profile) = self.engine.take_switch(&self.state) {
            self.enter_profile(ctx, profile);
        }
        self.engine.poll(ctx, &mut self.state, &mut self.queue);
        if let Some(why) = self.state.restart_wanted.take() {
            self.restart_engine(ctx, why);
        }
        self.tell_of_exports();
        self.poll_picker();
        self.come_forward(ctx);
        self.begin_welcome();
    }

    /// Ends the engine and starts it again, as a restore asks for; everything is read again then.
    fn restart_engine(&mut self, ctx: &Context, why: String) {
        if self.engine.restart(ctx) {
            self.state.notices.push(self.state.now, NoticeKind::Info, tr("core.again"), why);
            self.state.forget_data();
            self.views = Views::default();
            (self.palette, self.picker, self.confirmation, self.welcome) = (None, None, None, None);
            self.page_dialog = None;
            self.saved.begin_again();
        }
    }

    /// Shows another profile: everything of the one before goes, its layout is kept for the next time.
    fn enter_profile(&mut self, ctx: &Context, profile: ProfileId) {
        self.store_soon();
        self.engine.enter_profile(&mut self.state, profile);
        self.views = Views::default();
        (self.palette, self.picker, self.confirmation, self.welcome) = (None, None, None, None);
        self.page_dialog = None;
        self.saved.begin_again();
        self.engine.send(&mut self.state, GetUiState { name: persisted::NAME.to_owned() }, |state, _, text| {
            state.entered = Some(text);
        });
        ctx.request_repaint();
    }

    /// Draws the window and applies what the person did.
    pub fn ui(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx().clone();
        self.apply_look(&ctx);
        let dialog = self.picker.is_some() || self.confirmation.is_some() || self.page_dialog.is_some();
        if !dialog && self.state.consents.is_empty() {
            for action in self.shortcuts.pressed(&ctx) {
                self.queue.run(action);
            }
        }
        drop::dropped_files(&ctx, self.state.ui.layout.page(), &mut self.queue);
        let tokens = ui.tokens();
        Panel::bottom("status")
            .exact_size(tokens.size.status)
            .resizable(false)
            .show_separator_line(false)
            .frame(Frame::new().fill(tokens.color.bg0))
            .show(ui, |ui| status::ui(ui, &self.state, &self.shortcuts, &mut self.notices_open, &mut self.queue));
        let welcoming = self.welcome.is_some();
        if !welcoming {
            let width = if self.state.ui.rail_narrow { tokens.size.rail_narrow } else { tokens.size.rail };
            Panel::left("rail")
                .exact_size(width)
                .resizable(false)
                .show_separator_line(false)
                .frame(Frame::new().fill(tokens.color.bg0))
                .show(ui, |ui| rail::ui(ui, &self.state, &self.shortcuts, &mut self.queue));
        }
        if !welcoming && matches!(self.state.core, CoreStatus::Ready) {
            if !dialog && self.palette.is_none() {
                approvals::escape(&ctx, &self.state, &mut self.queue);
            }
            self.approvals.ui(ui, &self.state, &mut self.queue);
        }
        CentralPanel::no_frame().frame(Frame::new().fill(tokens.color.bg1)).show(ui, |ui| self.centre(ui));
        self.overlays(&ctx);
        self.state.signals.clear();
        if !self.queue.is_empty() {
            self.dispatch(&ctx);
            ctx.request_repaint();
        }
        self.keep(&ctx);
    }

    fn centre(&mut self, ui: &mut Ui) {
        ui.spacing_mut().item_spacing.y = 0.0;
        match &self.state.core {
            CoreStatus::Starting => {
                if !self.engine.waits_long(ui.ctx()) {
                    states::loading(ui, tr("core.starting"));
                } else if states::waiting(ui, tr("core.starting_long"), &Engine::waits_for(ui.ctx())) {
                    ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
                }
                return;
            }
            CoreStatus::Failed(error) => {
                let again = match &self.state.rescuing {
                    Rescuing::Looking => {
                        states::loading(ui, tr("recovery.looking"));
                        false
                    }
                    Rescuing::Nothing => states::core_failed(ui, error),
                    Rescuing::Found { recovery, target, work } => {
                        let choice = self.recovery.ui(ui, recovery, target, work, self.state.now);
                        choice.is_some_and(|choice| self.engine.rescue(ui.ctx(), choice, &mut self.state.rescuing))
                    }
                };
                if again {
                    self.engine.restart(ui.ctx());
                    self.state.core = CoreStatus::Starting;
                    self.state.rescuing = Rescuing::Nothing;
                }
                return;
            }
            CoreStatus::Closed => {
                states::empty(ui, design::Icon::Prohibit, tr("core.closed"), tr("core.closed_detail"), |_| {});
                return;
            }
            CoreStatus::Ready => {}
        }
        if let Some(welcome) = &mut self.welcome {
            let mut cx = Cx { state: &self.state, commands: &mut self.queue, focused: true };
            welcome.ui(ui, &mut cx);
            return;
        }
        let mut layout = std::mem::take(&mut self.state.ui.layout);
        let mut panes = Panes { views: &mut self.views, state: &self.state, commands: &mut self.queue };
        layout.ui(ui, &mut panes);
        self.views.retain_documents(&layout.panes().collect::<Vec<_>>());
        self.state.ui.layout = layout;
    }

    /// The welcome comes once, when there is nothing yet.
    fn begin_welcome(&mut self) {
        let nothing = self.state.has_no_sources() && self.state.chats.list.get().is_some_and(Vec::is_empty);
        if self.welcome.is_none() && !self.state.ui.welcomed && nothing && self.saved.is_restored() {
            self.welcome = Some(Welcome::default());
            self.engine.ask_models(&mut self.state);
        }
    }

    fn apply_look(&mut self, ctx: &Context) {
        let look = self.state.ui.look();
        if self.look != Some(look) {
            design::apply(ctx, look);
            self.look = Some(look);
        }
        if (ctx.zoom_factor() - self.state.ui.zoom).abs() > 0.001 {
            ctx.set_zoom_factor(self.state.ui.zoom);
        }
    }

    /// Stores what must survive, and ends the engine. Blocks until both are done.
    pub fn close(&mut self) {
        self.store_now();
        self.engine.shutdown();
    }
}

#[cfg(test)]
mod tests;
