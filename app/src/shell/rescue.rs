//! The window's side of recovery: looks at a damaged data folder and does what the person chose, off the drawing thread.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use egui::Context;
use rspa_core::api::{ApiError, ErrorCategory};
use rspa_core::recovery::{Exported, Recovery, Rescue};

use super::Engine;
use crate::state::{RescueWork, Rescuing};
use crate::text::tr;
use crate::views::recovery::Choice;

/// What is waited for.
pub struct Running(Receiver<Result<Done, ApiError>>);

enum Done {
    Looked {
        recovery: Option<Box<Recovery>>,
        target: PathBuf,
    },
    Saved(Exported),
    /// The core can start again.
    Ready,
}

impl Engine {
    pub(super) fn look_for_damage(&mut self, ctx: &Context, rescuing: &mut Rescuing) {
        let started = self.in_background(ctx, |rescue| {
            let recovery = rescue.examine()?.map(Box::new);
            Ok(Done::Looked { recovery, target: rescue.suggested_target() })
        });
        *rescuing = if started { Rescuing::Looking } else { Rescuing::Nothing };
    }

    /// Begins what the person chose; true when the core is to be started again at once.
    pub(super) fn rescue(&mut self, ctx: &Context, choice: Choice, rescuing: &mut Rescuing) -> bool {
        let begun = match choice {
            Choice::TryAgain => return true,
            Choice::Restore => self.in_background(ctx, |rescue| rescue.restore_newest().map(|_| Done::Ready)),
            Choice::StartAnew => self.in_background(ctx, |rescue| rescue.start_anew().map(|_| Done::Ready)),
            Choice::Save(target) => self.in_background(ctx, move |rescue| rescue.export(&target).map(Done::Saved)),
        };
        if let Rescuing::Found { work, .. } = rescuing
            && begun
        {
            *work = RescueWork::Running;
        }
        false
    }

    /// Takes in what recovery did; true when the core is to be started again.
    pub(super) fn poll_rescue(&mut self, rescuing: &mut Rescuing) -> bool {
        let Some(running) = &self.rescue else { return false };
        let done = match running.0.try_recv() {
            Ok(done) => done,
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Disconnected) => {
                Err(ApiError::new(ErrorCategory::System, tr("recovery.stopped"), tr("core.thread_advice")))
            }
        };
        self.rescue = None;
        match (done, &mut *rescuing) {
            (Ok(Done::Ready), _) => return true,
            (Ok(Done::Looked { recovery: Some(recovery), target }), _) => {
                *rescuing = Rescuing::Found { recovery, target, work: RescueWork::Idle };
            }
            (Ok(Done::Saved(exported)), Rescuing::Found { work, .. }) => *work = RescueWork::Saved(exported),
            (Err(error), Rescuing::Found { work, .. }) => *work = RescueWork::Failed(error),
            (_, rescuing) => *rescuing = Rescuing::Nothing,
        }
        false
    }

    /// False when there is nothing to work with.
    fn in_background(
        &mut self,
        ctx: &Context,
        work: impl FnOnce(&Rescue) -> Result<Done, ApiError> + Send + 'static,
    ) -> bool {
        let Some(make) = &mut self.make_options else { return false };
        let options = make();
        let (sender, receiver) = channel();
        let ctx = ctx.clone();
        let run = move || {
            let done = Rescue::of(&options).and_then(|rescue| work(&rescue));
            // Nobody waits any more when the window was closed in the meantime.
            if sender.send(done).is_ok() {
                ctx.request_repaint();
            }
        };
        match std::thread::Builder::new().name("recovery".into()).spawn(run) {
            Ok(_) => {
                self.rescue = Some(Running(receiver));
                true
            }
            Err(error) => {
                tracing::error!(%error, "the thread for recovery cannot be started");
                false
            }
        }
    }
}
