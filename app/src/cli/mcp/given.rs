//! A server of tools as it is given at the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use rspa_core::model::{AllowedFolder, McpSecret, McpServerDraft, McpTransport, Permission};

use super::super::failure::Failure;

#[derive(Args)]
pub struct ServerArguments {
    /// The program to start
    #[arg(long, conflicts_with_all = ["url", "headers"])]
    command: Option<String>,
    /// An argument of the program; again for each
    #[arg(long = "arg", value_name = "ARGUMENT", allow_hyphen_values = true)]
    args: Vec<String>,
    /// A variable of its environment
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// A variable, or for an address a header, whose value is the credential of a service
    #[arg(long = "secret", value_name = "NAME=SERVICE", value_parser = pair)]
    secrets: Vec<(String, String)>,
    /// A folder that it may read, or with :rw also change
    #[arg(long = "folder", value_name = "FOLDER[:rw]")]
    folders: Vec<String>,
    /// Where it is started; an empty folder of its own when not given
    #[arg(long, value_name = "FOLDER")]
    start_in: Option<PathBuf>,
    /// It may reach the network, where the profile's policy lets everything pass
    #[arg(long, overrides_with = "no_network")]
    network: bool,
    /// It may not reach the network (the default)
    #[arg(long)]
    no_network: bool,
    /// The address of a server that speaks streamable HTTP
    #[arg(long)]
    url: Option<String>,
    /// A header that is sent to it
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = pair)]
    headers: Vec<(String, String)>,
    /// Time limit of one call
    #[arg(long, value_name = "SECONDS")]
    call_seconds: Option<u32>,
    /// What agents that are given its tools may do: ask, allow or deny
    #[arg(long, value_parser = permission)]
    default: Option<Permission>,
    /// Switch it on
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// Switch it off: it is not started when it is needed
    #[arg(long)]
    off: bool,
}

/// NAME=VALUE.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() {
        return Err("expected NAME=VALUE".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn permission(text: &str) -> Result<Permission, String> {
    match text {
        "ask" => Ok(Permission::Ask),
        "allow" => Ok(Permission::Allow),
        "deny" => Ok(Permission::Deny),
        _ => Err("expected ask, allow or deny".to_owned()),
    }
}

fn plain(values: Vec<(String, String)>) -> impl Iterator<Item = (String, McpSecret)> {
    values.into_iter().map(|(name, value)| (name, McpSecret::Plain(value)))
}

fn from_vault(values: Vec<(String, String)>) -> impl Iterator<Item = (String, McpSecret)> {
    values.into_iter().map(|(name, service)| (name, McpSecret::Credential(service)))
}

fn folder(text: &str) -> Result<AllowedFolder, Failure> {
    let (path, write) = match text.strip_suffix(":rw") {
        Some(path) => (path, true),
        None => (text.strip_suffix(":r").unwrap_or(text), false),
    };
    Ok(AllowedFolder { path: whole(Path::new(path))?, write })
}

fn whole(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(|error| {
        Failure::validation(format!("{} cannot be opened: {error}", path.display()), "Name a folder that exists.")
    })
}

impl ServerArguments {
    /// A new server.
    pub fn draft(self, name: String) -> Result<McpServerDraft, Failure> {
        let transport = match (&self.command, &self.url) {
            (Some(command), None) => McpTransport::Stdio {
                command: command.clone(),
                args: Vec::new(),
                env: BTreeMap::new(),
                folder: None,
                folders: Vec::new(),
                network: false,
            },
            (None, Some(url)) => McpTransport::Http { url: url.clone(), headers: BTreeMap::new() },
            _ => {
                let advice = "Give --command PROGRAM, or --url ADDRESS.";
                return Err(Failure::validation("say what is started, or where the server is", advice));
            }
        };
        let mut draft = McpServerDraft { name, transport, enabled: true, call_seconds: 60, default: Permission::Ask };
        self.change(&mut draft)?;
        Ok(draft)
    }

    /// What is named replaces what was there; a list replaces the whole list.
    pub fn change(self, draft: &mut McpServerDraft) -> Result<(), Failure> {
        if let Some(seconds) = self.call_seconds {
            draft.call_seconds = seconds;
        }
        if let Some(default) = self.default {
            draft.default = default;
        }
        draft.enabled = (draft.enabled || self.on) && !self.off;
        let odd = |what: &str| {
            Err(Failure::validation(format!("{what} does not fit this kind of server"), "Remove it and add it anew."))
        };
        match &mut draft.transport {
            McpTransport::Stdio { command, args, env, folder: start_in, folders, network } => {
                if self.url.is_some() || !self.headers.is_empty() {
                    return odd("an address or a header");
                }
                if let Some(program) = self.command {
                    *command = program;
                }
                if !self.args.is_empty() {
                    *args = self.args;
                }
                env.extend(plain(self.env));
                env.extend(from_vault(self.secrets));
                if !self.folders.is_empty() {
                    *folders = self.folders.iter().map(|text| folder(text)).collect::<Result<_, _>>()?;
                }
                if let Some(path) = self.start_in {
                    *start_in = Some(whole(&path)?);
                }
                *network = (*network || self.network) && !self.no_network;
            }
            McpTransport::Http { url, headers } => {
                let program = self.command.is_some() || !self.args.is_empty() || !self.env.is_empty();
                if program || !self.folders.is_empty() || self.network || self.start_in.is_some() {
                    return odd("what belongs to a program");
                }
                if let Some(address) = self.url {
                    *url = address;
                }
                headers.extend(plain(self.headers));
                headers.extend(from_vault(self.secrets));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        server: ServerArguments,
    }

    fn draft(arguments: &[&str]) -> Result<McpServerDraft, Failure> {
        let line = Line::try_parse_from([&["rspa"][..], arguments].concat()).unwrap_or_else(|error| panic!("{error}"));
        line.server.draft("x".to_owned())
    }

    #[test]
    fn a_server_is_a_program_or_an_address() {
        let Ok(made) =
            draft(&["--command", "node", "--arg", "-v", "--env", "A=b=c", "--secret", "K=openai", "--folder", "/:rw"])
        else {
            panic!()
        };
        let McpTransport::Stdio { args, env, folders, network, .. } = made.transport else { panic!() };
        assert_eq!((args.as_slice(), network), (["-v".to_owned()].as_slice(), false));
        assert_eq!(env["A"], McpSecret::Plain("b=c".to_owned()));
        assert_eq!(env["K"], McpSecret::Credential("openai".to_owned()));
        assert!(folders[0].write && folders[0].path == Path::new("/"));
        let Ok(made) = draft(&["--url", "https://example.org/mcp", "--secret", "Authorization=example", "--off"])
        else {
            panic!()
        };
        assert!(!made.enabled);
        let McpTransport::Http { headers, .. } = made.transport else { panic!() };
        assert_eq!(headers["Authorization"], McpSecret::Credential("example".to_owned()));
        assert!(draft(&[]).is_err());
        assert!(draft(&["--url", "https://example.org", "--folder", "/"]).is_err());
        assert!(draft(&["--command", "x", "--folder", "/no/such/folder"]).is_err());
    }
}
