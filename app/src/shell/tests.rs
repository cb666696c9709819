//! The shell over a real core: another profile becomes the active one while the window is open.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rspa_core::api::request::chats::CreateChat;
use rspa_core::api::request::profiles::{CreateProfile, SwitchProfile};
use rspa_core::api::{Core, CoreOptions, Role};
use rspa_core::clock::SystemClock;
use rspa_core::model::ProfileNetwork;

use super::*;
use crate::layout::Pane;
use crate::state::Page;

mod tasks;

/// How long it may take until something has come to be.
const PATIENCE: Duration = Duration::from_secs(60);

struct Window {
    ctx: Context,
    shell: Shell,
    woken: Receiver<()>,
}

impl Window {
    fn over(core: &Core) -> Self {
        let ctx = Context::default();
        let (sender, woken) = channel();
        ctx.set_request_repaint_callback(move |_| sender.send(()).unwrap_or_default());
        let shell = Shell::with_core(&ctx, core.clone(), Arc::new(SystemClock));
        Self { ctx, shell, woken }
    }

    /// Lets frames pass until it is so.
    fn until(&mut self, what: &str, so: impl Fn(&Shell) -> bool) {
        let end = std::time::Instant::now() + PATIENCE;
        while std::time::Instant::now() < end {
            self.shell.logic(&self.ctx);
            // As a frame does with what replies have led to.
            let ctx = self.ctx.clone();
            self.shell.dispatch(&ctx);
            if so(&self.shell) {
                return;
            }
            // A reply or an event wakes the window; the limit is only for what was woken before.
            self.woken.recv_timeout(Duration::from_millis(50)).unwrap_or_default();
        }
        panic!("it never came to this: {what}");
    }

    fn shows_settings(&self) -> bool {
        self.shell.state.ui.layout.panes().any(|pane| *pane == Pane::Page(Page::Settings))
    }
}

/// A core on an empty data folder in this one.
fn core(folder: &std::path::Path) -> Core {
    Core::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(folder.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([
            ("HOME".to_owned(), folder.display().to_string()),
            ("XDG_RUNTIME_DIR".to_owned(), folder.display().to_string()),
        ]),
        console_level: None,
        chat_model: None,
        faults: None,
        clock: Arc::new(SystemClock),
    })
    .unwrap()
}

#[test]
fn another_profile_brings_its_own_layout_and_leaves_nothing_of_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let core = core(folder.path());
    let home = core.in_profile(core.profile());
    let network = ProfileNetwork { forbid_cloud: true, ..ProfileNetwork::default() };
    let work = core.call(CreateProfile { name: "Work".to_owned(), network }).wait().unwrap();
    home.call(CreateChat { title: "At home".to_owned() }).wait().unwrap();
    let chats = |shell: &Shell| shell.state.chats.list.get().map(Vec::len);
    let name = |shell: &Shell| shell.state.pages.profiles.active().map(|profile| profile.name.clone());

    let mut window = Window::over(&core);
    window.until("the chat of home is listed", |shell| chats(shell) == Some(1) && shell.saved.is_restored());
    window.shell.state.ui.layout.open_page(Page::Settings);

    core.call(SwitchProfile { id: work.id }).wait().unwrap();
    window.until("the other profile is shown", |shell| {
        name(shell).as_deref() == Some("Work") && chats(shell) == Some(0) && shell.saved.is_restored()
    });
    assert_eq!(window.shell.state.profile, Some(work.id));
    assert!(!window.shows_settings());
    window.until("its network is known", |shell| {
        shell.state.network.as_ref().is_some_and(|network| network.forbid_cloud)
    });
    // What happens in the old profile stays there; what happens here is shown.
    home.call(CreateChat { title: "At home again".to_owned() }).wait().unwrap();
    core.call(CreateChat { title: "At work".to_owned() }).wait().unwrap();
    window.until("the chat of work is listed", |shell| chats(shell) == Some(1));
    let title = |shell: &Shell| shell.state.chats.list.get().unwrap()[0].chat.title.clone();
    assert_eq!(title(&window.shell), "At work");

    core.call(SwitchProfile { id: home.profile() }).wait().unwrap();
    window.until("home is shown again", |shell| chats(shell) == Some(2) && shell.saved.is_restored());
    assert!(window.shows_settings(), "the layout of home was kept");
    window.shell.close();
}
