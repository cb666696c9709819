//! Which requests may be sent again when nobody knows whether they were carried out: those that change nothing, and
//! those whose second time changes nothing more.

use super::Request;
use super::request::{
    activities::ActivitiesRequest, agents::AgentsRequest, approvals::ApprovalsRequest, backups::BackupsRequest,
    chats::ChatsRequest, consents::ConsentsRequest, credentials::CredentialsRequest, crews::CrewsRequest,
    dashboard::DashboardRequest, knowledge::KnowledgeRequest, logs::LogsRequest, mcp::McpRequest,
    models::ModelsRequest, notifications::NotificationsRequest, profiles::ProfilesRequest, providers::ProvidersRequest,
    runs::RunsRequest, schedules::SchedulesRequest, settings::SettingsRequest, system::SystemRequest,
    tasks::TasksRequest, trash::TrashRequest, usage::UsageRequest,
};

impl Request {
    pub fn repeatable(&self) -> bool {
        match self {
            Self::Agents(request) => match request {
                AgentsRequest::ListAgents(_)
                | AgentsRequest::GetAgent(_)
                | AgentsRequest::UpdateAgent(_)
                | AgentsRequest::SetAgentStatus(_)
                | AgentsRequest::ExportAgent(_)
                | AgentsRequest::ListAgentTypes(_)
                | AgentsRequest::ListTools(_)
                | AgentsRequest::SetToolPolicy(_)
                | AgentsRequest::GetAgentMetrics(_)
                | AgentsRequest::ListAgentData(_)
                | AgentsRequest::PutAgentDatum(_)
                | AgentsRequest::RemoveSampleData(_) => true,
                AgentsRequest::CreateAgent(_)
                | AgentsRequest::DuplicateAgent(_)
                | AgentsRequest::DeleteAgent(_)
                | AgentsRequest::ImportAgent(_)
                | AgentsRequest::AddSampleData(_) => false,
            },
            Self::Approvals(request) => match request {
                ApprovalsRequest::ListApprovals(_)
                | ApprovalsRequest::GetApproval(_)
                | ApprovalsRequest::ListApprovalRules(_) => true,
                ApprovalsRequest::AnswerApproval(_) | ApprovalsRequest::RemoveApprovalRule(_) => false,
            },
            Self::Dashboard(request) => match request {
                DashboardRequest::GetDashboard(_) => true,
            },
            Self::Notifications(request) => match request {
                NotificationsRequest::ListNotifications(_) | NotificationsRequest::MarkRead(_) => true,
                NotificationsRequest::ClearNotifications(_) => false,
            },
            Self::Runs(request) => match request {
                RunsRequest::ListRuns(_) | RunsRequest::GetRun(_) | RunsRequest::GetRunSteps(_) => true,
            },
            Self::Crews(request) => match request {
                CrewsRequest::ListCrews(_)
                | CrewsRequest::GetCrew(_)
                | CrewsRequest::UpdateCrew(_)
                | CrewsRequest::ListCrewTemplates(_)
                | CrewsRequest::ExportCrew(_)
                | CrewsRequest::ListCrewRuns(_)
                | CrewsRequest::GetCrewRun(_)
                | CrewsRequest::CancelCrewRun(_)
                | CrewsRequest::WaitForCrewRun(_) => true,
                CrewsRequest::CreateCrew(_)
                | CrewsRequest::DuplicateCrew(_)
                | CrewsRequest::DeleteCrew(_)
                | CrewsRequest::CreateCrewFromTemplate(_)
                | CrewsRequest::ImportCrew(_)
                | CrewsRequest::RunCrew(_)
                | CrewsRequest::ResumeCrewRun(_)
                | CrewsRequest::ReplayCrewRun(_) => false,
            },
            Self::Mcp(request) => match request {
                McpRequest::ListMcpServers(_)
                | McpRequest::UpdateMcpServer(_)
                | McpRequest::StartMcpServer(_)
                | McpRequest::StopMcpServer(_)
                | McpRequest::GetMcpOffer(_)
                | McpRequest::ReadMcpResource(_) => true,
                McpRequest::AddMcpServer(_)
                | McpRequest::RemoveMcpServer(_)
                | McpRequest::CallMcpTool(_)
                | McpRequest::GetMcpPrompt(_) => false,
            },
            Self::Providers(request) => match request {
                ProvidersRequest::ListProviders(_)
                | ProvidersRequest::UpdateProvider(_)
                | ProvidersRequest::CheckProvider(_)
                | ProvidersRequest::ListProviderModels(_)
                | ProvidersRequest::GetProviderModel(_)
                | ProvidersRequest::EmbedTexts(_)
                | ProvidersRequest::GetRouting(_)
                | ProvidersRequest::SetRouting(_)
                | ProvidersRequest::GetCacheStats(_)
                | ProvidersRequest::ClearCache(_) => true,
                ProvidersRequest::AddProvider(_)
                | ProvidersRequest::RemoveProvider(_)
                | ProvidersRequest::PullModel(_)
                | ProvidersRequest::DeleteProviderModel(_) => false,
            },
            Self::Usage(request) => match request {
                UsageRequest::GetUsage(_)
                | UsageRequest::ListFeatureUse(_)
                | UsageRequest::ExportUsage(_)
                | UsageRequest::DeleteUsage(_) => true,
                UsageRequest::CountFeature(_) => false,
            },
            Self::Schedules(request) => match request {
                SchedulesRequest::ListSchedules(_)
                | SchedulesRequest::GetSchedule(_)
                | SchedulesRequest::UpdateSchedule(_)
                | SchedulesRequest::EnableSchedule(_)
                | SchedulesRequest::ListScheduleRuns(_)
                | SchedulesRequest::PreviewTiming(_)
                | SchedulesRequest::ListBackgroundAgents(_) => true,
                SchedulesRequest::CreateSchedule(_)
                | SchedulesRequest::DeleteSchedule(_)
                | SchedulesRequest::RunScheduleNow(_)
                | SchedulesRequest::SwitchBackgroundAgent(_) => false,
            },
            Self::Tasks(request) => match request {
                TasksRequest::ListTasks(_)
                | TasksRequest::GetBoard(_)
                | TasksRequest::CountTasks(_)
                | TasksRequest::GetTask(_)
                | TasksRequest::FindTask(_)
                | TasksRequest::UpdateTask(_)
                | TasksRequest::CancelTasks(_)
                | TasksRequest::WaitForTask(_)
                | TasksRequest::PauseQueue(_)
                | TasksRequest::RunQueue(_) => true,
                TasksRequest::CreateTasks(_)
                | TasksRequest::MoveTask(_)
                | TasksRequest::RetryTasks(_)
                | TasksRequest::AllowRepeat(_)
                | TasksRequest::DeleteTasks(_) => false,
            },
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
                | ChatsRequest::ChooseVersion(_)
                | ChatsRequest::ListChatFolders(_)
                | ChatsRequest::CreateChatFolder(_)
                | ChatsRequest::DeleteChatFolder(_)
                | ChatsRequest::MoveChat(_)
                | ChatsRequest::PinChat(_)
                | ChatsRequest::SearchChats(_)
                | ChatsRequest::ExportChat(_)
                | ChatsRequest::FindMentions(_)
                | ChatsRequest::PreviewContext(_)
                | ChatsRequest::StopAnswer(_) => true,
                ChatsRequest::CreateChat(_)
                | ChatsRequest::DeleteChat(_)
                | ChatsRequest::SendQuestion(_)
                | ChatsRequest::EditQuestion(_)
                | ChatsRequest::ContinueAnswer(_)
                | ChatsRequest::BranchChat(_)
                | ChatsRequest::RenameChatFolder(_)
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
                | KnowledgeRequest::AddPage(_)
                | KnowledgeRequest::AddSampleSource(_)
                | KnowledgeRequest::ListSources(_)
                | KnowledgeRequest::PauseSource(_)
                | KnowledgeRequest::RescanSource(_)
                | KnowledgeRequest::WaitForSource(_)
                | KnowledgeRequest::ListDocuments(_)
                | KnowledgeRequest::ListProblems(_)
                | KnowledgeRequest::ReadDocument(_)
                | KnowledgeRequest::Search(_)
                | KnowledgeRequest::ExplainMissing(_)
                | KnowledgeRequest::ListRetrievalTests(_)
                | KnowledgeRequest::AdoptRetrievalSettings(_)
                | KnowledgeRequest::DescribeDocument(_) => true,
                KnowledgeRequest::RemoveSource(_)
                | KnowledgeRequest::SaveRetrievalTest(_)
                | KnowledgeRequest::RemoveRetrievalTest(_)
                | KnowledgeRequest::RunRetrievalTests(_)
                | KnowledgeRequest::TryRetrievalSettings(_) => false,
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
