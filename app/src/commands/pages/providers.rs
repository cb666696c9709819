//! What the person can do on the page "Providers".

use rspa_core::model::{ModelId, ProviderDraft, ProviderId, Routing};

use crate::state::pages::providers::{Editing, Part};

#[derive(Clone, Debug, PartialEq)]
pub enum ProvidersCommand {
    /// Reads it all again.
    Refresh,
    /// Opens the page, at this one if one is named.
    Show(Option<ProviderId>),
    ShowPart(Part),
    Select(Option<ProviderId>),
    Edit(Editing),
    CloseForm,
    Add(Box<ProviderDraft>),
    Update {
        id: ProviderId,
        draft: Box<ProviderDraft>,
    },
    /// The person was asked.
    Remove(ProviderId),
    /// Asks it now how it is.
    Check(ProviderId),
    /// Has the models of the chosen one listed, by the server itself.
    ListModels,
    Pull(ModelId),
    /// The person was asked.
    DeleteModel(ModelId),
    /// What no rule says otherwise is answered by this one.
    UseAsDefault(ModelId),
    SetRouting(Box<Routing>),
    ClearCache,
}
