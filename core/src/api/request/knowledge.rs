//! Sources, documents and search.

mod retrieval;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{
    Document, DocumentOutline, DocumentProblem, DocumentText, Job, Page, PageRequest, RetrievalSettings, RetrievalTest,
    RetrievalTests, SearchQuery, SearchResults, SourceId, SourceStatus, TrashItem, WhyNot,
};
use crate::trust::egress::Destination;

pub use retrieval::*;

/// Adds a folder or a file; adding it again scans it again. Indexing goes on in the background.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddSource {
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
}

/// Fetches a page of the web through the door and adds it as a source; adding it again fetches it again. It is kept, so
/// that it can be read and searched offline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddPage {
    /// https, or http to this computer itself; no name or password in it.
    pub address: String,
    /// The host that the person agreed to just now; without one the network policy alone decides.
    pub confirmed_host: Option<String>,
}

/// Writes the sample folder into the data folder (once) and adds it as a source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddSampleSource {}

/// Puts a source into the trash: its documents, passages and vectors go. The files themselves are not touched. Chats, tasks
/// and activities cannot be removed: paused, they are not searched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoveSource {
    pub id: SourceId,
}

/// All sources, oldest first; the profile's own chats, tasks and activities last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListSources {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PauseSource {
    pub id: SourceId,
    pub paused: bool,
}

/// Looks for changes now. A page of the web is fetched again, if the network policy allows it; else what was kept stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RescanSource {
    pub id: SourceId,
}

/// How far `WaitForSource` waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// Keyword and static vectors cover the source.
    Searchable,
    /// The installed encoder has embedded it too.
    Complete,
}

/// Replies when the source has come that far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WaitForSource {
    pub id: SourceId,
    pub until: WaitFor,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListDocuments {
    pub source: SourceId,
    /// Part of the path; empty means all.
    pub filter: String,
    pub page: PageRequest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListProblems {
    /// None means of all sources.
    pub source: Option<SourceId>,
    pub page: PageRequest,
}

/// The readable text of an indexed document around these lines (at most 2,000 lines).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadDocument {
    /// As a passage or document has it; must belong to a source.
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    /// From 1, inclusive.
    pub start_line: u32,
    pub end_line: u32,
}

/// How an indexed document is built: its headings, symbols, tables and pages, read again from the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DescribeDocument {
    /// As a passage or document has it; must belong to a source.
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Search {
    pub query: SearchQuery,
}

/// Why the document at a path is not among the hits of a search.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExplainMissing {
    pub query: SearchQuery,
    /// Absolute, or part of the document's path or title.
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
}

family!(Knowledge, KnowledgeRequest, KnowledgeResponse {
    AddSource => SourceStatus,
    AddPage => SourceStatus,
    AddSampleSource => SourceStatus,
    RemoveSource => TrashItem,
    ListSources => Vec<SourceStatus>,
    PauseSource => SourceStatus,
    RescanSource => SourceStatus,
    WaitForSource => SourceStatus,
    ListDocuments => Page<Document>,
    ListProblems => Page<DocumentProblem>,
    ReadDocument => DocumentText,
    DescribeDocument => DocumentOutline,
    Search => SearchResults,
    ExplainMissing => WhyNot,
    SaveRetrievalTest => RetrievalTest,
    ListRetrievalTests => RetrievalTests,
    RemoveRetrievalTest => TrashItem,
    RunRetrievalTests => Job,
    TryRetrievalSettings => Job,
    AdoptRetrievalSettings => RetrievalSettings,
});

impl KnowledgeRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::AddPage(add) => {
                let host = Destination::parse(add.address.trim()).map(|place| place.host);
                Guard::person(match host {
                    Some(host) => format!("A page of {host} is fetched and kept as a source."),
                    None => "A page of the web is fetched and kept as a source.".to_owned(),
                })
            }
            Self::AddSource(_)
            | Self::AddSampleSource(_)
            | Self::RemoveSource(_)
            | Self::ListSources(_)
            | Self::PauseSource(_)
            | Self::RescanSource(_)
            | Self::WaitForSource(_)
            | Self::ListDocuments(_)
            | Self::ListProblems(_)
            | Self::ReadDocument(_)
            | Self::Search(_)
            | Self::ExplainMissing(_)
            | Self::SaveRetrievalTest(_)
            | Self::ListRetrievalTests(_)
            | Self::RemoveRetrievalTest(_)
            | Self::RunRetrievalTests(_)
            | Self::TryRetrievalSettings(_)
            | Self::AdoptRetrievalSettings(_)
            | Self::DescribeDocument(_) => Guard::Open,
        }
    }
}
