//! Commands about retrieval tests.

use rspa_core::api::request::knowledge::{
    AdoptRetrievalSettings, RemoveRetrievalTest, RunRetrievalTests, SaveRetrievalTest, TryRetrievalSettings,
};

use crate::commands::pages::retrieval::RetrievalCommand;
use crate::shell::Shell;
use crate::state::{NoticeKind, Page};
use crate::text::tr;

impl Shell {
    pub(super) fn retrieval(&mut self, command: RetrievalCommand) {
        let state = &mut self.state;
        match command {
            RetrievalCommand::Refresh => state.pages.opened(Page::Knowledge),
            RetrievalCommand::Save { question, passage } => {
                self.engine.send(state, SaveRetrievalTest { question, passage }, |state, _, test| {
                    state.notices.push(state.now, NoticeKind::Done, tr("knowledge.tests.saved"), test.question.clone());
                    state.pages.retrieval.put(test);
                });
            }
            RetrievalCommand::Remove(id) => {
                self.engine.send(state, RemoveRetrievalTest { id }, move |state, _, item| {
                    super::trash::offer_undo(state, &item, None);
                    state.pages.retrieval.forget(id);
                });
            }
            RetrievalCommand::Run => self.engine.send(state, RunRetrievalTests {}, |_, _, _| {}),
            RetrievalCommand::Try(settings) => {
                self.engine.send(state, TryRetrievalSettings { settings, documents: 0 }, |_, _, _| {});
            }
            RetrievalCommand::Adopt(settings) => {
                self.engine.send(state, AdoptRetrievalSettings { settings }, |state, _, _| {
                    let detail = tr("knowledge.tests.adopted_detail");
                    state.notices.push(state.now, NoticeKind::Done, tr("knowledge.tests.adopted"), detail);
                    state.pages.opened(Page::Knowledge);
                });
            }
        }
    }
}
