//! The form that sets a tool server up: a program with what it may see, or an address with its headers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use egui::{Align, Id, Label, Layout, Ui};
use rspa_core::model::{
    AllowedFolder, CredentialList, McpSecret, McpServerDraft, McpServerId, McpTransport, NetworkPolicy, Permission,
};

use super::push;
use crate::commands::pages::servers::ServersCommand;
use crate::commands::{PickPurpose, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::Page;
use crate::state::pages::servers::{Editing, ServersState};
use crate::text::{path, short, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{
    Button, IconButton, TextArea, TextField, Tone, choice, page_body, page_header, section_title, select, speak_as,
    states, toggle,
};

/// A name with its value, as they are typed.
struct Pair {
    name: String,
    value: String,
    /// The value is the name of a service in the vault.
    from_vault: bool,
}

pub struct Form {
    number: u64,
    id: Option<McpServerId>,
    name: String,
    program: bool,
    command: String,
    arguments: String,
    folder: String,
    address: String,
    environment: Vec<Pair>,
    headers: Vec<Pair>,
    folders: Vec<AllowedFolder>,
    network: bool,
    seconds: String,
    permission: Permission,
    enabled: bool,
    tried: bool,
    focus: bool,
    /// The number of the folder that was picked and taken last.
    taken: u64,
}

const PERMISSIONS: [(Permission, &str); 3] = [
    (Permission::Ask, "servers.form.ask"),
    (Permission::Allow, "servers.form.allow"),
    (Permission::Deny, "servers.form.deny"),
];

impl Form {
    /// The form of before while it is for the same opening, else a new one.
    pub fn kept(before: Option<Self>, editing: Editing, page: &ServersState) -> Option<Self> {
        if let Some(form) = before.filter(|form| form.number == page.form) {
            return Some(form);
        }
        let mut form = Self::empty(page.form);
        if let Editing::Change(id) = editing {
            form.take(id, &page.server(id)?.settings);
        }
        Some(form)
    }

    fn empty(number: u64) -> Self {
        Self {
            number,
            id: None,
            name: String::new(),
            program: true,
            command: String::new(),
            arguments: String::new(),
            folder: String::new(),
            address: String::new(),
            environment: Vec::new(),
            headers: Vec::new(),
            folders: Vec::new(),
            network: false,
            seconds: "60".to_owned(),
            permission: Permission::Ask,
            enabled: true,
            tried: false,
            focus: true,
            taken: 0,
        }
    }

    fn take(&mut self, id: McpServerId, settings: &McpServerDraft) {
        self.id = Some(id);
        self.name.clone_from(&settings.name);
        self.seconds = settings.call_seconds.to_string();
        self.permission = settings.default;
        self.enabled = settings.enabled;
        match &settings.transport {
            McpTransport::Stdio { command, args, env, folder, folders, network } => {
                self.command.clone_from(command);
                self.arguments = args.join("\n");
                self.environment = pairs(env);
                self.folder = folder.as_ref().map(|folder| folder.display().to_string()).unwrap_or_default();
                self.folders.clone_from(folders);
                self.network = *network;
            }
            McpTransport::Http { url, headers } => {
                self.program = false;
                self.address.clone_from(url);
                self.headers = pairs(headers);
            }
        }
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let title = match self.id {
            None => tr("servers.form.new").to_owned(),
            Some(_) => tr_with("servers.form.change", &[("name", &short(&self.name, 60))]),
        };
        if let Some((number, path)) = cx.state.pages.servers.picked.clone().filter(|(number, _)| *number > self.taken) {
            self.taken = number;
            if !self.folders.iter().any(|folder| folder.path == path) {
                self.folders.push(AllowedFolder { path, write: false });
            }
        }
        let saving = cx.state.pages.servers.saving;
        let mut save = false;
        let escape = cx.focused && ui.input(|input| input.key_pressed(egui::Key::Escape));
        let mut leave = escape && !ui.ctx().text_edit_focused();
        page_header(ui, &title, |ui| {
            let words = if self.id.is_none() { tr("servers.form.add") } else { tr("servers.form.save") };
            save = ui.add(Button::new(words).icon(Icon::Check).primary().enabled(!saving)).clicked();
            leave |= ui.add(Button::new(tr("common.cancel"))).clicked();
        });
        if leave {
            push(cx, ServersCommand::CloseForm);
            return;
        }
        if save {
            self.tried = true;
            let taken = self.name_taken(&cx.state.pages.servers);
            if let Some(draft) = self.draft().filter(|_| !taken) {
                let draft = Box::new(draft);
                push(
                    cx,
                    match self.id {
                        None => ServersCommand::Add(draft),
                        Some(id) => ServersCommand::Update { id, draft },
                    },
                );
            }
        }
        page_body(ui, 760.0, |ui| self.body(ui, cx));
    }

    /// What is typed, where nothing is wrong with it.
    fn draft(&self) -> Option<McpServerDraft> {
        let seconds: u32 = self.seconds.trim().parse().ok().filter(|seconds| *seconds > 0)?;
        let name = self.name.trim().to_owned();
        if !is_name(&name) {
            return None;
        }
        let folder = self.folder.trim();
        let transport = if self.program {
            let command = self.command.trim().to_owned();
            if command.is_empty() {
                return None;
            }
            McpTransport::Stdio {
                command,
                args: self.arguments.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect(),
                env: map(&self.environment)?,
                folder: (!folder.is_empty()).then(|| PathBuf::from(folder)),
                folders: self.folders.clone(),
                network: self.network,
            }
        } else {
            let url = self.address.trim().to_owned();
            if !is_address(&url) {
                return None;
            }
            McpTransport::Http { url, headers: map(&self.headers)? }
        };
        let (enabled, default) = (self.enabled, self.permission);
        Some(McpServerDraft { name, transport, enabled, call_seconds: seconds, default })
    }

    fn name_taken(&self, page: &ServersState) -> bool {
        let others = page.list.get().into_iter().flatten().filter(|server| Some(server.id) != self.id);
        others.into_iter().any(|server| server.settings.name == self.name.trim())
    }

    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        section_title(ui, tr("servers.form.kind"));
        ui.add_space(tokens.space.xs);
        let cards = [
            (tr("servers.form.program"), tr("servers.form.program_text")),
            (tr("servers.form.remote"), tr("servers.form.remote_text")),
        ];
        if let Some(picked) = choice(ui, &cards, Some(usize::from(!self.program))) {
            self.program = picked == 0;
        }
        ui.add_space(tokens.space.s);
        label(ui, tr("servers.form.name"));
        let name = self.name.trim().to_owned();
        let taken = self.name_taken(&cx.state.pages.servers);
        let wrong = (!name.is_empty() && !is_name(&name)) || taken || (self.tried && name.is_empty());
        let id = Id::unique(("server form", self.number, "name"));
        let field = TextField::new(&mut self.name, tr("servers.form.name")).hint("files").id(id).problem(wrong);
        let field = field.show(ui);
        if std::mem::take(&mut self.focus) {
            field.request_focus();
        }
        if wrong {
            told(ui, if taken { tr("servers.form.name_taken") } else { tr("servers.form.name_wrong") });
        } else {
            let shown = if name.is_empty() { "files" } else { name.as_str() };
            let words = tr_with("servers.form.name_text", &[("name", &short(shown, 40))]);
            ui.label(tokens.rich(Type::Label, words));
        }
        if self.program {
            self.program(ui, cx)
        } else {
            self.remote(ui, cx)
        }
        ui.add_space(tokens.space.m);
        self.rest(ui);
    }

    fn program(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        label(ui, tr("servers.form.command"));
        let wrong = self.tried && self.command.trim().is_empty();
        let field = TextField::new(&mut self.command, tr("servers.form.command"));
        field.hint("/usr/bin/mcp-server-files").problem(wrong).show(ui);
        if wrong {
            told(ui, tr("servers.form.no_command"));
        }
        label(ui, tr("servers.form.arguments"));
        TextArea::new(&mut self.arguments, tr("servers.form.arguments")).rows(3).code().show(ui);
        label(ui, tr("servers.form.folder"));
        TextField::new(&mut self.folder, tr("servers.form.folder")).hint(tr("servers.form.folder_hint")).show(ui);
        label(ui, tr("servers.form.environment"));
        let keys = cx.state.pages.servers.keys.get();
        pair_rows(ui, cx, keys, &mut self.environment, "environment", self.tried);
        label(ui, tr("servers.form.folders"));
        self.folder_rows(ui, cx);
        ui.add_space(tokens.space.m);
        ui.horizontal(|ui| {
            toggle(ui, &mut self.network, tr("servers.form.network"));
            ui.label(tokens.rich(Type::Body, tr("servers.form.network")));
        });
        let words = if self.network { tr("servers.form.network_on") } else { tr("servers.form.network_off") };
        let all = cx.state.network.as_ref().is_some_and(|net| net.policy == NetworkPolicy::All && !net.forbid_cloud);
        if self.network {
            let words = if all { words.to_owned() } else { format!("{words} {}", tr("servers.form.network_refused")) };
            states::banner(ui, Tone::Warn, Icon::ShieldWarning, &words);
        } else {
            ui.add(Label::new(tokens.rich(Type::Label, words)).wrap());
        }
    }

    fn folder_rows(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let mut gone = None;
        for (at, folder) in self.folders.iter_mut().enumerate() {
            ui.horizontal(|ui| {
                ui.label(Icon::Folder.rich(tokens.size.icon).color(tokens.color.text_2));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let shown = path(&folder.path);
                    let title = tr_with("servers.form.remove_folder", &[("path", &shown)]);
                    if ui.add(IconButton::new(Icon::X, title).small()).clicked() {
                        gone = Some(at);
                    }
                    toggle(ui, &mut folder.write, &tr_with("servers.form.may_write", &[("path", &shown)]));
                    ui.label(tokens.rich(Type::Secondary, tr("servers.form.write")));
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.add(Label::new(tokens.rich(Type::Body, shown)).truncate());
                    });
                });
            });
        }
        if let Some(at) = gone {
            self.folders.remove(at);
        }
        if ui.add(Button::new(tr("servers.form.add_folder")).icon(Icon::FolderPlus).small()).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::ServerFolder));
        }
    }

    fn remote(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        label(ui, tr("servers.form.address"));
        let typed = self.address.trim();
        let wrong = (self.tried || !typed.is_empty()) && !is_address(typed);
        let field = TextField::new(&mut self.address, tr("servers.form.address"));
        field.hint("https://example.org/mcp").problem(wrong).show(ui);
        if wrong {
            told(ui, tr("servers.form.address_wrong"));
        }
        label(ui, tr("servers.form.headers"));
        let keys = cx.state.pages.servers.keys.get();
        pair_rows(ui, cx, keys, &mut self.headers, "headers", self.tried);
        let tokens = ui.tokens();
        ui.add(Label::new(tokens.rich(Type::Label, tr("servers.form.remote_door"))).wrap());
    }

    fn rest(&mut self, ui: &mut Ui) {
        let tokens = ui.tokens();
        label(ui, tr("servers.form.permission"));
        let names = PERMISSIONS.map(|(_, key)| tr(key).to_owned());
        let at = PERMISSIONS.iter().position(|(one, _)| *one == self.permission).unwrap_or_default();
        if let Some(picked) = select(ui, tr("servers.form.permission"), &names, at, 360.0) {
            self.permission = PERMISSIONS[picked].0;
        }
        label(ui, tr("servers.form.seconds"));
        let wrong = self.seconds.trim().parse::<u32>().map_or(true, |seconds| seconds == 0);
        TextField::new(&mut self.seconds, tr("servers.form.seconds")).width(120.0).problem(wrong).show(ui);
        if wrong {
            told(ui, tr("servers.form.no_number"));
        }
        ui.add_space(tokens.space.m);
        ui.horizontal(|ui| {
            toggle(ui, &mut self.enabled, tr("servers.form.enabled"));
            ui.label(tokens.rich(Type::Body, tr("servers.form.enabled")));
        });
    }
}

/// Rows of a name and its value, which is typed or lies in the vault.
fn pair_rows(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    keys: Option<&CredentialList>,
    all: &mut Vec<Pair>,
    salt: &str,
    tried: bool,
) {
    let tokens = ui.tokens();
    let services: Vec<String> = keys.map_or_else(Vec::new, |list| {
        let mut services: Vec<String> = list.items.iter().map(|item| item.service.clone()).collect();
        services.extend(list.environment.iter().filter(|key| key.in_use).map(|key| key.service.clone()));
        services.sort();
        services.dedup();
        services
    });
    let mut gone = None;
    for (at, pair) in all.iter_mut().enumerate() {
        ui.push_id((salt, at), |ui| {
            ui.horizontal(|ui| {
                let number = at + 1;
                let title = tr_with("servers.form.pair_name", &[("n", &number)]);
                let wrong = tried && pair.name.trim().is_empty();
                TextField::new(&mut pair.name, &title).hint("NAME").width(170.0).problem(wrong).show(ui);
                let kinds = [tr("servers.form.plain").to_owned(), tr("servers.form.vault").to_owned()];
                let title = tr_with("servers.form.pair_kind", &[("n", &number)]);
                if let Some(picked) = select(ui, &title, &kinds, usize::from(pair.from_vault), 120.0) {
                    pair.from_vault = picked == 1;
                    pair.value.clear();
                }
                let title = tr_with("servers.form.pair_value", &[("n", &number)]);
                if pair.from_vault {
                    let mut names = services.clone();
                    if !names.contains(&pair.value) {
                        names.push(if pair.value.is_empty() {
                            tr("servers.form.choose").to_owned()
                        } else {
                            pair.value.clone()
                        });
                    }
                    let at = names.iter().position(|name| *name == pair.value).unwrap_or(names.len() - 1);
                    if let Some(picked) = select(ui, &title, &names, at, 220.0)
                        && let Some(service) = services.get(picked)
                    {
                        pair.value.clone_from(service);
                    }
                } else {
                    let width = (ui.available_width() - 64.0).clamp(80.0, 260.0);
                    TextField::new(&mut pair.value, &title).width(width).show(ui);
                }
                let title = tr_with("servers.form.pair_remove", &[("n", &number)]);
                if ui.add(IconButton::new(Icon::X, title).small()).clicked() {
                    gone = Some(at);
                }
            });
        });
    }
    if let Some(at) = gone {
        all.remove(at);
    }
    ui.horizontal(|ui| {
        let title = tr(&format!("servers.form.add_{salt}"));
        if ui.add(Button::new(title).icon(Icon::Plus).small()).clicked() {
            all.push(Pair { name: String::new(), value: String::new(), from_vault: false });
        }
        if all.iter().any(|pair| pair.from_vault)
            && ui.add(Button::new(tr("servers.form.add_key")).icon(Icon::Key).quiet().small()).clicked()
        {
            cx.commands.push(UiCommand::OpenPage(Page::Credentials));
        }
    });
    ui.add(Label::new(tokens.rich(Type::Label, tr("servers.form.pair_text"))).wrap());
}

fn pairs(map: &BTreeMap<String, McpSecret>) -> Vec<Pair> {
    let pair = |(name, value): (&String, &McpSecret)| {
        let (value, from_vault) = match value {
            McpSecret::Plain(text) => (text.clone(), false),
            McpSecret::Credential(service) => (service.clone(), true),
        };
        Pair { name: name.clone(), value, from_vault }
    };
    map.iter().map(pair).collect()
}

/// None where a name is missing, or a value of the vault is not chosen.
fn map(pairs: &[Pair]) -> Option<BTreeMap<String, McpSecret>> {
    let one = |pair: &Pair| {
        let name = pair.name.trim();
        if name.is_empty() || (pair.from_vault && pair.value.is_empty()) {
            return None;
        }
        let value = pair.value.clone();
        let value = if pair.from_vault { McpSecret::Credential(value) } else { McpSecret::Plain(value) };
        Some((name.to_owned(), value))
    };
    pairs.iter().map(one).collect()
}

/// Small letters, digits and underscores.
fn is_name(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    !name.is_empty() && name.len() <= 40 && name.chars().all(fits)
}

fn is_address(address: &str) -> bool {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

fn label(ui: &mut Ui, words: &str) {
    let tokens = ui.tokens();
    ui.add_space(tokens.space.s);
    ui.label(tokens.rich(Type::Secondary, words));
}

/// What is wrong with the field above.
fn told(ui: &mut Ui, words: &str) {
    let tokens = ui.tokens();
    let response = ui.add(Label::new(tokens.rich(Type::Secondary, words).color(tokens.color.bad)).wrap());
    speak_as(ui, &response, egui::Role::Alert, words);
}
