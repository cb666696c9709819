//! Which requests may be sent again when nobody knows whether they were carried out: those that change nothing, and
//! those whose second time changes nothing more.

use super::Request;
use super::request::{
    activities::ActivitiesRequest, backups::BackupsRequest, chats::ChatsRequest, consents::ConsentsRequest,
    credentials::CredentialsRequest, knowledge::KnowledgeRequest, logs::LogsRequest, models::ModelsRequest,
    profiles::ProfilesRequest, settings::SettingsRequest, system::SystemRequest, trash::TrashRequest,
};

impl Request {
    pub fn repeatable(&self) -> bool {
        match self {
            Self::Activities(request) => match request {
                ActivitiesRequest::ListActivities(_)
                | ActivitiesRequest::ListActivityKinds(_)
                | ActivitiesRequest::ListActivityAgents(_)
                | ActivitiesRequest::CleanUp(_) => true,
            },
            Self::Backups(request) => match request {
                BackupsRequest::ListBackups(_)
                | BackupsRequest::VerifyBackup(_)
                | BackupsRequest::PreviewRestore(_)
                | BackupsRequest::GetHistoryRange(_) => true,
                BackupsRequest::CreateBackup(_)
                | BackupsRequest::DeleteBackup(_)
                | BackupsRequest::RestoreBackup(_) => false,
            },
            Self::Chats(request) => match request {
                ChatsRequest::ListChats(_)
                | ChatsRequest::GetMessages(_)
                | ChatsRequest::RenameChat(_)
                | ChatsRequest::StopAnswer(_) => true,
                ChatsRequest::CreateChat(_)
                | ChatsRequest::DeleteChat(_)
                | ChatsRequest::SendQuestion(_)
                | ChatsRequest::RetryAnswer(_) => false,
            },
            Self::Consents(request) => match request {
                ConsentsRequest::ListConsents(_) => true,
                ConsentsRequest::AnswerConsent(_) => false,
            },
            Self::Credentials(request) => match request {
                CredentialsRequest::ListCredentials(_)
                | CredentialsRequest::LockVault(_)
                | CredentialsRequest::ListGrants(_) => true,
                // Some carry secrets, which are not kept to be sent again; each of the others asks the person.
                CredentialsRequest::SetCredential(_)
                | CredentialsRequest::RemoveCredential(_)
                | CredentialsRequest::TestCredential(_)
                | CredentialsRequest::UnlockVault(_)
                | CredentialsRequest::SetPassphrase(_)
                | CredentialsRequest::RotateKey(_)
                | CredentialsRequest::MoveVault(_)
                | CredentialsRequest::AnswerGrant(_)
                | CredentialsRequest::RevokeGrant(_) => false,
            },
            Self::Knowledge(request) => match request {
                KnowledgeRequest::AddSource(_)
                | KnowledgeRequest::AddSampleSource(_)
                | KnowledgeRequest::ListSources(_)
                | KnowledgeRequest::PauseSource(_)
                | KnowledgeRequest::RescanSource(_)
                | KnowledgeRequest::WaitForSource(_)
                | KnowledgeRequest::ListDocuments(_)
                | KnowledgeRequest::ListProblems(_)
                | KnowledgeRequest::ReadDocument(_)
                | KnowledgeRequest::Search(_) => true,
                KnowledgeRequest::RemoveSource(_) => false,
            },
            Self::Logs(request) => match request {
                LogsRequest::ListLogs(_)
                | LogsRequest::CountLogs(_)
                | LogsRequest::GetLog(_)
                | LogsRequest::ListLogTargets(_)
                | LogsRequest::FollowLogs(_) => true,
                LogsRequest::ExportLogs(_) => false,
            },
            Self::Models(request) => match request {
                ModelsRequest::ListModels(_)
                | ModelsRequest::SetDefaultModel(_)
                | ModelsRequest::WarmModel(_)
                | ModelsRequest::Recommend(_)
                | ModelsRequest::ListCatalogue(_) => true,
                ModelsRequest::ImportModel(_) | ModelsRequest::RemoveModel(_) | ModelsRequest::DownloadModel(_) => {
                    false
                }
            },
            Self::Profiles(request) => match request {
                ProfilesRequest::ListProfiles(_)
                | ProfilesRequest::RenameProfile(_)
                | ProfilesRequest::SetProfileNetwork(_)
                | ProfilesRequest::SwitchProfile(_) => true,
                ProfilesRequest::CreateProfile(_) | ProfilesRequest::DeleteProfile(_) => false,
            },
            Self::Settings(request) => match request {
                SettingsRequest::ListSettings(_)
                | SettingsRequest::SetSetting(_)
                | SettingsRequest::ResetSetting(_)
                | SettingsRequest::AcceptSetting(_)
                | SettingsRequest::ListSettingProblems(_)
                | SettingsRequest::DumpSettings(_) => true,
                SettingsRequest::ExportSettings(_) | SettingsRequest::ImportSettings(_) => false,
            },
            Self::System(request) => match request {
                SystemRequest::GetOverview(_)
                | SystemRequest::RunDoctor(_)
                | SystemRequest::CheckFiles(_)
                | SystemRequest::ListJobs(_)
                | SystemRequest::GetNetworkStatus(_)
                | SystemRequest::ListLedger(_)
                | SystemRequest::ListFolder(_)
                | SystemRequest::GetUiState(_)
                | SystemRequest::PutUiState(_) => true,
                SystemRequest::CancelJob(_) => false,
            },
            Self::Trash(request) => match request {
                TrashRequest::ListTrash(_) => true,
                TrashRequest::RestoreTrashed(_) | TrashRequest::DeleteTrashed(_) | TrashRequest::EmptyTrash(_) => false,
            },
        }
    }
}
