//! Every action that needs no more words: its name, what it does, its icon. The palette lists them all.

use crate::design::Icon;
use crate::text::tr;

macro_rules! actions {
    ($($name:ident $key:literal $icon:ident,)*) => {
        /// An action of the palette, of a button, of a shortcut.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($name,)*
        }

        impl Action {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in `assets/shortcuts.toml` and in the catalogue of texts.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)*
                }
            }

            pub const fn icon(self) -> Icon {
                match self {
                    $(Self::$name => Icon::$icon,)*
                }
            }
        }
    };
}

actions! {
    NewChat "new_chat" NotePencil,
    OpenChat "open_chat" ChatCircle,
    OpenAgents "open_agents" Robot,
    OpenTasks "open_tasks" Kanban,
    OpenSchedules "open_schedules" Clock,
    OpenUsage "open_usage" ChartLineUp,
    OpenServers "open_servers" Plugs,
    OpenProviders "open_providers" PlugsConnected,
    OpenCrews "open_crews" UsersFour,
    OpenKnowledge "open_knowledge" Books,
    OpenDashboard "open_dashboard" SquaresFour,
    OpenModels "open_models" Cpu,
    OpenSettings "open_settings" GearSix,
    OpenActivity "open_activity" Pulse,
    OpenLogs "open_logs" Article,
    OpenProfiles "open_profiles" ShareNetwork,
    OpenCredentials "open_credentials" Key,
    OpenBackups "open_backups" HardDrive,
    OpenTrash "open_trash" Trash,
    OpenGallery "open_gallery" Palette,
    Palette "palette" Command,
    QuickOpen "quick_open" ListMagnifyingGlass,
    FocusComposer "focus_composer" CursorText,
    FocusSearch "focus_search" MagnifyingGlass,
    StopAnswer "stop_answer" Stop,
    AddFolder "add_folder" FolderPlus,
    AddFile "add_file" FileText,
    AddPage "add_page" Globe,
    AddSample "add_sample" Package,
    RescanAll "rescan_all" ArrowsClockwise,
    ImportModel "import_model" UploadSimple,
    NewAgent "new_agent" Robot,
    NewCrew "new_crew" UsersFour,
    NewTask "new_task" Plus,
    NewSchedule "new_schedule" ClockCountdown,
    AddProvider "add_provider" PlugsConnected,
    AddServer "add_server" Plugs,
    Approvals "approvals" HandPalm,
    PauseAgents "pause_agents" PauseCircle,
    Doctor "doctor" Heartbeat,
    Notices "notices" Bell,
    Welcome "welcome" Sparkle,
    SplitRight "split_right" SquareSplitHorizontal,
    SplitDown "split_down" SquareSplitVertical,
    NextPane "next_pane" ArrowRight,
    ClosePane "close_pane" X,
    ResetLayout "reset_layout" ArrowCounterClockwise,
    ToggleRail "toggle_rail" SidebarSimple,
    ZoomIn "zoom_in" MagnifyingGlassPlus,
    ZoomOut "zoom_out" MagnifyingGlassMinus,
    ZoomReset "zoom_reset" MagnifyingGlass,
    ThemeSystem "theme_system" Desktop,
    ThemeDark "theme_dark" Moon,
    ThemeLight "theme_light" Sun,
    HighContrast "high_contrast" CircleHalf,
    ReduceMotion "reduce_motion" Prohibit,
    Quit "quit" SignOut,
}

impl Action {
    pub fn name(self) -> &'static str {
        tr(&format!("action.{}.name", self.key()))
    }

    /// What it does, for a tooltip.
    pub fn tooltip(self) -> &'static str {
        tr(&format!("action.{}.tip", self.key()))
    }

    /// False where the palette leaves it out.
    pub fn in_palette(self) -> bool {
        match self {
            Self::Palette => false,
            Self::OpenGallery => cfg!(debug_assertions) || std::env::var_os("RSPA_GALLERY").is_some(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_words() {
        for action in Action::ALL {
            for text in [action.name(), action.tooltip()] {
                assert!(!text.is_empty() && text != "…", "{action:?}");
            }
        }
    }
}
