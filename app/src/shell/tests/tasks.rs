//! The board over a real core: a move is seen at once, and taken back with the reason when it cannot be.

use rspa_core::api::request::tasks::CreateTasks;
use rspa_core::model::{BoardColumn, TaskDraft, Wait};

use super::{Window, core};
use crate::commands::UiCommand;
use crate::commands::pages::tasks::TasksCommand;
use crate::shell::Shell;
use crate::state::Page;
use crate::state::pages::tasks::TasksChoice;

fn titles(shell: &Shell, column: BoardColumn) -> Vec<String> {
    let cards = shell.state.pages.tasks.cards.as_ref();
    let content = cards.and_then(|cards| cards.column(column));
    content.map_or_else(Vec::new, |content| content.tasks.iter().map(|task| task.title.clone()).collect())
}

impl Window {
    fn does(&mut self, command: TasksCommand) {
        self.shell.queue.push(UiCommand::Tasks(command));
        let ctx = self.ctx.clone();
        self.shell.dispatch(&ctx);
    }
}

#[test]
fn a_move_is_seen_at_once_and_taken_back_when_it_cannot_be() {
    use BoardColumn::{Backlog, NeedsYou, Queued};
    let folder = tempfile::tempdir().unwrap();
    let core = core(folder.path());
    let drafts = ["One", "Two"].map(|title| TaskDraft { held: true, ..TaskDraft::new(None, title) });
    let made = core.call(CreateTasks { drafts: drafts.to_vec() }).wait().unwrap();
    let mut window = Window::over(&core);
    window.until("the window is there", |shell| shell.saved.is_restored());
    window.shell.open_page(Page::Tasks);
    window.does(TasksCommand::Choose(TasksChoice::default()));
    window.until("both are in the backlog", |shell| titles(shell, Backlog).len() == 2);

    window.does(TasksCommand::Move { id: made[1].id, column: Queued, before: None });
    assert_eq!(
        (titles(&window.shell, Backlog), titles(&window.shell, Queued)),
        (vec!["One".into()], vec!["Two".into()])
    );
    window.until("core has it so", |shell| {
        let task = shell.state.pages.tasks.task(made[1].id);
        task.is_some_and(|task| task.column == Queued && task.waits == Some(Wait::Nobody))
    });

    // What stands there needs a word of the person; nobody puts it there.
    window.does(TasksCommand::Move { id: made[0].id, column: NeedsYou, before: None });
    assert_eq!(titles(&window.shell, NeedsYou), ["One"]);
    window.until("it is back, and why was told", |shell| {
        titles(shell, Backlog) == ["One"] && shell.state.notices.list().any(|notice| !notice.detail.is_empty())
    });

    // Deleted, and brought back with the button of the notice.
    window.does(TasksCommand::Delete(vec![made[0].id]));
    window.until("it is gone, with a way back", |shell| {
        titles(shell, Backlog).is_empty() && shell.state.notices.list().any(|notice| notice.action.is_some())
    });
    let number = window.shell.state.notices.list().find(|notice| notice.action.is_some()).unwrap().number;
    let back = window.shell.state.notices.take_action(number).unwrap();
    window.shell.queue.push(back);
    let ctx = window.ctx.clone();
    window.shell.dispatch(&ctx);
    window.until("it is there again", |shell| titles(shell, Backlog) == ["One"]);
    window.until("the counts say so", |shell| {
        shell.state.pages.tasks.counts.get().is_some_and(|counts| counts.pending == 2)
    });
    window.shell.close();
}
